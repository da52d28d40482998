//! Reading expectations, with the metric's unit at hand.

use readygate_sdk::{Period, Quantity, Unit};

use super::{Condition, Margin, Op, Parts};

/// Why an expectation cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// What is wrong.
    pub message: String,
    /// How to write it.
    pub help: Option<String>,
}

fn error(message: impl Into<String>, help: impl Into<String>) -> ParseError {
    ParseError {
        message: message.into(),
        help: Some(help.into()),
    }
}

/// Reads all conditions of one metric. `unit` is the metric's; `None` for members of a family,
/// whose unit is known only after measuring.
pub fn parse(texts: &[&str], unit: Option<Unit>) -> Result<Vec<Condition>, ParseError> {
    let mut conditions = Vec::new();
    for text in texts {
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(error("an empty expectation", "write `== 6` or `< 50ms`"));
        }
        while !rest.is_empty() {
            let (one, tail) = cut(rest);
            conditions.push(condition(one, unit)?);
            rest = tail;
        }
    }
    for condition in &conditions {
        let Condition::Baseline(op, _) = condition else {
            continue;
        };
        let is_ceiling = matches!(op, Op::Less | Op::AtMost);
        if !conditions.iter().any(|c| bounds(c, is_ceiling)) {
            let help = if is_ceiling {
                "add a ceiling, as in `<= baseline + 10% and < 50ms`: small steps add up"
            } else {
                "add a floor, as in `>= baseline - 10% and > 40/s`: small steps add up"
            };
            return Err(error(
                "a bound relative to the baseline needs an absolute one beside it",
                help,
            ));
        }
    }
    Ok(conditions)
}

/// Whether a condition bounds from above, or from below, whatever the baseline was.
fn bounds(condition: &Condition, from_above: bool) -> bool {
    match condition {
        Condition::Between(..) | Condition::Compare(Op::Equal, _) => true,
        Condition::Compare(Op::Less | Op::AtMost, _) => from_above,
        Condition::Compare(Op::Greater | Op::AtLeast, _) => !from_above,
        // What holds in every part holds of the whole; a breach that may last a while does not.
        Condition::Windows(one, Parts::Every(_)) => bounds(one, from_above),
        Condition::Compare(Op::NotEqual, _)
        | Condition::Text(..)
        | Condition::Baseline(..)
        | Condition::Windows(_, Parts::Lasting(_)) => false,
    }
}

/// Cuts the first condition off; the `and` inside of `between` belongs to it.
fn cut(text: &str) -> (&str, &str) {
    let from = if text.starts_with("between ") {
        text.find(" and ").map_or(text.len(), |at| at + 5)
    } else {
        0
    };
    match text[from..].find(" and ") {
        Some(at) => (text[..from + at].trim(), text[from + at + 5..].trim()),
        None => (text, ""),
    }
}

/// Cuts `for every 10s` off; texts may hold the word.
fn condition(text: &str, unit: Option<Unit>) -> Result<Condition, ParseError> {
    let Some((head, tail)) = text
        .rsplit_once(" for ")
        .filter(|_| unit != Some(Unit::Text))
    else {
        return plain(text, unit);
    };
    let help =
        "write `for every 10s` for each window of the run, or `for 30s` for a breach that lasts";
    let (every, length) = match tail.trim().strip_prefix("every ") {
        Some(length) => (true, length),
        None => (false, tail),
    };
    let length: Period = match length.parse() {
        Ok(length) => length,
        Err(_) if unit.is_none() => return plain(text, unit),
        Err(message) => return Err(error(message, help)),
    };
    if length.0.is_zero() {
        return Err(error("a window of no length", help));
    }
    let one = plain(head.trim(), unit)?;
    if !matches!(one, Condition::Compare(..) | Condition::Between(..)) {
        return Err(error(
            format!("`for` does not go with `{}`", head.trim()),
            "windows are compared with a value: `< 150ms for every 10s`",
        ));
    }
    let parts = if every {
        Parts::Every(length.0)
    } else {
        Parts::Lasting(length.0)
    };
    Ok(Condition::Windows(Box::new(one), parts))
}

fn plain(text: &str, unit: Option<Unit>) -> Result<Condition, ParseError> {
    if let Some(range) = text.strip_prefix("between ") {
        let (low, high) = range.split_once(" and ").ok_or_else(|| {
            error(
                format!("`{text}` lacks its upper end"),
                "write `between 1 and 3`",
            )
        })?;
        let (low, high) = (quantity(low, unit)?, quantity(high, unit)?);
        if low.unit != high.unit || low.value > high.value {
            return Err(error(
                format!("`{text}` is empty"),
                "write the lower end first, both in one unit",
            ));
        }
        return Ok(Condition::Between(low, high));
    }
    let (op, rest) = operator(text)?;
    if let Some(margin) = rest.strip_prefix("baseline") {
        if matches!(op, Op::Equal | Op::NotEqual) {
            return Err(error("a baseline is a bound, not a value", "use < <= > >="));
        }
        return Ok(Condition::Baseline(op, margin_of(margin.trim(), unit)?));
    }
    if unit == Some(Unit::Text) {
        if !matches!(op, Op::Equal | Op::NotEqual) {
            return Err(error("this metric is text", "use == or !="));
        }
        let bare = rest.trim_matches(|c| c == '"' || c == '\'');
        return Ok(Condition::Text(op, bare.to_owned()));
    }
    match quantity(rest, unit) {
        // A family member may turn out to be text.
        Err(_) if unit.is_none() && matches!(op, Op::Equal | Op::NotEqual) && !rest.is_empty() => {
            Ok(Condition::Text(op, rest.to_owned()))
        }
        other => other.map(|q| Condition::Compare(op, q)),
    }
}

