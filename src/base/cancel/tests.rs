use std::sync::atomic::AtomicUsize;

use super::*;

#[test]
fn hooks_run_once_each_and_only_while_they_are_watched() {
    for hook in [interrupt, wake] {
        run_hooks(&CancelToken::new(), hook);
    }
}

fn interrupt(count: Arc<AtomicUsize>) -> Hook {
    Hook::Interrupt(Box::new(move || {
        count.fetch_add(1, Ordering::SeqCst);
    }))
}

fn wake(count: Arc<AtomicUsize>) -> Hook {
    Hook::Wake(Arc::new(move || {
        count.fetch_add(1, Ordering::SeqCst);
    }))
}

fn run_hooks(token: &CancelToken, hook: fn(Arc<AtomicUsize>) -> Hook) {
    let count = Arc::new(AtomicUsize::new(0));
    let hook = || hook(Arc::clone(&count));
    let first = token.on_cancel(hook());
    drop(token.on_cancel(hook()));
    let other = token.clone();
    std::thread::spawn(move || other.cancel()).join().unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 1, "a dropped watch removes its hook");
    drop(first);
    let late = token.on_cancel(hook());
    assert_eq!(count.load(Ordering::SeqCst), 2, "a hook of a cancelled token runs immediately");
    drop(late);
    assert!(token.is_cancelled() && token.0.hooks().slots.iter().all(Option::is_none));
    assert_eq!(format!("{token:?}"), "CancelToken { is_cancelled: true }");
}

/// One token may belong to any number of calls, one after the other.
#[test]
fn slots_are_used_again() {
    let token = CancelToken::new();
    let mut watches: Vec<_> = (0..3).map(|_| token.on_cancel(nothing())).collect();
    for _ in 0..100 {
        drop(watches.remove(1));
        watches.push(token.on_cancel(nothing()));
    }
    let slots: std::collections::BTreeSet<_> = watches.iter().map(|watch| watch.slot).collect();
    assert_eq!((slots.len(), token.0.hooks().slots.len()), (3, 3), "each hook has its own slot");
}

fn nothing() -> Hook {
    Hook::Wake(Arc::new(|| ()))
}

/// A wake may do anything with the token: register a hook, drop its watch, cancel again.
#[test]
fn wakes_run_without_the_lock() {
    let token = CancelToken::new();
    let watch = Arc::new(Mutex::new(None));
    let (own, others) = (token.clone(), Arc::clone(&watch));
    let uses = move || {
        drop(own.on_cancel(nothing()));
        let watch = others.lock().unwrap().take();
        if watch.is_some() {
            drop(watch);
            own.cancel();
        }
    };
    *watch.lock().unwrap() = Some(token.on_cancel(Hook::Wake(Arc::new(uses))));
    token.cancel();
    assert!(watch.lock().unwrap().is_none());
    assert!(token.0.hooks().slots.iter().all(Option::is_none));
}

/// Dropping a hook may use the token.
#[test]
fn hooks_are_dropped_without_the_lock() {
    struct Uses(CancelToken);
    impl Drop for Uses {
        fn drop(&mut self) {
            drop(self.0.on_cancel(nothing()));
        }
    }
    let token = CancelToken::new();
    let uses = Uses(token.clone());
    let watch = token.on_cancel(Hook::Wake(Arc::new(move || {
        let _held = &uses;
    })));
    drop(watch);
    assert!(token.0.hooks().slots.iter().all(Option::is_none));
}
