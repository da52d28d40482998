//! Load tools, which `cargo xtask setup` installs.

use std::path::{Path, PathBuf};

use crate::server::{StackError, find_program};

/// `k6` or `locust`: in `target/tools/bin/`, else on PATH. A version of another day on PATH would
/// test something else.
pub fn load_tool(name: &str) -> Result<PathBuf, StackError> {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/bin");
    let own = tools.join(name);
    if own.is_file() {
        return Ok(own);
    }
    find_program(name).ok_or_else(|| StackError::Missing {
        program: name.to_owned(),
        install: "cargo xtask setup",
    })
}
