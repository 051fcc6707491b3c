//! Draws the timings of a call as SVG: a bar for each phase, a row for each attempt.
//!
//!     cargo run --example waterfall -- https://example.org/ > waterfall.svg

use std::time::Duration;

use leanhttp::timings::Timings;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).ok_or("usage: waterfall URL")?;
    let response = leanhttp::get(url)?;
    let timings = response.timings().ok_or("a response that was received has timings")?;
    print!("{}", svg(timings));
    Ok(())
}

const WIDTH: f64 = 800.0;
const ROW: f64 = 24.0;

fn svg(timings: &Timings) -> String {
    let scale = WIDTH / timings.total().as_secs_f64().max(f64::MIN_POSITIVE);
    let x = |time: Duration| time.as_secs_f64() * scale;
    let mut bars = String::new();
    let mut rows = 0;
    for attempt in timings.attempts() {
        let phases = [
            ("queue", "#bbb", attempt.queue()),
            ("resolve", "#2a9d8f", attempt.resolve()),
            ("connect", "#e9c46a", attempt.connect()),
            ("handshake", "#9b5de5", attempt.handshake()),
            ("request", "#457b9d", attempt.request()),
            ("first byte", "#90be6d", attempt.first_byte()),
        ];
        let (mut start, y) = (attempt.start(), f64::from(rows) * ROW);
        for (name, color, time) in phases {
            let Some(time) = time else { continue };
            let (left, width) = (x(start), x(time).max(1.0));
            bars += &format!(
                "<rect x=\"{left:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"{}\" fill=\"{color}\">\
                 <title>{name}: {time:?}</title></rect>\n",
                ROW - 4.0
            );
            start += time;
        }
        rows += 1;
    }
    let height = f64::from(rows) * ROW;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\">\n{bars}</svg>\n"
    )
}
