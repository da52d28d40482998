//! The process environment: the one place that reads it.

use std::collections::BTreeMap;

/// A snapshot of the environment, taken once at start.
#[derive(Debug, Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

/// What every child process gets. Nothing here carries credentials.
const HARMLESS: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "TEMP",
    "TERM",
    "CI",
    "CI_DEPLOY_FREEZE",
    "NO_COLOR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "CARGO_TARGET_DIR",
    "GOPATH",
    "GOCACHE",
    "GOMODCACHE",
    "JAVA_HOME",
    "NVM_DIR",
    "PNPM_HOME",
    "VIRTUAL_ENV",
    "PYENV_ROOT",
];

impl Environment {
    /// The environment of this process; names and values that are not UTF-8 are left out.
    pub fn of_process() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the environment"
        )]
        let all = std::env::vars_os();
        Self(
            all.filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
                .collect(),
        )
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All variables.
    pub fn all(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// The environment of a child process: the harmless variables and those passed on by name.
    pub fn for_children<'a>(
        &self,
        pass: impl IntoIterator<Item = &'a String>,
    ) -> BTreeMap<String, String> {
        let named = pass
            .into_iter()
            .map(String::as_str)
            .chain(HARMLESS.iter().copied());
        let mut kept: BTreeMap<String, String> = named
            .filter_map(|name| Some((name.to_owned(), self.get(name)?.to_owned())))
            .collect();
        let locale = self.0.iter().filter(|(name, _)| name.starts_with("LC_"));
        kept.extend(locale.map(|(name, value)| (name.clone(), value.clone())));
        kept
    }
}

impl From<BTreeMap<String, String>> for Environment {
    fn from(variables: BTreeMap<String, String>) -> Self {
        Self(variables)
    }
}
