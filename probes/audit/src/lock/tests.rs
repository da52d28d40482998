//! Each format, small, and each way in which it can be broken.

#![expect(clippy::too_many_lines, reason = "tables of cases")]

use std::path::Path;

use super::{LockFault, Locked, compare, read};

fn locked(name: &str, text: &str) -> Locked {
    read(Path::new(name), text).unwrap_or_else(|fault| panic!("{name}: {fault:?}"))
}

fn fault(name: &str, text: &str) -> LockFault {
    read(Path::new(name), text)
        .map(|locked| format!("{locked:?}"))
        .unwrap_err()
}

/// `name version` of every package, in order.
fn packages(locked: &Locked) -> Vec<String> {
    let mut all: Vec<String> = locked
        .packages
        .iter()
        .map(super::LockedPackage::name_version)
        .collect();
    all.sort();
    all
}

/// The path to a package.
fn path(locked: &Locked, name: &str) -> String {
    let at = locked.packages.iter().position(|p| p.name == name).unwrap();
    locked.path_to(at, &locked.parents()).join(" > ")
}

#[test]
fn cargo_of_all_versions() {
    let old = "[root]\nname = \"app\"\nversion = \"1.0.0\"\ndependencies = [\n \"a 1.0.0 (registry+https://github.com/rust-lang/crates.io-index)\",\n]\n\n\
        [[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\ndependencies = [\"b 2.0.0\"]\n\n\
        [[package]]\nname = \"b\"\nversion = \"1.0.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n\n\
        [[package]]\nname = \"b\"\nversion = \"2.0.0\"\nsource = \"sparse+https://index.crates.io/\"\n\n\
        [[package]]\nname = \"c\"\nversion = \"1.0.0\"\nsource = \"git+https://example.com/c#abc\"\n";
    let lock = locked("Cargo.lock", old);
    assert_eq!(packages(&lock), ["a 1.0.0", "b 1.0.0", "b 2.0.0"]);
    let at = lock
        .packages
        .iter()
        .position(|p| p.version == "2.0.0")
        .unwrap();
    assert_eq!(
        lock.path_to(at, &lock.parents()),
        ["app 1.0.0", "a 1.0.0", "b 2.0.0"]
    );
    assert_eq!(
        (
            lock.local,
            lock.unmatched.len(),
            lock.unmatched[0].from_registry
        ),
        (1, 1, false)
    );
    assert!(
        fault("Cargo.lock", "version = 4\n[[package]]\nname = \"a\"\nver")
            .line
            .is_some()
    );
}

