//! Whether a record is of the commit that is released. Errors are sentences that begin after the
//! record's name.

use readygate_sdk::Masker;

use crate::{
    record::Run,
    signoff::{self, Inputs, vector::shown},
};

/// The shortest start of a hash that names a commit.
const SHORTEST: usize = 7;

/// The commit that the config names; where it names none, the artifact is what is released, else
/// the commit of the work tree.
pub fn of_this_commit(run: &Run, inputs: &Inputs<'_>, masker: &Masker) -> Result<(), String> {
    let config = inputs.config;
    let Some(named) = &config.target.commit else {
        return if config.artifact.is_some() {
            // The same artifact is the same thing, whatever commit the work tree is at.
            Ok(())
        } else {
            of_this_work_tree(run, inputs)
        };
    };
    let is = shown(named, masker);
    let Some(was) = &run.target.commit else {
        return Err(format!(
            "names no commit, and the config releases {is}; run the gates again"
        ));
    };
    let same_words = *was == is;
    if same_words && is_hash(named) {
        return Ok(());
    }
    if is_release(was, named, run, inputs)? {
        return Ok(());
    }
    match (same_words, signoff::resolves(config, named)) {
        // What git does not know names no commit at all.
        (true, false) => of_this_work_tree(run, inputs),
        (true, true) => Err(format!(
            "is of `{was}`, which does not say what commit that was; run the gates again"
        )),
        (false, _) => Err(another(was, &format!("the config releases {is}"))),
    }
}

/// Where nothing else names what is released.
fn of_this_work_tree(run: &Run, inputs: &Inputs<'_>) -> Result<(), String> {
    let named = run.target.commit.as_ref().filter(|name| is_hash(name));
    let was = run.target.head.as_ref().or(named);
    match (was, signoff::head(inputs.config)) {
        (None, None) => Ok(()),
        (Some(was), Some(is)) if *was == is || is_release(was, &is, run, inputs)? => Ok(()),
        (Some(was), Some(is)) => Err(another(was, &format!("the work tree is at {is}"))),
        (None, Some(is)) => Err(format!(
            "names no commit, and the work tree is at {is}; run the gates again"
        )),
        (Some(was), None) => Err(format!(
            "is of commit {was}, and nothing says which commit is released here: the config names \
             neither `target.commit` nor `artifact`, and is in no git work tree; decide in a \
             checkout of the release, or let the config say it: target: {{ commit: \
             \"${{CI_COMMIT_SHA}}\" }}"
        )),
    }
}

fn is_release(was: &str, is: &str, run: &Run, inputs: &Inputs<'_>) -> Result<bool, String> {
    signoff::is_release_of(was, is, run, inputs)
        .map_err(|why| format!("may be of another commit: {why}"))
}

fn another(was: &str, is: &str) -> String {
    format!(
        "is of commit {was}, and {is}; only statements and requests may differ, so run the gates \
         again"
    )
}

/// A hash, or enough of its start.
fn is_hash(text: &str) -> bool {
    text.len() >= SHORTEST && text.bytes().all(|b| b.is_ascii_hexdigit())
}
