use std::fs;

use serde_json::json;
use tempfile::TempDir;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn add(folder: &Path, event: Type, second: i64) -> Result<Event, EventsError> {
    append(
        folder,
        "4.0.0",
        New::now(event, json!({"n": second})),
        at(second),
    )
}

/// opened, started, finished, accepted
fn released() -> TempDir {
    let folder = TempDir::new().unwrap();
    let flow = [
        Type::ReleaseOpened,
        Type::DeployStarted,
        Type::DeployFinished,
        Type::Accepted,
    ];
    for (second, event) in (0..).zip(flow) {
        add(folder.path(), event, second).unwrap();
    }
    folder
}

/// Rewrites the history and gives what reading it says.
fn edited(edit: impl Fn(&mut Vec<String>)) -> String {
    let folder = released();
    let path = folder.path().join(EVENTS);
    let text = fs::read_to_string(&path).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    edit(&mut lines);
    fs::write(
        &path,
        lines.join("\n") + if lines.is_empty() { "" } else { "\n" },
    )
    .unwrap();
    let read = read(folder.path()).unwrap_err().to_string();
    let appended = add(folder.path(), Type::Closed, 9).unwrap_err().to_string();
    assert_eq!(read, appended, "appending must refuse what reading refuses");
    read.split_once("events.jsonl").unwrap().1.to_owned()
}

#[test]
fn what_was_appended_is_read() {
    let folder = released();
    let events = read(folder.path()).unwrap();
    assert_eq!(events.len(), 4);
    assert_eq!(events[1].event, Type::DeployStarted);
    assert_eq!(events[1].at, at(1));
    assert_eq!(events[0].prev, FIRST);
    let text = fs::read_to_string(folder.path().join(EVENTS)).unwrap();
    let first = text.lines().next().unwrap();
    assert_eq!(events[1].prev, digest(first.as_bytes()));
    let head = release(folder.path()).unwrap().unwrap();
    assert_eq!((head.id.as_str(), head.events), ("4.0.0", 4));
}

#[test]
fn an_edited_line_is_found() {
    let said = edited(|lines| lines[1] = lines[1].replace("\"n\":1", "\"n\":7"));
    assert_eq!(
        said,
        ":3: the history is broken: it does not follow line 2: one of the two was edited, or lines were removed, added or moved"
    );
}

#[test]
fn an_edit_of_the_last_line_is_found() {
    let said = edited(|lines| lines[3] = lines[3].replace("\"n\":3", "\"n\":7"));
    assert_eq!(
        said,
        ":4: the history is broken: it is not the line that release.json knows as the last; it was edited"
    );
}

#[test]
fn a_missing_line_is_found_wherever_it_was() {
    assert!(
        edited(|lines| drop(lines.remove(0)))
            .starts_with(":1: the history is broken: it is not the first line")
    );
    assert!(
        edited(|lines| drop(lines.remove(1)))
            .starts_with(":2: the history is broken: it does not follow line 1")
    );
    assert_eq!(
        edited(|lines| lines.truncate(2)),
        ":3: the history is broken: 2 lines are missing at the end; release.json knows 4"
    );
    assert_eq!(
        edited(Vec::clear),
        ":1: the history is broken: 4 lines are missing at the end; release.json knows 4"
    );
}

#[test]
fn lines_out_of_order_are_found() {
    assert!(
        edited(|lines| lines.swap(1, 2))
            .starts_with(":2: the history is broken: it does not follow line 1")
    );
}

#[test]
fn a_foreign_line_is_found() {
    let said = edited(|lines| lines.insert(2, "hello".to_owned()));
    assert!(
        said.starts_with(":3: the history is broken: it is no event"),
        "{said}"
    );
    let said = edited(|lines| lines[2] = lines[2].replace("deploy.finished", "deploy.ended"));
    assert!(
        said.starts_with(":3: the history is broken: it is no event"),
        "{said}"
    );
}

