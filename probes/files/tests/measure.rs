//! `measure` against real folders, with everything in them that can hang or mislead.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::{
    fs,
    os::unix::{ffi::OsStrExt as _, fs::symlink},
    path::Path,
    sync::Arc,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use readygate_files::{Files, FilesConfig, FilesMeasurement};
use readygate_sdk::{
    Check, CheckOutcome, Checks, Clock, Cx, ErrorKind, Metrics, Probe, ProbeError,
};
use serde_json::{Value, json};
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn write(root: &Path, path: &str, text: impl AsRef<[u8]>) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn config(value: Value) -> FilesConfig {
    let config: FilesConfig = serde_json::from_value(value).unwrap();
    Files::validate(&config).unwrap();
    config
}

async fn measure_in(root: &Path, with: &FilesConfig) -> Result<FilesMeasurement, ProbeError> {
    let cx = Cx::builder(Duration::from_secs(60)).directory(root).build();
    let measured = Files::measure(with, &cx).await?;
    let json = serde_json::to_string(&measured).unwrap();
    let read: FilesMeasurement = serde_json::from_str(&json).unwrap();
    assert_eq!(read, measured, "the record must survive JSON");
    Ok(read)
}

async fn look(root: &Path, with: Value) -> (FilesMeasurement, Metrics, Vec<Check>) {
    let with = config(with);
    let measured = measure_in(root, &with).await.unwrap();
    let mut checks = Checks::new();
    Files::judge(&with, &measured, &mut checks);
    let metrics = Files::metrics(&measured);
    for (name, metric) in metrics.iter() {
        let spec = Files::META.metrics.iter().find(|s| s.covers(name));
        assert_eq!(spec.map(|s| s.unit), Some(metric.unit), "{name}");
    }
    (measured, metrics, checks.into_vec())
}

fn paths_of(measured: &FilesMeasurement) -> Vec<&str> {
    let files = measured.paths.iter().flat_map(|p| &p.files);
    files.map(|f| f.path.as_str()).collect()
}

fn outcome(checks: &[Check], rule: &str) -> Option<CheckOutcome> {
    checks.iter().find(|c| c.rule == rule).map(|c| c.outcome)
}

fn shown(metrics: &Metrics, name: &str) -> String {
    metrics
        .get(name)
        .unwrap_or_else(|| panic!("{name} is absent"))
        .display()
}

#[tokio::test]
async fn globs_match_as_documented() {
    let root = folder();
    for path in [
        "a.txt",
        "b.md",
        ".hidden.txt",
        "d/a.txt",
        "d/e/a.txt",
        "d/e/[x].txt",
        "d/e/é.txt",
    ] {
        write(root.path(), path, "x");
    }
    for (glob, wanted) in [
        ("a.txt", vec!["a.txt"]),
        ("./d/../a.txt", vec!["./d/../a.txt"]),
        ("*.txt", vec![".hidden.txt", "a.txt"]),
        ("*/*.txt", vec!["d/a.txt"]),
        ("**/a.txt", vec!["a.txt", "d/a.txt", "d/e/a.txt"]),
        ("d/**/a.txt", vec!["d/a.txt", "d/e/a.txt"]),
        (
            "d/**",
            vec!["d/a.txt", "d/e/[x].txt", "d/e/a.txt", "d/e/é.txt"],
        ),
        ("**/e/**/a.txt", vec!["d/e/a.txt"]),
        ("{a,b}.*", vec!["a.txt", "b.md"]),
        ("d/e/\\[x\\].txt", vec!["d/e/[x].txt"]),
        ("d/e/?.txt", vec!["d/e/a.txt"]),
    ] {
        let (measured, _, _) = look(root.path(), json!({"paths": [glob]})).await;
        assert_eq!(paths_of(&measured), wanted, "{glob}");
    }
    let absolute = root.path().join("d/*.txt").display().to_string();
    let (measured, ..) = look(Path::new("/"), json!({"paths": [absolute]})).await;
    assert_eq!(measured.paths[0].matched, 1);
}

