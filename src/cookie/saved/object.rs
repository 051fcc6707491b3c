//! A parser for the part of JSON (RFC 8259) that a line needs: an object of strings, whole numbers,
//! booleans and nulls. Nothing nests, so there is no recursion.

use std::collections::BTreeMap;

use crate::base::number;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    Text(String),
    Number(u64),
    Bool(bool),
    Null,
}

/// Parses `text` as an object and returns its members. An object with a duplicate name is refused,
/// because it is ambiguous which member counts.
pub(super) fn parse(text: &str) -> Option<BTreeMap<String, Scalar>> {
    let mut scanner = Scanner { rest: text };
    let members = scanner.object()?;
    scanner.skip_space();
    scanner.rest.is_empty().then_some(members)
}

struct Scanner<'a> {
    rest: &'a str,
}

impl Scanner<'_> {
    fn object(&mut self) -> Option<BTreeMap<String, Scalar>> {
        let mut members = BTreeMap::new();
        self.eat("{")?;
        if self.eat("}").is_some() {
            return Some(members);
        }
        loop {
            let name = self.string()?;
            self.eat(":")?;
            let value = self.scalar()?;
            if members.insert(name, value).is_some() {
                return None;
            }
            if self.eat(",").is_none() {
                break;
            }
        }
        self.eat("}")?;
        Some(members)
    }

    fn scalar(&mut self) -> Option<Scalar> {
        for (word, scalar) in
            [("true", Scalar::Bool(true)), ("false", Scalar::Bool(false)), ("null", Scalar::Null)]
        {
            if self.eat(word).is_some() {
                return Some(scalar);
            }
        }
        if self.rest.starts_with('"') {
            return self.string().map(Scalar::Text);
        }
        self.number().map(Scalar::Number)
    }

    /// RFC 8259 §6: without leading zeros.
    fn number(&mut self) -> Option<u64> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        let is_padded = digits.len() > 1 && digits.starts_with('0');
        number::decimal(digits.as_bytes()).filter(|_| !is_padded)
    }

    fn string(&mut self) -> Option<String> {
        self.eat("\"")?;
        let mut text = String::new();
        loop {
            match self.next()? {
                '"' => return Some(text),
                '\\' => text.push(self.escaped()?),
                c if c < ' ' => return None,
                c => text.push(c),
            }
        }
    }

    fn escaped(&mut self) -> Option<char> {
        match self.next()? {
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'u' => self.code_point(),
            c => matches!(c, '"' | '\\' | '/').then_some(c),
        }
    }

    /// Reads one UTF-16 code unit, or a surrogate pair.
    fn code_point(&mut self) -> Option<char> {
        let unit = self.code_unit()?;
        if let Some(c) = char::from_u32(unit.into()) {
            return Some(c);
        }
        self.rest = self.rest.strip_prefix("\\u")?;
        char::decode_utf16([unit, self.code_unit()?]).next()?.ok()
    }

    fn code_unit(&mut self) -> Option<u16> {
        (0..4).try_fold(0, |unit, _| {
            let digit = self.next()?.to_digit(16)?;
            Some(unit << 4 | u16::try_from(digit).ok()?)
        })
    }

    /// Consumes `token`, after optional white space.
    fn eat(&mut self, token: &str) -> Option<()> {
        self.skip_space();
        self.rest = self.rest.strip_prefix(token)?;
        Some(())
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next()?;
        self.rest = chars.as_str();
        Some(next)
    }
}