#[test]
fn a_history_of_another_release_is_foreign() {
    let folder = released();
    let path = folder.path().join(RELEASE);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("4.0.0", "4.0.1")).unwrap();
    let said = read(folder.path()).unwrap_err().to_string();
    assert!(
        said.contains("about the release `4.0.0`, the folder about `4.0.1`"),
        "{said}"
    );
}

#[test]
fn a_cut_off_line_is_found() {
    let folder = released();
    let path = folder.path().join(EVENTS);
    let text = fs::read(&path).unwrap();
    fs::write(&path, &text[..text.len() - 1]).unwrap();
    let said = read(folder.path()).unwrap_err().to_string();
    assert!(
        said.ends_with("events.jsonl:4: the history is broken: the line is cut off"),
        "{said}"
    );
    assert!(add(folder.path(), Type::Closed, 9).is_err());
}

#[test]
fn missing_files_are_errors() {
    let folder = TempDir::new().unwrap();
    let said = read(folder.path()).unwrap_err().to_string();
    assert!(said.contains("release.json is missing"), "{said}");
    let said = add(folder.path(), Type::DeployStarted, 0)
        .unwrap_err()
        .to_string();
    assert!(said.contains("events.jsonl is missing"), "{said}");
    for name in [EVENTS, RELEASE] {
        let folder = released();
        fs::remove_file(folder.path().join(name)).unwrap();
        assert!(matches!(read(folder.path()), Err(EventsError::Missing(_))));
        assert!(matches!(
            add(folder.path(), Type::Closed, 9),
            Err(EventsError::Missing(_))
        ));
        assert!(
            add(folder.path(), Type::ReleaseOpened, 9).is_err(),
            "{name} must not begin a new history"
        );
    }
}

#[test]
fn a_line_that_release_json_does_not_know_yet_is_kept() {
    let folder = released();
    let path = folder.path().join(RELEASE);
    let before = fs::read(&path).unwrap();
    add(folder.path(), Type::Closed, 4).unwrap();
    fs::write(&path, before).unwrap();
    assert_eq!(read(folder.path()).unwrap().len(), 5);
}

#[test]
fn impossible_orders_are_refused() {
    use Type::{
        Accepted, Closed, Decision, DeployFinished, DeployStarted, ReleaseOpened, RollbackFinished,
        RollbackStarted, WatchSample, WatchStarted,
    };
    let refused = |flow: &[Type]| {
        let folder = TempDir::new().unwrap();
        let (last, before) = flow.split_last().unwrap();
        for (second, event) in (0..).zip(before) {
            add(folder.path(), *event, second).unwrap();
        }
        let count = before.len();
        let error = add(folder.path(), *last, 60).unwrap_err().to_string();
        assert_eq!(read(folder.path()).unwrap().len(), count);
        error
    };
    let said = refused(&[ReleaseOpened, DeployFinished]);
    assert_eq!(
        said,
        "`deploy.finished` is refused: no deployment is under way; `deploy.started` is missing"
    );
    refused(&[ReleaseOpened, ReleaseOpened]);
    refused(&[ReleaseOpened, DeployStarted, DeployStarted]);
    refused(&[ReleaseOpened, RollbackStarted]);
    refused(&[
        ReleaseOpened,
        DeployStarted,
        DeployFinished,
        RollbackFinished,
    ]);
    refused(&[ReleaseOpened, DeployStarted, Accepted]);
    refused(&[ReleaseOpened, DeployStarted, Closed]);
    refused(&[ReleaseOpened, Closed, DeployStarted]);
    refused(&[ReleaseOpened, WatchSample]);
    refused(&[ReleaseOpened, WatchStarted, Decision, WatchSample]);
    refused(&[
        ReleaseOpened,
        DeployStarted,
        DeployFinished,
        RollbackStarted,
        RollbackFinished,
        Accepted,
    ]);
}

