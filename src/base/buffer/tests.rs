use super::*;

#[test]
fn bytes_come_out_as_they_went_in() {
    let mut buffer = Buffer::default();
    let mut expected = Vec::new();
    for round in 0..200_usize {
        let piece = vec![round as u8; round % 17];
        buffer.push(&piece);
        expected.extend_from_slice(&piece);
        let eaten = (round % 13).min(buffer.len());
        buffer.consume(eaten);
        expected.drain(..eaten);
        assert_eq!(buffer.data(), expected);
    }
}

#[test]
fn space_is_reused_before_memory_grows() {
    let mut buffer = Buffer::default();
    assert_eq!(buffer.space(100).len(), 100);
    buffer.filled(100);
    buffer.consume(60);
    assert_eq!(buffer.space(50).len(), 60, "moved to the front");
    buffer.filled(60);
    assert!(!buffer.space(1).is_empty());
    assert_eq!(buffer.len(), 100);
    let mut shelf = BufferPool::default();
    buffer.rest(&mut shelf);
    assert!(buffer.is_empty() && buffer.memory.is_empty());
    buffer.wake(&mut shelf);
    assert!(buffer.is_empty() && buffer.memory.len() >= 100);
}

/// Space that is just enough is neither moved nor grown. For one byte more the data moves to the
/// front; if that is not enough, the memory doubles.
#[test]
fn just_enough_space_is_enough() {
    let half_eaten = || {
        let mut buffer = Buffer::default();
        buffer.space(100);
        buffer.push(&[7; 80]);
        buffer.consume(50);
        buffer
    };
    for (least, space) in [(0, 20), (20, 20), (21, 70), (70, 70), (71, 170), (200, 200)] {
        let mut buffer = half_eaten();
        assert_eq!(buffer.space(least).len(), space, "{least}");
        assert_eq!(buffer.data(), [7; 30], "{least}");
    }
}

#[test]
fn a_buffer_is_full_when_no_space_is_behind_the_data() {
    let mut buffer = Buffer::default();
    buffer.space(3);
    buffer.push(b"ab");
    assert!(!buffer.is_full());
    buffer.push(b"c");
    assert!(buffer.is_full());
    buffer.consume(2);
    assert!(buffer.is_full(), "space in front of the data does not count");
    buffer.data_mut()[0] = b'd';
    assert_eq!(buffer.data(), b"d");
}

#[test]
fn a_shelf_keeps_a_bounded_number_of_small_buffers() {
    let put = |size, shelf: &mut BufferPool| {
        let mut buffer = Buffer::default();
        buffer.space(size);
        buffer.rest(shelf);
    };
    let mut shelf = BufferPool::default();
    for size in [0, LARGE_PIECE + 1, 100, 16 * 1024] {
        put(size, &mut shelf);
    }
    let sizes = [(); 3].map(|()| {
        let mut buffer = Buffer::default();
        buffer.wake(&mut shelf);
        buffer.memory.len()
    });
    assert_eq!(sizes, [16 * 1024, 100, 0]);
    for _ in 0..50 {
        put(1, &mut shelf);
    }
    assert_eq!(shelf.memory.len(), SHELF_PIECES);
}

/// Of buffers for large bodies the largest is kept, and only a large body takes it.
#[test]
fn a_shelf_keeps_one_large_buffer() {
    let mut shelf = BufferPool::default();
    for size in [64 * 1024, LARGE_PIECE, 64 * 1024, LARGE_PIECE + 1] {
        let mut buffer = Buffer::default();
        buffer.space(size);
        buffer.rest(&mut shelf);
    }
    let sizes = [Buffer::wake, Buffer::wake_large, Buffer::wake_large].map(|wake| {
        let mut buffer = Buffer::default();
        wake(&mut buffer, &mut shelf);
        buffer.memory.len()
    });
    assert_eq!(sizes, [0, LARGE_PIECE, 0]);
}

#[test]
fn filling_behind_a_gap_moves_the_data_up() {
    let mut buffer = Buffer::default();
    buffer.push(b"head");
    buffer.space(10)[..6].copy_from_slice(b"___abc");
    buffer.filled_behind(3, 3);
    assert_eq!(buffer.data(), b"headabc");
}

/// A range that does not fit into the free space is ignored, and the data stays as it is.
#[test]
fn a_range_outside_the_free_space_is_ignored() {
    for (gap, count, expected) in [
        (3, 3, &b"headdef"[..]),
        (6, 0, b"head"),
        (0, 6, b"headabcdef"),
        (3, 4, b"head"),
        (7, 0, b"head"),
        (0, 7, b"head"),
    ] {
        let mut buffer = Buffer::default();
        buffer.space(10);
        buffer.push(b"head");
        buffer.space(6).copy_from_slice(b"abcdef");
        buffer.filled_behind(gap, count);
        assert_eq!(buffer.data(), expected, "{gap} {count}");
    }
}

#[test]
fn counts_beyond_the_end_are_clamped() {
    let mut buffer = Buffer::default();
    buffer.push(b"ab");
    buffer.consume(5);
    assert!(buffer.is_empty());
    buffer.filled(9);
    assert!(buffer.len() <= 2);
}
