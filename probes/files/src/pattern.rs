//! Paths with wildcards, followed step by step so that only the folders they name are read.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use globset::{GlobBuilder, GlobMatcher};

/// A parsed path or glob.
#[derive(Debug)]
pub struct Pattern {
    absolute: bool,
    steps: Vec<Step>,
}

#[derive(Debug)]
enum Step {
    /// A name without wildcards; `..` among them.
    Literal(String),
    /// Names in one folder.
    Name(GlobMatcher),
    /// The rest of the pattern from its first `**` on, matched against whole relative paths: taken
    /// apart further, `**/a/**` would find the same file twice.
    Deep(GlobMatcher),
}

/// Something that a pattern led to.
#[derive(Debug)]
pub struct Found {
    /// Where it is.
    pub real: PathBuf,
    /// How the user would name it.
    pub shown: PathBuf,
    /// What it is.
    pub entry: Entry,
}

/// What is at a path.
#[derive(Debug)]
pub enum Entry {
    /// A regular file, perhaps through a symbolic link.
    File(fs::Metadata),
    /// Something else, as it reads in a sentence.
    Other(&'static str),
    /// It could not be looked at, or into.
    Unreadable(io::Error),
}

/// Where the walk is: the path for the system and the one for the user.
#[derive(Debug, Clone)]
struct Spot {
    real: PathBuf,
    shown: PathBuf,
}

impl Spot {
    fn join(&self, name: impl AsRef<Path>) -> Self {
        Self {
            real: self.real.join(&name),
            shown: self.shown.join(&name),
        }
    }

    fn found(self, entry: Entry) -> Found {
        Found {
            real: self.real,
            shown: self.shown,
            entry,
        }
    }
}

impl Pattern {
    /// Reads a path or glob; the error is a sentence for the user.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("an empty path".to_owned());
        }
        if text.contains('\0') {
            return Err(format!("`{}` has a NUL character", text.escape_default()));
        }
        let parts = split(text).ok_or_else(|| {
            format!("`{text}` has a slash inside brackets or braces; write two paths")
        })?;
        let mut steps = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            if *part == "**" {
                steps.push(Step::Deep(glob(&parts[index..].join("/"), text)?));
                break;
            }
            steps.push(match literal(part) {
                Some(name) => Step::Literal(name),
                None => Step::Name(glob(part, text)?),
            });
        }
        Ok(Self {
            absolute: text.starts_with('/'),
            steps,
        })
    }

    /// Whether it names one path and has no wildcard.
    pub fn is_literal(&self) -> bool {
        self.steps.iter().all(|s| matches!(s, Step::Literal(_)))
    }

    /// Calls `visit` for everything that the pattern matches, in the order of names, and for every
    /// folder on the way that cannot be read, until `visit` returns an error.
    pub fn walk<E>(
        &self,
        base: &Path,
        visit: &mut dyn FnMut(Found) -> Result<(), E>,
    ) -> Result<(), E> {
        let spot = if self.absolute {
            Spot {
                real: PathBuf::from("/"),
                shown: PathBuf::from("/"),
            }
        } else {
            Spot {
                real: base.to_owned(),
                shown: PathBuf::new(),
            }
        };
        follow(&self.steps, spot, visit)
    }
}

fn follow<E>(
    steps: &[Step],
    spot: Spot,
    visit: &mut dyn FnMut(Found) -> Result<(), E>,
) -> Result<(), E> {
    let Some((step, rest)) = steps.split_first() else {
        return match look(&spot.real) {
            Some(entry) => visit(spot.found(entry)),
            None => Ok(()),
        };
    };
    match step {
        Step::Literal(name) => follow(rest, spot.join(name), visit),
        Step::Name(glob) => {
            for name in list(&spot, visit)? {
                if glob.is_match(&name) {
                    follow(rest, spot.join(name), visit)?;
                }
            }
            Ok(())
        }
        Step::Deep(glob) => dive(glob, spot, visit),
    }
}

/// Walks a whole tree. Symbolic links to folders are reported, not entered: no loops.
fn dive<E>(
    glob: &GlobMatcher,
    top: Spot,
    visit: &mut dyn FnMut(Found) -> Result<(), E>,
) -> Result<(), E> {
    let root = top.real.clone();
    let mut stack = vec![top];
    while let Some(spot) = stack.pop() {
        let mut folders = Vec::new();
        for name in list(&spot, visit)? {
            let inner = spot.join(name);
            let is_folder = fs::symlink_metadata(&inner.real).is_ok_and(|m| m.is_dir());
            let relative = inner.real.strip_prefix(&root).unwrap_or(&inner.real);
            if glob.is_match(relative)
                && let Some(entry) = look(&inner.real)
            {
                visit(inner.clone().found(entry))?;
            }
            if is_folder {
                folders.push(inner);
            }
        }
        stack.extend(folders.into_iter().rev());
    }
    Ok(())
}

/// The names in a folder, sorted; a folder that is not there has none.
fn list<E>(
    spot: &Spot,
    visit: &mut dyn FnMut(Found) -> Result<(), E>,
) -> Result<Vec<std::ffi::OsString>, E> {
    let here = if spot.real.as_os_str().is_empty() {
        Path::new(".")
    } else {
        &spot.real
    };
    let names: io::Result<Vec<_>> = fs::read_dir(here)
        .and_then(|entries| entries.map(|entry| entry.map(|e| e.file_name())).collect());
    match names {
        Ok(mut names) => {
            names.sort();
            Ok(names)
        }
        Err(error) if is_missing(&error) => Ok(Vec::new()),
        Err(error) => {
            visit(spot.clone().found(Entry::Unreadable(error)))?;
            Ok(Vec::new())
        }
    }
}

fn look(path: &Path) -> Option<Entry> {
    match fs::metadata(path) {
        Ok(metadata) => Some(classify(metadata)),
        Err(error) => match fs::symlink_metadata(path) {
            // The name is there, and what it stands for is not.
            Ok(link) if link.is_symlink() => Some(if is_missing(&error) || is_loop(&error) {
                Entry::Other("a broken symbolic link")
            } else {
                Entry::Unreadable(error)
            }),
            _ if is_missing(&error) => None,
            _ => Some(Entry::Unreadable(error)),
        },
    }
}

fn classify(metadata: fs::Metadata) -> Entry {
    use std::os::unix::fs::FileTypeExt as _;
    let kind = metadata.file_type();
    if kind.is_file() {
        return Entry::File(metadata);
    }
    Entry::Other(if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    })
}

fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn is_loop(error: &io::Error) -> bool {
    error.raw_os_error() == Some(nix::libc::ELOOP)
}

fn glob(part: &str, whole: &str) -> Result<GlobMatcher, String> {
    GlobBuilder::new(part)
        .literal_separator(true)
        .backslash_escape(true)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|error| format!("`{whole}` is not a glob: {}", error.kind()))
}

/// Splits at slashes; `None` when one stands inside brackets or braces.
fn split(text: &str) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    let (mut start, mut depth, mut escaped) = (0, 0_u32, false);
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        match c {
            '\\' => escaped = true,
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            '/' if depth > 0 => return None,
            '/' => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.retain(|part| !part.is_empty());
    Some(parts)
}

/// The name that a part without wildcards stands for.
fn literal(part: &str) -> Option<String> {
    let mut name = String::with_capacity(part.len());
    let mut chars = part.chars();
    while let Some(c) = chars.next() {
        match c {
            '*' | '?' | '[' | '{' => return None,
            '\\' => name.push(chars.next().unwrap_or('\\')),
            c => name.push(c),
        }
    }
    Some(name)
}