#[tokio::test]
async fn text_sizes_ages_and_checksum_are_measured() {
    let root = folder();
    write(root.path(), "a.log", "one\ntwo ready\nready ready\n");
    write(root.path(), "b.log", "ready\nTODO\n");
    let with = json!({"paths": ["*.log"], "contains": "ready", "not_contains": ["TODO"],
        "matches": ["^two", "y$"], "max_age": "1h"});
    let (measured, metrics, checks) = look(root.path(), with).await;
    let texts = &measured.paths[0].texts;
    assert_eq!((texts[0].files_with, texts[0].occurrences), (2, 4));
    assert_eq!(texts[1].places[0].to_string(), "b.log:2");
    assert_eq!(
        (texts[2].files_with, &texts[2].without),
        (1, &vec!["b.log".to_owned()])
    );
    assert_eq!(texts[3].occurrences, 3);
    assert_eq!(shown(&metrics, "matches"), "8");
    assert_eq!(shown(&metrics, "count"), "2");
    assert_eq!(shown(&metrics, "bytes.total"), "37 B");
    assert!(metrics.get("age.oldest").is_some());
    assert_eq!(
        outcome(&checks, "files/has-text"),
        Some(CheckOutcome::Failed)
    );
    assert_eq!(
        outcome(&checks, "files/too-old"),
        Some(CheckOutcome::Passed)
    );

    write(root.path(), "sum", "abc");
    // FIPS 180-4, example for "abc".
    let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let (_, _, checks) = look(root.path(), json!({"paths": ["s*"], "sha256": sum})).await;
    assert_eq!(
        outcome(&checks, "files/checksum"),
        Some(CheckOutcome::Passed)
    );
}

#[tokio::test]
async fn a_fifo_is_named_and_never_opened() {
    let root = folder();
    nix::unistd::mkfifo(&root.path().join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    write(root.path(), "file", "text");
    for glob in ["pipe", "*"] {
        let (measured, _, checks) =
            look(root.path(), json!({"paths": [glob], "contains": "text"})).await;
        assert_eq!(measured.paths[0].others[0].kind, "a FIFO");
        let wanted = if glob == "*" {
            CheckOutcome::Passed
        } else {
            CheckOutcome::Failed
        };
        assert_eq!(outcome(&checks, "files/missing"), Some(wanted));
    }
    let (measured, ..) = look(
        root.path(),
        json!({"paths": ["/dev/zero"], "contains": "x"}),
    )
    .await;
    assert_eq!(measured.paths[0].others[0].kind, "a device");
}

#[tokio::test]
async fn links_that_loop_or_lead_nowhere_do_no_harm() {
    let root = folder();
    write(root.path(), "d/file.txt", "x");
    symlink("..", root.path().join("d/up")).unwrap();
    symlink("loop", root.path().join("loop")).unwrap();
    symlink("nowhere", root.path().join("broken")).unwrap();
    symlink("d/file.txt", root.path().join("link.txt")).unwrap();
    let (measured, ..) = look(root.path(), json!({"paths": ["**/*.txt"]})).await;
    assert_eq!(paths_of(&measured), ["d/file.txt", "link.txt"]);
    for link in ["loop", "broken"] {
        let (measured, _, checks) = look(root.path(), json!({"paths": [link]})).await;
        assert_eq!(measured.paths[0].others[0].kind, "a broken symbolic link");
        assert_eq!(
            outcome(&checks, "files/missing"),
            Some(CheckOutcome::Failed)
        );
        let (_, _, checks) = look(root.path(), json!({"paths": [link], "absent": true})).await;
        assert_eq!(
            outcome(&checks, "files/unexpected"),
            Some(CheckOutcome::Failed)
        );
    }
    // Below the loop nothing can be looked at, which is not the same as nothing being there.
    for path in ["loop/x", "loop/*"] {
        let (_, metrics, checks) = look(root.path(), json!({"paths": [path]})).await;
        assert_eq!(
            outcome(&checks, "files/missing"),
            Some(CheckOutcome::Unmeasured),
            "{path}"
        );
        assert!(metrics.get("count").is_none());
        let (_, _, checks) = look(root.path(), json!({"paths": [path], "absent": true})).await;
        assert_eq!(
            outcome(&checks, "files/unexpected"),
            Some(CheckOutcome::Unmeasured)
        );
    }
}

#[tokio::test]
async fn absence_counts_folders_too() {
    let root = folder();
    write(root.path(), "node_modules/x/index.js", "x");
    let (_, metrics, checks) = look(
        root.path(),
        json!({"paths": ["node_modules"], "absent": true}),
    )
    .await;
    assert_eq!(
        outcome(&checks, "files/unexpected"),
        Some(CheckOutcome::Failed)
    );
    assert_eq!(shown(&metrics, "count"), "1");
    let (_, metrics, checks) =
        look(root.path(), json!({"paths": ["**/*.pem"], "absent": true})).await;
    assert_eq!(
        outcome(&checks, "files/unexpected"),
        Some(CheckOutcome::Passed)
    );
    assert_eq!(shown(&metrics, "count"), "0");
}

#[tokio::test]
async fn names_that_are_not_utf8_are_files_like_others() {
    let root = folder();
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9.txt");
    fs::write(root.path().join(name), "x").unwrap();
    let (measured, _, checks) =
        look(root.path(), json!({"paths": ["*.txt"], "contains": "x"})).await;
    assert_eq!(paths_of(&measured), ["caf\u{fffd}.txt"]);
    assert!(checks.iter().all(|c| c.outcome == CheckOutcome::Passed));
}

#[tokio::test]
async fn a_read_error_makes_texts_unmeasured() {
    // The first page of a process cannot be read: EIO, whoever asks.
    let with = json!({"paths": ["/proc/self/mem"], "not_contains": "x", "contains": "y"});
    let (measured, metrics, checks) = look(Path::new("/"), with).await;
    assert_eq!(measured.paths[0].unreadable_total, 1);
    for rule in ["files/has-text", "files/lacks-text", "files/unreadable"] {
        assert_eq!(
            outcome(&checks, rule),
            Some(CheckOutcome::Unmeasured),
            "{rule}"
        );
    }
    assert!(metrics.why_absent("matches").is_some());
}

#[tokio::test]
async fn a_large_file_is_searched_in_pieces() {
    let root = folder();
    let path = root.path().join("large");
    let file = fs::File::create(&path).unwrap();
    file.set_len(1 << 24).unwrap(); // 16 MiB of zeros
    std::os::unix::fs::FileExt::write_all_at(&file, b"needle", (1 << 23) - 3).unwrap();
    let with = json!({"paths": ["large"], "contains": "needle", "matches": "nothing"});
    let (measured, _, checks) = look(root.path(), with).await;
    assert_eq!(measured.paths[0].texts[0].occurrences, 1);
    // One line of 16 MiB: that no line matches cannot be told.
    assert_eq!(measured.paths[0].texts[1].files_unjudged, 1);
    let unmeasured = |c: &&Check| c.outcome == CheckOutcome::Unmeasured;
    assert_eq!(checks.iter().filter(unmeasured).count(), 1);
}

#[tokio::test]
async fn very_many_files_stay_small_on_record() {
    let root = folder();
    for n in 0..2_000 {
        fs::File::create(root.path().join(format!("f{n}"))).unwrap();
    }
    write(root.path(), "f7", "seven");
    let (measured, metrics, checks) =
        look(root.path(), json!({"paths": ["f*"], "max_size": "4B"})).await;
    assert_eq!(measured.paths[0].matched, 2_000);
    assert!(measured.paths[0].files.len() < 200);
    assert_eq!(shown(&metrics, "size.max"), "5 B");
    assert_eq!(
        outcome(&checks, "files/too-large"),
        Some(CheckOutcome::Failed)
    );
}

struct Fixed(Timestamp);

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        self.0
    }
}

