//! Templates, compiled: text and variables by their number.

use super::{
    random,
    spec::{BUILT_IN_VARIABLES, Template},
};

/// What a piece of a template is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Variable(usize),
    Iteration,
    Random,
}

/// A template whose variables are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Compiled(Vec<Piece>);

/// Values for one rendering.
#[derive(Clone, Copy)]
pub(super) struct Values<'a> {
    /// By number; those that are not set yet are nothing.
    pub variables: &'a [Option<String>],
    /// Number of the iteration.
    pub iteration: u64,
    /// Seed of `{{$random}}`.
    pub seed: u64,
}

/// Where a value goes, and so which bytes must not be in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Request target: what may not stand in one is percent-encoded.
    Target,
    /// Header value: controls become spaces, so that no value adds a header.
    Header,
    /// Body: as it is.
    Body,
}

impl Values<'_> {
    /// For templates without variables.
    pub(super) const NONE: Self = Self {
        variables: &[],
        iteration: 0,
        seed: 0,
    };
}

impl Compiled {
    /// Resolves variables with `number_of`; an unknown one or an unclosed `{{` is an error.
    pub(super) fn new(
        template: &Template,
        number_of: &dyn Fn(&str) -> Option<usize>,
    ) -> Result<Self, String> {
        let text = template.0.as_str();
        template
            .variables()
            .map_err(|at| format!("`{{{{` at byte {at} of `{text}` is not closed"))?;
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, after) = after.split_once("}}").unwrap_or((after, ""));
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(Self::variable(name.trim(), text, number_of)?);
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self(pieces))
    }

    fn variable(
        name: &str,
        text: &str,
        number_of: &dyn Fn(&str) -> Option<usize>,
    ) -> Result<Piece, String> {
        match name {
            "$iteration" => Ok(Piece::Iteration),
            "$random" => Ok(Piece::Random),
            _ => number_of(name).map(Piece::Variable).ok_or_else(|| {
                format!(
                    "`{{{{{name}}}}}` in `{text}` is no column of the data, no capture of an \
                     earlier step, and none of {}",
                    BUILT_IN_VARIABLES.join(", ")
                )
            }),
        }
    }

    /// The text, if it has no variables.
    pub(super) fn fixed(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Appends the text with the values in it.
    pub(super) fn render(&self, values: Values<'_>, place: Place, out: &mut Vec<u8>) {
        for (nth, piece) in self.0.iter().enumerate() {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Variable(number) => {
                    let value = values.variables.get(*number).and_then(Option::as_deref);
                    put(value.unwrap_or(""), place, out);
                }
                Piece::Iteration => put(&values.iteration.to_string(), place, out),
                Piece::Random => {
                    let index = values.iteration.wrapping_mul(64).wrapping_add(nth as u64);
                    let number = random::at(values.seed, index) >> 32;
                    put(&number.to_string(), place, out);
                }
            }
        }
    }
}

fn put(value: &str, place: Place, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in value.bytes() {
        match place {
            Place::Target if byte <= b' ' || byte >= 0x7f || b"\"<>\\^`{|}#".contains(&byte) => {
                let (high, low) = (usize::from(byte >> 4), usize::from(byte & 15));
                out.extend_from_slice(&[b'%', HEX[high], HEX[low]]);
            }
            Place::Header if (byte < b' ' && byte != b'\t') || byte == 0x7f => out.push(b' '),
            _ => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(text: &str, value: &str, place: Place) -> String {
        let known = |name: &str| (name == "id").then_some(0);
        let compiled = Compiled::new(&Template(text.to_owned()), &known).unwrap();
        let variables = [Some(value.to_owned())];
        let values = Values {
            variables: &variables,
            iteration: 41,
            seed: 1,
        };
        let mut out = Vec::new();
        compiled.render(values, place, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn values_cannot_break_out_of_their_place() {
        let evil = "7 HTTP/1.1\r\nX: y";
        assert_eq!(
            rendered("/u/{{id}}?n={{$iteration}}", evil, Place::Target),
            "/u/7%20HTTP/1.1%0D%0AX:%20y?n=41"
        );
        assert_eq!(
            rendered("a{{ id }}", evil, Place::Header),
            "a7 HTTP/1.1  X: y"
        );
        assert_eq!(rendered("{\"a\": {{id}}}", "1", Place::Body), "{\"a\": 1}");
    }

    #[test]
    fn unknown_and_unclosed_variables_are_told() {
        let none = |_: &str| None;
        let error = Compiled::new(&Template("/{{name}}".to_owned()), &none).unwrap_err();
        assert!(error.contains("`{{name}}`"), "{error}");
        let error = Compiled::new(&Template("/a{{name".to_owned()), &none).unwrap_err();
        assert!(error.contains("byte 2"), "{error}");
    }
}
