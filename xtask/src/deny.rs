//! `cargo xtask deny`: licences, bans and sources of dependencies, and advisories where the
//! database can be had.

use std::time::Duration;

use crate::{
    Done,
    exec::{quietly_within, succeeds},
    setup::subcommand,
};

/// A network that drops packets must not hold the tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// Checks, and says what was not checked.
pub fn main() -> Done {
    let offline = [
        "check",
        "--hide-inclusion-graph",
        "licenses",
        "bans",
        "sources",
    ];
    let own = succeeds(subcommand("deny")?.args(offline))?;
    if !quietly_within(subcommand("deny")?.args(["fetch", "db"]), PATIENCE) {
        println!("advisories: not checked, the database is not reachable");
        return Ok(own);
    }
    let advisories = ["check", "--disable-fetch", "advisories"];
    let known = succeeds(subcommand("deny")?.args(advisories))?;
    Ok(own && known)
}