#[test]
fn an_end_before_its_beginning_is_refused() {
    let folder = TempDir::new().unwrap();
    add(folder.path(), Type::ReleaseOpened, 0).unwrap();
    add(folder.path(), Type::DeployStarted, 10).unwrap();
    let earlier = New {
        event: Type::DeployFinished,
        at: Some(at(5)),
        data: Map::new(),
    };
    let said = append(folder.path(), "4.0.0", earlier.clone(), at(20))
        .unwrap_err()
        .to_string();
    assert!(said.contains("before `deploy.started`"), "{said}");
    let later = New {
        at: Some(at(15)),
        ..earlier.clone()
    };
    let event = append(folder.path(), "4.0.0", later, at(20)).unwrap();
    assert_eq!((event.at, event.recorded()), (at(15), at(20)));
    let future = New {
        event: Type::Accepted,
        at: Some(at(2_000)),
        data: Map::new(),
    };
    let said = append(folder.path(), "4.0.0", future, at(20))
        .unwrap_err()
        .to_string();
    assert!(said.contains("in the future"), "{said}");
}

#[test]
fn another_release_is_refused() {
    let folder = released();
    let said = append(folder.path(), "5", New::now(Type::Closed, json!({})), at(9))
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("about the release `4.0.0`, not `5`"),
        "{said}"
    );
}

#[test]
fn many_writers_make_one_chain() {
    let folder = TempDir::new().unwrap();
    add(folder.path(), Type::ReleaseOpened, 0).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for second in 1..3 {
                    add(folder.path(), Type::GateVerdict, second).unwrap();
                }
            });
        }
    });
    assert_eq!(read(folder.path()).unwrap().len(), 9);
}

#[test]
fn a_line_too_long_is_refused_before_it_is_written() {
    let folder = released();
    let big = New::now(Type::Closed, json!({"x": "y".repeat(LONGEST_LINE)}));
    assert!(append(folder.path(), "4.0.0", big, at(9)).is_err());
    assert_eq!(read(folder.path()).unwrap().len(), 4);
}

#[test]
fn only_a_watch_that_says_so_accepts() {
    let accepted = |after: &[(Type, &str)]| {
        let folder = TempDir::new().unwrap();
        let before = [
            Type::ReleaseOpened,
            Type::DeployStarted,
            Type::DeployFinished,
        ];
        let flow = before.into_iter().map(|kind| (kind, ""));
        let all = flow
            .chain(after.iter().copied())
            .chain([(Type::Accepted, "")]);
        let mut last = Ok(());
        for (second, (kind, decision)) in (0..).zip(all) {
            assert!(last.is_ok(), "{last:?}");
            let new = New::now(kind, json!({"decision": decision}));
            let added = append(folder.path(), "4.0.0", new, at(second));
            last = added.map(drop).map_err(|e| e.to_string());
        }
        last
    };
    let watch = |decision: &'static str| [(Type::WatchStarted, ""), (Type::Decision, decision)];
    assert_eq!(accepted(&[]), Ok(()));
    assert_eq!(accepted(&watch("accept")), Ok(()));
    assert_eq!(
        accepted(&[watch("rollback"), watch("accept")].concat()),
        Ok(())
    );
    for (flow, message) in [
        (watch("rollback").to_vec(), "advised a rollback"),
        (watch("hold").to_vec(), "advised to hold"),
        (watch("inconclusive").to_vec(), "came to no conclusion"),
        (watch("accept")[..1].to_vec(), "has no decision"),
        (
            [&watch("accept")[..], &watch("accept")[..1]].concat(),
            "has no decision",
        ),
        (
            [
                &watch("accept")[..],
                &[(Type::DeployStarted, ""), (Type::DeployFinished, "")],
            ]
            .concat(),
            "the last deployment was not watched",
        ),
    ] {
        let said = accepted(&flow).unwrap_err();
        assert!(said.contains(message), "{message}: {said}");
    }
}
