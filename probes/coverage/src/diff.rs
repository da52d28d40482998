//! The lines that a change adds, as git tells them.

use std::collections::{BTreeMap, BTreeSet};

use readygate_sdk::{
    Cx, ProbeError,
    process::{self, Ended, Finished},
};

/// Largest diff that is read, bytes.
const LARGEST: usize = 64 * 1024 * 1024;

/// Added and changed lines by path, relative to the folder of the config.
pub(crate) type Changed = BTreeMap<String, BTreeSet<u32>>;

/// What differs in the work tree from the point where its history and `base` met. The inner error
/// is a sentence that says why it cannot be told.
pub(crate) async fn changed(base: &str, cx: &Cx) -> Result<Result<Changed, String>, ProbeError> {
    let top = git(
        &["rev-parse", "--is-shallow-repository", "--show-prefix"],
        cx,
    )
    .await?;
    let Some(top) = text(&top) else {
        return Ok(Err(format!("git cannot say what changed: {}", words(&top))));
    };
    let mut lines = top.lines();
    let shallow = lines.next() == Some("true");
    let prefix = lines.next().unwrap_or_default().to_owned();
    let met = git(&["merge-base", "--end-of-options", base, "HEAD"], cx).await?;
    let Some(met) = text(&met) else {
        return Ok(Err(no_base(base, shallow, &met)));
    };
    let arguments = [
        "-c",
        "core.quotePath=false",
        "diff",
        "--unified=0",
        "--no-color",
        "--no-ext-diff",
        "--no-textconv",
        "--no-renames",
        "--diff-filter=AMT",
        "--src-prefix=a/",
        "--dst-prefix=b/",
        met.trim(),
        "--",
    ];
    let diff = git(&arguments, cx).await?;
    if diff.stdout.truncated() {
        return Ok(Err("the change is larger than 64 MiB".to_owned()));
    }
    let Some(diff) = text(&diff) else {
        return Ok(Err(format!("`git diff` failed: {}", words(&diff))));
    };
    Ok(Ok(parse(&diff, &prefix)))
}

fn no_base(base: &str, shallow: bool, met: &Finished) -> String {
    if shallow {
        return format!(
            "the clone is shallow, and the point where `{base}` and HEAD met is not in it"
        );
    }
    match words(met).as_str() {
        "" => format!("`{base}` and HEAD have no common history"),
        words => format!("git does not know where `{base}` and HEAD met: {words}"),
    }
}

/// Runs git so that the config of a repository starts no program of its own.
async fn git(arguments: &[&str], cx: &Cx) -> Result<Finished, ProbeError> {
    let guards = [
        "git",
        "--no-pager",
        "-c",
        "core.fsmonitor=false",
        "-c",
        "core.hooksPath=/dev/null",
    ];
    let argv = guards.into_iter().chain(arguments.iter().copied());
    let job = process::Job {
        argv: argv.map(str::to_owned).collect(),
        directory: cx.directory().to_path_buf(),
        environment: BTreeMap::from([("GIT_OPTIONAL_LOCKS".to_owned(), "0".to_owned())]),
        stdin: None,
        keep: LARGEST,
    };
    process::run(&job, cx).await
}

fn text(finished: &Finished) -> Option<String> {
    (finished.ended == Ended::Code(0)).then(|| finished.stdout.text())
}

fn words(finished: &Finished) -> String {
    let text = finished.stderr.text();
    let line = text.lines().find(|line| !line.trim().is_empty());
    readygate_sdk::excerpt(line.unwrap_or_default().trim(), 200)
}

/// Reads a unified diff without context lines.
fn parse(diff: &str, prefix: &str) -> Changed {
    let mut changed = Changed::new();
    let mut path = None;
    // Lines of a hunk that are still to come: what looks like a header among them is content.
    let mut content = 0;
    for line in diff.lines() {
        if content > 0 && line.starts_with(['+', '-']) {
            content -= 1;
        } else if let Some(name) = line.strip_prefix("+++ ") {
            let name = name.trim_end_matches('\t').trim_matches('"');
            path = name.strip_prefix("b/").map(|name| relative(name, prefix));
        } else if let Some(hunk) = line.strip_prefix("@@ ") {
            let (removed, added) = hunk_of(hunk);
            content = u64::from(removed.1) + u64::from(added.1);
            if let Some(path) = &path {
                let lines = (0..added.1).map(|n| added.0.saturating_add(n));
                changed.entry(path.clone()).or_default().extend(lines);
            }
        }
    }
    changed
}

/// A path from the top of the repository, seen from the folder `prefix` in it.
fn relative(path: &str, prefix: &str) -> String {
    match path.strip_prefix(prefix) {
        Some(inside) => inside.to_owned(),
        None => format!("{}{path}", "../".repeat(prefix.matches('/').count())),
    }
}

/// Start and length of both sides of `-1,2 +3,4 @@`.
fn hunk_of(hunk: &str) -> ((u32, u32), (u32, u32)) {
    let mut sides = hunk.split(' ').map(|side| {
        let side = side.get(1..).unwrap_or_default();
        let (start, length) = side.split_once(',').unwrap_or((side, "1"));
        (start.parse().unwrap_or(0), length.parse().unwrap_or(0))
    });
    (
        sides.next().unwrap_or_default(),
        sides.next().unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn added_lines_are_read_and_content_is_no_header() {
        let diff = "diff --git a/x/a.rs b/x/a.rs\n--- a/x/a.rs\n+++ b/x/a.rs\n@@ -3 +3,2 @@ fn a\n-old\n+++ b/fake.rs\n+new\n@@ -9,2 +10,0 @@\n-a\n-b\ndiff --git a/y b/y\n--- /dev/null\n+++ b/y\n@@ -0,0 +1 @@\n+1\n";
        let changed = parse(diff, "x/");
        let lines: Vec<_> = changed
            .iter()
            .map(|(path, lines)| (path.as_str(), lines.iter().copied().collect::<Vec<_>>()))
            .collect();
        assert_eq!(lines, [("../y", vec![1]), ("a.rs", vec![3, 4])]);
    }
}
