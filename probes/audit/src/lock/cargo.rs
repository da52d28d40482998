//! `Cargo.lock`, versions 1 to 4.

use std::collections::HashMap;

use super::{LockFault, Locked, text, toml_tree};

/// The registry of crates.io, by its index or by its sparse one.
fn is_crates_io(source: &str) -> bool {
    source.starts_with("registry+https://github.com/rust-lang/crates.io-index")
        || source.starts_with("sparse+https://index.crates.io")
        || source.starts_with("registry+https://index.crates.io")
}

/// A package is known by name, version and source; its index is into the packages or the roots.
enum Node {
    Package(usize),
    Root(usize),
    Foreign,
}

#[expect(
    clippy::too_many_lines,
    reason = "one format, read from its top to its end"
)]
pub(super) fn read(content: &str) -> Result<Locked, LockFault> {
    let tree = toml_tree(content)?;
    let Some(list) = tree.get("package").and_then(|list| list.as_array()) else {
        return Err(LockFault::new("it holds no `[[package]]`"));
    };
    let mut locked = Locked::new("Cargo.lock", "crates.io");
    let mut nodes = Vec::new();
    let all = list.iter().chain(tree.get("root"));
    for package in all.clone() {
        let (Some(name), Some(version)) = (text(package, "name"), text(package, "version")) else {
            return Err(LockFault::new("a package has no name or no version"));
        };
        let node = match text(package, "source") {
            None => {
                locked.local += 1;
                locked.roots.push((format!("{name} {version}"), Vec::new()));
                Node::Root(locked.roots.len() - 1)
            }
            Some(source) if is_crates_io(source) => {
                Node::Package(locked.push(name, version, false))
            }
            Some(source) => {
                let from_registry =
                    source.starts_with("registry+") || source.starts_with("sparse+");
                let kind = if from_registry {
                    "from another registry than crates.io"
                } else {
                    "from git"
                };
                locked.skip(format!("{name} {version}"), kind, false);
                Node::Foreign
            }
        };
        nodes.push((name, version, node));
    }
    let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, (name, ..)) in nodes.iter().enumerate() {
        by_name.entry(name).or_default().push(at);
    }
    for (at, package) in all.enumerate() {
        let dependencies = package.get("dependencies").and_then(|list| list.as_array());
        for dependency in dependencies
            .into_iter()
            .flatten()
            .filter_map(|d| d.as_str())
        {
            let mut words = dependency.split(' ');
            let (name, version) = (words.next().unwrap_or_default(), words.next());
            let candidates = by_name.get(name).map_or(&[][..], Vec::as_slice);
            let found = candidates
                .iter()
                .find(|to| version.is_none_or(|v| nodes[**to].1 == v));
            if let Some(Node::Package(to)) = found.map(|to| &nodes[*to].2) {
                match &nodes[at].2 {
                    Node::Package(from) => locked.packages[*from].depends.push(*to),
                    Node::Root(from) => locked.roots[*from].1.push(*to),
                    Node::Foreign => {}
                }
            }
        }
    }
    Ok(locked)
}
