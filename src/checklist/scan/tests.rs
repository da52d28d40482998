use proptest::prelude::*;

use super::*;

fn joined(document: &Document) -> String {
    document.lines.iter().map(|l| l.raw.as_str()).collect()
}

fn one(line: &str) -> Line {
    scan(&format!("{line}\n")).lines.remove(0)
}

/// Pieces of which anything odd can be put together.
fn piece() -> impl Strategy<Value = String> {
    let fixed = prop::sample::select(vec![
        "\n",
        "\r\n",
        "\r",
        "```",
        "```bash\n",
        "~~~",
        "# ",
        "## ",
        "□",
        "☑️",
        "[ ]",
        "[x]",
        "\\[ ]",
        "____",
        "\\_",
        "****\\*\\*****\\_****",
        "[Date]",
        "(a/b)",
        "/6",
        ": ",
        "- ",
        "1. ",
        "> ",
        "| ",
        "├─ ",
        "===",
        "---",
        "✅",
        "**",
        "الاختبارات",
        "٩٦١",
        "<!-- rg:a.b -->",
        "-->",
        "<!--",
        "é",
        "_",
        "Date: ____",
        "Sign-off:",
        " ",
        "\t",
        "(",
        ")",
        "\u{feff}",
        "🎉",
        "[",
        "]",
        ".....",
    ]);
    prop_oneof![4 => fixed.prop_map(str::to_owned), 1 => "\\PC{0,6}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_lines_are_the_document(pieces in prop::collection::vec(piece(), 0..60)) {
        let text = pieces.concat();
        let document = scan(&text);
        prop_assert_eq!(joined(&document), text);
        for line in &document.lines {
            let content = line.content();
            let mut at = 0;
            let mut spans: Vec<_> = line.boxes.iter().map(|b| b.span.clone()).collect();
            spans.extend(line.blanks.iter().map(|b| b.span.clone()));
            spans.sort_by_key(|s| s.start);
            for span in spans {
                prop_assert!(at <= span.start && span.start < span.end && span.end <= content.len(), "{:?}", line);
                prop_assert!(content.is_char_boundary(span.start) && content.is_char_boundary(span.end));
                at = span.end;
            }
            for tick in &line.boxes {
                prop_assert!(content.get(tick.label.clone()).is_some());
            }
        }
    }

    #[test]
    fn anchors_are_unique(pieces in prop::collection::vec(piece(), 0..60)) {
        let document = scan(&pieces.concat());
        let mut seen = std::collections::HashSet::new();
        for line in document.lines.iter().filter(|l| !l.anchor.is_empty()) {
            prop_assert!(seen.insert(line.anchor.clone()), "{}", line.anchor);
        }
    }
}

#[test]
fn every_shape() {
    for (line, shape) in [
        ("", Shape::Empty),
        ("### 4. Cache", Shape::Heading),
        ("---", Shape::Mark),
        ("□ Code coverage > 80%", Shape::Item),
        ("- [ ] Backups tested", Shape::Item),
        ("- □ ✅ **SUCCESS** - done", Shape::Item),
        ("Maintenance Page: □ Activated", Shape::Item),
        ("| Backups tested | □ |", Shape::Item),
        ("## □ Freeze the branch", Shape::Item),
        ("□ Restore: □ Yes □ No", Shape::Item),
        ("Restore Tested: □ Yes □ No", Shape::Choice),
        ("Feature 1: _____ □ Pass □ Fail", Shape::Choice),
        ("Nodes Online: _____/6", Shape::Fill),
        ("SSL Expiry: [Date]", Shape::Fill),
        ("1. _____ (Owner: _____, Due: _____)", Shape::Fill),
        (
            "**Notes:** ************\\*\\*************\\_************",
            Shape::Fill,
        ),
        (
            "**Sign-off:** ****\\*\\*****\\_****\\*\\***** (Dev Lead)",
            Shape::SignOff,
        ),
        ("□ QA Lead: ________ Date: ____", Shape::SignOff),
        ("Final Approval: ________ Date: ____", Shape::SignOff),
        ("QA Lead sign-off: ________", Shape::SignOff),
        ("**التوقيع:** ________ (قائد التطوير)", Shape::SignOff),
        ("□ All sign-offs obtained", Shape::Item),
        ("**Rollback Sign-off:**", Shape::Label),
        ("├─ Error Rate: < 0.01%", Shape::Fact),
        ("Servers:", Shape::Label),
        ("**الحالة:** ✅ Ready", Shape::Fact),
        ("Just a sentence.", Shape::Text),
        ("https://example.com/x", Shape::Text),
    ] {
        assert_eq!(one(line).shape, shape, "{line}");
    }
}

