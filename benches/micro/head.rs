//! Response heads, beside the time that httparse takes to find the fields. The map of the fields is
//! made here too, which a client makes only on demand.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use leanhttp::fuzzing;

const FIELDS: [usize; 3] = [2, 8, 40];

fn head(fields: usize) -> Vec<u8> {
    let field = |number| format!("x-field-{number}: value-{number} of \"this\" response\r\n");
    let fields: String = (0..fields).map(field).collect();
    format!("HTTP/1.1 200 OK\r\n{fields}\r\n").into_bytes()
}

/// Finds the end, parses and makes the map, as for a head that arrives in one piece.
#[divan::bench(args = FIELDS)]
fn leanhttp(bencher: Bencher<'_, '_>, fields: usize) {
    let head = head(fields);
    bencher
        .counter(BytesCount::of_slice(&head))
        .bench(|| fuzzing::head(black_box(&head), [head.len()]).map(|it| it.map(|it| it.status)));
}

#[divan::bench(args = FIELDS)]
fn httparse(bencher: Bencher<'_, '_>, fields: usize) {
    let head = head(fields);
    bencher.counter(BytesCount::of_slice(&head)).bench(|| {
        let mut fields = [httparse::EMPTY_HEADER; 64];
        httparse::Response::new(&mut fields).parse(black_box(&head)).map(|it| it.is_complete())
    });
}
