//! Downloads: the plan with scripted answers, and names of files in a directory.

use serde_json::{Value, json};

use super::bytes;
use super::support::{self, Outcome, accepted};
use crate::extra::download::hashes::{Hashes, parse_sha256};
use crate::extra::download::name::file_name;
use crate::extra::download::plan::{DownloadFailure, Settings};
use crate::extra::download::tests::{Answer, End, Player};
use crate::url::Url;

#[test]
fn resume() {
    support::run("download/resume", |case| {
        let mut player = Player::new(settings(&case["options"]));
        if let Some(part) = case["options"].get("part") {
            resume_part(&mut player, part);
        }
        let exchanges = case["exchanges"].as_array().unwrap();
        let (mut at, mut wrong, mut is_refused) = (0, None, false);
        let end = player.play(|asked| {
            // The client follows redirects, with the same fields.
            loop {
                let Some(exchange) = exchanges.get(at) else {
                    wrong.get_or_insert("one more request".to_owned());
                    return Some(answer(&json!({"status": 404, "headers": []})));
                };
                at += 1;
                wrong = wrong.take().or_else(|| difference(&exchange["request"], asked));
                is_refused = exchange["answer"].get("fail").is_some();
                match exchange["answer"]["status"].as_u64() {
                    Some(302) => {}
                    _ if is_refused => return None,
                    _ => return Some(answer(&exchange["answer"])),
                }
            }
        });
        let waits = exchanges.iter().zip(&player.waits).filter_map(|(exchange, wait)| {
            Some(wait.as_secs() >= exchange.get("wait_s_min")?.as_u64().unwrap())
        });
        if let Some(wrong) = wrong {
            return Outcome::Failed(wrong);
        }
        if at < exchanges.len() || !waits.into_iter().all(|is_long| is_long) {
            return Outcome::Failed(format!("{at} exchanges, {:?}", player.waits));
        }
        compare(case, &shown(end, is_refused, &case["options"]["existing"]))
    });
}

fn settings(options: &Value) -> Settings {
    let sha256 =
        options.get("sha256").map(|digits| parse_sha256(digits.as_str().unwrap()).unwrap());
    let retries = options["retries"].as_u64().map_or(3, |retries| retries.try_into().unwrap());
    let size = |name: &str| options[name].as_u64();
    let (max_size, expected_size) = (size("max_size"), size("expected_size"));
    Settings { sha256, expected_size, max_size, retries, ..Settings::default() }
}

fn resume_part(player: &mut Player, part: &Value) {
    let body = bytes(&part["body"]).unwrap();
    let mut hashes = Hashes::default();
    hashes.update(&body);
    let if_range = part["if_range"].as_str().map(|value| value.parse().unwrap());
    player.plan.resume(body.len() as u64, hashes, if_range, part["total"].as_u64());
    player.target = body;
}

/// Returns the first difference between a request that must be made and one that is.
fn difference(expected: &Value, asked: &http::HeaderMap) -> Option<String> {
    for field in expected["headers"].as_array().unwrap() {
        let (name, value) = (field[0].as_str().unwrap(), field[1].as_str().unwrap());
        if asked.get(name).map(|value| value.as_bytes()) != Some(value.as_bytes()) {
            return Some(format!("{name} is not {value} but {:?}", asked.get(name)));
        }
    }
    let absent = expected["headers_absent"].as_array().into_iter().flatten();
    let found = absent.map(|name| name.as_str().unwrap()).find(|name| asked.contains_key(*name));
    found.map(|name| format!("{name} is there"))
}

fn answer(answer: &Value) -> Answer {
    let mut head = format!("HTTP/1.1 {} X\r\n", answer["status"]);
    for field in answer["headers"].as_array().unwrap() {
        head.push_str(&format!(
            "{}: {}\r\n",
            field[0].as_str().unwrap(),
            field[1].as_str().unwrap()
        ));
    }
    let end = answer.get("end").map(|end| end.as_str().unwrap());
    Answer {
        head: head + "\r\n",
        body: bytes(answer.get("body").unwrap_or(&json!(""))).unwrap(),
        is_cut: end.is_some(),
        is_disk_full: end == Some("disk full"),
    }
}

fn shown(end: End, is_refused: bool, existing: &Value) -> Value {
    let error = match end {
        End::File(file) => {
            let text: String = file.iter().map(|byte| char::from(*byte)).collect();
            return json!({"result": "ok", "file": text, "path_absent_until_complete": true});
        }
        End::DiskFull => "disk",
        End::Failed(DownloadFailure::Status(_) | DownloadFailure::AsksToWait { .. }) => "status",
        End::Failed(DownloadFailure::UnaskedPart) => "protocol",
        End::Failed(DownloadFailure::TooLarge { .. }) => "size",
        End::Failed(DownloadFailure::Size { .. }) => "size mismatch",
        End::Failed(DownloadFailure::Checksum(_)) => "checksum",
        End::Failed(DownloadFailure::GaveUp { .. }) if is_refused => "connect",
        End::Failed(DownloadFailure::GaveUp { .. }) => "body",
    };
    json!({"result": "error", "error": error, "file": null, "partial_left": false, "file_after": existing})
}

/// Passes if all that one of the accepted outcomes states is so.
fn compare(case: &Value, actual: &Value) -> Outcome {
    let is_met = |accepted: &Value| {
        let Some(statements) = accepted.as_object().filter(|it| it.contains_key("result")) else {
            return false; // a remark about the requests
        };
        statements.iter().all(|(key, value)| actual.get(key) == Some(value))
    };
    match accepted(case).any(is_met) {
        true => Outcome::Passed,
        false => Outcome::Failed(actual.to_string()),
    }
}

#[test]
fn names() {
    support::run("download/names", |case| {
        let url = case.get("final_url").unwrap_or(&case["url"]).as_str().unwrap();
        let field = case.get("content_disposition").map(|value| bytes(value).unwrap());
        let field = field.map(|value| {
            let value = http::HeaderValue::from_bytes(&value).unwrap();
            (http::header::CONTENT_DISPOSITION, value)
        });
        let name = file_name(&field.into_iter().collect::<Vec<_>>(), &Url::parse(url).unwrap());
        let is_safe = !name.is_empty() && name.len() <= 255 && !name.contains(['/', '\\', '\0']);
        let any = |text: &Value| text.as_str().is_some_and(|text| text.starts_with("any "));
        match Outcome::of(case, &json!(name)) {
            Outcome::Failed(_) if is_safe && accepted(case).any(any) => Outcome::Passed,
            outcome if is_safe => outcome,
            _ => Outcome::Failed(format!("{name:?} is not safe")),
        }
    });
}
