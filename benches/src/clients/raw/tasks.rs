//! The floor of tasks: one thread waits for many sockets.

use std::io::{Read, Write};
use std::mem;
use std::os::fd::AsFd;

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};

use super::answer::{Answer, Framing};
use crate::Outcome;
use crate::latency::Watch;

/// The most sockets that one wait may report.
const AT_ONCE: usize = 64;

/// Sends the request over each of the streams, so many times one after the other.
pub fn perform<S: Read + Write + AsFd>(
    streams: &mut [S],
    request: &[u8],
    space: &mut [u8],
    each: u64,
) -> Outcome<()> {
    let readiness = epoll::create(CreateFlags::CLOEXEC)?;
    let mut watches = Vec::with_capacity(streams.len());
    for (place, stream) in streams.iter_mut().enumerate() {
        epoll::add(&readiness, stream.as_fd(), EventData::new_u64(place as u64), EventFlags::IN)?;
        watches.push(Watch::start());
        stream.write_all(request)?;
    }
    let mut left = vec![each; streams.len()];
    let mut events = Vec::with_capacity(AT_ONCE);
    while left.iter().any(|&left| left > 0) {
        epoll::wait(&readiness, spare_capacity(&mut events), None)?;
        for event in events.drain(..) {
            let place = usize::try_from(event.data.u64())?;
            receive(&mut streams[place], space)?;
            mem::replace(&mut watches[place], Watch::start()).stop();
            left[place] -= 1;
            if left[place] > 0 {
                streams[place].write_all(request)?;
            }
        }
    }
    Ok(())
}

fn receive(stream: &mut impl Read, space: &mut [u8]) -> Outcome<()> {
    let answer = Answer::read(stream, space)?;
    match answer.framing {
        Framing::Sized(size) => answer.drain(size, stream, space).map(drop),
        Framing::Chunked => Err("chunks where none were to come".into()),
    }
}
