//! OpenSSH's `allowed_signers`: who may sign, with which keys, for what, and until when.
//!
//! The format is that of ssh-keygen(1), ALLOWED SIGNERS. Stricter than OpenSSH in two points, each
//! an error and not a silent difference: times need a `Z`, since OpenSSH reads others in the local
//! time of whatever machine verifies; and certificate authorities are not supported.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use ssh_key::{PublicKey, public::KeyData};

/// One line.
#[derive(Debug, Clone)]
struct Signer {
    line: usize,
    principals: Patterns,
    namespaces: Option<Patterns>,
    valid_after: Option<Timestamp>,
    valid_before: Option<Timestamp>,
    key: KeyData,
}

/// The file.
#[derive(Debug, Clone, Default)]
pub struct AllowedSigners {
    signers: Vec<Signer>,
}

/// What is wrong with the file, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {message}")]
pub struct ParseError {
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

/// Comma-separated patterns with `*`, `?` and `!`, as ssh_config(5) has them.
#[derive(Debug, Clone)]
struct Patterns(Vec<(bool, String)>);

impl Patterns {
    fn parse(text: &str) -> Option<Self> {
        let pattern = |part: &str| {
            let (negated, plain) = match part.strip_prefix('!') {
                Some(rest) => (true, rest),
                None => (false, part),
            };
            (!plain.is_empty()).then(|| (negated, plain.to_owned()))
        };
        text.split(',')
            .map(pattern)
            .collect::<Option<_>>()
            .map(Self)
    }

    /// A negated match outweighs every other.
    fn matches(&self, text: &str) -> bool {
        let hit = |(_, pattern): &&(bool, String)| wildcard(pattern.as_bytes(), text.as_bytes());
        let mut hits = self.0.iter().filter(hit).peekable();
        hits.peek().is_some() && !hits.any(|(negated, _)| *negated)
    }
}

/// `*` any characters, `?` one; linear in the text for each star, whatever the pattern.
fn wildcard(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == b'?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

impl AllowedSigners {
    /// Reads the text of the file.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut signers = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            let trimmed = line.trim_start();
            if trimmed.is_empty() || trimmed.starts_with('#') {
                continue;
            }
            signers.push(signer(number, line)?);
        }
        Ok(Self { signers })
    }

    /// Whether this key may sign for the principal in the namespace, at each of these times; the
    /// error says why not, as it reads after "the key".
    ///
    /// One line that allows it is enough, as in OpenSSH.
    pub fn allows(
        &self,
        principal: &str,
        key: &KeyData,
        namespace: &str,
        times: &[Timestamp],
    ) -> Result<(), String> {
        let known = self.signers.iter().filter(|s| s.key == *key);
        let mut of_principal = known.filter(|s| s.principals.matches(principal)).peekable();
        if of_principal.peek().is_none() {
            let has_line = self.signers.iter().any(|s| s.principals.matches(principal));
            return Err(if has_line {
                format!("is not one that allowed_signers lists for {principal}")
            } else {
                format!("is of nobody known: allowed_signers has no principal {principal}")
            });
        }
        let mut refusal = None;
        for signer in of_principal {
            match signer.permits(namespace, times) {
                Ok(()) => return Ok(()),
                Err(why) => {
                    refusal.get_or_insert(format!("{why} (allowed_signers, line {})", signer.line));
                }
            }
        }
        Err(refusal.unwrap_or_default())
    }
}

impl Signer {
    fn permits(&self, namespace: &str, times: &[Timestamp]) -> Result<(), String> {
        if self
            .namespaces
            .as_ref()
            .is_some_and(|n| !n.matches(namespace))
        {
            return Err(format!("is not permitted for use in namespace {namespace}"));
        }
        for time in times {
            if let Some(after) = self.valid_after.filter(|after| time < after) {
                return Err(format!("is not yet valid: {time} is before {after}"));
            }
            if let Some(before) = self.valid_before.filter(|before| time > before) {
                return Err(format!("has expired: {time} is after {before}"));
            }
        }
        Ok(())
    }
}

/// The parts of one line, with their places.
struct Reader<'a> {
    number: usize,
    line: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn error(&self, at: usize, message: impl Into<String>) -> ParseError {
        ParseError {
            line: self.number,
            column: self.line[..at].chars().count() + 1,
            message: message.into(),
        }
    }

    fn skip_blanks(&mut self) {
        let rest = &self.line[self.at..];
        self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
    }

    fn rest(&self) -> &'a str {
        &self.line[self.at..]
    }

    /// Up to the next blank outside of double quotes.
    fn word(&mut self) -> Result<(usize, &'a str), ParseError> {
        self.skip_blanks();
        let start = self.at;
        let mut quoted = false;
        let end = self.rest().char_indices().find(|(_, c)| {
            quoted ^= *c == '"';
            !quoted && (*c == ' ' || *c == '\t')
        });
        self.at = end.map_or(self.line.len(), |(offset, _)| start + offset);
        if quoted {
            return Err(self.error(start, "a double quote is not closed"));
        }
        Ok((start, &self.line[start..self.at]))
    }
}

/// What the options of a line say.
#[derive(Default)]
struct Options {
    namespaces: Option<Patterns>,
    valid_after: Option<Timestamp>,
    valid_before: Option<Timestamp>,
}

