//! Bodies with much input that decodes to nothing, and the results that a decoder may report for
//! them.

use std::io::Write;

use flate2::{Compression, GzBuilder, write::GzEncoder};
use leanhttp::fuzzing::Coding;

/// A gzip file: a member, then for each byte of `plan` a member with data or one of three kinds of
/// members without; with zeros at the end.
pub fn body(plan: &[u8]) -> Vec<u8> {
    let mut body = member(b"x");
    plan.iter().take(40).for_each(|byte| body.extend(part(*byte)));
    body.resize(body.len() + plan.len() % 7 * 40, 0);
    body
}

fn part(byte: u8) -> Vec<u8> {
    let count = usize::from(byte / 4);
    match byte % 4 {
        0 => member(&vec![b'x'; count]),
        1 => member(b"").repeat(count),
        2 => {
            let name = vec![b'n'; 8 * count];
            let named = GzBuilder::new().filename(name);
            named.write(Vec::new(), Compression::fast()).finish().unwrap()
        }
        _ => {
            let mut member = member(b"");
            let blocks = b"\0\0\0\xff\xff".repeat(count);
            member.splice(10..10, blocks);
            member
        }
    }
}

fn member(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// The certain facts about the limit, for any windows in which a decoder counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// At no byte was there more that decoded to nothing.
    Within,
    /// There was an eighth more than the limit in a row.
    Beyond,
    Open,
}

/// Decodes byte by byte without a limit, and counts.
pub fn judge(body: &[u8], limit: u64) -> Verdict {
    let mut coding = Coding::limited("gzip", u64::MAX).unwrap();
    let mut memory = [0; 4096];
    let (mut unpaid, mut most, mut row, mut longest) = (0_u64, 0, 0, 0);
    for byte in body {
        let (consumed, produced) = coding.decode(&[*byte], &mut memory).unwrap();
        assert_eq!(consumed, 1);
        unpaid = (unpaid + 1).saturating_sub(64 * produced as u64);
        row = if produced == 0 { row + 1 } else { 0 };
        (most, longest) = (most.max(unpaid), longest.max(row));
    }
    match () {
        () if most <= limit => Verdict::Within,
        () if longest > limit + limit / 8 + 2 => Verdict::Beyond,
        () => Verdict::Open,
    }
}
