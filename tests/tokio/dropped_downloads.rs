//! A download whose future is dropped leaves nothing, wherever it is.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use real::tokio::Client;
use tokio::time::{sleep, timeout};

use super::support::script::{Script, Step, send};

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn entries(folder: &Folder) -> usize {
    fs::read_dir(&folder.0).unwrap().count()
}

/// Each time it is dropped a little later: before it begins, while it connects, while blocking threads write.
#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_download_leaves_nothing() {
    let path = std::env::temp_dir().join(format!("leanhttp-dropped-{}", std::process::id()));
    fs::create_dir(&path).unwrap();
    let folder = Folder(path);
    let piece = vec![b'x'; 1 << 20];
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 2 * piece.len());
    for microseconds in (0..20_000).step_by(500) {
        let steps = vec![Step::ExpectHead, send([head.as_bytes(), &piece].concat()), Step::Silent];
        let server = Script::serve(vec![steps]);
        let download = Client::new().get(server.url("/f")).download();
        let fetch = download.to_file(folder.0.join("f"));
        let outcome = timeout(Duration::from_micros(microseconds), fetch).await;
        assert!(outcome.is_err(), "it never ends");
        // A server that saw no request is done.
        if server.accepted() == 0 {
            let _ =
                Client::new().get(server.url("/f")).timeout(Duration::from_millis(50)).send().await;
        }
        std::mem::forget(server);
    }
    // A blocking thread may still write, and removes the file then.
    for _ in 0..1000 {
        if entries(&folder) == 0 {
            return;
        }
        sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(entries(&folder), 0);
}

/// One that writes when it is dropped: what it left is gone once the write has ended.
#[tokio::test]
async fn a_download_that_is_aborted_after_bytes_came_leaves_nothing() {
    let path = std::env::temp_dir().join(format!("leanhttp-aborted-{}", std::process::id()));
    fs::create_dir(&path).unwrap();
    let folder = Folder(path);
    let steps = vec![
        Step::ExpectHead,
        send("HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nABCDEFGH"),
        Step::ExpectEnd,
    ];
    let server = Script::serve(vec![steps]);
    let (tell, told) = tokio::sync::oneshot::channel();
    let tell = std::sync::Mutex::new(Some(tell));
    let download = Client::new().get(server.url("/f")).download().on_progress(move |progress| {
        if progress.received == 8 {
            tell.lock().unwrap().take().map(|tell| tell.send(()));
        }
    });
    let task = tokio::spawn(download.to_file(folder.0.join("f")));
    told.await.unwrap();
    assert_eq!(entries(&folder), 1);
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    while entries(&folder) > 0 {
        sleep(Duration::from_millis(5)).await;
    }
}
