//! The chunked coding: a body of 1 MiB in chunks of these sizes.

use divan::Bencher;
use divan::counter::BytesCount;
use leanhttp::fuzzing::Chunked;

const BODY: usize = 1 << 20;

/// The number of bytes decoded per call.
const SPACE: usize = 64 << 10;

#[divan::bench(args = [16, 256, 4 << 10, 64 << 10])]
fn decode(bencher: Bencher<'_, '_>, chunk: usize) {
    let mut body = format!("{chunk:x}\r\n{}\r\n", "x".repeat(chunk)).repeat(BODY / chunk);
    body.push_str("0\r\n\r\n");
    let mut space = vec![0; SPACE];
    bencher.counter(BytesCount::new(BODY)).bench_local(|| {
        let mut decoder = Chunked::new();
        let (mut rest, mut total) = (body.as_bytes(), 0);
        while !decoder.is_done() {
            let (consumed, produced) = decoder.decode(rest, &mut space).unwrap();
            rest = &rest[consumed..];
            total += produced;
        }
        assert_eq!(total, BODY);
    });
}
