//! Scans the files of the work tree: those that git tracks, and the others that it does not ignore.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{ErrorKind as Io, Read},
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use ignore::WalkBuilder;
use memchr::{memchr, memchr_iter, memrchr};
use readygate_sdk::{Cx, ErrorKind, ProbeError};

use crate::{
    collect::{Collector, Origin},
    detect,
    measurement::{TreeScan, Unread},
};

/// Bytes of a file that are in memory at a time.
const PIECE: usize = 4 << 20;
/// Bytes that two pieces share, so that no secret is cut.
const SHARED: usize = 64 << 10;
/// Bytes in which a zero tells a binary.
const HEAD: usize = 8 << 10;
/// Most files that are listed.
const MOST: usize = 5_000_000;
/// Unreadable files that are named.
const NAMED: usize = 100;

/// What was read of a file.
enum FileRead {
    Text(u64),
    Binary,
}

/// Scans below `root`. `tracked` are the files of git's index, relative to `root`.
pub(crate) fn scan(
    root: &Path,
    prefix: &str,
    tracked: Vec<PathBuf>,
    collector: &Mutex<Collector>,
    cx: &Cx,
) -> Result<TreeScan, ProbeError> {
    let mut unreadable = Vec::new();
    let files = list(root, tracked, &mut unreadable, cx)?;
    cx.progress(&format!("scanning {} files", files.len()));
    let next = AtomicUsize::new(0);
    let (count, bytes, binaries) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let troubles = Mutex::new(unreadable);
    let work = || {
        let mut buffer = Vec::new();
        while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            if cx.is_over() {
                return;
            }
            let name = name(prefix, path);
            match scan_file(&root.join(path), &name, &mut buffer, collector, cx) {
                Ok(FileRead::Text(n)) => {
                    bytes.fetch_add(n, Ordering::Relaxed);
                    let done = count.fetch_add(1, Ordering::Relaxed) + 1;
                    if done.is_multiple_of(10_000) {
                        cx.progress(&format!("{done} of {} files scanned", files.len()));
                    }
                }
                Ok(FileRead::Binary) => {
                    binaries.fetch_add(1, Ordering::Relaxed);
                }
                Err(e) if e.kind() == Io::NotFound => {}
                Err(e) => lock(&troubles).push(Unread {
                    path: name,
                    reason: e.to_string(),
                }),
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..workers() {
            scope.spawn(work);
        }
        work();
    });
    in_time(cx, "the work tree")?;
    let mut unreadable = troubles
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    unreadable.sort_by(|a, b| a.path.cmp(&b.path));
    unreadable.truncate(NAMED);
    Ok(TreeScan {
        files: count.into_inner(),
        bytes: bytes.into_inner(),
        binaries: binaries.into_inner(),
        unreadable,
    })
}

/// Threads that scan.
pub(crate) fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get().min(8))
}

/// A lock whose holder cannot have left things half done: it only adds.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The fault of a scan that was cut short.
pub(crate) fn in_time(cx: &Cx, subject: &str) -> Result<(), ProbeError> {
    let fault = |kind, reason: &str| {
        Err(ProbeError::new(
            kind,
            subject,
            "scanning for secrets",
            reason,
        ))
    };
    if cx.cancellation().is_cancelled() {
        return fault(ErrorKind::Cancelled, "the run was interrupted");
    }
    if cx.is_over() {
        return fault(ErrorKind::Timeout, "the time of the gate was over")
            .map_err(|e| e.hint("raise `timeout` of the gate"));
    }
    Ok(())
}

fn name(prefix: &str, path: &Path) -> String {
    let path = path.to_string_lossy().replace('\\', "/");
    if prefix.is_empty() {
        path
    } else {
        format!("{prefix}/{path}")
    }
}

/// Tracked files first, ignored or not; then what the walk finds.
fn list(
    root: &Path,
    tracked: Vec<PathBuf>,
    troubles: &mut Vec<Unread>,
    cx: &Cx,
) -> Result<Vec<PathBuf>, ProbeError> {
    let mut files: BTreeSet<PathBuf> = tracked.into_iter().collect();
    let walk = WalkBuilder::new(root)
        .hidden(false)
        .ignore(false)
        .git_global(false)
        .parents(true)
        .follow_links(false)
        .filter_entry(|entry| entry.file_name() != ".git")
        .build();
    for entry in walk {
        in_time(cx, "the work tree")?;
        match entry {
            Ok(entry) if entry.file_type().is_some_and(|t| t.is_file()) => {
                if let Ok(path) = entry.path().strip_prefix(root) {
                    files.insert(path.to_path_buf());
                }
            }
            Ok(_) => {}
            Err(error) => troubles.push(Unread {
                path: root.display().to_string(),
                reason: error.to_string(),
            }),
        }
        if files.len() > MOST {
            return Err(ProbeError::new(
                ErrorKind::BadData,
                "the work tree",
                "listing files",
                format!("there are more than {MOST} files"),
            ));
        }
    }
    Ok(files.into_iter().collect())
}

