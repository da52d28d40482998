//! What the name of a ref means. Whoever may push a tag must not get to choose the rules, so that
//! names are read more narrowly than git reads them.

use gix::{Id, ObjectId, Reference, Repository, prelude::ObjectIdExt as _};

use super::origin::{OriginError, chain, error, incomplete, missing};

/// Where short names are looked for, with what may follow the name.
const SPACES: [(&str, &str); 5] = [
    ("refs/tags/", ""),
    ("refs/heads/", ""),
    ("refs/remotes/", ""),
    ("refs/remotes/", "/HEAD"),
    ("refs/", ""),
];

/// The object that a name stands for, the operators after it (`~2`, `^{}`) applied.
///
/// # Errors
/// No such ref or commit, a name that means two things, a tag that is not written as one.
pub fn find<'r>(reference: &str, repository: &'r Repository) -> Result<Id<'r>, OriginError> {
    let end = reference.find(['~', '^']).unwrap_or(reference.len());
    let (name, operators) = reference.split_at(end);
    refuse_odd(reference, name)?;
    // A hash is a hash, and never the name of a branch.
    let named = match ObjectId::from_hex(name.as_bytes()) {
        Ok(_) => None,
        Err(_) => exact(name, repository)?,
    };
    let id = match named {
        Some(mut found) => found
            .peel_to_id()
            .map_err(|e| incomplete(reference, repository, &chain(&e)))?,
        None => commit(reference, name, repository)?,
    };
    if operators.is_empty() {
        return Ok(id);
    }
    // From the commit that was found on, and not from the name, which git would look up again.
    let spec = format!("{id}{operators}");
    repository
        .rev_parse_single(spec.as_str())
        .map_err(|_| missing(reference, repository))
}

/// Whether there is anything of this name, trusted or not.
pub fn is_known(reference: &str, repository: &Repository) -> bool {
    let is_name = refuse_odd(reference, reference).is_ok();
    is_name
        && (!matches!(exact(reference, repository), Ok(None))
            || commit(reference, reference, repository).is_ok())
}

/// `@{u}`, `main:path`, `a..b`: no names, and not looked up as such.
fn refuse_odd(reference: &str, name: &str) -> Result<(), OriginError> {
    let odd = |c: char| c.is_whitespace() || c.is_control() || ":?*[\\".contains(c);
    if name.is_empty() || name.contains(odd) || name.contains("@{") || name.contains("..") {
        return Err(error(
            format!("`{reference}` cannot be read: it is no name of a ref, tag or commit"),
            "write the ref in full, as in refs/remotes/origin/main",
        ));
    }
    Ok(())
}

/// The one ref that has the name; `None` where none has.
fn exact<'r>(name: &str, repository: &'r Repository) -> Result<Option<Reference<'r>>, OriginError> {
    // Git would go on to `refs/tags/refs/...`, which is a tag of this name.
    if name.starts_with("refs/") {
        return Ok(at(name, repository));
    }
    let mut found: Vec<(String, Reference<'r>)> = Vec::new();
    let spaces = SPACES
        .iter()
        .map(|(space, end)| format!("{space}{name}{end}"));
    // `HEAD`, `ORIG_HEAD`: beside all refs.
    let pseudo = name.ends_with("HEAD") && !name.contains('/');
    for full in pseudo.then(|| name.to_owned()).into_iter().chain(spaces) {
        found.extend(at(&full, repository).map(|reference| (full, reference)));
    }
    if let [(first, _), (second, _), ..] = found.as_slice() {
        return Err(error(
            format!("`{name}` means both `{first}` and `{second}`"),
            "write the one that you trust in full",
        ));
    }
    let Some((full, found)) = found.pop() else {
        return Ok(None);
    };
    if full.starts_with("refs/tags/") {
        let branch = missing(name, repository).help;
        return Err(error(
            format!("`{name}` is only a tag here, and no branch"),
            format!("{branch}; or write {full} if you trust the tag"),
        ));
    }
    Ok(Some(found))
}

fn at<'r>(full: &str, repository: &'r Repository) -> Option<Reference<'r>> {
    let found = repository.try_find_reference(full).ok().flatten();
    found.filter(|found| found.name().as_bstr() == full)
}

/// A commit by its hash, in full or abbreviated.
fn commit<'r>(
    reference: &str,
    name: &str,
    repository: &'r Repository,
) -> Result<Id<'r>, OriginError> {
    let unknown = || missing(reference, repository);
    if !name.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(unknown());
    }
    if let Ok(id) = ObjectId::from_hex(name.as_bytes()) {
        let found = repository.find_header(id).is_ok();
        return found.then(|| id.attach(repository)).ok_or_else(unknown);
    }
    repository.rev_parse_single(name).map_err(|_| unknown())
}
