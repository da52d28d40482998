//! Medians, spreads and Markdown rows.

/// The middle of the sorted figures; not a number where there are none.
pub fn median(values: &[f64]) -> f64 {
    let sorted = sorted(values);
    let n = sorted.len();
    match n {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

/// `median (min to max)`, or a dash.
pub fn spread(values: &[f64], digits: usize) -> String {
    let sorted = sorted(values);
    let (Some(low), Some(high)) = (sorted.first(), sorted.last()) else {
        return "-".into();
    };
    let middle = median(&sorted);
    if sorted.len() == 1 {
        number(middle, digits)
    } else {
        format!(
            "{} ({} to {})",
            number(middle, digits),
            number(*low, digits),
            number(*high, digits)
        )
    }
}

/// All figures, in the order in which they were measured.
pub fn list(values: &[f64], digits: usize) -> String {
    let all: Vec<String> = values.iter().map(|v| number(*v, digits)).collect();
    all.join(", ")
}

/// A number with thousands separated, or a dash where it is none.
pub fn number(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return "-".into();
    }
    let text = format!("{value:.digits$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let (sign, whole) = whole.split_at(usize::from(whole.starts_with('-')));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}{rest}")
}

/// Prints the two lines above the rows.
pub fn head(columns: &[&str]) {
    println!(
        "| {} |\n|{}",
        columns.join(" | "),
        "---|".repeat(columns.len())
    );
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_numbers() {
        assert!(median(&[]).is_nan());
        assert!((median(&[3.0, 1.0, f64::NAN, 2.0]) - 2.0).abs() < 1e-12);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-12);
        assert_eq!(number(1_234_567.891, 1), "1,234,567.9");
        assert_eq!(number(-123.0, 0), "-123");
        assert_eq!(number(f64::NAN, 2), "-");
        assert_eq!(spread(&[2.0, 1.0], 1), "1.5 (1.0 to 2.0)");
        assert_eq!(spread(&[], 1), "-");
    }
}
