//! Typed units: every metric carries one, every threshold is written in one.

use std::{fmt, str::FromStr, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The unit of a metric. Values are always held in the base unit named here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Unit {
    /// A plain number.
    #[serde(rename = "count")]
    Count,
    /// Seconds.
    #[serde(rename = "s")]
    Seconds,
    /// Bytes.
    #[serde(rename = "B")]
    Bytes,
    /// Percent, 0 to 100.
    #[serde(rename = "%")]
    Percent,
    /// Events in a second.
    #[serde(rename = "/s")]
    PerSecond,
    /// Bytes in a second.
    #[serde(rename = "B/s")]
    BytesPerSecond,
    /// Text; compares with `==` and `!=` only.
    #[serde(rename = "text")]
    Text,
}

impl Unit {
    /// The name written in records: `count`, `s`, `B`, `%`, `/s`, `B/s`, `text`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Seconds => "s",
            Self::Bytes => "B",
            Self::Percent => "%",
            Self::PerSecond => "/s",
            Self::BytesPerSecond => "B/s",
            Self::Text => "text",
        }
    }

    /// What a person may write for it, for error messages.
    pub const fn spellings(self) -> &'static str {
        match self {
            Self::Count => "a plain number",
            Self::Seconds => "a duration: ns, us, ms, s, m, h, d",
            Self::Bytes => "a size: B, KB, MB, GB, TB, KiB, MiB, GiB, TiB",
            Self::Percent => "a percentage: %",
            Self::PerSecond => "a rate: /s, /m, /h",
            Self::BytesPerSecond => "a data rate: B/s, KB/s, MB/s, KiB/s, MiB/s, GiB/s",
            Self::Text => "text",
        }
    }

    /// Renders a value held in the base unit as a person would write it: `41 ms`, `30 d`, `8 GiB`.
    pub fn format(self, value: f64) -> String {
        match self {
            Self::Count | Self::Text => number(value),
            Self::Percent => format!("{} %", number(value)),
            Self::PerSecond => format!("{}/s", number(value)),
            Self::Seconds => scaled(value, SECONDS),
            Self::Bytes => scaled(value, BYTES),
            Self::BytesPerSecond => format!("{}/s", scaled(value, BYTES)),
        }
    }
}

const SECONDS: &[(f64, &str)] = &[
    (86_400.0, "d"),
    (3_600.0, "h"),
    (60.0, "min"),
    (1.0, "s"),
    (1e-3, "ms"),
    (1e-6, "µs"),
];
const BYTES: &[(f64, &str)] = &[
    (1_099_511_627_776.0, "TiB"),
    (1_073_741_824.0, "GiB"),
    (1_048_576.0, "MiB"),
    (1_024.0, "KiB"),
    (1.0, "B"),
];

/// Picks the largest step that the value reaches; seconds stay seconds up to two minutes.
fn scaled(value: f64, steps: &[(f64, &str)]) -> String {
    if value == 0.0 || !value.is_finite() {
        let base = steps
            .iter()
            .find(|(size, _)| (*size - 1.0).abs() < f64::EPSILON);
        return format!("{} {}", number(value), base.map_or("", |(_, name)| name));
    }
    let magnitude = value.abs();
    let step = steps
        .iter()
        .find(|(size, name)| magnitude >= if *name == "min" { 2.0 * size } else { *size })
        .or(steps.last());
    step.map_or_else(String::new, |(size, name)| {
        format!("{} {name}", number(value / size))
    })
}

