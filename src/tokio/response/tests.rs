use std::mem::MaybeUninit;
use std::task::Waker;

use super::*;

/// Polls a read of one byte; returns the room that it had.
fn room_for_a_read(buffer: &mut ReadBuf<'_>) -> usize {
    let mut room = 0;
    let mut cx = Context::from_waker(Waker::noop());
    let read = poll_into(buffer, &mut cx, async |into| {
        room = into.len();
        Ok(1)
    });
    assert!(matches!(read, Poll::Ready(Ok(()))));
    room
}

#[test]
fn a_read_initializes_only_a_part_of_a_large_buffer() {
    const LENGTH: usize = 1 << 20;
    let mut memory = vec![MaybeUninit::uninit(); LENGTH];
    let mut buffer = ReadBuf::uninit(&mut memory);
    assert_eq!(room_for_a_read(&mut buffer), READ_ROOM);
    assert_eq!((buffer.initialized().len(), buffer.filled().len()), (READ_ROOM, 1));
    let mut memory = vec![0; LENGTH];
    assert_eq!(room_for_a_read(&mut ReadBuf::new(&mut memory)), LENGTH, "initialized already");
    let mut memory = [MaybeUninit::uninit(); 9];
    assert_eq!(room_for_a_read(&mut ReadBuf::uninit(&mut memory)), 9);
}