#[test]
fn npm_of_all_versions() {
    let flat = r#"{"name":"app","lockfileVersion":3,"packages":{
        "":{"name":"app","dependencies":{"a":"^1.0.0","alias":"npm:real@^2.0.0","w":"1.0.0"}},
        "node_modules/a":{"version":"1.0.0","dependencies":{"b":"^2.0.0"}},
        "node_modules/b":{"version":"1.0.0","dev":true},
        "node_modules/a/node_modules/b":{"version":"2.0.0"},
        "node_modules/alias":{"name":"real","version":"2.0.0"},
        "node_modules/g":{"version":"1.0.0","resolved":"git+ssh://git@github.com/x/g.git#abc"},
        "node_modules/w":{"resolved":"packages/w","link":true},
        "packages/w":{"version":"1.0.0","dependencies":{"b":"1"}}}}"#;
    let lock = locked("package-lock.json", flat);
    assert_eq!(
        packages(&lock),
        ["a 1.0.0", "b 1.0.0", "b 2.0.0", "real 2.0.0"]
    );
    let nested = lock
        .packages
        .iter()
        .position(|p| p.version == "2.0.0" && p.name == "b")
        .unwrap();
    assert_eq!(
        lock.path_to(nested, &lock.parents()),
        ["app", "a 1.0.0", "b 2.0.0"]
    );
    assert_eq!((lock.local, lock.unmatched.len()), (2, 1));
    let tree = r#"{"name":"app","lockfileVersion":1,"dependencies":{
        "a":{"version":"1.0.0","requires":{"b":"^2.0.0"},"dependencies":{"b":{"version":"2.0.0"}}},
        "b":{"version":"1.0.0","dev":true},"alias":{"version":"npm:real@2.0.0"},"f":{"version":"file:f"}}}"#;
    let lock = locked("npm-shrinkwrap.json", tree);
    assert_eq!(
        packages(&lock),
        ["a 1.0.0", "b 1.0.0", "b 2.0.0", "real 2.0.0"]
    );
    let nested = lock
        .packages
        .iter()
        .position(|p| p.version == "2.0.0" && p.name == "b")
        .unwrap();
    assert_eq!(
        lock.path_to(nested, &lock.parents()),
        ["app", "a 1.0.0", "b 2.0.0"]
    );
    assert!(
        fault("package-lock.json", r#"{"name":"app","packages":{"#)
            .line
            .is_some()
    );
    assert!(
        fault("package-lock.json", r#"{"name":"app"}"#)
            .reason
            .contains("neither")
    );
}

#[test]
fn yarn_of_all_versions() {
    let classic = "# yarn lockfile v1\n\n\"@s/a@^1.0.0\", \"@s/a@^1.1.0\":\n  version \"1.1.0\"\n  resolved \"https://registry.yarnpkg.com/@s/a/-/a-1.1.0.tgz#abc\"\n  dependencies:\n    b \"^2.0.0\"\n\n\
        b@^2.0.0:\n  version \"2.0.1\"\n\nalias@npm:real@1:\n  version \"1.0.0\"\n\ng@x/g:\n  version \"1.0.0\"\n  resolved \"https://codeload.github.com/x/g/tar.gz/abc\"\n";
    let lock = locked("yarn.lock", classic);
    assert_eq!(packages(&lock), ["@s/a 1.1.0", "b 2.0.1", "real 1.0.0"]);
    assert_eq!(path(&lock, "b"), "the project > @s/a 1.1.0 > b 2.0.1");
    assert_eq!(lock.unmatched.len(), 1);
    let berry = "__metadata:\n  version: 8\n\n\"@s/a@npm:^1.0.0\":\n  version: 1.1.0\n  resolution: \"@s/a@npm:1.1.0\"\n  dependencies:\n    b: \"npm:^2.0.0\"\n  languageName: node\n  linkType: hard\n\n\
        \"alias@npm:real@^1.0.0\":\n  version: 1.0.0\n  resolution: \"real@npm:1.0.0\"\n  linkType: hard\n\n\"b@npm:^2.0.0\":\n  version: 2.0.1\n  resolution: \"b@npm:2.0.1\"\n  linkType: hard\n\n\
        \"app@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"app@workspace:.\"\n  dependencies:\n    \"@s/a\": \"npm:^1.0.0\"\n  linkType: soft\n";
    let lock = locked("yarn.lock", berry);
    assert_eq!(packages(&lock), ["@s/a 1.1.0", "b 2.0.1", "real 1.0.0"]);
    assert_eq!(path(&lock, "b"), "app > @s/a 1.1.0 > b 2.0.1");
    assert!(
        fault("yarn.lock", "a@1:\n  resolved \"x.tgz\"\n")
            .reason
            .contains("no version")
    );
}

#[test]
fn pnpm_of_all_versions() {
    let five = "lockfileVersion: 5.4\nspecifiers:\n  a: ^1.0.0\ndependencies:\n  a: 1.0.0_b@2.0.0\npackages:\n  /a/1.0.0_b@2.0.0:\n    resolution: {integrity: x}\n    dependencies:\n      '@s/b': 2.0.0\n    dev: false\n  /@s/b/2.0.0:\n    resolution: {integrity: x}\n    dev: true\n";
    let six = "lockfileVersion: '6.0'\ndependencies:\n  a:\n    specifier: ^1.0.0\n    version: 1.0.0(@s/b@2.0.0)\npackages:\n  /a@1.0.0(@s/b@2.0.0):\n    resolution: {integrity: x}\n    dependencies:\n      '@s/b': 2.0.0\n  /@s/b@2.0.0:\n    resolution: {integrity: x}\n";
    let nine = "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      a:\n        specifier: ^1.0.0\n        version: 1.0.0(@s/b@2.0.0)\npackages:\n  a@1.0.0:\n    resolution: {integrity: x}\n  '@s/b@2.0.0':\n    resolution: {integrity: x}\nsnapshots:\n  a@1.0.0(@s/b@2.0.0):\n    dependencies:\n      '@s/b': 2.0.0\n  '@s/b@2.0.0': {}\n";
    for text in [five, six, nine] {
        let lock = locked("pnpm-lock.yaml", text);
        assert_eq!(
            packages(&lock),
            ["@s/b 2.0.0", "a 1.0.0"],
            "{}",
            lock.format
        );
        assert_eq!(
            path(&lock, "@s/b"),
            "the project > a 1.0.0 > @s/b 2.0.0",
            "{}",
            lock.format
        );
        assert!(lock.unmatched.is_empty(), "{:?}", lock.unmatched);
    }
    // Cut off in the midst; what is local or an address has no version to miss.
    let cut = "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      a:\n        specifier: ^1.0.0\n        version: 1.0.0(p@2.0.0)\n      l:\n        specifier: workspace:*\n        version: link:../l\n      f:\n        specifier: file:f\n        version: file:f\n    devDependencies:\n      b:\n        specifier: ^2.0.0\n        version: 2.0.0\n";
    let partial = format!("{cut}packages:\n  a@1.0.0:\n    resolution: {{integrity: x}}\n");
    let old = &five[..five.find("packages").unwrap()];
    for (text, wanted) in [
        (cut, &["a 1.0.0(p@2.0.0)", "b 2.0.0"][..]),
        (&partial, &["b 2.0.0", "snapshots"]),
        (&nine[..nine.find("snapshots").unwrap()], &["snapshots"]),
        (&six[..six.find("  /@s/b").unwrap()], &["@s/b 2.0.0"]),
        (old, &["a 1.0.0_b@2.0.0"]),
        (
            &six[..six.find("packages").unwrap()],
            &["a 1.0.0(@s/b@2.0.0)"],
        ),
    ] {
        let lock = locked("pnpm-lock.yaml", text);
        let open = lock.unmatched.iter().filter(|u| u.from_registry);
        let open: Vec<&str> = open.map(|u| u.package.as_str()).collect();
        assert_eq!(open, wanted, "{text}");
    }
    assert!(
        fault("pnpm-lock.yaml", "lockfileVersion: '9.0'\n")
            .reason
            .contains("whole")
    );
    assert!(
        fault("pnpm-lock.yaml", "packages: {}\n")
            .reason
            .contains("lockfileVersion")
    );
}

#[test]
fn python() {
    let poetry = "[[package]]\nname = \"A_x\"\nversion = \"1.0\"\n[package.dependencies]\nb = \">=1\"\n\n[[package]]\nname = \"b\"\nversion = \"2.0\"\ngroups = [\"dev\"]\n\n[[package]]\nname = \"g\"\nversion = \"1\"\n[package.source]\ntype = \"git\"\n\n[metadata]\nlock-version = \"2.0\"\n";
    let lock = locked("poetry.lock", poetry);
    assert_eq!(packages(&lock), ["A_x 1.0", "b 2.0"]);
    assert_eq!(path(&lock, "b"), "the project > A_x 1.0 > b 2.0");
    assert!(lock.packages[1].dev && lock.unmatched.len() == 1);
    assert!(
        fault(
            "poetry.lock",
            "[[package]]\nname = \"a\"\nversion = \"1\"\n"
        )
        .reason
        .contains("whole")
    );
    let uv = "version = 1\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\nsource = { virtual = \".\" }\ndependencies = [{ name = \"a\" }]\n[package.dev-dependencies]\ndev = [{ name = \"b\" }]\n\n[[package]]\nname = \"a\"\nversion = \"1.0\"\nsource = { registry = \"https://pypi.org/simple\" }\n\n[[package]]\nname = \"b\"\nversion = \"2.0\"\nsource = { registry = \"https://pypi.org/simple\" }\n\n[[package]]\nname = \"g\"\nversion = \"1\"\nsource = { git = \"https://example.com/g\" }\n";
    let lock = locked("uv.lock", uv);
    assert_eq!(packages(&lock), ["a 1.0", "b 2.0"]);
    assert_eq!(
        (path(&lock, "b").as_str(), lock.unmatched.len()),
        ("app > b 2.0", 1)
    );
    let lock = locked(
        "Pipfile.lock",
        r#"{"_meta":{},"default":{"a":{"version":"==1.0"}},"develop":{"b":{"version":"==2.0"},"g":{"git":"x"}}}"#,
    );
    assert_eq!(
        (packages(&lock), lock.unmatched.len()),
        (vec!["a 1.0".to_owned(), "b 2.0".to_owned()], 1)
    );
    let lock = locked(
        "pdm.lock",
        "[[package]]\nname = \"a\"\nversion = \"1.0\"\ndependencies = [\"b[x]>=2; python_version>'3'\"]\n[[package]]\nname = \"b\"\nversion = \"2.0\"\n",
    );
    assert_eq!(path(&lock, "b"), "the project > a 1.0 > b 2.0");
    let lock = locked(
        "pylock.toml",
        "lock-version = \"1.0\"\n[[packages]]\nname = \"a\"\nversion = \"1.0\"\n",
    );
    assert_eq!(packages(&lock), ["a 1.0"]);
}

#[test]
fn requirements_that_are_pinned_and_that_are_not() {
    let text = "# made by pip-compile\n--index-url https://example.com\nflask==2.0.1 \\\n    --hash=sha256:abc \\\n    --hash=sha256:def\nrequests[socks] == 2.0 ; python_version > '3'  # why\nurllib3>=1.2\ndjango\n-r other.txt\n-e .\nours @ https://example.com/ours.whl\nsix==1.*\n";
    let lock = locked("requirements.txt", text);
    assert_eq!(packages(&lock), ["flask 2.0.1", "requests 2.0"]);
    let open: Vec<&str> = lock
        .unmatched
        .iter()
        .filter(|u| u.from_registry)
        .map(|u| u.package.as_str())
        .collect();
    assert_eq!(open, ["urllib3>=1.2", "django", "-r other.txt", "six==1.*"]);
    assert_eq!((lock.local, lock.unmatched.len()), (1, 5));
    assert_eq!(
        fault("requirements.txt", "flask==1\n{\"a\": 1}\n").line,
        Some(2)
    );
    assert!(
        fault("requirements.txt", "# nothing\n")
            .reason
            .contains("no requirement")
    );
}

/// What other readers keep of an address holds no password either, wherever a name is cut.
#[test]
fn no_password_of_an_address_is_kept() {
    let secret = "s3cretTOKEN99";
    let git = format!("git+https://deploy:{secret}@git.example.com/org/lib.git");
    let long = "a".repeat(170);
    let requirements = [
        format!("{git}#egg=lib\n"),
        format!("{git} ; python_version > '3'\n"),
        format!("lib @ {git}\nlib[x]@{git}\n"),
        format!("git+https://deploy:se;{secret}@git.example.com/lib.git\n"),
        format!("-r https://deploy:{secret}@h/r.txt\n-e {git}\nflask==1\n"),
        format!("git+https://{long}:{secret}{long}@h/x\n"),
        format!("x {git}\n"),
    ];
    let npm = format!(
        r#"{{"lockfileVersion":3,"packages":{{"":{{"dependencies":{{"lib":"{git}"}}}},"node_modules/lib":{{"version":"{git}","resolved":"{git}"}}}}}}"#
    );
    let mut all: Vec<(&str, String)> = requirements
        .into_iter()
        .map(|text| ("requirements.txt", text))
        .collect();
    all.extend([
        ("Cargo.lock", format!("version = 4\n[[package]]\nname = \"x\"\nversion = \"1.0.0\"\nsource = \"{git}\"\n")),
        ("package-lock.json", npm),
        ("package-lock.json", format!(r#"{{"lockfileVersion":1,"dependencies":{{"lib":{{"version":"{git}","from":"{git}"}}}}}}"#)),
        ("yarn.lock", format!("# yarn lockfile v1\n\n\"lib@{git}\":\n  version \"1.0.0\"\n  resolved \"{git}#abc\"\n")),
        ("yarn.lock", format!("# yarn lockfile v1\n\n\"lib@{git}\":\n  resolved \"{git}#abc\"\n")),
        ("yarn.lock", format!("__metadata:\n  version: 8\n\n\"lib@{git}\":\n  version: 1.0.0\n  resolution: \"lib@{git}#commit=abc\"\n")),
        ("pnpm-lock.yaml", format!("lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      lib: {{specifier: x, version: '{git}#abc'}}\npackages:\n  'lib@{git}#abc':\n    resolution: {{commit: abc, repo: x, type: git}}\n")),
        ("pnpm-lock.yaml", format!("lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      lib: {{specifier: x, version: '{git}#abc'}}\n")),
        ("poetry.lock", format!("[[package]]\nname = \"lib\"\nversion = \"1.0.0\"\n[package.source]\ntype = \"git\"\nurl = \"{git}\"\n")),
        ("Pipfile.lock", format!(r#"{{"_meta":{{}},"default":{{"lib":{{"git":"{git}"}}}}}}"#)),
        ("Gemfile.lock", format!("GIT\n  remote: {git}\n  specs:\n    lib (1.0.0)\n\nDEPENDENCIES\n  lib!\n")),
    ]);
    for (name, text) in all {
        let told = format!("{:?}", read(Path::new(name), &text));
        assert!(!told.contains(secret), "{name}: {text}: {told}");
    }
}

#[test]
fn go_modules() {
    let text = "module example.com/app\n\ngo 1.21\n\nrequire github.com/a/a v1.0.0\n\nrequire (\n\tgithub.com/b/b v0.0.0-20200101000000-abcdef // indirect\n\tgithub.com/c/c v1.0.0\n\tgithub.com/d/d v1.0.0\n)\n\nreplace github.com/c/c => github.com/e/e v2.0.0\n\nreplace (\n\tgithub.com/d/d v1.0.0 => ../d\n)\n";
    let lock = locked("go.mod", text);
    assert_eq!(
        packages(&lock),
        [
            "github.com/a/a v1.0.0",
            "github.com/b/b v0.0.0-20200101000000-abcdef",
            "github.com/e/e v2.0.0"
        ]
    );
    assert!(lock.unmatched.is_empty());
    let other = "module m\ngo 1.22\nrequire x/x v1.2.0\nrequire x/y v1.0.0\nreplace x/x v1.1.0 => x/x v1.3.2\nreplace x/y => x/y v1.5.0\nreplace x/y v1.0.0 => x/y v1.6.0\n";
    assert_eq!(
        packages(&locked("go.mod", other)),
        ["x/x v1.2.0", "x/y v1.6.0"],
        "a replacement of one version is of no other"
    );
    let old = locked(
        "go.mod",
        "module m\ngo 1.16\nrequire github.com/a/a v1.0.0\n",
    );
    assert!(
        old.unmatched[0].from_registry,
        "a go.mod of that age does not list all modules"
    );
    assert!(
        fault("go.mod", "module m\nrequire (\n\tgithub.com/a/a v1.0.0\n")
            .reason
            .contains("not closed")
    );
    assert!(
        fault("go.sum", "github.com/a/a v1.0.0 h1:x=\n")
            .hint
            .is_some()
    );
}

#[test]
fn gems_composer_and_others() {
    let gems = "GIT\n  remote: https://example.com/g\n  specs:\n    g (1.0)\n\nGEM\n  remote: https://rubygems.org/\n  specs:\n    a (1.0)\n      b (>= 1)\n    b (1.15.0-x86_64-linux)\n    b (1.15.0-arm64-darwin)\n\nDEPENDENCIES\n  a (~> 1.0)\n  g!\n";
    let lock = locked("Gemfile.lock", gems);
    assert_eq!(packages(&lock), ["a 1.0", "b 1.15.0"]);
    assert_eq!(
        (path(&lock, "b").as_str(), lock.unmatched.len()),
        ("the project > a 1.0 > b 1.15.0", 1)
    );
    let composer = r#"{"packages":[{"name":"v/a","version":"v1.0.0","require":{"php":">=8","v/b":"^2"}},{"name":"v/b","version":"2.0.0"},{"name":"v/c","version":"dev-main"}],"packages-dev":[{"name":"v/d","version":"1.0"}]}"#;
    let lock = locked("composer.lock", composer);
    assert_eq!(packages(&lock), ["v/a v1.0.0", "v/b 2.0.0", "v/d 1.0"]);
    assert_eq!(path(&lock, "v/b"), "the project > v/a v1.0.0 > v/b 2.0.0");
    let lock = locked(
        "gradle.lockfile",
        "# comment\ncom.a:b:1.0=compileClasspath\nempty=annotationProcessor\n",
    );
    assert_eq!(
        (packages(&lock), lock.ecosystem.as_str()),
        (vec!["com.a:b 1.0".to_owned()], "Maven")
    );
    let lock = locked(
        "packages.lock.json",
        r#"{"version":1,"dependencies":{"net8.0":{"A":{"type":"Direct","resolved":"1.0.0"},"p":{"type":"Project"}},"net6.0":{"A":{"resolved":"1.0.0"}}}}"#,
    );
    assert_eq!(
        (packages(&lock), lock.local),
        (vec!["A 1.0.0".to_owned()], 1)
    );
    let lock = locked(
        "pubspec.lock",
        "packages:\n  a:\n    dependency: \"direct main\"\n    source: hosted\n    version: \"1.0.0\"\n  flutter:\n    source: sdk\n    version: \"0.0.0\"\n",
    );
    assert_eq!(
        (packages(&lock), lock.local),
        (vec!["a 1.0.0".to_owned()], 1)
    );
}

#[test]
fn what_is_no_lock_file_is_said() {
    assert_eq!(fault("Cargo.lock", " \n").reason, "the file is empty");
    assert!(fault("build.xml", "<a/>").hint.is_some());
    assert!(
        fault("yarn.lock", "<<<<<<< HEAD\na@1:\n")
            .reason
            .contains("merge conflict")
    );
}

#[test]
fn a_lock_that_was_not_updated_is_stale() {
    let stale = |name: &str, lock: &str, manifest: &str| {
        compare(name, lock, &locked(name, lock), manifest)
            .unwrap()
            .missing
    };
    let lock = r#"{"lockfileVersion":3,"packages":{"":{"dependencies":{"a":"^1.0.0"}},"node_modules/a":{"version":"1.2.0"}}}"#;
    assert!(
        stale(
            "package-lock.json",
            lock,
            r#"{"dependencies":{"a":"^1.0.0"}}"#
        )
        .is_empty()
    );
    assert_eq!(
        stale(
            "package-lock.json",
            lock,
            r#"{"dependencies":{"a":"^2.0.0"}}"#
        )
        .len(),
        1
    );
    assert_eq!(
        stale(
            "package-lock.json",
            lock,
            r#"{"dependencies":{"a":"^1.0.0"},"devDependencies":{"b":"1"}}"#
        )
        .len(),
        1
    );
    assert_eq!(
        stale("package-lock.json", lock, "{}").len(),
        1,
        "locked and no longer asked for"
    );
    let old = r#"{"lockfileVersion":1,"dependencies":{"a":{"version":"1.2.0"}}}"#;
    assert!(
        stale(
            "package-lock.json",
            old,
            r#"{"dependencies":{"a":"^1.0.0 || ^3"}}"#
        )
        .is_empty()
    );
    assert_eq!(
        stale(
            "package-lock.json",
            old,
            r#"{"dependencies":{"a":"~1.1.0"}}"#
        )
        .len(),
        1
    );
    let cargo = "[[package]]\nname = \"a\"\nversion = \"1.2.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
    assert!(
        stale(
            "Cargo.lock",
            cargo,
            "[dependencies]\nx = { package = \"a\", version = \"1\" }\nb = { path = \"b\" }\n"
        )
        .is_empty()
    );
    assert_eq!(
        stale(
            "Cargo.lock",
            cargo,
            "[dependencies]\na = \"2\"\n[target.'cfg(unix)'.dependencies]\nc = \"1\"\n"
        )
        .len(),
        2
    );
    let yarn = "\"a@^1.0.0\":\n  version \"1.2.0\"\n";
    assert!(stale("yarn.lock", yarn, r#"{"dependencies":{"a":"^1.0.0"}}"#).is_empty());
    assert_eq!(
        stale("yarn.lock", yarn, r#"{"dependencies":{"a":"^1.1.0"}}"#).len(),
        1
    );
    let pnpm = "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      a:\n        specifier: ^1.0.0\n        version: 1.2.0\npackages:\n  a@1.2.0: {}\n";
    assert!(stale("pnpm-lock.yaml", pnpm, r#"{"dependencies":{"a":"^1.0.0"}}"#).is_empty());
    assert_eq!(
        stale("pnpm-lock.yaml", pnpm, r#"{"dependencies":{"a":"^1.1.0"}}"#).len(),
        1
    );
    let composer = r#"{"packages":[{"name":"v/a","version":"1.0.0"}]}"#;
    assert_eq!(
        stale(
            "composer.lock",
            composer,
            r#"{"require":{"php":"^8","V/A":"^1","v/b":"^1"}}"#
        )
        .len(),
        1
    );
    assert_eq!(
        stale("Cargo.lock", cargo, "[dependencies\n").len(),
        1,
        "an unreadable manifest is no agreement"
    );
}
