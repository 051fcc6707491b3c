use super::*;

/// From the description of XXH64, and `xxhsum`.
#[test]
fn checksums() {
    let hash = |data: &[u8], piece: usize| {
        let mut hash = Xxh64::default();
        data.chunks(piece).for_each(|piece| hash.update(piece));
        hash.finish()
    };
    assert_eq!(hash(b"", 1), 0xef46_db37_51d8_e999);
    assert_eq!(hash(b"a", 1), 0xd24e_c4f1_a98c_6e5b);
    assert_eq!(hash(b"abc", 1), 0x44bc_2cf5_ad77_0999);
    let long: Vec<u8> = (0..=255).collect();
    let whole = hash(&long, 256);
    assert!((1..100).all(|piece| hash(&long, piece) == whole));
}

/// At most the window and half as much again is kept, for frames of any length.
#[test]
fn memory_is_bounded_by_the_window() {
    let mut decoder = Zstd::new();
    let mut output = vec![0; MAX_BLOCK];
    let start = b"\x28\xb5\x2f\xfd\0\x68".as_slice(); // 8 MiB
    let block = b"\x02\0\x10x".as_slice(); // 128 KiB
    decoder.decode(start, &mut output).unwrap();
    for _ in 0..500 {
        let progress = decoder.decode(block, &mut output).unwrap();
        assert_eq!((progress.consumed, progress.produced), (4, MAX_BLOCK));
        assert!(decoder.window.bytes.capacity() <= 16 * 1024 * 1024);
    }
}