/// At most four decimals (eight below 0.0001), no trailing zeros, never an exponent or a locale.
fn number(value: f64) -> String {
    let decimals = if value != 0.0 && value.abs() < 1e-4 {
        8
    } else {
        4
    };
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A number with a unit, as written in a config: `50ms`, `80%`, `45000/s`, `8GiB`, `30d`, `6`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantity {
    /// In the base unit.
    pub value: f64,
    /// What it measures.
    pub unit: Unit,
}

/// Why a quantity could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// No number at the start.
    #[error("`{0}` does not start with a number")]
    NotANumber(String),
    /// The number is NaN or infinite.
    #[error("`{0}` is not a finite number")]
    NotFinite(String),
    /// The suffix is none of ours.
    #[error(
        "`{0}` is not a unit; known are ns us ms s m h d, B KB MB GB TB KiB MiB GiB TiB, %, /s /m /h, B/s MB/s MiB/s"
    )]
    UnknownUnit(String),
}

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let split = text
            .char_indices()
            .find(|(at, c)| {
                !(c.is_ascii_digit()
                    || *c == '.'
                    || *c == '_'
                    || (*at == 0 && matches!(c, '-' | '+')))
            })
            .map_or(text.len(), |(at, _)| at);
        let (digits, suffix) = text.split_at(split);
        let value: f64 = digits
            .replace('_', "")
            .parse()
            .map_err(|_| QuantityError::NotANumber(text.to_owned()))?;
        let (factor, unit) = suffix_of(suffix.trim())
            .ok_or_else(|| QuantityError::UnknownUnit(suffix.trim().to_owned()))?;
        let value = value * factor;
        if value.is_finite() {
            Ok(Self { value, unit })
        } else {
            Err(QuantityError::NotFinite(text.to_owned()))
        }
    }
}

/// Decimal and binary sizes keep their own meaning: `1 MB` is 10^6 bytes, `1 MiB` is 2^20 (IEC 80000-13).
fn suffix_of(suffix: &str) -> Option<(f64, Unit)> {
    let size = |name: &str| {
        Some(match name {
            "B" => 1.0,
            "KB" | "kB" => 1e3,
            "MB" => 1e6,
            "GB" => 1e9,
            "TB" => 1e12,
            "KiB" => 1_024.0,
            "MiB" => 1_048_576.0,
            "GiB" => 1_073_741_824.0,
            "TiB" => 1_099_511_627_776.0,
            _ => return None,
        })
    };
    Some(match suffix {
        "" => (1.0, Unit::Count),
        "%" => (1.0, Unit::Percent),
        "ns" => (1e-9, Unit::Seconds),
        "us" | "µs" | "μs" => (1e-6, Unit::Seconds),
        "ms" => (1e-3, Unit::Seconds),
        "s" => (1.0, Unit::Seconds),
        "m" | "min" => (60.0, Unit::Seconds),
        "h" => (3_600.0, Unit::Seconds),
        "d" => (86_400.0, Unit::Seconds),
        "/s" | "rps" => (1.0, Unit::PerSecond),
        "/m" | "/min" => (1.0 / 60.0, Unit::PerSecond),
        "/h" => (1.0 / 3_600.0, Unit::PerSecond),
        other => match other.strip_suffix("/s") {
            Some(name) => (size(name)?, Unit::BytesPerSecond),
            None => (size(other)?, Unit::Bytes),
        },
    })
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.unit.format(self.value))
    }
}

/// A duration in a config: always with a suffix (`30s`, `1m30s`, `500ms`), never a bare number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(pub Duration);

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shown = text.trim();
        let mut rest = shown;
        let mut total = 0.0;
        while !rest.is_empty() {
            let number = rest
                .find(|c: char| !(c.is_ascii_digit() || c == '.'))
                .unwrap_or(rest.len());
            let unit = rest[number..]
                .find(|c: char| c.is_ascii_digit())
                .unwrap_or(rest.len() - number);
            let part = &rest[..number + unit];
            let quantity: Quantity = part.parse().map_err(|_| {
                format!("`{shown}` is not a duration; write 500ms, 30s, 5m, 1h30m or 14d")
            })?;
            if quantity.unit != Unit::Seconds {
                return Err(format!(
                    "`{shown}` lacks a unit of time; write 500ms, 30s, 5m, 1h30m or 14d"
                ));
            }
            total += quantity.value;
            rest = &rest[number + unit..];
        }
        if shown.is_empty() {
            return Err("an empty duration; write 500ms, 30s, 5m, 1h30m or 14d".to_owned());
        }
        // Beyond this, sums with the clock overflow.
        let century = 100.0 * 365.0 * 86_400.0;
        Duration::try_from_secs_f64(total)
            .ok()
            .filter(|period| period.as_secs_f64() <= century)
            .map(Self)
            .ok_or_else(|| format!("`{shown}` is out of range"))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Unit::Seconds.format(self.0.as_secs_f64()))
    }
}

