//! Markdown tables.

/// A table; what would break a cell is escaped.
pub fn render(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut out = line(head.iter().map(|&cell| cell.to_owned()));
    out += &line(head.iter().map(|_| "---".to_owned()));
    for row in rows {
        out += &line(row.into_iter().map(|cell| escape(&cell)));
    }
    out
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<_> = cells.collect();
    format!("| {} |\n", cells.join(" | "))
}

/// A bar ends a cell even inside backticks (GitHub Flavored Markdown, 4.10).
fn escape(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// Text as Markdown prose: `<` would start a tag, except inside backticks.
pub fn prose(text: &str) -> String {
    let parts = text.split('`').enumerate().map(|(index, part)| {
        if index % 2 == 0 {
            part.replace('<', "&lt;").replace('*', "\\*")
        } else {
            part.to_owned()
        }
    });
    parts.collect::<Vec<_>>().join("`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_and_prose_survive_markdown() {
        let rows = [vec!["a|b".to_owned(), "`c`".to_owned()]].into_iter();
        assert_eq!(
            render(&["x", "y"], rows),
            "| x | y |\n| --- | --- |\n| a\\|b | `c` |\n"
        );
        assert_eq!(prose("no <a> in `<a>` *"), "no &lt;a> in `<a>` \\*");
    }
}
