//! Several child processes at once. Dropping them kills their process groups.

use std::collections::BTreeMap;

use readygate_sdk::{
    Cx, ProbeError,
    process::{self, Ended, Finished, Job},
};
use tokio::task::{AbortHandle, JoinSet};

/// Bytes kept of each output stream.
const KEEP: usize = 16 * 1024;
/// Characters of the last words of a process in the record.
const WORDS: usize = 1_500;

/// Running children, by an index of the caller's.
pub(crate) struct Children {
    cx: Cx,
    set: JoinSet<(usize, Result<Finished, ProbeError>)>,
    handles: BTreeMap<usize, AbortHandle>,
}

/// How one of them ended.
pub(crate) struct Exit {
    /// Which.
    pub index: usize,
    /// How; an error where it did not start, or did not end by itself.
    pub ended: Result<Ended, ProbeError>,
    /// What it said last on stderr, masked; stdout where stderr is empty.
    pub words: String,
}

impl Children {
    pub(crate) fn new(cx: &Cx) -> Self {
        Self {
            cx: cx.clone(),
            set: JoinSet::new(),
            handles: BTreeMap::new(),
        }
    }

    /// Starts one.
    pub(crate) fn start(
        &mut self,
        index: usize,
        argv: Vec<String>,
        directory: std::path::PathBuf,
        environment: BTreeMap<String, String>,
    ) {
        let job = Job {
            argv,
            directory,
            environment,
            stdin: None,
            keep: KEEP,
        };
        let cx = self.cx.clone();
        let run = async move { (index, process::run(&job, &cx).await) };
        self.handles.insert(index, self.set.spawn(run));
    }

    /// Kills one and what it started; it is not awaited any more.
    pub(crate) fn kill(&mut self, index: usize) {
        if let Some(handle) = self.handles.remove(&index) {
            handle.abort();
        }
    }

    /// Whether none runs.
    pub(crate) fn is_empty(&self) -> bool {
        self.handles.is_empty()
    }

    /// Whether this one runs.
    pub(crate) fn runs(&self, index: usize) -> bool {
        self.handles.contains_key(&index)
    }

    /// Waits for the next that ends; nothing when none runs.
    pub(crate) async fn next(&mut self) -> Option<Exit> {
        loop {
            // One that was killed here comes back as a join error.
            let Ok((index, outcome)) = self.set.join_next().await? else {
                continue;
            };
            self.handles.remove(&index);
            return Some(match outcome {
                Ok(finished) => Exit {
                    index,
                    words: self.words(&finished),
                    ended: Ok(finished.ended),
                },
                Err(error) => Exit {
                    index,
                    ended: Err(error),
                    words: String::new(),
                },
            });
        }
    }

    fn words(&self, finished: &Finished) -> String {
        let said = if finished.stderr.total > 0 {
            finished.stderr.text()
        } else {
            finished.stdout.text()
        };
        let masked = self.cx.mask(said.trim());
        let count = masked.chars().count();
        let tail: String = masked.chars().skip(count.saturating_sub(WORDS)).collect();
        if count > WORDS {
            format!("… {tail}")
        } else {
            tail
        }
    }
}
