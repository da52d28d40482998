//! Files that must be ones. What a change commits, or what comes in an archive, may be a pipe or a link
//! to one: opening or reading it would wait for ever.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    time::Duration,
};

use super::{FileError, write_atomically};

const LOCK_TRIES: u32 = 500;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

fn irregular() -> io::Error {
    io::Error::other("not a regular file")
}

/// Opens a regular file, or makes one where the options say so; never waits.
///
/// # Errors
/// It is something else, also if it became that a moment ago.
pub fn open_regular(path: &Path, options: &OpenOptions) -> io::Result<File> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => return Err(irregular()),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = options.clone();
    options.custom_flags(nix::libc::O_NONBLOCK | nix::libc::O_NOCTTY);
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return Err(irregular());
    }
    Ok(file)
}

/// Reads a regular file of at most `most` bytes, whole MiB.
///
/// # Errors
/// It is larger, something else, or cannot be read.
pub fn read_regular(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_regular(path, OpenOptions::new().read(true))?
        .take(most + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("larger than {} MiB", most / 1024 / 1024),
        ));
    }
    Ok(bytes)
}

/// Writes a file in a folder of ours: a link in its place is not followed, since it may lead to
/// anything that the user owns.
pub fn write_regular(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(FileError::Io {
            path: path.to_owned(),
            error: irregular(),
        });
    }
    write_atomically(path, bytes)
}

/// Locks for writing, or gives up after ten seconds. The system lets go of the lock when its holder
/// ends, however it ends.
pub fn lock(file: &File) -> io::Result<()> {
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => std::thread::park_timeout(LOCK_PAUSE),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::Error::new(
        io::ErrorKind::WouldBlock,
        "another process holds it open for writing",
    ))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A folder with a FIFO, and a link to it.
    fn pipes() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let made = assert_cmd::Command::new("mkfifo")
            .arg(folder.path().join("pipe"))
            .ok();
        made.unwrap();
        symlink("pipe", folder.path().join("link")).unwrap();
        folder
    }

    #[test]
    fn nothing_waits_for_a_pipe() {
        let folder = pipes();
        for name in ["pipe", "link", "."] {
            let path = folder.path().join(name);
            let error = read_regular(&path, 10).unwrap_err();
            assert_eq!(error.to_string(), "not a regular file", "{name}");
            let options = OpenOptions::new().append(true).create(true).clone();
            let error = open_regular(&path, &options).unwrap_err();
            assert_eq!(error.to_string(), "not a regular file", "{name}");
            assert!(write_regular(&path, b"x").is_err(), "{name}");
        }
        let zero = read_regular(Path::new("/dev/zero"), 10).unwrap_err();
        assert_eq!(zero.to_string(), "not a regular file");
    }

    #[test]
    fn a_link_is_read_and_not_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        write_regular(&file, b"good").unwrap();
        symlink("file", &link).unwrap();
        assert_eq!(read_regular(&link, 4).unwrap(), b"good");
        assert_eq!(
            read_regular(&link, 3).unwrap_err().kind(),
            io::ErrorKind::FileTooLarge
        );
        assert!(write_regular(&link, b"bad").is_err());
        assert_eq!(read_regular(&file, 4).unwrap(), b"good");
    }
}
