//! `readygate diff-policy`

use std::path::{Path, PathBuf};

use clap::Args;
use readygate_sdk::{Clock as _, SystemClock, defang};

use super::{output::Terminal, sign};
use crate::{
    config::Environment,
    exit,
    policy::{
        Approval, Documents, Origin, OriginError, Owner,
        diff::{self, Diff},
    },
    signoff::config::DIRECTORY,
};

/// The name of a config in a folder.
const FILE: &str = "readygate.yaml";

/// Arguments of `diff-policy`.
#[derive(Debug, Args)]
pub struct DiffPolicyArgs {
    /// The policy that holds: a config file, a folder with a readygate.yaml, or REF:PATH in git. A
    /// path that has a colon in it starts with `./` or `/`.
    #[arg(value_name = "BASE")]
    base: String,
    /// The policy that is proposed.
    #[arg(value_name = "HEAD")]
    head: String,
    /// As JSON.
    #[arg(long)]
    json: bool,
    /// Folder of signed approvals.
    #[arg(long, value_name = "DIR", default_value = DIRECTORY)]
    signoffs: PathBuf,
    /// Sign what is looser, in the name of the policy's owner.
    #[arg(long)]
    approve: bool,
    /// Private key, or public key whose private half is in the agent; `agent` for the only key
    /// that the agent holds. One of ~/.ssh unless given.
    #[arg(long, value_name = "PATH", requires = "approve")]
    key: Option<PathBuf>,
    /// Who you are in the allowed_signers file, where several may hold the role.
    #[arg(long, requires = "approve")]
    principal: Option<String>,
    /// Why it may be looser.
    #[arg(long, value_name = "TEXT", requires = "approve")]
    reason: Option<String>,
    /// Sign without asking; needed where nobody can be asked.
    #[arg(long, requires = "approve")]
    yes: bool,
}

/// Compares two policies: 0 when nothing is looser, 1 when something is and lacks the signature of
/// the policy's owner, 2 when one of them cannot be read.
pub fn main(args: &DiffPolicyArgs, terminal: &Terminal, environment: &Environment) -> u8 {
    let (base, head) = match (read(&args.base, terminal), read(&args.head, terminal)) {
        (Ok(base), Ok(head)) => (base, head),
        (Err(code), _) | (_, Err(code)) => return code,
    };
    let found = diff::diff(&base, &head);
    // Who decides is said by the policy that holds, never by the one that is proposed.
    let owner = Owner::of(&base);
    if args.approve {
        return approve(args, &found, (&base, &head), owner, terminal, environment);
    }
    let looked = match &owner {
        Ok(owner) if found.is_looser() => owner.approval(&found, &args.signoffs, SystemClock.now()),
        _ => Ok((None, Vec::new())),
    };
    let (approval, refused) = match looked {
        Ok(looked) => looked,
        Err(message) => return terminal.usage_error(&message),
    };
    let code = if found.is_looser() && approval.is_none() {
        exit::NO_GO
    } else {
        exit::GO
    };
    let text = if args.json {
        let object = diff::json(&found, (&base, &head), (approval.as_ref(), &refused));
        format!("{object:#}\n")
    } else {
        let mut text = diff::text(&found, &base, &head);
        if found.is_looser() {
            text += &sentence(&found.digest, owner.as_ref(), approval.as_ref(), &refused);
        }
        text
    };
    terminal.result(text.as_bytes(), code)
}

/// Who approved, or who is missing and why.
fn sentence(
    digest: &str,
    owner: Result<&Owner, &String>,
    approval: Option<&Approval>,
    refused: &[String],
) -> String {
    if let Some(approval) = approval {
        let Approval {
            principal,
            role,
            expires,
            file,
            ..
        } = approval;
        return defang(&format!(
            "approved by {principal} as {role} until {expires}: {file}"
        )) + "\n";
    }
    let refused = refused
        .iter()
        .map(|why| format!("does not count: {}", defang(why)));
    let last = match owner {
        Ok(owner) => format!("needs the signature of `{}` over {digest}", owner.name()),
        Err(why) => format!("nobody can approve it: {}", defang(why)),
    };
    refused.chain([last]).map(|line| line + "\n").collect()
}

fn approve(
    args: &DiffPolicyArgs,
    found: &Diff,
    (base, head): (&Documents, &Documents),
    owner: Result<Owner, String>,
    terminal: &Terminal,
    environment: &Environment,
) -> u8 {
    if !found.is_looser() {
        return terminal.usage_error("nothing is looser, so there is nothing to sign");
    }
    let shown = terminal.print(diff::text(found, base, head).as_bytes());
    if shown.is_err() {
        return terminal.usage_error("what is signed could not be shown, so it is not signed");
    }
    let signed = owner.and_then(|owner| {
        let principal = owner.principal(args.principal.as_deref())?;
        if !sign::ask("approve", args.yes, terminal)? {
            return Err("not confirmed".to_owned());
        }
        let held = tempfile::tempdir().map_err(|e| format!("no temporary folder: {e}"))?;
        let key = sign::find_key(args.key.as_deref(), environment, held.path())?;
        let by = (principal, args.reason.clone());
        owner.sign(found, by, &key, &args.signoffs, SystemClock.now())
    });
    match signed {
        Ok(path) => {
            let path = path.display();
            let line = format!("signed: {path} and {path}.sig\n");
            terminal.result(line.as_bytes(), exit::GO)
        }
        Err(message) => {
            terminal.complain(&format!("not signed: {}", defang(&message)));
            exit::NO_GO
        }
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

/// What a name means is told by its form alone: files of a change must not be able to stand in for
/// the ref that they are compared with.
fn side(name: &str) -> Result<(Origin, PathBuf), OriginError> {
    let path = Path::new(name);
    let is_path = path.is_absolute() || ["./", "../"].iter().any(|p| name.starts_with(p));
    let (origin, path) = match name.split_once(':') {
        _ if is_path && path.exists() => (Origin::Disk, path.to_owned()),
        Some((reference, path)) if !is_path => {
            let origin = Origin::of_ref(reference)?;
            let path = origin.from_root(path);
            (origin, path)
        }
        _ if is_path => {
            return Err(OriginError {
                message: "no such file or folder".to_owned(),
                help: String::new(),
            });
        }
        _ if path.exists() && Origin::is_ref(name) => {
            return Err(OriginError {
                message: "is both a path and a git ref".to_owned(),
                help: format!("write ./{name} for the path, or {name}: for the ref"),
            });
        }
        _ if path.exists() => (Origin::Disk, path.to_owned()),
        _ => {
            return Err(OriginError {
                message: "no such file or folder".to_owned(),
                help: format!("for a git ref, write {name}:PATH, or {name}: for {FILE}"),
            });
        }
    };
    let path = if origin.is_folder(&path) {
        path.join(FILE)
    } else {
        path
    };
    Ok((origin, path))
}
