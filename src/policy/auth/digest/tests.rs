use http::Method;
use proptest::prelude::*;

use super::*;
use crate::http1::testing::headers;
use crate::url::Url;

/// Returns the answer to a `WWW-Authenticate` with a given client nonce and count.
pub(crate) fn answer(
    challenge: &str,
    login: &DigestLogin,
    asked: Asked<'_>,
    cnonce: &str,
    count: u32,
) -> Option<String> {
    let headers = headers(&[("www-authenticate", challenge)]);
    let challenge = DigestChallenge::choose(&headers, asked)?;
    let value = challenge.answer(login, asked, cnonce, count)?;
    assert!(value.is_sensitive());
    Some(String::from_utf8(value.as_bytes().to_vec()).unwrap())
}

fn login(username: &str, password: &str) -> DigestLogin {
    DigestLogin { username: username.to_owned(), password: password.to_owned() }
}

const GET: Asked<'_> = Asked { method: &Method::GET, target: "/dir/index.html", body: Some(b"") };

/// RFC 7616 §3.9.1.
#[test]
fn the_examples_of_rfc_7616() {
    let challenge = |algorithm| {
        format!(
            "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
             nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
             opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
        )
    };
    let login = login("Mufasa", "Circle of Life");
    for (algorithm, response) in [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ] {
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        let expected = format!(
            "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", \
             nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", uri=\"/dir/index.html\", \
             algorithm={algorithm}, qop=auth, nc=00000001, cnonce=\"{cnonce}\", \
             response=\"{response}\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
        );
        assert_eq!(answer(&challenge(algorithm), &login, GET, cnonce, 1), Some(expected));
    }
}

/// RFC 7616 §3.9.2 with erratum 4897: the RFC truncated SHA-512 itself, which is a different hash
/// from SHA-512-256.
#[test]
fn the_example_with_a_hashed_user_name() {
    let challenge = "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, \
                     nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", userhash=true";
    let asked = Asked { target: "/doe.json", ..GET };
    let login = login("J\u{e4}s\u{f8}n Doe", "Secret, or not?");
    let cnonce = "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v";
    let value = answer(challenge, &login, asked, cnonce, 1).unwrap();
    for expected in [
        "username=\"793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b\"",
        "response=\"3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5\"",
    ] {
        assert!(value.contains(expected), "{value}");
    }
}

/// RFC 7616 §3.4.1, §3.4.2; without `qop` as in RFC 2069. The expected values were computed with
/// another program.
#[test]
fn every_algorithm_and_qop_computes_the_response() {
    for (parameters, response) in [
        ("algorithm=MD5-sess, qop=auth", "68898d75cfc439c8b8e901c1e89248a2"),
        ("algorithm=MD5, qop=auth", "2993370e2e6b73f2d86d7f2107b85b98"),
        ("algorithm=MD5", "af13cf429d8470d26863847a7c7941f8"),
        (
            "algorithm=SHA-256-sess, qop=auth",
            "c47b364c2a2ad512cf135b722df4bee828db77cb68e67fea5f1ec79c821c839c",
        ),
        ("algorithm=SHA-256", "81753946b1739fb76c92b5c0284f1853aff24b9df003954c0a408358eb50adf1"),
        (
            "algorithm=SHA-512-256-sess, qop=auth",
            "2759e90e79c6de905a214fd1b1759d0b2605e3ff7f61a88105679ce939b3a38f",
        ),
    ] {
        let challenge = format!("Digest realm=a, nonce=b, {parameters}");
        let value = answer(&challenge, &login("u", "p"), GET, "c", 1).unwrap();
        assert!(value.contains(&format!("response=\"{response}\"")), "{parameters}: {value}");
    }
}

#[test]
fn the_strongest_supported_challenge_is_answered() {
    let cases: [(&[&str], Option<Hash>); 12] = [
        (&["Digest realm=a, nonce=b"], Some(Hash::Md5)),
        (&["Digest realm=a, nonce=b, algorithm=md5-sess, qop=auth"], Some(Hash::Md5)),
        (
            &[
                "Digest realm=a, nonce=b, algorithm=MD5, Basic realm=a",
                "Digest realm=a, nonce=b, algorithm=SHA-256",
            ],
            Some(Hash::Sha256),
        ),
        (
            &["Digest realm=a, nonce=b, algorithm=SHA3, Digest realm=a, nonce=b, algorithm=MD5"],
            Some(Hash::Md5),
        ),
        (&["digest realm=a, nonce=b, algorithm=\"sha-512-256\", qop=AUTH"], Some(Hash::Sha512_256)),
        (&["Digest realm=a, nonce=b, algorithm=SHA-256-sess"], None),
        (&["Digest realm=a, nonce=b, qop=auth-conf"], None),
        (&["Digest realm=a, nonce=b, qop=\"\""], None),
        (&["Digest realm=a"], None),
        (&["Digest nonce=b"], None),
        (&["Basic realm=a"], None),
        (&[], None),
    ];
    for (lines, expected) in cases {
        let fields: Vec<_> = lines.iter().map(|line| ("www-authenticate", *line)).collect();
        let chosen = DigestChallenge::choose(&headers(&fields), GET);
        assert_eq!(chosen.map(|challenge| challenge.algorithm.hash), expected, "{lines:?}");
    }
}

