use super::*;

/// Memory is used again once its piece is dropped, and a piece that is kept is never overwritten.
#[test]
fn memory_of_pieces_is_used_again_only_when_they_are_dropped() {
    let mut pieces = PieceMemory::default();
    let mut memory = pieces.take(Some(1 << 20));
    let address = memory.as_ptr();
    memory.fill(b'a');
    let first = pieces.lend(memory, 40_000);
    assert_eq!((first.as_ptr(), first.len()), (address, 40_000));
    let mut memory = pieces.take(Some(1 << 20)); // the first piece is still there
    assert_ne!(memory.as_ptr(), address);
    memory.fill(b'b');
    let address = memory.as_ptr();
    drop(pieces.lend(memory, 40_000));
    assert_eq!(pieces.take(Some(1 << 20)).as_ptr(), address, "dropped, so used again");
    assert!(first.iter().all(|byte| *byte == b'a'));
}

/// A caller may pass a piece on while it reads the next one: two blocks take turns.
#[test]
fn memory_of_two_pieces_takes_turns() {
    let mut pieces = PieceMemory::default();
    let mut passed_on = Bytes::new();
    let mut addresses = Vec::new();
    for _ in 0..8 {
        let memory = pieces.take(Some(1 << 20));
        addresses.push(memory.as_ptr());
        passed_on = pieces.lend(memory, 40_000);
    }
    drop(passed_on);
    assert_ne!(addresses[0], addresses[1]);
    assert!(addresses.chunks(2).all(|two| two == &addresses[..2]), "{addresses:?}");
}

/// A caller that keeps its pieces gets slices of large blocks, of which less than a quarter is lost.
#[test]
fn pieces_that_are_kept_share_blocks() {
    let mut pieces = PieceMemory::default();
    let mut kept = Vec::new();
    let (mut blocks, mut sizes) = (0, 0);
    for size in [64, 128, 256].into_iter().chain([100, 70, 86].into_iter().cycle().take(300)) {
        let memory = pieces.take(Some(u64::MAX));
        let is_new =
            kept.last().is_none_or(|last: &Bytes| last.as_ptr_range().end != memory.as_ptr());
        (blocks, sizes) = (blocks + usize::from(is_new), sizes + size * 1024);
        let count = memory.len().min(size * 1024);
        kept.push(pieces.lend(memory, count));
    }
    let total: usize = kept.iter().map(Bytes::len).sum();
    assert!(
        blocks * 3 * PieceMemory::LARGEST / 4 <= total,
        "{blocks} blocks for {total} of {sizes} bytes"
    );
}

/// Whatever the caller keeps and drops: no piece changes after it was returned.
#[test]
fn pieces_never_change() {
    for seed in 1..30_u64 {
        let mut state = seed;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % below
        };
        let (mut pieces, mut kept) = (PieceMemory::default(), Vec::<(u8, Bytes)>::new());
        for round in 0..100_u8 {
            let mut memory = pieces.take((random(2) == 0).then_some(1 << 20));
            let count = match random(3) {
                0 => memory.len(),
                _ => 1 + random(memory.len() as u64) as usize,
            };
            memory[..count].fill(round);
            match random(8) {
                0 => pieces.put_back(memory),
                1 => pieces = PieceMemory::default(), // a future that was dropped
                _ => kept.push((round, pieces.lend(memory, count))),
            }
            let is_dropped = 1 + random(4);
            kept.retain(|_| random(4) >= is_dropped.saturating_sub(2));
            assert!(
                kept.iter()
                    .all(|(round, piece)| piece.iter().step_by(997).all(|byte| byte == round))
            );
        }
    }
}

/// A caller that keeps a small piece must not keep a large block with it.
#[test]
fn pieces_hold_at_most_four_times_their_size() {
    for (count, is_copied) in [(1, true), (16_383, true), (16_384, false), (65_536, false)] {
        let mut pieces = PieceMemory::default();
        let memory = pieces.take(Some(1 << 20));
        let (address, length) = (memory.as_ptr(), memory.len());
        assert_eq!(length, 65_536);
        let piece = pieces.lend(memory, count);
        assert_eq!((piece.len(), piece.as_ptr() != address), (count, is_copied), "{count}");
    }
}

/// Full reads double up to 256 KiB; no read is larger than the rest of the body, nor empty.
#[test]
fn pieces_grow_while_reads_fill_them() {
    let mut pieces = PieceMemory::default();
    for kib in [64, 128, 256, 256] {
        let memory = pieces.take(Some(u64::MAX));
        assert_eq!(memory.len(), kib * 1024);
        let length = memory.len();
        drop(pieces.lend(memory, length));
    }
    for (left, length) in [(Some(0), 1), (Some(1), 1), (Some(9), 9), (None, 16 * 1024)] {
        assert_eq!(PieceMemory::default().take(left).len(), length, "{left:?}");
    }
}

/// Blocks stay small while reads do, down to 4 KiB; then pieces are not copied any more.
#[test]
fn pieces_shrink_while_reads_are_small() {
    for (count, block) in [(1, 4096), (1448, 4096), (1448 * 3, 16 * 1024), (65_483, 65_536)] {
        let mut pieces = PieceMemory::default();
        let mut lengths = Vec::new();
        for _ in 0..20 {
            let memory = pieces.take(Some(1 << 30));
            lengths.push(memory.len());
            let address = memory.as_ptr();
            let is_own = pieces.lend(memory, count).as_ptr() == address;
            assert_eq!(is_own, count >= lengths[lengths.len() - 1] / 4, "{count} {lengths:?}");
        }
        assert_eq!(lengths[19], block, "{count} {lengths:?}");
    }
    let mut pieces = PieceMemory::default();
    for count in [65_536, 131_072, 100, 70_000, 100, 70_000] {
        let memory = pieces.take(Some(1 << 30));
        drop(pieces.lend(memory, count));
    }
    assert_eq!(pieces.take(Some(1 << 30)).len(), 256 * 1024, "one small read is no reason");
}
