//! Requests to AWS, signed with Signature Version 4 just before each attempt is sent.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>
//!
//! ```text
//! cargo run --example aws_sigv4 --features aws [URL]
//! ```

use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, error::Error};

use hmac::{Hmac, Mac};
use leanhttp::header::HeaderMap;
use leanhttp::{Client, Method, Url};
use sha2::{Digest, Sha256};

fn main() -> Result<(), Box<dyn Error>> {
    let url =
        env::args().nth(1).unwrap_or_else(|| "https://s3.us-east-1.amazonaws.com/".to_owned());
    let key = Key {
        id: env::var("AWS_ACCESS_KEY_ID").unwrap_or_else(|_| "AKIAIOSFODNN7EXAMPLE".to_owned()),
        secret: env::var("AWS_SECRET_ACCESS_KEY").unwrap_or_else(|_| "secret".to_owned()),
        scope: "us-east-1/s3/aws4_request",
    };
    let origin = Url::parse(&url)?.origin();
    let client = Client::builder().on_attempt(move |head| {
        if head.url().origin() != origin {
            return Ok(()); // a redirect has led elsewhere
        }
        let body = sha256(head.body().ok_or("only a body in memory can be signed")?);
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        head.headers_mut().insert("x-amz-content-sha256", body.parse()?);
        head.headers_mut().insert("x-amz-date", date(now).parse()?);
        let signature = key.sign(head.method(), head.url(), head.headers());
        head.headers_mut().insert("authorization", signature.parse()?);
        Ok(())
    });
    let response = client.build()?.get(url).send()?;
    println!("{}\n{}", response.status(), response.text()?);
    Ok(())
}

struct Key {
    id: String,
    secret: String,
    /// Region, service, and the end that is always the same.
    scope: &'static str,
}

impl Key {
    /// Returns the value of `Authorization`. Signed are `Host`, `Range` and what begins with `x-amz-`.
    fn sign(&self, method: &Method, url: &Url, headers: &HeaderMap) -> String {
        let value =
            |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
        let is_signed =
            |name: &&str| matches!(*name, "host" | "range") || name.starts_with("x-amz-");
        let mut names: Vec<&str> =
            headers.keys().map(|name| name.as_str()).filter(is_signed).collect();
        names.sort_unstable();
        let fields: String =
            names.iter().map(|name| format!("{name}:{}\n", value(name).trim())).collect();
        let names = names.join(";");
        let mut query: Vec<&str> = url.query().unwrap_or("").split('&').collect();
        query.sort_unstable();
        let (path, query) = (url.path(), query.join("&"));
        let content = value("x-amz-content-sha256");
        let request = format!("{method}\n{path}\n{query}\n{fields}\n{names}\n{content}");

        let date = value("x-amz-date");
        let scope = format!("{}/{}", date.split('T').next().unwrap_or(""), self.scope);
        let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", sha256(request.as_bytes()));
        let key = format!("AWS4{}", self.secret).into_bytes();
        let key = scope.split('/').fold(key, |key, part| hmac(&key, part));
        let signature = hex(&hmac(&key, &text));
        format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope},SignedHeaders={names},Signature={signature}",
            self.id
        )
    }
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    #[allow(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Formats seconds since 1970 as `20130524T000000Z`. The days become a date of the Gregorian calendar by counting
/// from 1 March of the year 0, so that the leap day comes last.
fn date(seconds: u64) -> String {
    let (days, time) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// "GET Object" of the page above.
#[test]
fn the_example_of_the_documentation_is_signed_as_there() -> Result<(), Box<dyn Error>> {
    let key = Key {
        id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
        scope: "us-east-1/s3/aws4_request",
    };
    let mut headers = HeaderMap::new();
    headers.insert("host", "examplebucket.s3.amazonaws.com".parse()?);
    headers.insert("range", "bytes=0-9".parse()?);
    headers.insert("x-amz-content-sha256", sha256(b"").parse()?);
    headers.insert("x-amz-date", date(1_369_353_600).parse()?);
    let url = Url::parse("https://examplebucket.s3.amazonaws.com/test.txt")?;
    let signed = key.sign(&Method::GET, &url, &headers);
    assert_eq!(
        signed,
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
         SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,\
         Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    );
    assert_eq!(date(951_782_399), "20000228T235959Z");
    assert_eq!(date(951_868_799), "20000229T235959Z");
    Ok(())
}
