//! Commands of curl: a parser of the shell's words reads the fields, the body and the URL back.
//!
//! The input is a method, the rest of the URL, two values of fields and a body, separated by the byte `ff`; without the
//! last there is no body.
#![no_main]

use leanhttp::fuzzing::curl;
use leanhttp_fuzz::shell;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(5, |byte| *byte == 0xff);
    let mut next = || parts.next().unwrap_or_default();
    let texts = [next(), next()].map(|text| String::from_utf8_lossy(text).into_owned());
    let [method, path] = &texts;
    let (one, two) = (next(), next());
    let body = parts.next();
    let fields = [("x-one", one), ("x-two", two), ("cookie", one)];
    let url = format!("http://a.test/{path}");
    let Some((command, url)) = curl::command(method, &url, &fields, body) else { return };
    let shell::Command { words, input } = shell::parse(&command);
    assert_eq!(words[0], b"curl");
    assert_eq!(words.last().unwrap(), url.as_bytes());
    let values = |option: &str| {
        let pairs = words.windows(2).filter(move |pair| pair[0] == option.as_bytes());
        pairs.map(|pair| pair[1].clone()).collect::<Vec<_>>()
    };
    for (name, value) in [("X-One", one), ("X-Two", two), ("Cookie", one)] {
        let field = match value {
            [] => format!("{name};").into_bytes(),
            value => [name.as_bytes(), b": ", value].concat(),
        };
        assert!(values("--header").contains(&field), "{command}");
    }
    match (body, input) {
        (None, None) => assert!(values("--data-binary").is_empty()),
        (Some(body), None) => assert_eq!(values("--data-raw"), [body], "{command}"),
        (Some(body), Some(input)) => {
            assert_eq!(values("--data-binary"), [b"@-"]);
            assert_eq!(input, body, "{command}");
        }
        (None, Some(_)) => panic!("a body from nowhere: {command}"),
    }
    let shown = values("--request");
    assert!(shown.is_empty() || shown == [method.as_bytes()], "{command}");
});