fn scan_file(
    path: &Path,
    name: &str,
    buffer: &mut Vec<u8>,
    collector: &Mutex<Collector>,
    cx: &Cx,
) -> std::io::Result<FileRead> {
    // A link's target is a file of its own, or outside of the repository; a submodule is a folder.
    if !path.symlink_metadata()?.is_file() {
        return Err(Io::NotFound.into());
    }
    scan_stream(&mut File::open(path)?, name, buffer, collector, cx)
}

fn scan_stream(
    file: &mut impl Read,
    name: &str,
    buffer: &mut Vec<u8>,
    collector: &Mutex<Collector>,
    cx: &Cx,
) -> std::io::Result<FileRead> {
    buffer.clear();
    let (mut total, mut lines, mut first) = (0_u64, 0_u64, true);
    loop {
        let kept = buffer.len();
        let read = file
            .by_ref()
            .take((PIECE - kept) as u64)
            .read_to_end(buffer)?;
        total += read as u64;
        if first {
            if is_binary(buffer) {
                scan_binary(name, buffer, collector);
                return Ok(FileRead::Binary);
            }
            if let Some(text) = wide_text(buffer) {
                scan_text(
                    Origin {
                        path: name,
                        commit: None,
                        lines: 0,
                        order: 0,
                    },
                    &text,
                    collector,
                );
                if buffer.len() == PIECE && file.read(&mut [0])? > 0 {
                    return Err(std::io::Error::other(
                        "it is UTF-16 and larger than 4 MiB, and was scanned no further",
                    ));
                }
                return Ok(FileRead::Text(total));
            }
        }
        if first || read > 0 {
            scan_text(
                Origin {
                    path: name,
                    commit: None,
                    lines,
                    order: 0,
                },
                buffer,
                collector,
            );
        }
        first = false;
        if buffer.len() < PIECE || cx.is_over() {
            return Ok(FileRead::Text(total));
        }
        // The next piece begins at a line, as far as there is one.
        let cut = buffer.len() - SHARED;
        let cut = memrchr(b'\n', &buffer[..cut])
            .filter(|at| *at > PIECE / 2)
            .map_or(cut, |at| at + 1);
        lines += memchr_iter(b'\n', &buffer[..cut]).count() as u64;
        buffer.drain(..cut);
    }
}

/// Finds and collects.
pub(crate) fn scan_text(origin: Origin<'_>, text: &[u8], collector: &Mutex<Collector>) {
    let hits = detect::scan(origin.path, text);
    if !hits.is_empty() {
        lock(collector).take(origin, text, &hits);
    }
}

fn scan_binary(name: &str, head: &[u8], collector: &Mutex<Collector>) {
    if let Some(hit) = detect::key_store(name, head) {
        lock(collector).take(
            Origin {
                path: name,
                commit: None,
                lines: 0,
                order: 0,
            },
            &head[..hit.end],
            &[hit],
        );
    }
}

/// Whether a zero is in its head, and it is no UTF-16.
pub(crate) fn is_binary(text: &[u8]) -> bool {
    let head = &text[..text.len().min(HEAD)];
    !is_wide(text) && memchr(0, head).is_some()
}

fn is_wide(text: &[u8]) -> bool {
    text.starts_with(&[0xff, 0xfe]) || text.starts_with(&[0xfe, 0xff])
}

/// UTF-16 with a mark, as UTF-8. Of a larger file the first piece.
pub(crate) fn wide_text(text: &[u8]) -> Option<Vec<u8>> {
    let little = text.starts_with(&[0xff, 0xfe]);
    if !is_wide(text) {
        return None;
    }
    let unit = |pair: &[u8]| {
        let pair = [pair[0], pair[1]];
        if little {
            u16::from_le_bytes(pair)
        } else {
            u16::from_be_bytes(pair)
        }
    };
    let units = text[2..].chunks_exact(2).map(unit);
    let text: String = char::decode_utf16(units)
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    Some(text.into_bytes())
}
