//! URLs: common ones, and some that need more work.

use divan::{Bencher, black_box};
use leanhttp::Url;

#[divan::bench(args = [
    "http://127.0.0.1:8080/small",
    "https://api.example.com/v1/users/42?fields=name,address&sort=asc",
    "https://example.com/a/./b/../c%20d/e f/ö?q=ü#fragment",
])]
fn parse(text: &str) -> Url {
    Url::parse(black_box(text)).unwrap()
}

#[divan::bench(args = ["/next", "../other?page=2", "https://other.example/"])]
fn join(bencher: Bencher<'_, '_>, text: &str) {
    let base = Url::parse("https://api.example.com/v1/users/42?fields=name").unwrap();
    bencher.bench(|| base.join(black_box(text)).unwrap());
}
