//! The lines outside of its folder that a new probe needs, each in its alphabetical place.

/// `dns-sec` to `readygate_dns_sec`.
pub fn crate_name(id: &str) -> String {
    format!("readygate_{}", id.replace('-', "_"))
}

/// `dns-sec` to `DnsSec`.
pub fn type_name(id: &str) -> String {
    let words = id.split('-').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_uppercase() + rest
    });
    words.collect()
}

/// The root manifest with the two dependency lines of the probe.
pub fn manifest(text: &str, id: &str) -> Result<String, String> {
    let path = format!("readygate-{id} = {{ path = \"probes/{id}\" }}\n");
    let text = insert(text, "[workspace.dependencies]", &path, id, |line| {
        let (name, value) = line.strip_prefix("readygate-")?.split_once(" = ")?;
        // Probes share these two; they are no probes.
        let is_probe = value.contains("path = \"probes/") && !matches!(name, "sdk" | "web");
        is_probe.then(|| name.to_owned())
    })?;
    let dependency = format!("readygate-{id}.workspace = true\n");
    insert(&text, "[dependencies]", &dependency, id, |line| {
        let name = line.strip_prefix("readygate-")?;
        name.strip_suffix(".workspace = true").map(str::to_owned)
    })
}

/// `registry.rs` with the line of the probe.
pub fn registry(text: &str, id: &str) -> Result<String, String> {
    let own = format!("    {}::{},\n", crate_name(id), type_name(id));
    insert(text, "registry! {", &own, id, |line| {
        let (name, _) = line
            .trim_start()
            .strip_prefix("readygate_")?
            .split_once("::")?;
        Some(name.replace('_', "-"))
    })
}

/// Puts `new` before the first line below `head` whose id comes after `id`, else behind the last
/// line that has one. A blank line does not end the block; a line without an id that follows one
/// with an id does.
fn insert(
    text: &str,
    head: &str,
    new: &str,
    id: &str,
    id_of: impl Fn(&str) -> Option<String>,
) -> Result<String, String> {
    let mut at = None;
    let mut offset = 0;
    let mut inside = false;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end();
        let end = offset + line.len();
        if inside {
            match id_of(bare) {
                Some(other) if other == id => return Err(format!("`{bare}` is there already")),
                Some(other) if other.as_str() > id => {
                    at = Some(offset);
                    break;
                }
                Some(_) => at = Some(end),
                None if bare.starts_with('[') || bare == "}" => break,
                None => {}
            }
        }
        inside |= bare == head;
        offset = end;
    }
    let at = at.ok_or_else(|| format!("no line of a probe below `{head}`"))?;
    Ok(format!("{}{new}{}", &text[..at], &text[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "\
[dependencies]
futures.workspace = true
readygate-command.workspace = true
readygate-http.workspace = true
readygate-sdk.workspace = true
serde.workspace = true

[dev-dependencies]
readygate-zoo.workspace = true

[workspace.dependencies]
readygate = { path = \".\" }
readygate-sdk = { path = \"probes/sdk\" }
readygate-stack = { path = \"tests/stack\" }
readygate-command = { path = \"probes/command\" }
readygate-http = { path = \"probes/http\" }

serde = \"1\"
";

    /// The lines that are new, with the line before each.
    fn added(old: &str, new: &str) -> Vec<String> {
        let lines: Vec<&str> = new.lines().collect();
        let fresh = (1..lines.len()).filter(|&n| !old.lines().any(|line| line == lines[n]));
        fresh
            .map(|n| format!("{} < {}", lines[n - 1], lines[n]))
            .collect()
    }

    #[test]
    fn dependencies_go_to_their_alphabetical_places() {
        let new = manifest(MANIFEST, "files").unwrap();
        assert_eq!(
            added(MANIFEST, &new),
            [
                "readygate-command.workspace = true < readygate-files.workspace = true",
                "readygate-command = { path = \"probes/command\" } < \
                 readygate-files = { path = \"probes/files\" }",
            ]
        );
        let new = manifest(MANIFEST, "tls").unwrap();
        assert_eq!(
            added(MANIFEST, &new),
            [
                "readygate-sdk.workspace = true < readygate-tls.workspace = true",
                "readygate-http = { path = \"probes/http\" } < \
                 readygate-tls = { path = \"probes/tls\" }",
            ]
        );
        assert!(manifest(MANIFEST, "http").is_err(), "taken");
        assert!(manifest("[dependencies]\n", "tls").is_err());
    }

    #[test]
    fn a_registry_line_goes_to_its_alphabetical_place() {
        let text = "mod x {}\nregistry! {\n    readygate_dns::Dns,\n    readygate_http::Http,\n}\n";
        for (id, line) in [
            ("command", "registry! { <     readygate_command::Command,"),
            (
                "dns-sec",
                "    readygate_dns::Dns, <     readygate_dns_sec::DnsSec,",
            ),
            ("tls", "    readygate_http::Http, <     readygate_tls::Tls,"),
        ] {
            assert_eq!(added(text, &registry(text, id).unwrap()), [line]);
        }
        assert!(registry(text, "http").is_err());
        assert!(registry("", "http").is_err());
    }

    #[test]
    fn the_files_of_this_repository_can_be_edited() {
        let root = crate::workspace::root();
        let read = |path: &str| crate::workspace::read(&root.join(path)).unwrap();
        let (text, code) = (read("Cargo.toml"), read("src/registry.rs"));
        assert_eq!(added(&text, &manifest(&text, "a-new").unwrap()).len(), 2);
        assert_eq!(added(&code, &registry(&code, "zz-new").unwrap()).len(), 1);
    }
}
