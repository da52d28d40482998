//! Whether a record is of the commit that is released. Errors are sentences that begin after the
//! record's name.

use readygate_sdk::Masker;

use crate::{
    policy::Origin,
    record::Run,
    signoff::{self, Inputs, vector::shown},
};

/// The shortest start of a hash that names a commit.
const SHORTEST: usize = 7;
/// What helps wherever git cannot tell.
const NAME_IT: &str = "let the config say it: target: { commit: \"${CI_COMMIT_SHA}\" }";

/// The commit that the config names; where it names none, the artifact is what is released, else
/// the commit of the work tree.
pub fn of_this_commit(run: &Run, inputs: &Inputs<'_>, masker: &Masker) -> Result<(), String> {
    let config = inputs.config;
    let Some(named) = &config.target.commit else {
        return if config.artifact.is_some() {
            // The same artifact is the same thing, whatever commit the work tree is at.
            Ok(())
        } else {
            let why = "the config names neither `target.commit` nor `artifact`";
            of_this_work_tree(run, inputs, why)
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
        (true, false) => {
            let why = format!("`target.commit` is `{is}`, by which git knows no commit here");
            of_this_work_tree(run, inputs, &why)
        }
        (true, true) => Err(format!(
            "is of `{was}`, which does not say what commit that was; run the gates again"
        )),
        (false, true) => Err(another(was, &format!("the config releases {is}"))),
        (false, false) => Err(unknown(was, &is)),
    }
}

/// Where nothing else names what is released, for the reason given.
fn of_this_work_tree(run: &Run, inputs: &Inputs<'_>, unnamed: &str) -> Result<(), String> {
    let named = run.target.commit.as_ref().filter(|name| is_hash(name));
    let was = run.target.head.as_ref().or(named);
    match (was, signoff::head(inputs.config)) {
        // A ref is in a clone, and a record that names none of its commits would be good for all.
        (None, None) if matches!(inputs.config.origin, Origin::Ref(_)) => Err(format!(
            "names no commit, and nothing says which commit is released here: {unnamed}, and no git \
             work tree here is at a commit; check out the release, and run the gates again"
        )),
        (None, None) => Ok(()),
        (Some(was), Some(is)) if *was == is || is_release(was, &is, run, inputs)? => Ok(()),
        (Some(was), Some(is)) => Err(another(was, &format!("the work tree is at {is}"))),
        (None, Some(is)) => Err(format!(
            "names no commit, and the work tree is at {is}: where the gates ran there was no git \
             work tree; run them again in one (a container needs `.git` too), or {NAME_IT}"
        )),
        (Some(was), None) => Err(format!(
            "is of commit {was}, and nothing says which commit is released here: {unnamed}, and no \
             git work tree here is at a commit; decide in a checkout of the release, or {NAME_IT}"
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

/// A squash, or the merge of a pull request, is in no branch: only its name fetches it.
fn unknown(was: &str, is: &str) -> String {
    let way_out = if is_hash(is) && matches!(is.len(), 40 | 64) {
        format!("fetch it, git fetch origin {is}, or")
    } else {
        "give its full hash, or".to_owned()
    };
    format!(
        "is of commit {was}, and the config releases {is}, which git does not know here, so that \
         nothing tells whether only statements differ; {way_out} run the gates again"
    )
}

/// A hash, or enough of its start.
fn is_hash(text: &str) -> bool {
    text.len() >= SHORTEST && text.bytes().all(|b| b.is_ascii_hexdigit())
}
