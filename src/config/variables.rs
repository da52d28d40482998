//! `${NAME}`: interpolation of parsed values, never of raw text.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    decode::Sink,
    diagnostic::Diagnostic,
    yaml::{Kind, Node, is_null},
};

/// Where values come from, and which of them are secret.
#[derive(Debug, Default, Clone)]
pub struct Variables {
    /// From `--var` first, then the environment, then `target.variables`.
    values: BTreeMap<String, String>,
    secret_names: BTreeSet<String>,
}

impl Variables {
    /// Values of the environment and of `--var`.
    pub fn new(values: BTreeMap<String, String>) -> Self {
        Self {
            values,
            secret_names: BTreeSet::new(),
        }
    }

    /// Adds a value that others outrank.
    pub fn add_default(&mut self, name: &str, value: &str) {
        self.values
            .entry(name.to_owned())
            .or_insert_with(|| value.to_owned());
    }

    /// Declares a name secret, as `secrets:` does.
    pub fn add_secret(&mut self, name: &str) {
        self.secret_names.insert(name.to_owned());
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Values of all names declared secret.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.secret_names.iter().filter_map(|name| self.get(name))
    }

    /// Whether a name is declared secret, or says so itself.
    pub fn is_secret(&self, name: &str) -> bool {
        const TELLING: [&str; 10] = [
            "PASSWORD",
            "PASSWD",
            "PASSPHRASE",
            "SECRET",
            "TOKEN",
            "CREDENTIAL",
            "PRIVATE_KEY",
            "API_KEY",
            "APIKEY",
            "ACCESS_KEY",
        ];
        /// At the end only: `PWD` is a folder, and tests pass.
        const ENDINGS: [&str; 2] = ["_PASS", "_PWD"];
        let upper = name.to_uppercase();
        self.secret_names.contains(name)
            || TELLING.iter().any(|word| upper.contains(word))
            || ENDINGS.iter().any(|word| upper.ends_with(word))
    }

    /// Replaces `${NAME}`, `${NAME:-default}` and `$$` in every scalar below `node`.
    pub fn interpolate(&self, node: &mut Node, sink: &Sink) {
        match &mut node.kind {
            Kind::Sequence(items) => items.iter_mut().for_each(|n| self.interpolate(n, sink)),
            Kind::Mapping(entries) => {
                for entry in entries {
                    self.interpolate(&mut entry.value, sink);
                }
            }
            Kind::Scalar { text, plain } if text.contains('$') => {
                let (expanded, used) = self.expand(text, |problem| {
                    sink.report(Diagnostic {
                        span: Some(node.span),
                        ..problem
                    });
                });
                // `"${COUNT}"` in a flow list can only be written quoted and still means a number.
                // A value `null`, as jq prints for what is not there, is no way to leave a key out.
                *plain = (*plain || !used.is_empty()) && !is_null(&expanded);
                *text = expanded;
                for name in used {
                    let Some(value) = self.get(&name) else {
                        continue;
                    };
                    sink.add_value(node, value);
                    if self.is_secret(&name) {
                        sink.add_secret(value);
                    }
                }
            }
            Kind::Scalar { .. } => {}
        }
    }

