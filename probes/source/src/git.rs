//! What git says of the work tree and of the commit to be released.

use std::collections::BTreeMap;

use readygate_sdk::{Cx, ErrorKind, ProbeError, excerpt, process};

use crate::{GitConfig, GitRecord, measurement::Signature};

/// Bytes of output kept of one command; a list that is longer is told to be incomplete.
const OUTPUT: usize = 4 << 20;
/// Changed files, unsigned commits and tags kept.
const KEPT: usize = 20;
const KEPT_TAGS: usize = 100;

/// Asks git.
///
/// # Errors
/// [`ErrorKind::NoData`] where no repository or no commit is, [`ErrorKind::Connect`] without git.
pub(crate) async fn measure(config: &GitConfig, cx: &Cx) -> Result<GitRecord, ProbeError> {
    let git = Git { config, cx };
    let head = git
        .must(&["rev-parse", "--verify", "HEAD^{commit}"])
        .await?;
    let shallow = git.must(&["rev-parse", "--is-shallow-repository"]).await?;
    let mut record = GitRecord {
        head: head.trim().to_owned(),
        shallow: shallow.trim() == "true",
        ..GitRecord::default()
    };
    if config.clean {
        git.changes(&mut record).await?;
    }
    if config.tag.is_some() {
        let all = git.must(&["tag", "--points-at", "HEAD"]).await?;
        let mut tags: Vec<String> = all.lines().take(KEPT_TAGS).map(str::to_owned).collect();
        // The list is cut; the answer must not be.
        let wanted = config
            .tag
            .iter()
            .filter(|tag| all.lines().any(|t| t == **tag));
        for tag in wanted {
            if !tags.contains(tag) {
                tags.push(tag.clone());
            }
        }
        record.tags = Some(tags);
    }
    if config.signed {
        git.signatures(&mut record).await?;
    }
    if let Some(reference) = &config.contains {
        git.contains(reference, &mut record).await?;
    }
    Ok(record)
}

struct Git<'a> {
    config: &'a GitConfig,
    cx: &'a Cx,
}

impl Git<'_> {
    /// Runs git so that it neither prompts, writes, nor runs programs that the repository names.
    async fn run(&self, arguments: &[&str]) -> Result<process::Finished, ProbeError> {
        let guards = [
            "git",
            "--no-pager",
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "log.showSignature=false",
        ];
        let argv = guards
            .iter()
            .chain(arguments)
            .map(|a| (*a).to_owned())
            .collect();
        let environment = [
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("LC_ALL", "C"),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let job = process::Job {
            argv,
            directory: self.cx.resolve(&self.config.directory),
            environment: BTreeMap::from(environment),
            stdin: None,
            keep: OUTPUT,
        };
        process::run(&job, self.cx).await
    }

    /// Output of a command that must succeed.
    async fn must(&self, arguments: &[&str]) -> Result<String, ProbeError> {
        let done = self.run(arguments).await?;
        if done.ended != process::Ended::Code(0) {
            return Err(self.failed(arguments, &done));
        }
        if done.stdout.truncated() {
            return Err(self.error(
                ErrorKind::BadData,
                arguments,
                "prints too much to be read whole",
            ));
        }
        Ok(String::from_utf8_lossy(&done.stdout.bytes()).into_owned())
    }

    fn failed(&self, arguments: &[&str], done: &process::Finished) -> ProbeError {
        let said = done.stderr.text();
        let said = excerpt(said.trim(), 300);
        let kind =
            if said.contains("not a git repository") || said.contains("Needed a single revision") {
                ErrorKind::NoData
            } else {
                ErrorKind::BadData
            };
        let error = self.error(kind, arguments, &format!("{}: {said}", done.ended));
        if said.contains("dubious ownership") {
            return error.hint("the tree belongs to another user; as the gate's user: git config --global --add safe.directory FOLDER");
        }
        error
    }

    fn error(&self, kind: ErrorKind, arguments: &[&str], message: &str) -> ProbeError {
        let phase = format!("running git {}", arguments.join(" "));
        ProbeError::new(kind, &self.config.directory, phase, message)
    }

    async fn changes(&self, record: &mut GitRecord) -> Result<(), ProbeError> {
        let arguments = [
            "status",
            "--porcelain=v1",
            "--untracked-files=normal",
            "--ignore-submodules=none",
        ];
        let changes = self.must(&arguments).await?;
        record.dirty_total = Some(changes.lines().count() as u64);
        record.dirty = changes.lines().take(KEPT).map(str::to_owned).collect();
        Ok(())
    }

    async fn signatures(&self, record: &mut GitRecord) -> Result<(), ProbeError> {
        let range = match &self.config.since {
            Some(since) if !self.exists(since).await? => {
                record.history_problem = Some(absent(since, record));
                return Ok(());
            }
            Some(since) => format!("{since}..HEAD"),
            None => "HEAD".to_owned(),
        };
        let mut arguments = vec!["log", "--format=%H%x00%G?%x00%s", &range];
        if self.config.since.is_none() {
            arguments.push("--max-count=1");
        } else if record.shallow {
            record.history_problem =
                Some("the clone is shallow: commits may be missing".to_owned());
        }
        arguments.push("--");
        for line in self.must(&arguments).await?.lines() {
            let mut fields = line.splitn(3, '\0');
            let (commit, state) = (
                fields.next().unwrap_or_default(),
                fields.next().unwrap_or_default(),
            );
            record.commits += 1;
            // `U`: a good signature by a key that nobody vouched for; still a good signature.
            if !matches!(state, "G" | "U") {
                record.unsigned_total += 1;
                if record.unsigned.len() < KEPT {
                    record.unsigned.push(Signature {
                        commit: commit.to_owned(),
                        state: state.to_owned(),
                        subject: excerpt(fields.next().unwrap_or_default(), 100),
                    });
                }
            }
        }
        Ok(())
    }

    async fn contains(&self, reference: &str, record: &mut GitRecord) -> Result<(), ProbeError> {
        if !self.exists(reference).await? {
            record.history_problem = Some(absent(reference, record));
            return Ok(());
        }
        let arguments = ["merge-base", "--is-ancestor", reference, "HEAD"];
        let done = self.run(&arguments).await?;
        match done.ended {
            process::Ended::Code(0) => record.contains = Some(true),
            process::Ended::Code(1) if record.shallow => {
                record.history_problem =
                    Some("the clone is shallow: commits may be missing".to_owned());
            }
            process::Ended::Code(1) => record.contains = Some(false),
            _ => return Err(self.failed(&arguments, &done)),
        }
        Ok(())
    }

    async fn exists(&self, reference: &str) -> Result<bool, ProbeError> {
        let commit = format!("{reference}^{{commit}}");
        let done = self
            .run(&["rev-parse", "--verify", "--quiet", &commit])
            .await?;
        Ok(done.ended == process::Ended::Code(0))
    }
}

fn absent(reference: &str, record: &GitRecord) -> String {
    let shallow = if record.shallow {
        " (the clone is shallow)"
    } else {
        ""
    };
    format!("`{reference}` names no commit here{shallow}")
}
