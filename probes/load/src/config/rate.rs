//! Rates, as configs write them.

use std::{fmt, str::FromStr};

use readygate_sdk::{Quantity, Unit};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Events in a second, always with the unit: `45000/s`, `600/m`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Rate(pub f64);

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || format!("`{}` is not a rate; write 450/s or 27000/m", text.trim());
        let quantity: Quantity = text.parse().map_err(|_| bad())?;
        if quantity.unit == Unit::PerSecond && quantity.value > 0.0 {
            Ok(Self(quantity.value))
        } else {
            Err(bad())
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&per_second(self.0))
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{}/s", self.0))
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

impl JsonSchema for Rate {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Rate".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^\s*[0-9._]+\s*(/s|/m|/min|/h|rps)\s*$|\$\{",
            "description": "A rate with its unit: 450/s, 27000/m",
        })
    }
}

/// A rate as a sentence has it: `45,000/s`, `0.5/s`.
pub(crate) fn per_second(rate: f64) -> String {
    let digits = match rate.abs() {
        r if r >= 100.0 => 0,
        r if r >= 1.0 => 1,
        _ => 3,
    };
    let text = format!("{rate:.digits$}");
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    format!("{}{rest}/s", grouped(whole))
}

/// `45000` as `45,000`.
pub(crate) fn grouped(digits: &str) -> String {
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) && !out.ends_with('-') {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_need_a_unit_and_a_size() {
        assert_eq!("45000/s".parse(), Ok(Rate(45_000.0)));
        assert_eq!("600/m".parse(), Ok(Rate(10.0)));
        for bad in ["45000", "0/s", "-1/s", "fast", "5%", ""] {
            assert!(bad.parse::<Rate>().is_err(), "{bad}");
        }
        assert_eq!(Rate(45_000.0).to_string(), "45,000/s");
        assert_eq!(Rate(999.0).to_string(), "999/s");
        assert_eq!(Rate(0.5).to_string(), "0.5/s");
        assert_eq!(Rate(12.26).to_string(), "12.3/s");
    }
}
