//! Text brought to one form, so that the same words are the same bytes.
//!
//! NFKC (UAX #15), lower case, no emoji, no Markdown emphasis. Arabic without tatweel and
//! diacritics, with one alef, one ya and one ha for ta marbuta, as search engines do it.

use unicode_normalization::UnicodeNormalization as _;

/// Words, numbers and the signs `% < > +`, separated by single blanks.
pub fn normal(text: &str) -> String {
    let folded = fold(text);
    let mut out = String::with_capacity(folded.len());
    let mut gap = false;
    let mut chars = folded.chars().peekable();
    let mut before = ' ';
    while let Some(c) = chars.next() {
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        let between_digits = digit(Some(before)) && digit(chars.peek().copied());
        if c == ',' && between_digits {
            continue;
        }
        if c.is_alphanumeric() || "%<>+".contains(c) || (c == '.' && between_digits) {
            if gap && !out.is_empty() {
                out.push(' ');
            }
            gap = false;
            out.push(c);
        } else if c != '\'' && c != '’' {
            gap = true;
        }
        before = c;
    }
    out
}

/// NFKC, lower case, Western digits, Arabic letters unified; all punctuation is kept.
pub fn fold(text: &str) -> String {
    text.nfkc()
        .filter_map(letter)
        .flat_map(char::to_lowercase)
        .collect()
}

/// Digits and separators as in English, for reading numbers; letters keep their case.
pub fn western(text: &str) -> String {
    text.nfkc().filter_map(digit).collect()
}

fn letter(c: char) -> Option<char> {
    match c {
        // Tatweel, short vowels and Koranic signs; variation selectors; marks of direction.
        '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6ed}' => None,
        'أ' | 'إ' | 'آ' | 'ٱ' => Some('ا'),
        'ى' | 'ئ' | 'ی' => Some('ي'),
        'ؤ' => Some('و'),
        'ة' => Some('ه'),
        'ک' => Some('ك'),
        _ => digit(c),
    }
}

fn digit(c: char) -> Option<char> {
    let ascii = |zero: u32| char::from_u32(u32::from(c) - zero + u32::from('0'));
    match c {
        '\u{660}'..='\u{669}' => ascii(0x660),
        '\u{6f0}'..='\u{6f9}' => ascii(0x6f0),
        '٫' => Some('.'),
        '٬' => Some(','),
        '٪' => Some('%'),
        '\u{fe0e}'
        | '\u{fe0f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}' => None,
        _ => Some(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_loses_case_marks_and_emphasis() {
        assert_eq!(
            normal("✅ **Code  Review** completed!"),
            "code review completed"
        );
        assert_eq!(normal("No N+1 query problems"), "no n+1 query problems");
        assert_eq!(
            normal("Memory: 8GB+ per instance"),
            "memory 8gb+ per instance"
        );
        assert_eq!(normal("Error rate < 0.01%."), "error rate < 0.01%");
        assert_eq!(normal("45,000+ req/s, 1.5 h"), "45000+ req s 1.5 h");
        assert_eq!(normal("Don’t don't"), "dont dont");
    }

    #[test]
    fn arabic_has_one_form() {
        let plain = normal("جميع الاختبارات ناجحة");
        assert_eq!(normal("جَمِيعُ الاختبـــارات ناجحه"), plain);
        assert_eq!(normal("الأمان"), normal("الامان"));
        assert_eq!(normal("مستوى"), normal("مستوي"));
        assert_eq!(normal("٩٦١/٩٦١ ٪٨٠"), "961 961 %80");
        assert_eq!(normal("۱۲٫۵"), "12.5");
    }

    #[test]
    fn nothing_is_left_of_decoration() {
        assert_eq!(normal("🎉 ** —"), "");
        assert_eq!(western("٠٫٠١٪"), "0.01%");
    }
}
