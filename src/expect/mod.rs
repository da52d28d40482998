//! Expectations: metric, operator, value with unit; the same for every probe.
//!
//! ```text
//! expectation = condition { "and" condition }
//! condition   = absolute [ "for" ["every"] duration ]
//!             | ("<=" | "<" | ">=" | ">") "baseline" [("+" | "-") quantity]
//!             | ("==" | "!=") text
//! absolute    = operator quantity | "between" quantity "and" quantity
//! operator    = "<" | "<=" | ">" | ">=" | "==" | "!="
//! ```
//!
//! `for every 10s` asks it of each window of the run; with `for 30s` a breach counts once it has
//! lasted that long.

mod evaluate;
mod honest;
mod parse;
mod windows;

use std::time::Duration;

use readygate_sdk::{Bound, Comparison, Location, Quantity};

pub use evaluate::{Baseline, evaluate};
pub use honest::{samples_needed, values_needed};
pub use parse::{ParseError, parse};

/// How two values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
}

impl Op {
    /// As written.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
        }
    }

    #[expect(
        clippy::float_cmp,
        reason = "`==` means exactly that; counts are exact in f64"
    )]
    fn holds(self, actual: f64, bound: f64) -> bool {
        match self {
            Self::Less => actual < bound,
            Self::AtMost => actual <= bound,
            Self::Greater => actual > bound,
            Self::AtLeast => actual >= bound,
            Self::Equal => actual == bound,
            Self::NotEqual => actual != bound,
        }
    }
}

/// One condition on a metric.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// `< 50ms`
    Compare(Op, Quantity),
    /// `between 1 and 3`, both ends included.
    Between(Quantity, Quantity),
    /// `<= baseline + 10%`; the margin is signed.
    Baseline(Op, Margin),
    /// `== 4.0.0`, on metrics that are text.
    Text(Op, String),
    /// `< 150ms for every 10s`; a comparison or a range.
    Windows(Box<Condition>, Parts),
}

/// Over which parts of a run a condition is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parts {
    /// `for every 10s`: in each window.
    Every(Duration),
    /// `for 30s`: a breach must last.
    Lasting(Duration),
}

impl Parts {
    /// The length that the config names.
    pub const fn length(self) -> Duration {
        match self {
            Self::Every(length) | Self::Lasting(length) => length,
        }
    }
}

/// How far from the baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Margin {
    /// A share of the baseline, in percent.
    Percent(f64),
    /// An amount in the metric's base unit.
    Amount(Quantity),
}

/// All conditions on one metric, and where the config says so.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// Name of the metric.
    pub metric: String,
    /// All must hold.
    pub conditions: Vec<Condition>,
    /// Place in the config.
    pub location: Option<Location>,
}

impl Expectation {
    /// The absolute bounds, as a probe hears them before it measures.
    pub fn bounds(&self) -> Vec<Bound> {
        let mut bounds = Vec::new();
        for condition in &self.conditions {
            let (one, parts) = match condition {
                Condition::Windows(one, parts) => (&**one, Some(*parts)),
                one => (one, None),
            };
            let mut add = |comparison, value| {
                bounds.push(Bound {
                    metric: self.metric.clone(),
                    comparison,
                    value,
                    every: parts.and_then(|p| match p {
                        Parts::Every(length) => Some(length),
                        Parts::Lasting(_) => None,
                    }),
                    lasting: parts.and_then(|p| match p {
                        Parts::Lasting(length) => Some(length),
                        Parts::Every(_) => None,
                    }),
                });
            };
            match one {
                Condition::Compare(Op::Less | Op::AtMost, q) => add(Comparison::Below, *q),
                Condition::Compare(Op::Greater | Op::AtLeast, q) => add(Comparison::Above, *q),
                Condition::Compare(Op::Equal, q) => add(Comparison::Equal, *q),
                Condition::Between(low, high) => {
                    add(Comparison::Above, *low);
                    add(Comparison::Below, *high);
                }
                Condition::Compare(Op::NotEqual, _)
                | Condition::Baseline(..)
                | Condition::Text(..)
                | Condition::Windows(..) => {}
            }
        }
        bounds
    }
}
