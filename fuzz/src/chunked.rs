//! A naive decoder of the chunked coding, straight from RFC 9112 §7.1: its only state is a
//! position.

/// The result of decoding a chunked body.
#[derive(Debug, Default)]
pub struct Body {
    /// The valid data so far.
    pub data: Vec<u8>,
    pub trailers: Vec<(String, Vec<u8>)>,
    /// The length of the coded body, if it is complete.
    pub length: Option<usize>,
}

pub fn decode(input: &[u8]) -> Body {
    let mut body = Body::default();
    body.length = body.read(input);
    body
}

impl Body {
    fn read(&mut self, input: &[u8]) -> Option<usize> {
        let mut at = 0;
        loop {
            let line = line(&input[at..])?;
            at += line.len() + 2;
            let size = chunk_size(line)?;
            if size == 0 {
                break;
            }
            let available = (input.len() - at).min(size);
            self.data.extend_from_slice(&input[at..at + available]);
            at += available;
            (available == size && input[at..].starts_with(b"\r\n")).then_some(())?;
            at += 2;
        }
        loop {
            let line = line(&input[at..])?;
            at += line.len() + 2;
            if line.is_empty() {
                return Some(at);
            }
            self.trailers.push(field(line)?);
        }
    }
}

/// The bytes before the first LF, which must follow a CR.
fn line(input: &[u8]) -> Option<&[u8]> {
    let end = input.iter().position(|byte| *byte == b'\n')?;
    input[..end].strip_suffix(b"\r")
}

/// Parses `1*HEXDIG *( SP / HTAB ) [ ";" *( any byte but CR and LF ) ]`.
fn chunk_size(line: &[u8]) -> Option<usize> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let text = std::str::from_utf8(&line[..digits]).ok()?.trim_start_matches('0');
    let is_ended = matches!(skip_space(&line[digits..]), [] | [b';', ..]);
    (is_ended && !line.contains(&b'\r')).then_some(())?;
    match text {
        "" => (digits > 0).then_some(0),
        _ => i64::from_str_radix(text, 16).ok()?.try_into().ok(),
    }
}

fn skip_space(text: &[u8]) -> &[u8] {
    let spaces = text.iter().take_while(|byte| b" \t".contains(byte)).count();
    &text[spaces..]
}

/// The rest after the token at the start of `text`.
fn token(text: &[u8]) -> Option<&[u8]> {
    let length = text.iter().take_while(|byte| is_tchar(byte)).count();
    (length > 0).then(|| &text[length..])
}

fn is_tchar(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte)
}

fn is_text(byte: &u8) -> bool {
    *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f)
}

fn field(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    token(name)?.is_empty().then_some(())?;
    value.iter().all(is_text).then_some(())?;
    Some((String::from_utf8(name.to_ascii_lowercase()).ok()?, value.trim_ascii().to_vec()))
}
