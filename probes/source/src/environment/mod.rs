//! Variables that a program declares, against those that its deployment sets.

mod names;
mod value;

use std::{collections::BTreeMap, fs, io::Read as _, path::Path};

use readygate_sdk::{Cx, ErrorKind, Location, ProbeError};

use crate::{EnvironmentConfig, EnvironmentRecord, State, Variable};
use names::Named;

/// A file of variables is larger only by mistake.
const LARGEST_FILE: u64 = 4 << 20;

/// Reads both sides. Blocks.
///
/// # Errors
/// [`ErrorKind::BadData`] for a file that cannot be read, with its line where it has one;
/// [`ErrorKind::NoData`] when nothing is declared.
pub(crate) fn measure(
    config: &EnvironmentConfig,
    cx: &Cx,
) -> Result<EnvironmentRecord, ProbeError> {
    let declared = names::read(&config.declared, &text(&config.declared, cx)?, true)?;
    if declared.is_empty() {
        let message = "declares no variable";
        return Err(ProbeError::new(
            ErrorKind::NoData,
            &config.declared,
            "reading it",
            message,
        ));
    }
    let examples: BTreeMap<String, String> = declared
        .iter()
        .map(|named| (named.name.clone(), named.value.clone()))
        .collect();
    let mut variables: BTreeMap<String, Variable> = BTreeMap::new();
    for named in declared {
        let optional = named.optional || config.optional.contains(&named.name);
        let entry = variable(&mut variables, &named.name);
        entry.declared = true;
        entry.optional = optional;
    }
    for path in &config.deployed {
        for named in names::read(path, &text(path, cx)?, false)? {
            let example = examples.get(&named.name).map_or("", String::as_str);
            let state = state(&named, example);
            let entry = variable(&mut variables, &named.name);
            entry.state = Some(state);
            entry.location = Some(Location {
                file: path.clone(),
                line: named.line,
                column: None,
            });
        }
    }
    by_name(config, cx, &mut variables);
    Ok(EnvironmentRecord {
        variables: variables.into_values().collect(),
    })
}

/// Names alone, and the gate's own environment, say less than a file and never overrule one.
fn by_name(config: &EnvironmentConfig, cx: &Cx, variables: &mut BTreeMap<String, Variable>) {
    for name in &config.names {
        variable(variables, name).state.get_or_insert(State::Named);
    }
    if config.process {
        // Only what is declared: PATH and HOME are nobody's configuration.
        let wanted = variables
            .values_mut()
            .filter(|v| v.declared && v.state.is_none());
        for entry in wanted {
            if let Some(value) = cx.environment().get(&entry.name) {
                entry.state = Some(value::state(&entry.name, value, ""));
            }
        }
    }
}

fn state(named: &Named, example: &str) -> State {
    if named.opaque {
        State::Named
    } else {
        value::state(&named.name, &named.value, example)
    }
}

fn variable<'a>(variables: &'a mut BTreeMap<String, Variable>, name: &str) -> &'a mut Variable {
    variables
        .entry(name.to_owned())
        .or_insert_with(|| Variable {
            name: name.to_owned(),
            declared: false,
            optional: false,
            state: None,
            location: None,
        })
}

fn text(path: &str, cx: &Cx) -> Result<String, ProbeError> {
    read(&cx.resolve(path)).map_err(|message| {
        ProbeError::new(ErrorKind::BadData, path, "reading the variables", message)
            .hint("the path is relative to the folder of the config")
    })
}

fn read(path: &Path) -> Result<String, String> {
    // Opening a FIFO waits for whoever writes to it.
    if !fs::metadata(path).map_err(|e| e.to_string())?.is_file() {
        return Err("not a regular file".to_owned());
    }
    let file = fs::File::open(path).map_err(|e| e.to_string())?;
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| e.to_string())?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(format!("larger than {LARGEST_FILE} bytes"));
    }
    let text = String::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())?;
    Ok(text
        .strip_prefix('\u{feff}')
        .map_or(text.clone(), str::to_owned))
}