/// RFC 7616 §3.7: the server lists its preferred challenge first.
#[test]
fn of_equally_strong_challenges_the_first_is_answered() {
    let one = "Digest realm=first, nonce=n, algorithm=SHA-256";
    let two = "Digest realm=second, nonce=n, algorithm=SHA-256";
    for (lines, expected) in [([one, two], "first"), ([two, one], "second")] {
        let lines = headers(&lines.map(|line| ("www-authenticate", line)));
        assert_eq!(DigestChallenge::choose(&lines, GET).unwrap().realm, expected.as_bytes());
    }
}

/// RFC 7616 §3.4.3: `auth-int` includes the body, so the body has to be known.
#[test]
fn only_auth_int_includes_the_body() {
    let login = login("u", "p");
    let with = |qop: &str, body| {
        let challenge = format!("Digest realm=a, nonce=b, qop=\"{qop}\"");
        answer(&challenge, &login, Asked { body, ..GET }, "c", 1)
    };
    assert_eq!(with("auth,auth-int", Some(b"x")), with("auth", None));
    let int = with("auth-int", Some(b"x")).unwrap();
    assert!(int.contains("qop=auth-int, nc=00000001, "), "{int}");
    // Computed with another program.
    assert!(int.contains("response=\"01da278b4a31037cb82fc3a2ab6a6420\""), "{int}");
    assert_ne!(with("auth-int", Some(b"y")), Some(int));
    assert_eq!(with("auth-int", None), None);
}

/// RFC 7616 §3.4: the server's bytes are used unchanged, in any encoding. Computed with another
/// program.
#[test]
fn server_values_are_sent_back_byte_for_byte() {
    let sent = b"Digest realm=\"Gesch\xfctzt \\\"a\\\"\", nonce=\"n\xff\", qop=auth";
    let line = HeaderValue::from_bytes(sent).unwrap();
    let lines = HeaderMap::from_iter([(header::WWW_AUTHENTICATE, line)]);
    let challenge = DigestChallenge::choose(&lines, GET).unwrap();
    let value = challenge.answer(&login("u", "p"), GET, "c", 1).unwrap();
    let value = value.as_bytes().escape_ascii().to_string().replace("\\\"", "\"");
    assert_eq!(
        value,
        "Digest username=\"u\", realm=\"Gesch\\xfctzt \\\\\"a\\\\\"\", nonce=\"n\\xff\", \
         uri=\"/dir/index.html\", qop=auth, nc=00000001, cnonce=\"c\", \
         response=\"e550cc5bc36639e0ba5a7f6e403f01bf\""
    );
}

