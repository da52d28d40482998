//! The name of a line that survives edits elsewhere in the document.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use super::normal::normal;

/// Gives out anchors: heading path, hash of the normalised text, ordinal among equal ones.
///
/// Marks in boxes and the length of blanks do not count, so that a document keeps its anchors when
/// a person ticks it.
#[derive(Debug, Default)]
pub struct Anchors {
    seen: HashMap<String, usize>,
}

impl Anchors {
    /// The anchor of the next line with this text: `4-infrastructure/1f2e3d4c.1`.
    pub fn next(&mut self, headings: &[String], normal_text: &str) -> String {
        let stem = format!("{}/{}", path(headings), hash(normal_text));
        let ordinal = self.seen.entry(stem.clone()).or_insert(0);
        *ordinal += 1;
        format!("{stem}.{ordinal}")
    }
}

/// The title of the document stands above everything and tells nothing apart.
fn path(headings: &[String]) -> String {
    let below = headings.get(1..).filter(|rest| !rest.is_empty());
    let slugs = below.unwrap_or(headings).iter().map(|h| slug(h));
    slugs.collect::<Vec<_>>().join("/")
}

/// Normalised words joined by `-`.
pub fn slug(text: &str) -> String {
    let words = normal(text);
    let plain = words
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '-' });
    let joined: String = plain.collect();
    let parts: Vec<&str> = joined.split('-').filter(|p| !p.is_empty()).collect();
    parts.join("-")
}

fn hash(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let hex = |out: String, byte: &u8| out + &format!("{byte:02x}");
    digest.iter().take(4).fold(String::new(), hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_lines_are_counted() {
        let mut anchors = Anchors::default();
        let path = ["Title".to_owned(), "2. Security".to_owned()];
        let first = anchors.next(&path, "backup done");
        assert!(
            first.starts_with("2-security/") && first.ends_with(".1"),
            "{first}"
        );
        assert!(anchors.next(&path, "backup done").ends_with(".2"));
        assert!(
            anchors
                .next(&path[..1], "backup done")
                .starts_with("title/")
        );
        assert!(anchors.next(&[], "x").starts_with('/'));
    }

    #[test]
    fn slugs_keep_letters_of_all_scripts() {
        assert_eq!(
            slug("🚀 **Cache & CDN (1-2 hours)**"),
            "cache-cdn-1-2-hours"
        );
        assert_eq!(slug("الأمان والحماية"), "الامان-والحمايه");
    }
}
