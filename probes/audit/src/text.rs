//! Bounded copies of text from outside.

/// At most `max` characters, with an ellipsis when something was cut off; surrounding white space
/// goes.
pub(crate) fn clip(text: &str, max: usize) -> String {
    let text = text.trim();
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
    }
}
