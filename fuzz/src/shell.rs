//! The words of a command as a POSIX shell reads them (XCU §2.2, §2.6.3), for the forms that a command of curl uses:
//! plain words, quotes, a pipe from `printf`, and the output of `printf` as a word. Anything else that a shell gives a
//! meaning to is a failure.

/// A command: its words, and what is written to its input.
#[derive(Debug, PartialEq, Eq)]
pub struct Command {
    /// The name of the program and its arguments.
    pub words: Vec<Vec<u8>>,
    /// The output of the command before the pipe.
    pub input: Option<Vec<u8>>,
}

/// Parses a command.
pub fn parse(text: &str) -> Command {
    let mut reader = Reader { rest: text.as_bytes() };
    let first = reader.words();
    if reader.rest.is_empty() {
        return Command { words: first, input: None };
    }
    assert_eq!(reader.rest.split_off_first(), Some(&b'|'), "{text}");
    let words = reader.words();
    assert!(reader.rest.is_empty(), "{text}");
    Command { words, input: Some(printed(&first)) }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    /// Reads the words up to a pipe, a closing parenthesis or the end.
    fn words(&mut self) -> Vec<Vec<u8>> {
        let mut words = Vec::new();
        loop {
            while self.rest.first() == Some(&b' ') {
                self.next();
            }
            match self.rest.first() {
                None | Some(b'|' | b')') => return words,
                Some(_) => words.push(self.word()),
            }
        }
    }

    fn word(&mut self) -> Vec<u8> {
        let mut word = Vec::new();
        while let Some(byte) = self.rest.first().copied().filter(|byte| !b" |)".contains(byte)) {
            self.next();
            match byte {
                b'\'' => word.extend(self.until(b'\'')),
                b'\\' => word.push(self.next()),
                b'"' => {
                    let (dollar, open) = (self.next(), self.next());
                    assert_eq!(
                        [dollar, open],
                        *b"$(",
                        "only a command stands between double quotes"
                    );
                    let mut output = printed(&self.words());
                    assert_eq!([self.next(), self.next()], *b")\"");
                    while output.last() == Some(&b'\n') {
                        output.pop(); // the shell removes them
                    }
                    word.extend(output);
                }
                byte => {
                    let is_plain = byte.is_ascii_alphanumeric() || b"_@%+=:,./-;".contains(&byte);
                    assert!(
                        is_plain && byte != b';',
                        "{:?} is left to the shell",
                        char::from(byte)
                    );
                    word.push(byte);
                }
            }
        }
        word
    }

    fn until(&mut self, end: u8) -> Vec<u8> {
        let length = self.rest.iter().position(|byte| *byte == end).expect("a quote is closed");
        let (text, rest) = self.rest.split_at(length);
        self.rest = &rest[1..];
        text.to_vec()
    }

    fn next(&mut self) -> u8 {
        *self.rest.split_off_first().expect("the command goes on")
    }
}

/// Returns what `printf` prints: its format has octal escapes and no conversions.
fn printed(words: &[Vec<u8>]) -> Vec<u8> {
    let [program, format] = words else { panic!("printf has one argument: {words:?}") };
    assert_eq!(program, b"printf");
    assert!(!format.starts_with(b"-"), "it would be an option");
    let mut reader = Reader { rest: format };
    let mut output = Vec::new();
    while !reader.rest.is_empty() {
        output.push(match reader.next() {
            b'%' => panic!("a conversion"),
            b'\\' => {
                let digits = [reader.next(), reader.next(), reader.next()];
                assert!(digits.iter().all(|digit| (b'0'..=b'7').contains(digit)), "{digits:?}");
                let value =
                    digits.iter().fold(0_u32, |value, digit| value * 8 + u32::from(digit - b'0'));
                u8::try_from(value).expect("a byte")
            }
            byte => byte,
        });
    }
    output
}
