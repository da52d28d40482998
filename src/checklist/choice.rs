//! Which option of a choice is the good one: `□ Working □ Issues`.
//!
//! The order of options says nothing. What these words do not tell, a person must.

use super::{normal::normal, scan::Line};

/// In the form of [`normal`].
const GOOD: &[&str] = &[
    "yes",
    "ok",
    "okay",
    "good",
    "fine",
    "pass",
    "passed",
    "passes",
    "success",
    "successful",
    "succeeded",
    "working",
    "works",
    "normal",
    "connected",
    "healthy",
    "active",
    "enabled",
    "activated",
    "on",
    "up",
    "online",
    "green",
    "available",
    "ready",
    "valid",
    "verified",
    "stable",
    "meets",
    "met",
    "within",
    "none",
    "done",
    "complete",
    "completed",
    "نعم",
    "يعمل",
    "تعمل",
    "طبيعي",
    "طبيعيه",
    "متصل",
    "متصله",
    "ناجح",
    "ناجحه",
    "نجاح",
    "نجح",
    "نجحت",
    "سليم",
    "سليمه",
    "جيد",
    "جيده",
    "مفعل",
    "مكتمل",
    "مستقر",
];
const BAD: &[&str] = &[
    "issue",
    "issues",
    "problem",
    "problems",
    "error",
    "errors",
    "fail",
    "failed",
    "fails",
    "failure",
    "failures",
    "slow",
    "below",
    "exceeds",
    "exceeded",
    "breach",
    "breached",
    "degraded",
    "down",
    "offline",
    "red",
    "bad",
    "broken",
    "disabled",
    "deactivated",
    "off",
    "inactive",
    "invalid",
    "unhealthy",
    "unstable",
    "disconnected",
    "unavailable",
    "incomplete",
    "minor",
    "major",
    "critical",
    "vulnerability",
    "vulnerabilities",
    "found",
    "مشكله",
    "مشاكل",
    "خطا",
    "اخطاء",
    "فشل",
    "فاشل",
    "فاشله",
    "بطيء",
    "بطييه",
    "متدهور",
    "متدهوره",
    "معطل",
    "معطله",
    "منقطع",
    "منقطعه",
    "دون",
    "ثغره",
    "ثغرات",
];
/// They turn round what follows; alone they are bad.
const NOT: &[&str] = &[
    "no", "not", "without", "zero", "0", "لا", "غير", "ليس", "بدون",
];

/// Whether an option is good; `None` for what these words do not tell, or tell both ways.
pub fn is_good(label: &str) -> Option<bool> {
    let label = normal(label);
    let words: Vec<&str> = label.split(' ').filter(|w| !w.is_empty()).collect();
    match words.as_slice() {
        ["no" | "لا"] => Some(false),
        [not, rest @ ..] if NOT.contains(not) => leaning(rest).map(|good| !good),
        all => leaning(all),
    }
}

fn leaning(words: &[&str]) -> Option<bool> {
    let any = |list: &[&str]| words.iter().any(|w| list.contains(w));
    match (any(GOOD), any(BAD) || any(NOT)) {
        (true, false) => Some(true),
        (false, true) if !any(NOT) => Some(false),
        _ => None,
    }
}

/// Two options, the first good and the last bad: what a gate that passed or failed can tell.
pub fn is_verdict(line: &Line) -> bool {
    let [first, last] = line.options() else {
        return false;
    };
    let good = |tick: &super::scan::Tick| is_good(line.slice(&tick.label));
    good(first) == Some(true) && good(last) == Some(false)
}

/// A first option that is bad or a last one that is good: the order is not the usual one.
pub fn is_reversed(first: &str, last: &str) -> bool {
    is_good(first) == Some(false) || is_good(last) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checklist::scan::scan;

    #[test]
    fn words_tell_good_from_bad() {
        for good in [
            "Yes",
            "✅ **Pass**",
            "Meets SLA",
            "No vulnerabilities",
            "No issues found",
            "None",
            "SUCCESS",
            "Connected",
            "نعم",
            "لا ثغرات",
            "متصلة",
        ] {
            assert_eq!(is_good(good), Some(true), "{good}");
        }
        for bad in [
            "No",
            "Issues",
            "Issues found",
            "Below SLA",
            "Exceeds SLA",
            "Not connected",
            "Slow",
            "❌ FAILED",
            "لا",
            "غير متصل",
            "مشاكل",
        ] {
            assert_eq!(is_good(bad), Some(false), "{bad}");
        }
        for open in [
            "",
            "Blue",
            "< 0.1%",
            "Working with issues",
            "No idea",
            "Not without issues",
        ] {
            assert_eq!(is_good(open), None, "{open}");
        }
    }

    #[test]
    fn a_verdict_has_two_options_in_the_usual_order() {
        for (line, verdict) in [
            ("All Endpoints: □ Working □ Issues", true),
            ("Database: □ Connected □ Issues", true),
            ("Database: □ Issues □ Connected", false),
            ("Performance: □ Meets SLA □ Below SLA", true),
            ("Performance: □ Exceeds SLA □ Meets SLA □ Below SLA", false),
            ("Error Rate: □ < 0.1% □ > 0.1%", false),
            ("Security: □ No vulnerabilities □ Issues found", true),
            ("تم اختبار الاستعادة: □ نعم □ لا", true),
        ] {
            assert_eq!(is_verdict(&scan(line).lines[0]), verdict, "{line}");
        }
    }
}