#[test]
fn roles() {
    let role = |text: &str| scan(text).lines[0].role.clone();
    assert_eq!(
        role("**Sign-off:** ________ (Dev Lead)").as_deref(),
        Some("Dev Lead")
    );
    assert_eq!(
        role("□ QA Lead: ________ Date: ____").as_deref(),
        Some("QA Lead")
    );
    assert_eq!(
        role("QA Lead sign-off: ________").as_deref(),
        Some("QA Lead")
    );
    assert_eq!(
        role("Final Approval: ____ Date: ____\n      (CTO/VP Engineering)\n").as_deref(),
        Some("CTO/VP Engineering")
    );
    assert_eq!(role("Sign-off: ________"), None);
    assert_eq!(
        role("□ Deployed by: ____ Date: ____").as_deref(),
        Some("Deployed by")
    );
}

#[test]
fn fences_headings_and_labels() {
    use Shape::{Command, Comment, Fact, Heading, Item, Label, Mark, Text};

    let text = "# T\n## A\n**Checks:**\n```\n# no heading\nDisk:\n□ Space\n```\n```bash\nnpm test\n# note\n\
                Expected Results:\n├─ Rate: 1\necho ____ [Date]\n```\n### B\ntext\n";
    let document = scan(text);
    let shapes: Vec<Shape> = document.lines.iter().map(|l| l.shape).collect();
    assert_eq!(
        shapes,
        [
            Heading, Heading, Label, Mark, Text, Label, Item, Mark, Mark, Command, Comment, Label,
            Fact, Command, Mark, Heading, Text
        ]
    );
    let line = |n: usize| &document.lines[n - 1];
    assert_eq!(line(7).context.as_deref(), Some("Disk"));
    assert_eq!(line(5).context.as_deref(), Some("Checks"));
    assert_eq!(&line(7).headings[..], ["T", "A"]);
    assert_eq!(line(17).section(), Some("B"));
    assert!(line(7).anchor.starts_with("a/"), "{}", line(7).anchor);
    assert_eq!(document.open_fence, None);
    assert_eq!(scan("x\n```\n□ a").open_fence, Some(2));
}

#[test]
fn ticking_and_writing_do_not_change_the_name_of_a_line() {
    let anchor = |line: &str| one(line).anchor.clone();
    assert_eq!(anchor("□ **Backup** done"), anchor("☑ Backup done [e12]"));
    assert_eq!(anchor("Lag: ___ ms"), anchor("Lag: ____________ ms"));
    assert_ne!(anchor("□ Backup done"), anchor("□ Backup tested"));
    let pinned = one("- [ ] Backup done <!-- rg:db.backup -->");
    assert_eq!(pinned.pin.as_deref(), Some("db.backup"));
    assert_eq!(pinned.anchor, anchor("- [ ] Backup done"));
}

#[test]
fn options_of_a_choice() {
    let line = one("□ Restore: □ Yes □ No");
    let labels: Vec<&str> = line
        .options()
        .iter()
        .map(|t| line.slice(&t.label))
        .collect();
    assert_eq!(labels, ["Yes", "No"]);
    assert!(one("□ Restore").options().is_empty());
    assert_eq!(one("Rate: □ < 0.1% □ > 0.1%").options().len(), 2);
}

#[test]
fn underlined_headings() {
    let document = scan("Title\n=====\n\n□ a\n\nNot a heading\n---\n");
    assert_eq!(document.lines[0].shape, Shape::Heading);
    assert_eq!(&document.lines[3].headings[..], ["Title"]);
    assert_eq!(document.lines[5].shape, Shape::Text);
}

#[test]
fn long_lines_are_read_in_one_go() {
    for unit in [
        "[",
        "*",
        "\\",
        "_*",
        "<!-- a -->",
        "□ ___ (",
        "✅ ",
        ". ",
        "\\_*",
        "| ",
        "> ",
    ] {
        let text = unit.repeat(60_000);
        assert_eq!(joined(&scan(&text)), text, "{unit}");
    }
}
