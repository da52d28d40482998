//! The bars that the engine has to clear, and which of them it missed.

/// Collected over all tables, printed at the end.
#[derive(Debug, Default)]
pub struct Bars(Vec<Bar>);

#[derive(Debug)]
struct Bar {
    row: String,
    expected: String,
    actual: String,
    held: bool,
}

impl Bars {
    /// A figure that may not exceed a bound. What was not measured (not a number) is missed.
    pub fn at_most(&mut self, row: impl Into<String>, actual: f64, bound: f64, unit: &str) {
        self.within(row, actual, f64::NEG_INFINITY, bound, unit);
    }

    /// A figure that must reach a bound.
    pub fn at_least(&mut self, row: impl Into<String>, actual: f64, bound: f64, unit: &str) {
        self.within(row, actual, bound, f64::INFINITY, unit);
    }

    /// A figure that must lie in a range, both ends included.
    pub fn within(&mut self, row: impl Into<String>, actual: f64, low: f64, high: f64, unit: &str) {
        let expected = match (low.is_finite(), high.is_finite()) {
            (true, true) => format!("{low} to {high}{unit}"),
            (true, false) => format!("at least {low}{unit}"),
            _ => format!("at most {high}{unit}"),
        };
        let said = if actual.is_finite() {
            format!("{actual:.3}{unit}")
        } else {
            "not measured".to_owned()
        };
        self.0.push(Bar {
            row: row.into(),
            expected,
            actual: said,
            held: actual >= low && actual <= high,
        });
    }

    /// A table that could not be made.
    pub fn broken(&mut self, row: String, problem: &str) {
        self.0.push(Bar {
            row,
            expected: "a table".into(),
            actual: problem.lines().next().unwrap_or_default().to_owned(),
            held: false,
        });
    }

    /// Prints them; whether there are any and all held.
    pub fn print(&self) -> bool {
        println!("\n| bar | expected | actual | |\n|---|---|---|---|");
        for bar in &self.0 {
            let verdict = if bar.held { "holds" } else { "**missed**" };
            let Bar {
                row,
                expected,
                actual,
                ..
            } = bar;
            println!("| {row} | {expected} | {actual} | {verdict} |");
        }
        let missed: Vec<&str> = self.missed().collect();
        if !missed.is_empty() {
            eprintln!("missed: {}", missed.join("; "));
        }
        missed.is_empty() && !self.0.is_empty()
    }

    fn missed(&self) -> impl Iterator<Item = &str> {
        let missed = self.0.iter().filter(|bar| !bar.held);
        missed.map(|bar| bar.row.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_measured_is_missed() {
        let mut bars = Bars::default();
        assert!(!bars.print(), "no bar at all is no success");
        bars.at_most("fast", 1.0, 1.0, "x");
        bars.within("between", 250.0, 225.0, 285.0, " ms");
        assert!(bars.print());
        bars.at_most("unknown", f64::NAN, 1.0, "");
        bars.at_least("slow", 0.94, 0.95, "x");
        assert!(!bars.print());
        assert_eq!(bars.missed().collect::<Vec<_>>(), ["unknown", "slow"]);
    }
}
