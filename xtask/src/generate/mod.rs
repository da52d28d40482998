//! `cargo xtask generate`: everything that derives from the code.
//!
//! Writing and checking are one code path up to the last step, so that they cannot disagree. What
//! is generated depends on the code and on the parts of files that people write, never on the
//! machine or on what was generated before.

mod checklist;
mod cli;
mod docs;
mod table;

use std::path::Path;

use readygate::{cli::SchemaOf, cli::schema_text, exit, registry::PROBES};

use crate::{
    Done, markers,
    workspace::{read, root, write},
};

/// A file as it should be.
struct Wanted {
    /// Relative to the root of the repository.
    path: String,
    text: String,
}

/// Writes what is not up to date, or only complains about it.
pub fn main(check: bool) -> Done {
    let root = root();
    let (mut stale, mut broken) = (0, 0);
    for wanted in everything(&root) {
        let Wanted { path, text } = match wanted {
            Ok(wanted) => wanted,
            Err(message) => {
                broken += 1;
                eprintln!("{message}");
                continue;
            }
        };
        let full = root.join(&path);
        let found = if full.exists() {
            Some(read(&full)?)
        } else {
            None
        };
        if found.as_deref() == Some(text.as_str()) {
            continue;
        }
        stale += 1;
        if check {
            eprintln!("{path}: {}", difference(found.as_deref(), &text));
        } else {
            write(&full, &text)?;
            println!("wrote {path}");
        }
    }
    if check && stale > 0 {
        eprintln!("run `cargo xtask generate` and commit what it writes");
    }
    Ok(broken == 0 && (!check || stale == 0))
}

/// Every file, or why it cannot be made; one that cannot holds up no other.
fn everything(root: &Path) -> Vec<Result<Wanted, String>> {
    let own = |path: &str, text: String| {
        Ok(Wanted {
            path: path.to_owned(),
            text,
        })
    };
    let mut wanted = vec![
        own(
            "schema/readygate.schema.json",
            schema_text(SchemaOf::Config),
        ),
        own("schema/run.schema.json", schema_text(SchemaOf::Run)),
        own("docs/probes.md", docs::probes()),
        own("docs/rules.md", docs::rules()),
        own("docs/cli.md", cli::page()),
    ];
    wanted.push(checklist::coverage().map(|text| Wanted {
        path: "docs/checklist-coverage.md".to_owned(),
        text,
    }));
    for probe in PROBES {
        let path = format!("probes/{}/README.md", probe.meta.id);
        let parts = [
            ("metrics", docs::metrics_of(probe.meta)),
            ("rules", docs::rules_of(probe.meta, "###")),
        ];
        wanted.push(inserted(root, path, &parts));
    }
    let has_codes = |text: String| markers::has(&text, "exit-codes");
    if read(&root.join("README.md")).is_ok_and(has_codes) {
        let parts = [("exit-codes", exit_codes())];
        wanted.push(inserted(root, "README.md".to_owned(), &parts));
    }
    wanted
}

/// A file of people with its generated parts as they should be.
fn inserted(root: &Path, path: String, parts: &[(&str, String)]) -> Result<Wanted, String> {
    let mut text = read(&root.join(&path))?;
    for (name, inner) in parts {
        text = markers::replace(&text, name, inner).map_err(|e| format!("{path}: {e}"))?;
    }
    Ok(Wanted { path, text })
}

fn exit_codes() -> String {
    let rows = exit::MEANINGS
        .iter()
        .map(|(code, meaning)| vec![code.to_string(), (*meaning).to_owned()]);
    table::render(&["code", "meaning"], rows)
}

/// The first line that differs, for people who want to know what they forgot.
fn difference(found: Option<&str>, wanted: &str) -> String {
    let Some(found) = found else {
        return "is missing".to_owned();
    };
    let same = found
        .lines()
        .zip(wanted.lines())
        .take_while(|(a, b)| a == b)
        .count();
    let line = |text: &str| {
        text.lines()
            .nth(same)
            .map_or_else(|| "(the file ends)".to_owned(), str::to_owned)
    };
    format!(
        "is not up to date, from line {}\n  - {}\n  + {}",
        same + 1,
        line(found),
        line(wanted)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_the_first_line() {
        assert_eq!(
            difference(Some("a\nb\n"), "a\nc\n"),
            "is not up to date, from line 2\n  - b\n  + c"
        );
        assert_eq!(
            difference(Some("a\n"), "a\nc\n"),
            "is not up to date, from line 2\n  - (the file ends)\n  + c"
        );
        assert_eq!(difference(None, "a"), "is missing");
    }

    #[test]
    fn every_output_has_its_own_path_and_ends_with_one_newline() {
        let all: Vec<Wanted> = everything(&root()).into_iter().flatten().collect();
        assert!(all.len() > 5);
        for (index, wanted) in all.iter().enumerate() {
            assert!(all[..index].iter().all(|w| w.path != wanted.path));
            assert!(wanted.text.ends_with('\n') && !wanted.text.ends_with("\n\n"));
            assert!(
                !wanted.text.lines().any(|l| l.ends_with(' ')),
                "{}: blanks at the end of a line",
                wanted.path
            );
        }
    }
}
