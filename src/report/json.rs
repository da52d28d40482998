//! The run record, as written to `run.json`.

use crate::record::Run;

/// Pretty JSON with a newline at the end.
pub fn render(run: &Run) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec_pretty(run)?;
    bytes.push(b'\n');
    Ok(bytes)
}