#[tokio::test]
async fn ages_count_from_the_clock_of_the_context() {
    let root = folder();
    write(root.path(), "f", "x");
    let modified = fs::metadata(root.path().join("f"))
        .unwrap()
        .modified()
        .unwrap();
    let now = Timestamp::try_from(modified).unwrap() + SignedDuration::from_hours(48);
    let cx = Cx::builder(Duration::from_secs(60))
        .directory(root.path())
        .clock(Arc::new(Fixed(now)))
        .build();
    let with = config(json!({"paths": ["f"], "max_age": "1d"}));
    let measured = Files::measure(&with, &cx).await.unwrap();
    assert_eq!(shown(&Files::metrics(&measured), "age.newest"), "2 d");
    let mut checks = Checks::new();
    Files::judge(&with, &measured, &mut checks);
    assert_eq!(
        outcome(checks.as_slice(), "files/too-old"),
        Some(CheckOutcome::Failed)
    );
}

#[tokio::test]
async fn the_deadline_and_an_interrupt_end_the_look() {
    let with = config(json!({"paths": ["/proc/**/nothing"]}));
    let cx = Cx::builder(Duration::from_millis(20)).build();
    let error = Files::measure(&with, &cx).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout);
    let cx = Cx::builder(Duration::from_secs(60)).build();
    cx.cancellation().cancel();
    let error = Files::measure(&with, &cx).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Cancelled);
}

#[test]
fn unknown_fields_and_changed_spellings_are_refused() {
    for with in [
        json!({"paths": ["x"], "contain": "y"}),
        json!({"paths": ["x"], "contains": 1.5}),
    ] {
        assert!(serde_json::from_value::<FilesConfig>(with).is_err());
    }
}
