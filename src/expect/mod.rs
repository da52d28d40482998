//! Expectations: metric, operator, value with unit; the same for every probe.
//!
//! ```text
//! expectation = condition { "and" condition }
//! condition   = operator quantity | "between" quantity "and" quantity
//!             | ("<=" | "<" | ">=" | ">") "baseline" [("+" | "-") quantity]
//!             | ("==" | "!=") text
//! operator    = "<" | "<=" | ">" | ">=" | "==" | "!="
//! ```

mod evaluate;
mod parse;

use readygate_sdk::{Location, Quantity};

pub use evaluate::{Baseline, evaluate, samples_needed};
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
