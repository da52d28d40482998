//! `apk version -t`
//! (<https://wiki.alpinelinux.org/wiki/Package_policies>): `1.2.3a_rc1-r4`.
//!
//! Versions that break the grammar are common in lists of advisories; what is left of them after
//! the first fault does not count, as in apk itself.

use std::cmp::Ordering;

/// What comes next, in the order in which a version may name it; later is less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Token {
    DigitOrZero,
    Digit,
    Letter,
    Suffix,
    SuffixNumber,
    Revision,
    End,
    /// What breaks the grammar is below all that keeps it.
    Invalid,
}

struct Scanner<'a> {
    rest: &'a [u8],
    next: Token,
}

const BEFORE: [&str; 4] = ["alpha", "beta", "pre", "rc"];
const AFTER: [&str; 5] = ["cvs", "svn", "git", "hg", "p"];

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            rest: text.as_bytes(),
            next: Token::Digit,
        }
    }

    /// The value of the next token; afterwards `next` says what follows it.
    fn value(&mut self) -> Value {
        if self.rest.is_empty() {
            self.next = Token::End;
            return Value::of(0);
        }
        let mut follows = None;
        let (value, length) = match self.next {
            Token::DigitOrZero if self.rest[0] == b'0' => {
                let zeros = self.rest.iter().take_while(|c| **c == b'0').count();
                // What follows the zeros is a number of its own.
                match self.rest.get(zeros) {
                    Some(b'_' | b'-') => self.next = Token::Digit,
                    _ => follows = Some(Token::Digit),
                }
                (Value::of(-i64::try_from(zeros).unwrap_or(i64::MAX)), zeros)
            }
            Token::DigitOrZero | Token::Digit | Token::SuffixNumber | Token::Revision => {
                let digits = self.rest.iter().take_while(|c| c.is_ascii_digit()).count();
                (Value::number(&self.rest[..digits]), digits)
            }
            Token::Letter => (Value::of(i64::from(self.rest[0])), 1),
            Token::Suffix => match suffix(self.rest) {
                Some(found) => found,
                None => return self.invalid(),
            },
            Token::Invalid | Token::End => return self.invalid(),
        };
        self.rest = &self.rest[length..];
        match follows {
            _ if self.rest.is_empty() => self.next = Token::End,
            Some(token) => self.next = token,
            None => self.advance(),
        }
        value
    }

    fn invalid(&mut self) -> Value {
        self.next = Token::Invalid;
        Value::of(-1)
    }

    /// Finds out what follows, and whether it may.
    fn advance(&mut self) {
        let first = self.rest[0];
        let next = match (self.next, first) {
            (Token::Digit | Token::DigitOrZero, b'a'..=b'z') => Token::Letter,
            (Token::Letter, b'0'..=b'9') => Token::Digit,
            (Token::Suffix, b'0'..=b'9') => Token::SuffixNumber,
            (_, b'.') => self.skip(1, Token::DigitOrZero),
            (_, b'_') => self.skip(1, Token::Suffix),
            (_, b'-') if self.is_revision() => self.skip(2, Token::Revision),
            _ => self.skip(1, Token::Invalid),
        };
        let back = matches!(
            (next, self.next),
            (Token::DigitOrZero, Token::Digit)
                | (Token::Suffix, Token::SuffixNumber)
                | (Token::Digit, Token::Letter)
        );
        self.next = if next < self.next && !back {
            Token::Invalid
        } else {
            next
        };
    }

    /// `-r` and a number, which may be missing at the very end.
    fn is_revision(&self) -> bool {
        self.rest.get(1) == Some(&b'r') && self.rest.get(2).is_none_or(|c| !c.is_ascii_alphabetic())
    }

    /// Whether a dot is followed by no digit.
    fn is_empty_number(&self) -> bool {
        self.next == Token::DigitOrZero && !self.rest.first().is_some_and(u8::is_ascii_digit)
    }

    fn skip(&mut self, bytes: usize, token: Token) -> Token {
        self.rest = &self.rest[bytes..];
        token
    }
}

/// Those that come before the release are negative.
fn suffix(rest: &[u8]) -> Option<(Value, usize)> {
    let find = |words: &[&str]| {
        words
            .iter()
            .position(|word| rest.starts_with(word.as_bytes()))
    };
    if let Some(at) = find(&BEFORE) {
        let value = i64::try_from(at).unwrap_or(0) - 4;
        return Some((Value::of(value), BEFORE[at].len()));
    }
    let at = find(&AFTER)?;
    Some((Value::of(i64::try_from(at).unwrap_or(0)), AFTER[at].len()))
}

/// A number of any length: its sign and size first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Value(i64, Vec<u8>);

impl Value {
    fn of(value: i64) -> Self {
        if value <= 0 {
            return Self(value, Vec::new());
        }
        Self::number(value.to_string().as_bytes())
    }

    fn number(digits: &[u8]) -> Self {
        let start = digits
            .iter()
            .position(|c| *c != b'0')
            .unwrap_or(digits.len());
        let digits = &digits[start..];
        Self(
            i64::try_from(digits.len()).unwrap_or(i64::MAX),
            digits.to_vec(),
        )
    }
}

pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (Scanner::new(a), Scanner::new(b));
    let (mut x, mut y) = (Value::of(0), Value::of(0));
    while left.next == right.next && !matches!(left.next, Token::End | Token::Invalid) && x == y {
        x = left.value();
        y = right.value();
    }
    if x != y {
        return x.cmp(&y);
    }
    if left.next == right.next {
        return Ordering::Equal;
    }
    if left.next == Token::Suffix && suffix(left.rest).is_none_or(|(value, _)| value.0 < 0) {
        return Ordering::Less;
    }
    if right.next == Token::Suffix && suffix(right.rest).is_none_or(|(value, _)| value.0 < 0) {
        return Ordering::Greater;
    }
    match (left.next, right.next) {
        (_, Token::Letter) if left.is_empty_number() => Ordering::Less,
        (Token::Letter, _) if right.is_empty_number() => Ordering::Greater,
        (left, right) => right.cmp(&left),
    }
}
