//! Text that was read in the wrong encoding once, and saved that way.

use encoding_rs::MACINTOSH;

/// Signs that checklists are made of, and that garbled text lacks.
const TELLING: &[char] = &[
    '□', '☐', '☑', '☒', '✅', '❌', '├', '└', '─', '—', '–', '’', '“', '”', '…', '•',
];

/// The text as it was before somebody read UTF-8 as Mac Roman and saved it; `None` if that did not
/// happen. Every sign must have a Mac Roman byte, these bytes must be UTF-8, and the result must
/// hold more Arabic letters, boxes and the like than before.
pub fn repaired(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let (bytes, _, unmappable) = MACINTOSH.encode(text);
    if unmappable {
        return None;
    }
    let repaired = String::from_utf8(bytes.into_owned()).ok()?;
    (telling(&repaired) > telling(text)).then_some(repaired)
}

fn telling(text: &str) -> usize {
    let arabic = |c: char| ('\u{600}'..='\u{6ff}').contains(&c);
    let emoji = |c: char| ('\u{1f300}'..='\u{1faff}').contains(&c);
    text.chars()
        .filter(|c| arabic(*c) || emoji(*c) || TELLING.contains(c))
        .count()
}

/// A few words of the damage and what they were, for a person to see.
pub fn example(text: &str, repaired: &str) -> Option<(String, String)> {
    let mut pairs = text.lines().zip(repaired.lines());
    let (before, after) = pairs.find(|(a, b)| a != b && b.chars().any(char::is_alphabetic))?;
    let short = |line: &str| line.trim().chars().take(40).collect::<String>();
    Some((short(before), short(after)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn garbled(text: &str) -> String {
        MACINTOSH.decode(text.as_bytes()).0.into_owned()
    }

    #[test]
    fn what_was_garbled_is_found_and_repaired() {
        for text in [
            "□ جميع الاختبارات ناجحة\n",
            "# ✅ Release\n",
            "🚀 go — now\r\n",
            "├─ Rate",
        ] {
            let bad = garbled(text);
            assert_ne!(bad, text);
            assert_eq!(repaired(&bad).as_deref(), Some(text), "{bad}");
        }
        assert_eq!(
            example(&garbled("x\n□ نشر"), "x\n□ نشر"),
            Some((garbled("□ نشر"), "□ نشر".to_owned()))
        );
    }

    #[test]
    fn what_is_right_is_left_alone() {
        for text in [
            "",
            "plain",
            "□ جميع الاختبارات",
            "Café – “ok”",
            "Müller",
            "√ ∂ ‚ñ alone",
        ] {
            assert_eq!(repaired(text), None, "{text}");
        }
    }
}
