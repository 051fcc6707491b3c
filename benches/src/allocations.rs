//! A global allocator that counts on demand.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};

/// Number and size of allocations.
#[derive(Clone, Copy, Default)]
pub struct Allocations {
    pub fresh: u64,
    /// Number of times a block was resized.
    pub resized: u64,
    /// Bytes allocated, including the growth of blocks.
    pub bytes: u64,
    /// Bytes allocated and not freed.
    pub kept: i64,
    /// The peak of bytes in use, beyond those in use before.
    pub peak: i64,
}

/// Counts the allocations of `work` and the threads beside it.
pub fn counted<T>(work: impl FnOnce() -> T) -> (T, Allocations) {
    let before = total();
    PEAK.store(before.kept, Relaxed);
    COUNTING.store(true, Relaxed);
    let result = work();
    COUNTING.store(false, Relaxed);
    let after = total();
    let counted = Allocations {
        fresh: after.fresh - before.fresh,
        resized: after.resized - before.resized,
        bytes: after.bytes - before.bytes,
        kept: after.kept - before.kept,
        peak: after.peak - before.kept,
    };
    (result, counted)
}

#[global_allocator]
static COUNTER: Counter = Counter;

// Off while time is measured, because counting would cost clients that allocate much.
static COUNTING: AtomicBool = AtomicBool::new(false);
static FRESH: AtomicU64 = AtomicU64::new(0);
static RESIZED: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
static KEPT: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);

fn total() -> Allocations {
    Allocations {
        fresh: FRESH.load(Relaxed),
        resized: RESIZED.load(Relaxed),
        bytes: BYTES.load(Relaxed),
        kept: KEPT.load(Relaxed),
        peak: PEAK.load(Relaxed),
    }
}

fn note_freed(bytes: usize) {
    if COUNTING.load(Relaxed) {
        KEPT.fetch_sub(bytes.cast_signed() as i64, Relaxed);
    }
}

fn note(calls: &AtomicU64, bytes: usize) {
    if COUNTING.load(Relaxed) {
        calls.fetch_add(1, Relaxed);
        BYTES.fetch_add(bytes as u64, Relaxed);
        let bytes = bytes.cast_signed() as i64;
        PEAK.fetch_max(KEPT.fetch_add(bytes, Relaxed) + bytes, Relaxed);
    }
}

struct Counter;

// SAFETY: every call is passed to the system's allocator with its arguments unchanged, so its
// guarantees hold; the counting beside it neither allocates nor panics.
unsafe impl GlobalAlloc for Counter {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(&FRESH, layout.size());
        // SAFETY: the caller's guarantees are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(&FRESH, layout.size());
        // SAFETY: the caller's guarantees are passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(&RESIZED, size.saturating_sub(layout.size()));
        note_freed(layout.size().saturating_sub(size));
        // SAFETY: the caller's guarantees are passed on.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        note_freed(layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(block, layout) }
    }
}