/// A size in a config: `8GiB`, `30MB`; a bare number is bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

impl FromStr for ByteSize {
    type Err = String;

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range is checked on the line before"
    )]
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let quantity: Quantity = text.parse().map_err(|e: QuantityError| e.to_string())?;
        match quantity.unit {
            Unit::Bytes | Unit::Count if (0.0..9e18).contains(&quantity.value) => {
                Ok(Self(quantity.value as u64))
            }
            _ => Err(format!(
                "`{text}` is not a size; write 512KiB, 30MB or 8GiB"
            )),
        }
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Unit::Bytes.format(self.0 as f64))
    }
}

macro_rules! text_serde {
    ($type:ty, $name:literal, $pattern:literal, $about:literal, $write:expr) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let write: fn(&Self) -> String = $write;
                serializer.serialize_str(&write(self))
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
        impl JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string", "pattern": $pattern, "description": $about})
            }
        }
    };
}

text_serde!(
    Period,
    "Duration",
    r"^\s*([0-9.]+\s*(ns|us|µs|ms|s|m|min|h|d)\s*)+$|\$\{",
    "A duration with its unit: 500ms, 30s, 5m, 1h30m, 14d",
    |p| format!("{}s", p.0.as_secs_f64())
);
text_serde!(
    ByteSize,
    "ByteSize",
    r"^\s*[0-9._]+\s*(B|[kKMGT]B|[KMGT]iB)?\s*$|\$\{",
    "A size with its unit: 512KiB, 30MB, 8GiB",
    |b| format!("{}B", b.0)
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_in_base_units() {
        for (text, value, unit) in [
            ("50ms", 0.05, Unit::Seconds),
            ("80%", 80.0, Unit::Percent),
            ("0.01 %", 0.01, Unit::Percent),
            ("45_000/s", 45_000.0, Unit::PerSecond),
            ("8GiB", 8_589_934_592.0, Unit::Bytes),
            ("1 MB", 1e6, Unit::Bytes),
            ("30d", 2_592_000.0, Unit::Seconds),
            ("6", 6.0, Unit::Count),
            ("-1", -1.0, Unit::Count),
            ("3MiB/s", 3_145_728.0, Unit::BytesPerSecond),
        ] {
            assert_eq!(
                text.parse::<Quantity>(),
                Ok(Quantity { value, unit }),
                "{text}"
            );
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "fast", "NaN", "inf", "5 parsecs", "1e400", "1.2.3"] {
            assert!(text.parse::<Quantity>().is_err(), "{text}");
        }
    }

    #[test]
    fn periods_need_a_unit() {
        assert_eq!("1m30s".parse(), Ok(Period(Duration::from_secs(90))));
        assert!("30".parse::<Period>().is_err());
        assert!("".parse::<Period>().is_err());
        assert!("5MB".parse::<Period>().is_err());
    }

    #[test]
    fn values_read_as_people_write_them() {
        assert_eq!(Unit::Seconds.format(0.041), "41 ms");
        assert_eq!(Unit::Seconds.format(90.0), "90 s");
        assert_eq!(Unit::Seconds.format(2_592_000.0), "30 d");
        assert_eq!(Unit::Seconds.format(0.0), "0 s");
        assert_eq!(Unit::Bytes.format(8_589_934_592.0), "8 GiB");
        assert_eq!(Unit::Percent.format(99.5), "99.5 %");
        assert_eq!(Unit::Count.format(961.0), "961");
    }
}
