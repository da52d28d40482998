//! When a waiver ends.

use std::str::FromStr;

use jiff::{Timestamp, civil, tz::TimeZone};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The last moment at which something holds. A date means 23:59:59 UTC of that day, inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expiry(pub Timestamp);

impl Expiry {
    /// Whether a moment is not past it. A whole second lasts until the next one starts.
    pub fn holds(self, at: Timestamp) -> bool {
        let last_second = self.0.subsec_nanosecond() == 0 && at.as_second() == self.0.as_second();
        at <= self.0 || last_second
    }
}

impl FromStr for Expiry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = text.as_bytes();
        let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
        let dated = [0, 1, 2, 3, 5, 6, 8, 9].into_iter().all(digit)
            && bytes.get(4) == Some(&b'-')
            && bytes.get(7) == Some(&b'-');
        let how = "write a date, 2026-12-31, or a time with its zone, 2026-12-31T18:00:00Z";
        if !dated {
            return Err(format!("`{text}` is neither a date nor a time; {how}"));
        }
        let date: civil::Date = text[..10]
            .parse()
            .map_err(|_| format!("`{}` is not a day of the calendar", &text[..10]))?;
        if bytes.len() == 10 {
            let end = date.at(23, 59, 59, 0).to_zoned(TimeZone::UTC);
            let end = end.map_err(|_| format!("`{text}` is out of range"))?;
            return Ok(Self(end.timestamp()));
        }
        let at = text.parse::<Timestamp>();
        at.map(Self)
            .map_err(|_| format!("`{text}` is not a time with its zone; {how}"))
    }
}

impl Serialize for Expiry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Expiry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Expiry {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Expiry".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^\d{4}-\d{2}-\d{2}([Tt ].+)?$|\$\{",
            "description": "A date, which means 23:59:59 UTC of that day, or an RFC 3339 time with its zone",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(expires: &str, at: &str) -> bool {
        let expires: Expiry = expires.parse().unwrap();
        expires.holds(at.parse().unwrap())
    }

    #[test]
    fn a_date_holds_until_235959_utc_and_not_a_second_longer() {
        assert!(holds("2026-12-31", "2026-12-31T23:59:59Z"));
        assert!(holds("2026-12-31", "2026-12-31T23:59:59.999Z"));
        assert!(!holds("2026-12-31", "2027-01-01T00:00:00Z"));
        assert!(!holds("2026-12-31", "2026-12-31T23:30:00-01:00"));
        assert!(holds("2026-12-31", "2027-01-01T01:59:59+02:00"));
    }

    #[test]
    fn a_time_holds_to_its_second() {
        assert!(holds("2026-12-31T18:00:00Z", "2026-12-31T18:00:00Z"));
        assert!(!holds("2026-12-31T18:00:00Z", "2026-12-31T18:00:01Z"));
        assert!(holds("2026-12-31T18:00:00+02:00", "2026-12-31T16:00:00Z"));
        assert!(!holds("2026-12-31T18:00:00+02:00", "2026-12-31T16:00:01Z"));
    }

    #[test]
    fn what_could_mean_two_moments_is_refused() {
        for text in [
            "2026",
            "2026-12",
            "20261231",
            "31.12.2026",
            "2026-02-30",
            "2026-12-31T18:00:00",
            "2026-12-31 18:00",
            "2026-12-31x",
            "never",
            "",
            "٢٠٢٦-12-31",
        ] {
            assert!(text.parse::<Expiry>().is_err(), "{text}");
        }
    }
}
