//! `readygate diff-policy`

use std::path::{Path, PathBuf};

use clap::Args;

use super::output::Terminal;
use crate::{
    exit,
    policy::{Documents, Origin, OriginError, diff},
};

/// The name of a config in a folder.
const FILE: &str = "readygate.yaml";

/// Arguments of `diff-policy`.
#[derive(Debug, Args)]
pub struct DiffPolicyArgs {
    /// The policy that holds: a config file, a folder with a readygate.yaml, or REF:PATH in git.
    #[arg(value_name = "BASE")]
    base: String,
    /// The policy that is proposed.
    #[arg(value_name = "HEAD")]
    head: String,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Compares two policies: 0 when nothing is looser, 1 when something is and lacks the signature of
/// the policy's owner, 2 when one of them cannot be read.
pub fn main(args: &DiffPolicyArgs, terminal: &Terminal) -> u8 {
    let (base, head) = match (read(&args.base, terminal), read(&args.head, terminal)) {
        (Ok(base), Ok(head)) => (base, head),
        (Err(code), _) | (_, Err(code)) => return code,
    };
    let found = diff::diff(&base, &head);
    let code = if found.is_looser() {
        exit::NO_GO
    } else {
        exit::GO
    };
    if args.json {
        let object = diff::json(&found, &base, &head);
        return terminal.result(format!("{object:#}\n").as_bytes(), code);
    }
    let mut text = diff::text(&found, &base, &head);
    if found.is_looser() {
        text += &wanted(&base, &found.digest);
    }
    terminal.result(text.as_bytes(), code)
}

/// Who decides is said by the policy that holds, never by the one that is proposed.
fn wanted(base: &Documents, digest: &str) -> String {
    let owner = base.get("policy").and_then(|p| p.get("owner"));
    match owner.and_then(|owner| owner.text()) {
        Some(owner) => format!("needs the signature of `{owner}` over {digest}\n"),
        None => format!(
            "nobody can approve it: {} names no `policy: {{ owner: ROLE }}`\n",
            base.name
        ),
    }
}

fn read(name: &str, terminal: &Terminal) -> Result<Documents, u8> {
    let (origin, path) = side(name).map_err(|error| {
        let help = match error.help.as_str() {
            "" => String::new(),
            help => format!("; {help}"),
        };
        terminal.usage_error(&format!("{name}: {error}{help}"))
    })?;
    Documents::read(name, &origin, &[path]).map_err(|error| {
        terminal.note(error.render(terminal.color_err, terminal.ascii).trim_end());
        exit::USAGE
    })
}

/// A path on disk where there is one, else a path in a ref.
fn side(name: &str) -> Result<(Origin, PathBuf), OriginError> {
    let (origin, path) = match name.split_once(':') {
        _ if Path::new(name).exists() => (Origin::Disk, PathBuf::from(name)),
        Some((reference, path)) => {
            let origin = Origin::of_ref(reference)?;
            let path = origin.from_root(path);
            (origin, path)
        }
        None => {
            return Err(OriginError {
                message: "no such file or folder".to_owned(),
                help: format!("for a git ref, write {name}:PATH, or {name}: for {FILE}"),
            });
        }
    };
    let path = match origin.is_folder(&path) {
        true => path.join(FILE),
        false => path,
    };
    Ok((origin, path))
}
