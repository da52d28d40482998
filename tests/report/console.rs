//! The console, as screenshots.
use crate::support::{FIXTURES, fixture};
use readygate::report::{Format, Style, render};
#[test]
fn show() {
    for name in FIXTURES {
        for style in [
            Style::plain(),
            Style {
                ascii: true,
                width: 72,
                verbose: *name == "go",
                ..Style::plain()
            },
        ] {
            println!(
                "=== {name}\n{}",
                String::from_utf8(render(Format::Console, &fixture(name), &style).unwrap())
                    .unwrap()
            );
        }
    }
}