fn signer(number: usize, line: &str) -> Result<Signer, ParseError> {
    let mut reader = Reader {
        number,
        line,
        at: 0,
    };
    let (at, word) = reader.word()?;
    let plain = match word.strip_prefix('"') {
        Some(rest) => rest
            .strip_suffix('"')
            .ok_or_else(|| reader.error(at, "text follows the quoted principals"))?,
        None => word,
    };
    let principals = Patterns::parse(plain)
        .ok_or_else(|| reader.error(at, "an empty principal; write alice@example.com"))?;
    reader.skip_blanks();
    let mut options = Options::default();
    if !starts_with_key(reader.rest()) {
        let (at, word) = reader.word()?;
        if word.is_empty() {
            return Err(reader.error(at, "the key is missing"));
        }
        options = parse_options(&reader, at, word)?;
        reader.skip_blanks();
    }
    let key = key(&reader)?;
    Ok(Signer {
        line: number,
        principals,
        namespaces: options.namespaces,
        valid_after: options.valid_after,
        valid_before: options.valid_before,
        key,
    })
}

/// The names of key types that OpenSSH knows.
fn starts_with_key(text: &str) -> bool {
    let word = text.split([' ', '\t']).next().unwrap_or_default();
    ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"]
        .iter()
        .any(|start| word.starts_with(start))
}

fn key(reader: &Reader<'_>) -> Result<KeyData, ParseError> {
    let text = reader.rest().trim_end();
    let error = |message: String| reader.error(reader.at, message);
    let kind = text.split([' ', '\t']).next().unwrap_or_default();
    if kind.is_empty() {
        return Err(error("the key is missing".to_owned()));
    }
    if !starts_with_key(text) {
        return Err(error(format!(
            "`{kind}` is no key type; options stand in one word, without blanks outside of quotes"
        )));
    }
    if kind.contains("-cert-") {
        return Err(error(
            "certificates are not supported; list the key itself".to_owned(),
        ));
    }
    // The reader of keys knows single blanks only.
    let mut words = text.split([' ', '\t']).filter(|w| !w.is_empty());
    let plain = [words.next(), words.next()];
    let plain: Vec<&str> = plain.into_iter().flatten().collect();
    let key = PublicKey::from_openssh(&plain.join(" "));
    key.map(|key| key.key_data().clone())
        .map_err(|e| error(format!("the key cannot be read: {e}")))
}

fn parse_options(reader: &Reader<'_>, start: usize, word: &str) -> Result<Options, ParseError> {
    let mut options = Options::default();
    let mut at = start;
    for part in split_quoted(word) {
        let error = |message: String| reader.error(at, message);
        let (name, value) = match part.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (part, None),
        };
        let name = name.to_ascii_lowercase();
        let value = |what: &str| {
            let value = value.and_then(|v| v.strip_prefix('"')?.strip_suffix('"'));
            value.ok_or_else(|| error(format!("write {name}=\"{what}\", with the quotes")))
        };
        let twice = || error(format!("`{name}` is given twice"));
        match name.as_str() {
            "cert-authority" => {
                return Err(error(
                    "cert-authority is not supported; list the keys of the signers".to_owned(),
                ));
            }
            "namespaces" => {
                let list = value("signoff@example.com")?;
                let patterns =
                    Patterns::parse(list).ok_or_else(|| error("an empty namespace".to_owned()))?;
                if options.namespaces.replace(patterns).is_some() {
                    return Err(twice());
                }
            }
            "valid-after" | "valid-before" => {
                let time = time(value("20260101Z")?).map_err(error)?;
                let slot = if name == "valid-after" {
                    &mut options.valid_after
                } else {
                    &mut options.valid_before
                };
                if slot.replace(time).is_some() {
                    return Err(twice());
                }
            }
            _ => return Err(error(format!("unknown option `{name}`"))),
        }
        at += part.len() + 1;
    }
    if let (Some(after), Some(before)) = (options.valid_after, options.valid_before)
        && before <= after
    {
        return Err(reader.error(start, "valid-before is not after valid-after"));
    }
    Ok(options)
}

/// Splits at commas outside of quotes.
fn split_quoted(word: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    word.split(move |c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    })
}

/// `20260101Z`, `202601011200Z`, `20260101120000Z`.
fn time(text: &str) -> Result<Timestamp, String> {
    let wrong = || format!("`{text}` is not a time; write 20260101Z or 20260101120000Z");
    let Some(digits) = text.strip_suffix(['Z', 'z']) else {
        let is_time = text.len() >= 8 && text.bytes().all(|b| b.is_ascii_digit());
        return Err(if is_time {
            format!("`{text}` means another moment on every machine; write {text}Z for UTC")
        } else {
            wrong()
        });
    };
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    let padded = match digits.len() {
        8 => format!("{digits}000000"),
        12 => format!("{digits}00"),
        14 => digits.to_owned(),
        _ => return Err(wrong()),
    };
    let time = DateTime::strptime("%Y%m%d%H%M%S", &padded).map_err(|_| wrong())?;
    let time = time.to_zoned(TimeZone::UTC).map_err(|_| wrong())?;
    Ok(time.timestamp())
}
