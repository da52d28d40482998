//! The folder of sign-offs: statements and their signatures, as bytes.

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

/// A statement is a page or two.
const LARGEST: u64 = 1 << 20;
/// Statements of one release, and of those before it.
const MOST: usize = 2000;

/// A statement with its signature, not yet believed.
#[derive(Debug)]
pub struct Found {
    /// Its file, as the user knows it.
    pub file: String,
    /// The statement.
    pub bytes: Vec<u8>,
    /// The signature, or why there is none.
    pub signature: Result<Vec<u8>, String>,
}

/// Reads every `NAME.json` of the folder and the `NAME.json.sig` beside it, in the order of names.
/// No folder means no statement.
pub fn find(directory: &Path) -> Result<Vec<Found>, String> {
    let failed = |e: io::Error| format!("{}: {e}", directory.display());
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(failed(e)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|e| e == "json") && !path.is_dir() {
            paths.push(path);
        }
        if paths.len() > MOST {
            let folder = directory.display();
            return Err(format!(
                "{folder}: more than {MOST} statements; move old ones away"
            ));
        }
    }
    paths.sort();
    let found = paths.into_iter().map(|path| {
        let mut name = path.clone().into_os_string();
        name.push(".sig");
        let signature = read(&PathBuf::from(name)).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => {
                "it is not signed: the file .sig beside it is missing".into()
            }
            _ => format!("its signature cannot be read: {e}"),
        });
        let (bytes, signature) = match read(&path) {
            Ok(bytes) => (bytes, signature),
            Err(e) => (Vec::new(), Err(format!("it cannot be read: {e}"))),
        };
        Found {
            file: path.display().to_string(),
            bytes,
            signature,
        }
    });
    Ok(found.collect())
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // A FIFO would hang the gate.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a file"));
    }
    fs::File::open(path)?
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other("larger than 1 MiB"));
    }
    Ok(bytes)
}
