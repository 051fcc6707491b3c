use super::*;

/// Memory is used again once its piece is dropped, and a piece that is kept is never overwritten.
#[cfg(any(feature = "tokio", feature = "runtime"))]
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

/// A caller that keeps a small piece must not keep a large block with it.
#[cfg(any(feature = "tokio", feature = "runtime"))]
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
#[cfg(any(feature = "tokio", feature = "runtime"))]
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

/// For every length of a body, its memory has at most half of it to spare, besides the room of one read,
/// and is moved a logarithmic number of times.
#[test]
fn memory_of_a_body_of_unknown_length_grows_with_it() {
    let (mut body, mut moves) = (vec![0; first_piece(None)], 0);
    while body.len() < 64 << 20 {
        let (length, capacity) = (body.len(), body.capacity());
        grow(&mut body, None, u64::MAX);
        assert!((FIRST_PIECE..=LARGEST_ROOM).contains(&(body.len() - length)));
        assert!(body.capacity() <= length + length.div_ceil(2).max(LARGEST_ROOM));
        moves += usize::from(body.capacity() != capacity);
    }
    assert!(moves < 30, "{moves} moves");
}

#[test]
fn memory_of_a_body_ends_one_byte_behind_the_limit() {
    for limit in [0, 1, FIRST_PIECE as u64, 100_000] {
        let mut body = vec![0; FIRST_PIECE];
        for _ in 0..9 {
            grow(&mut body, None, limit);
        }
        assert_eq!(body.len() as u64, limit + 1);
    }
    let mut body = vec![7; 9];
    grow(&mut body, Some(2000), 5000);
    assert_eq!((&body[..10], body.len()), (&[7, 7, 7, 7, 7, 7, 7, 7, 7, 0][..], 2000));
}
