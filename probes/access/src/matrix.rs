//! The matrix of roles and routes.

use std::{collections::BTreeMap, path::Path};

use readygate_sdk::{Cx, ErrorKind, ProbeError};
use readygate_web::{Method, Statuses};
use serde::Deserialize;

use crate::config::{AccessConfig, reads};

const LARGEST: u64 = 1 << 20;
const MOST_ROWS: usize = 500;

/// One route, and what every role must get.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    #[serde(default)]
    pub(crate) method: Method,
    pub(crate) path: String,
    /// Status codes by role.
    #[serde(rename = "roles")]
    pub(crate) cells: BTreeMap<String, Statuses>,
    /// Line in the file.
    #[serde(skip)]
    line: usize,
}

/// Reads the matrix of a gate.
pub(crate) async fn read(
    path: &str,
    writes: bool,
    config: &AccessConfig,
    cx: &Cx,
) -> Result<Vec<Row>, ProbeError> {
    let file = cx.resolve(path);
    let shown = path.to_owned();
    let users: Vec<String> = config.users.keys().cloned().collect();
    let phase = "reading the matrix";
    cx.blocking(path, phase, move || {
        let rows = load(&file).and_then(|rows| check(rows, writes, &users));
        rows.map_err(|message| {
            ProbeError::new(ErrorKind::BadData, shown, phase, message)
                .hint("CSV: `method,path,anonymous,USER`; YAML: a list of {method, path, roles: {USER: STATUS}}")
        })
    })
    .await
}

fn load(file: &Path) -> Result<Vec<Row>, String> {
    let size = std::fs::metadata(file).map_err(|e| e.to_string())?.len();
    if size > LARGEST {
        return Err(format!("{size} bytes; at most {LARGEST} are read"));
    }
    let text = std::fs::read_to_string(file).map_err(|e| e.to_string())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let kind = file
        .extension()
        .and_then(|e| e.to_str())
        .unwrap_or_default();
    if kind.eq_ignore_ascii_case("csv") {
        csv(text)
    } else {
        serde_saphyr::from_str(text).map_err(|e| e.to_string())
    }
}

fn csv(text: &str) -> Result<Vec<Row>, String> {
    let mut lines = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim()));
    let mut lines = lines
        .by_ref()
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let (number, head) = lines.next().ok_or("the file is empty")?;
    let head: Vec<_> = head.split(',').map(str::trim).collect();
    let [method, path, roles @ ..] = head.as_slice() else {
        return Err(format!(
            "line {number}: the columns begin with `method,path`"
        ));
    };
    if !method.eq_ignore_ascii_case("method")
        || !path.eq_ignore_ascii_case("path")
        || roles.is_empty()
    {
        return Err(format!(
            "line {number}: the columns are `method`, `path` and one for each role"
        ));
    }
    let mut rows = Vec::new();
    for (line, text) in lines {
        let cells: Vec<_> = text.split(',').map(str::trim).collect();
        let [method, path, cells @ ..] = cells.as_slice() else {
            return Err(format!("line {line}: a method and a path are missing"));
        };
        if cells.len() != roles.len() {
            return Err(format!(
                "line {line}: {} cells for {} roles",
                cells.len(),
                roles.len()
            ));
        }
        let at = |column: usize| format!("line {line}, column {}", column + 3);
        let method = method_of(method)
            .ok_or_else(|| format!("line {line}, column 1: `{method}` is no method"))?;
        let mut row = Row {
            method,
            path: (*path).to_owned(),
            cells: BTreeMap::new(),
            line,
        };
        for (column, (role, cell)) in roles.iter().zip(cells).enumerate() {
            if matches!(*cell, "" | "-") {
                continue;
            }
            let statuses = Statuses::of_text(cell).map_err(|e| format!("{}: {e}", at(column)))?;
            if row.cells.insert((*role).to_owned(), statuses).is_some() {
                return Err(format!("{}: the role `{role}` has two columns", at(column)));
            }
        }
        rows.push(row);
    }
    Ok(rows)
}

fn method_of(text: &str) -> Option<Method> {
    serde_json::from_value(text.to_ascii_uppercase().into()).ok()
}

fn check(rows: Vec<Row>, writes: bool, users: &[String]) -> Result<Vec<Row>, String> {
    if rows.is_empty() {
        return Err("the file has no route".to_owned());
    }
    if rows.len() > MOST_ROWS {
        return Err(format!("{} routes; at most {MOST_ROWS}", rows.len()));
    }
    for (index, row) in rows.iter().enumerate() {
        let at = match row.line {
            0 => format!("route {}", index + 1),
            line => format!("line {line}"),
        };
        if row.path.is_empty() {
            return Err(format!("{at}: the path is empty"));
        }
        if row.cells.is_empty() {
            return Err(format!("{at}: `{}` says nothing of any role", row.path));
        }
        if !writes && !reads(row.method) {
            return Err(format!(
                "{at}: {} changes data; `writes: true` lets it",
                http::Method::from(row.method)
            ));
        }
        let known = |role: &String| role == "anonymous" || users.contains(role);
        if let Some(role) = row.cells.keys().find(|role| !known(role)) {
            return Err(format!("{at}: no user `{role}` in `users`"));
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matrices_are_read() {
        let rows =
            csv("# who may\nmethod, path, anonymous, user\nGET,/a,401|403,2xx\n\nget,/b,-,200\n")
                .unwrap();
        assert_eq!(rows.len(), 2);
        assert!(rows[0].cells["anonymous"].allow(403));
        assert_eq!(rows[1].cells.len(), 1);
        let users = ["user".to_owned()];
        assert!(check(rows, false, &users).is_ok());
        let yaml = "- {path: /a, roles: {anonymous: 401, user: [200, 204]}}";
        let rows: Vec<Row> = serde_saphyr::from_str(yaml).unwrap();
        assert!(check(rows, false, &users).is_ok());
    }

    #[test]
    fn mistakes_have_a_place() {
        for (text, says) in [
            ("", "empty"),
            ("path,method,a\n", "columns"),
            ("method,path,user\nGET,/a,700\n", "line 2, column 3"),
            ("method,path,user\nGET,/a\n", "line 2: 0 cells"),
            ("method,path,user\nFETCH,/a,200\n", "line 2, column 1"),
            (
                "method,path,user\n\nDELETE,/a,200\n",
                "line 3: DELETE changes data",
            ),
            ("method,path,root\nGET,/a,200\n", "no user `root`"),
            ("method,path,user\nGET,/a,-\n", "nothing of any role"),
        ] {
            let error = csv(text)
                .and_then(|rows| check(rows, false, &["user".to_owned()]))
                .unwrap_err();
            assert!(error.contains(says), "{text:?}: {error}");
        }
    }
}
