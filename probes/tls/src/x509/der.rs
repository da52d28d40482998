//! A reader of DER for what no library here reads: OCSP responses. X.690, definite lengths only.

/// Tags.
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const ENUMERATED: u8 = 0x0a;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;

/// One element: tag, contents, and the whole of it with its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Element<'a> {
    pub tag: u8,
    pub contents: &'a [u8],
    pub whole: &'a [u8],
}

impl<'a> Element<'a> {
    /// A reader of what is inside.
    pub fn inside(self) -> Reader<'a> {
        Reader(self.contents)
    }
}

/// Reads one element after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// The next element, whatever it is.
    pub fn next(&mut self) -> Option<Element<'a>> {
        let input = self.0;
        let (&tag, rest) = input.split_first()?;
        // Tags of more than one byte do not occur in what is read here.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (&first, rest) = rest.split_first()?;
        let (length, header) = match first {
            0..=0x7f => (usize::from(first), 2),
            0x81..=0x84 => {
                let count = usize::from(first & 0x7f);
                let digits = rest.get(..count)?;
                let length = digits.iter().fold(0, |n, d| n << 8 | usize::from(*d));
                (length, 2 + count)
            }
            _ => return None,
        };
        let whole = input.get(..header.checked_add(length)?)?;
        self.0 = input.get(whole.len()..)?;
        Some(Element {
            tag,
            contents: whole.get(header..)?,
            whole,
        })
    }

    /// The next element, if it has this tag; otherwise nothing is consumed.
    pub fn take(&mut self, tag: u8) -> Option<Element<'a>> {
        let mut ahead = *self;
        let element = ahead.next().filter(|e| e.tag == tag)?;
        *self = ahead;
        Some(element)
    }
}

/// The first element of `input`, if it has this tag.
pub(super) fn first(input: &[u8], tag: u8) -> Option<Element<'_>> {
    Reader(input).take(tag)
}

/// A GeneralizedTime as OCSP has it, `20261127110842Z`, in Unix seconds.
pub(super) fn time(contents: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(contents).ok()?;
    let digits = text.strip_suffix('Z')?;
    // RFC 6960 allows no fractions; some responders write them all the same.
    let digits = digits.split('.').next()?;
    if digits.len() != 14 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| digits.get(from..to)?.parse::<i8>().ok();
    let date = jiff::civil::DateTime::new(
        digits.get(..4)?.parse().ok()?,
        part(4, 6)?,
        part(6, 8)?,
        part(8, 10)?,
        part(10, 12)?,
        part(12, 14)?,
        0,
    );
    Some(crate::time::seconds(date.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_and_lies_about_lengths_are_not() {
        let mut reader = Reader(&[0x02, 0x01, 0x05, 0x04, 0x81, 0x01, 0x09]);
        assert_eq!(reader.take(OCTET_STRING), None);
        assert_eq!(reader.take(INTEGER).unwrap().contents, [5]);
        assert_eq!(reader.next().unwrap().contents, [9]);
        assert_eq!(reader.next(), None);
        for lie in [
            &[0x02, 0x05, 1][..],
            &[0x02, 0x80, 0, 0],
            &[0x02, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x1f, 1, 1],
        ] {
            assert_eq!(Reader(lie).next(), None);
        }
    }

    #[test]
    fn times_are_read() {
        assert_eq!(time(b"19700101000001Z"), Some(1));
        assert_eq!(time(b"20261127110842.123Z"), Some(1_795_777_722));
        for wrong in [
            &b"2026112711084Z"[..],
            b"20261327110842Z",
            b"20261127110842",
            b"\xff",
        ] {
            assert_eq!(time(wrong), None);
        }
    }
}