/// RFC 7616 §3.4.4, RFC 9110 §5.6.4.
#[test]
fn special_characters_are_escaped() {
    let shown = |challenge: &str, username| {
        let value = answer(challenge, &login(username, "p"), GET, "c", 1).unwrap();
        value.split(", nonce").next().unwrap().to_owned()
    };
    assert_eq!(
        shown(r#"Digest realm="a \"b\" \\", nonce=n"#, r#"q"\"#),
        r#"Digest username="q\"\\", realm="a \"b\" \\""#
    );
    let coded = shown("Digest realm=a, nonce=n", "J\u{e4}s n");
    assert_eq!(coded, "Digest username*=UTF-8''J%C3%A4s%20n, realm=\"a\"");
    let hashed = answer("Digest realm=a, nonce=n, userhash=true", &login("u", "p"), GET, "c", 1);
    let hashed = hashed.unwrap();
    assert!(
        hashed.starts_with("Digest username=\"d7374af0fa5c906728181c4963a3798c\", realm"),
        "{hashed}"
    );
    assert!(hashed.ends_with(", userhash=true"));
}

/// RFC 7616 §3.3, §3.4: each nonce has a count, and no count is used twice.
#[test]
fn requests_with_a_nonce_are_counted() {
    let origin = |url: &str| Url::parse(url).unwrap().origin();
    let (one, two) = (origin("http://a.example/"), origin("http://a.example:81/"));
    let challenge =
        |line| DigestChallenge::choose(&headers(&[("www-authenticate", line)]), GET).unwrap();
    let login = login("u", "p");
    let mut nonces = Nonces::default();
    assert_eq!(nonces.answer(&one, &login, GET), None);
    nonces.keep(one.clone(), challenge("Digest realm=a, nonce=n, qop=auth"), [0xab; 16]);
    assert_eq!(nonces.answer(&two, &login, GET), None);
    let mut counted = || {
        let value = nonces.answer(&one, &login, GET)?;
        let value = value.to_str().unwrap().to_owned();
        Some(value[value.find("nc=").unwrap()..][..60].to_owned())
    };
    let cnonce = "ab".repeat(16);
    let expected = |count| format!("nc=0000000{count}, cnonce=\"{cnonce}\", ");
    for count in 1..=3 {
        let shown = counted().unwrap();
        assert!(shown.starts_with(&expected(count)), "{shown}");
    }
    nonces.keep(one.clone(), challenge("Digest realm=a, nonce=m, qop=auth"), [0xab; 16]);
    let value = nonces.answer(&one, &login, GET).unwrap();
    assert!(value.to_str().unwrap().contains("nonce=\"m\""));
    assert!(value.to_str().unwrap().contains(&expected(1)));
    nonces.of_origins.get_mut(&one).unwrap().count = u32::MAX;
    assert_eq!(nonces.answer(&one, &login, GET), None, "no count is used twice");
    nonces.keep(one.clone(), challenge("Digest realm=a, nonce=o"), [0xab; 16]);
    assert!(nonces.answer(&one, &login, GET).is_some());
    nonces.forget(&one);
    assert_eq!(nonces.answer(&one, &login, GET), None);
}

#[test]
fn the_number_of_stored_origins_is_limited() {
    let line = headers(&[("www-authenticate", "Digest realm=a, nonce=n")]);
    let challenge = DigestChallenge::choose(&line, GET).unwrap();
    let mut nonces = Nonces::default();
    for port in 1..1000 {
        let origin = Url::parse(&format!("http://a.example:{port}/")).unwrap().origin();
        nonces.keep(origin.clone(), challenge.clone(), [0; 16]);
        assert!(nonces.of_origins.contains_key(&origin));
    }
    assert_eq!(nonces.of_origins.len(), MAX_ORIGINS);
}

/// A new challenge of a stored origin evicts no other origin, so no origin is challenged more often
/// than necessary.
#[test]
fn a_stored_origin_evicts_no_other() {
    let line = headers(&[("www-authenticate", "Digest realm=a, nonce=n")]);
    let challenge = DigestChallenge::choose(&line, GET).unwrap();
    let origin = |port: usize| Url::parse(&format!("http://a.example:{port}/")).unwrap().origin();
    let mut nonces = Nonces::default();
    for port in (1000..1000 + MAX_ORIGINS).chain([1000, 1001]) {
        nonces.keep(origin(port), challenge.clone(), [0; 16]);
    }
    for port in 1000..1000 + MAX_ORIGINS {
        assert!(nonces.of_origins.contains_key(&origin(port)), "{port}");
    }
}

#[test]
fn debug_shows_no_login() {
    assert_eq!(format!("{:?}", login("name", "secret")), "DigestLogin(***)");
}

#[test]
fn a_stale_nonce_is_recognized() {
    for (stale, expected) in
        [("stale=true", true), ("stale=\"TRUE\"", true), ("stale=false", false), ("x=y", false)]
    {
        let line = format!("Digest realm=a, nonce=n, {stale}");
        let challenge = DigestChallenge::choose(&headers(&[("www-authenticate", &line)]), GET);
        assert_eq!(challenge.unwrap().is_stale, expected, "{stale}");
    }
}

proptest! {
    #[test]
    fn any_challenge_is_answered_in_one_line(
        realm in "[^\\p{Cc}]{0,20}",
        nonce in "[^\\p{Cc}]{0,20}",
        username in "[^\\p{Cc}]{0,10}",
        password in any::<String>(),
    ) {
        let quote = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let line = format!("Digest realm=\"{}\", nonce=\"{}\"", quote(&realm), quote(&nonce));
        let value = answer(&line, &login(&username, &password), GET, "c", 1).unwrap();
        let read = challenge::parse(value.as_bytes()).next().unwrap();
        prop_assert_eq!(read.parameter("realm"), Some(realm.as_bytes()));
        prop_assert_eq!(read.parameter("nonce"), Some(nonce.as_bytes()));
        prop_assert_eq!(read.parameter("response").map(<[u8]>::len), Some(32));
    }

    #[test]
    fn never_panics(line in "Digest [a-z=,\" \\\\]{0,60}") {
        DigestChallenge::choose(&headers(&[("www-authenticate", &line)]), GET);
    }
}