fn operator(text: &str) -> Result<(Op, &str), ParseError> {
    const OPERATORS: [(&str, Op); 6] = [
        ("<=", Op::AtMost),
        (">=", Op::AtLeast),
        ("==", Op::Equal),
        ("!=", Op::NotEqual),
        ("<", Op::Less),
        (">", Op::Greater),
    ];
    for (symbol, op) in OPERATORS {
        if let Some(rest) = text.strip_prefix(symbol) {
            return Ok((op, rest.trim()));
        }
    }
    let bare = text.trim_start_matches('=').trim();
    Err(error(
        format!("`{text}` has no operator"),
        format!("write `== {bare}`, or one of < <= > >= != and `between a and b`"),
    ))
}

fn margin_of(text: &str, unit: Option<Unit>) -> Result<Margin, ParseError> {
    if text.is_empty() {
        return Ok(Margin::Percent(0.0));
    }
    let help = "write `<= baseline + 10%` or `<= baseline + 5ms`";
    let (sign, amount) = if let Some(amount) = text.strip_prefix('+') {
        (1.0, amount)
    } else if let Some(amount) = text.strip_prefix('-') {
        (-1.0, amount)
    } else {
        return Err(error(format!("`baseline {text}` is not readable"), help));
    };
    let amount: Quantity = amount
        .trim()
        .parse()
        .map_err(|e| error(format!("{e}"), help))?;
    if amount.unit == Unit::Percent {
        return Ok(Margin::Percent(sign * amount.value));
    }
    check_unit(amount, unit)?;
    Ok(Margin::Amount(Quantity {
        value: sign * amount.value,
        unit: amount.unit,
    }))
}

fn quantity(text: &str, unit: Option<Unit>) -> Result<Quantity, ParseError> {
    let help = unit.map_or(
        "write a number with its unit: 50ms, 80%, 8GiB, 45000/s, 6".to_owned(),
        |u| format!("this metric takes {}", u.spellings()),
    );
    let quantity: Quantity = text.parse().map_err(|e| error(format!("{e}"), help))?;
    check_unit(quantity, unit)?;
    Ok(quantity)
}

fn check_unit(quantity: Quantity, unit: Option<Unit>) -> Result<(), ParseError> {
    match unit {
        Some(unit) if unit != quantity.unit => Err(error(
            format!(
                "the unit does not fit: this metric is measured in {}, not {}",
                word(unit),
                word(quantity.unit)
            ),
            format!("this metric takes {}", unit.spellings()),
        )),
        _ => Ok(()),
    }
}

fn word(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "plain numbers",
        Unit::Seconds => "seconds",
        Unit::Bytes => "bytes",
        Unit::Percent => "percent",
        Unit::PerSecond => "events per second",
        Unit::BytesPerSecond => "bytes per second",
        Unit::Text => "text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str, unit: Unit) -> Result<Vec<Condition>, ParseError> {
        parse(&[text], Some(unit))
    }

    #[test]
    fn the_grammar_of_the_documentation_reads() {
        for (text, unit, conditions) in [
            ("< 50ms", Unit::Seconds, 1),
            (">= 961", Unit::Count, 1),
            ("between 1 and 3", Unit::Count, 1),
            ("between 1s and 3s and != 2s", Unit::Seconds, 2),
            ("<= baseline + 10% and < 50ms", Unit::Seconds, 2),
            (">=baseline-5% and >80%", Unit::Percent, 2),
            ("== 4.0.0", Unit::Text, 1),
            ("== wait for every 5s", Unit::Text, 1),
            ("< 150ms for every 10s", Unit::Seconds, 1),
            (
                "< 50ms and < 150ms for every 10s and < 200ms for 30s",
                Unit::Seconds,
                3,
            ),
            ("between 1 and 3 for every 1m", Unit::Count, 1),
            (
                "<= baseline + 10% and < 50ms for every 10s",
                Unit::Seconds,
                2,
            ),
        ] {
            assert_eq!(one(text, unit).map(|c| c.len()), Ok(conditions), "{text}");
        }
    }

    #[test]
    fn mistakes_say_how_to_write_it() {
        for (text, unit, help) in [
            ("6", Unit::Count, "== 6"),
            ("= 6", Unit::Count, "== 6"),
            ("< 50", Unit::Seconds, "ms"),
            ("< 50%", Unit::Seconds, "duration"),
            ("< fast", Unit::Seconds, "duration"),
            ("between 3 and 1", Unit::Count, "lower end first"),
            ("between 3", Unit::Count, "between 1 and 3"),
            ("<= baseline + 10%", Unit::Seconds, "ceiling"),
            ("<= baseline + 10% and >= 0s", Unit::Seconds, "ceiling"),
            ("<= baseline + 10% and != 3s", Unit::Seconds, "ceiling"),
            (">= baseline - 10% and < 9", Unit::Count, "floor"),
            ("<= baseline é10% and < 5s", Unit::Seconds, "baseline + 10%"),
            ("== baseline", Unit::Count, "<="),
            ("< 5ms for each 10s", Unit::Seconds, "for every 10s"),
            ("< 5ms for 0s", Unit::Seconds, "for every 10s"),
            (
                "<= baseline + 5% for every 10s",
                Unit::Seconds,
                "compared with a value",
            ),
            (
                "<= baseline + 10% and < 50ms for 10s",
                Unit::Seconds,
                "ceiling",
            ),
            ("< 4", Unit::Text, "=="),
            ("< NaN", Unit::Count, "plain number"),
            ("", Unit::Count, "=="),
        ] {
            let error = one(text, unit).unwrap_err();
            assert!(
                error.help.as_deref().unwrap_or_default().contains(help),
                "{text}: {error:?}"
            );
        }
    }
}