    fn expand(&self, text: &str, mut report: impl FnMut(Diagnostic)) -> (String, Vec<String>) {
        let mut out = String::with_capacity(text.len());
        let mut used = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            out.push_str(&rest[..at]);
            let after = &rest[at + 1..];
            if let Some(tail) = after.strip_prefix('$') {
                out.push('$');
                rest = tail;
            } else if let Some(tail) = after.strip_prefix('{') {
                let Some(end) = tail.find('}') else {
                    report(
                        Diagnostic::nowhere("`${` without `}`")
                            .help("write `$$` for a plain dollar sign"),
                    );
                    return (out, used);
                };
                let (name, default) = match tail[..end].split_once(":-") {
                    Some((name, default)) => (name, Some(default)),
                    None => (&tail[..end], None),
                };
                let value = self
                    .get(name)
                    .filter(|v| !(v.is_empty() && default.is_some()));
                if let Some(value) = value.or(default) {
                    out.push_str(value);
                } else {
                    // Left as it is, so that one mistake does not look like two.
                    out.push_str(&rest[at..=at + end + 2]);
                    report(self.undefined(name));
                }
                used.push(name.to_owned());
                rest = &tail[end + 1..];
            } else {
                out.push('$');
                rest = after;
            }
        }
        out.push_str(rest);
        (out, used)
    }

    fn undefined(&self, name: &str) -> Diagnostic {
        let valid = !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !name.starts_with(|c: char| c.is_ascii_digit());
        if !valid {
            return Diagnostic::nowhere(format!("`${{{name}}}` does not name a variable"))
                .help("names are letters, digits and `_`; write `$${` for the two characters");
        }
        let known: Vec<&str> = self.values.keys().map(String::as_str).collect();
        let near = super::diagnostic::nearest(name, &known);
        let near = near.map_or_else(String::new, |n| format!("did you mean `{n}`? "));
        Diagnostic::nowhere(format!("`${{{name}}}` is not defined")).help(format!(
            "{near}set it in the environment, under `target.variables`, or write `${{{name}:-default}}`"
        ))
    }
}

/// A text without the defaults of its variables: `< ${LIMIT:-50ms}` is `< ${LIMIT}`. `None` where it
/// uses no variable.
pub fn template(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut uses = false;
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(tail) = after.strip_prefix('$') {
            out.push_str("$$");
            rest = tail;
            continue;
        }
        let inside = after
            .strip_prefix('{')
            .and_then(|tail| tail.split_once('}'));
        let Some((inside, tail)) = inside else {
            out.push('$');
            rest = after;
            continue;
        };
        let name = inside.split_once(":-").map_or(inside, |(name, _)| name);
        out.push_str("${");
        out.push_str(name);
        out.push('}');
        uses = true;
        rest = tail;
    }
    out.push_str(rest);
    uses.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(text: &str) -> (String, usize) {
        let variables = Variables::new(
            [
                ("A".to_owned(), "x\": [".to_owned()),
                ("E".into(), String::new()),
            ]
            .into(),
        );
        let mut problems = 0;
        let (out, _) = variables.expand(text, |_| problems += 1);
        (out, problems)
    }

    #[test]
    fn values_are_text_and_never_syntax() {
        assert_eq!(expand("a ${A} b"), ("a x\": [ b".into(), 0));
        assert_eq!(expand("${B:-c} ${E:-d}[${E}]"), ("c d[]".into(), 0));
        assert_eq!(expand("$$A $${A} $A 5$"), ("$A ${A} $A 5$".into(), 0));
    }

    #[test]
    fn templates_keep_the_names_and_not_the_defaults() {
        let of = |text| template(text).unwrap_or_default();
        assert_eq!(of("< ${LIMIT:-50ms}"), "< ${LIMIT}");
        assert_eq!(of("${A}/$${B}$${A:-x}"), "${A}/$${B}$${A:-x}");
        assert_eq!(of("a $${B} $ ${"), "");
    }

    #[test]
    fn names_tell_of_secrets() {
        let variables = Variables::default();
        for name in [
            "DB_PASS",
            "GPG_PASSPHRASE",
            "X_ApiKey",
            "AWS_ACCESS_KEY_ID",
            "mysql_pwd",
        ] {
            assert!(variables.is_secret(name), "{name}");
        }
        for name in ["PWD", "OLDPWD", "PASS_RATE", "KEYBOARD", "PATH"] {
            assert!(!variables.is_secret(name), "{name}");
        }
    }

    #[test]
    fn undefined_and_malformed_are_errors() {
        assert_eq!(expand("${B}").1, 1);
        assert_eq!(expand("${A").1, 1);
        assert_eq!(expand("${a b}").1, 1);
    }
}
