use super::*;

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
