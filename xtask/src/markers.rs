//! Generated parts of files that people write: `<!-- NAME:begin -->` to `<!-- NAME:end -->`.

/// `text` with what stands between the markers of `name` replaced.
///
/// Text that is missing a marker, has one twice or has them in the wrong order is an error: a
/// table that nobody notices is gone is worse than none.
pub fn replace(text: &str, name: &str, inner: &str) -> Result<String, String> {
    let (begin, end) = (marker(name, "begin"), marker(name, "end"));
    for mark in [&begin, &end] {
        match text.matches(mark.as_str()).count() {
            1 => {}
            0 => return Err(format!("`{mark}` is missing")),
            n => return Err(format!("`{mark}` stands there {n} times")),
        }
    }
    let Some((before, rest)) = text.split_once(&begin) else {
        return Err(format!("`{begin}` is missing"));
    };
    let Some((_, after)) = rest.split_once(&end) else {
        return Err(format!("`{end}` stands before `{begin}`"));
    };
    let inner = inner.trim();
    Ok(format!("{before}{begin}\n{inner}\n{end}{after}"))
}

/// Whether `text` has the markers of `name`.
pub fn has(text: &str, name: &str) -> bool {
    text.contains(&marker(name, "begin"))
}

fn marker(name: &str, which: &str) -> String {
    format!("<!-- {name}:{which} -->")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_between_is_replaced_and_nothing_else() {
        let text = "a\n<!-- t:begin -->\nold\n<!-- t:end -->\nb\n";
        let new = replace(text, "t", "\nnew\n\n").unwrap();
        assert_eq!(new, "a\n<!-- t:begin -->\nnew\n<!-- t:end -->\nb\n");
        assert_eq!(replace(&new, "t", "new").unwrap(), new, "a fixpoint");
    }

    #[test]
    fn missing_doubled_and_swapped_markers_are_errors() {
        for (text, problem) in [
            ("", "`<!-- t:begin -->` is missing"),
            ("<!-- t:begin -->", "`<!-- t:end -->` is missing"),
            (
                "<!-- t:end --><!-- t:begin -->",
                "`<!-- t:end -->` stands before `<!-- t:begin -->`",
            ),
            (
                "<!-- t:begin --><!-- t:end --><!-- t:end -->",
                "`<!-- t:end -->` stands there 2 times",
            ),
        ] {
            assert_eq!(replace(text, "t", "x").unwrap_err(), problem);
        }
    }
}
