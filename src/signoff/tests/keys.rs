//! Whose signatures count: keys, namespaces, validity, revocation, touch.

use ssh_key::{
    Algorithm, HashAlg, LineEnding, PrivateKey, Signature, SigningKey, SshSig,
    public::{KeyData, SkEd25519},
};

use super::{
    super::{
        allowed_signers::AllowedSigners,
        revoked::Revoked,
        signature::{read, verify},
    },
    world::{NAMESPACE, POLICY, World, call},
};
use crate::{
    policy::Origin,
    record::{SignDecision::Approve, Verdict},
};

fn options(world: &World, options: &str) {
    let key = world.read("keys/alice.pub");
    world.write(
        "allowed_signers",
        &format!("alice@example.com {options} {key}"),
    );
}

#[test]
fn key_outside_its_validity() {
    let mut world = World::new();
    world.sign("security-lead", "alice");
    options(&world, "valid-before=\"20261124120000Z\"");
    assert_eq!(world.resolve().verdict, Verdict::Go);
    world.pass(1);
    let refusal = world.refusal();
    assert!(
        refusal.starts_with("the key has expired: 2026-11-24T12:00:01Z"),
        "{refusal}"
    );
    options(&world, "valid-after=\"20261124120001Z\"");
    let refusal = world.refusal();
    assert!(
        refusal.starts_with("the key is not yet valid: 2026-11-24T12:00:00Z"),
        "{refusal}"
    );
}

#[test]
fn wrong_namespace() {
    let world = World::new();
    world.resolve();
    let mut request = world.request("security-lead");
    request.namespace = "signoff@example.org".to_owned();
    world.sign_request(&request, "alice", Approve, |_| ());
    assert_eq!(
        world.refusal(),
        format!("it was signed in namespace signoff@example.org, not {NAMESPACE}")
    );
}

#[test]
fn signature_by_a_key_for_another_namespace() {
    let world = World::new();
    world.sign("security-lead", "alice");
    options(&world, "namespaces=\"git,file\"");
    let refusal = world.refusal();
    assert!(
        refusal.starts_with("the key is not permitted for use in namespace"),
        "{refusal}"
    );
    assert!(refusal.ends_with("(allowed_signers, line 1)"), "{refusal}");
}

#[test]
fn revoked_key() {
    for by_key in [true, false] {
        let world = World::new();
        let path = world.sign("security-lead", "alice");
        let print = world.of(&path).fingerprint;
        let entry = if by_key {
            world.read("keys/alice.pub")
        } else {
            print.clone()
        };
        world.write("revoked", &format!("# lost on a train\n{entry}\n"));
        assert_eq!(world.refusal(), format!("the key {print} is revoked"));
    }
}

#[test]
fn unknown_principal() {
    let world = World::new();
    world.sign_as("security-lead", "alice", Approve, |statement| {
        statement.predicate.principal = "mallory@example.com".to_owned();
    });
    let refusal = world.refusal();
    assert!(
        refusal.contains("allowed_signers has no principal mallory@example.com"),
        "{refusal}"
    );
}

#[test]
fn a_principal_of_another_role() {
    let world = World::new();
    world.sign("security-lead", "erin");
    assert_eq!(
        world.refusal(),
        "erin@example.com may not sign in the name of security-lead"
    );
}

#[test]
fn a_key_of_somebody_else() {
    let world = World::new();
    world.sign_as("security-lead", "erin", Approve, |statement| {
        statement.predicate.principal = "alice@example.com".to_owned();
    });
    let refusal = world.refusal();
    assert_eq!(
        refusal,
        "the key is not one that allowed_signers lists for alice@example.com"
    );
}

#[test]
fn rsa_key() {
    let world = World::new();
    let path = world.sign("security-lead", "alice");
    let key = world.key("rsa", "rsa");
    world.write("allowed_signers", &format!("alice@example.com {key}"));
    let beside = format!("{}.sig", path.display());
    std::fs::remove_file(&beside).unwrap();
    let file = path.to_str().unwrap();
    let args = ["-Y", "sign", "-n", NAMESPACE, "-f", "keys/rsa", file];
    assert!(call(world.path(), "ssh-keygen", &args));
    assert_eq!(world.refusal(), "RSA keys are not supported; use ed25519");
}

/// What a FIDO device would make: over the hash of the application, the flags, the counter, and the
/// hash of the message (PROTOCOL.u2f).
fn fido<S: SigningKey>(key: &S, public: SkEd25519, flags: u8, message: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    let blob = SshSig::signed_data(NAMESPACE, HashAlg::Sha512, message).unwrap();
    let tail = [&[flags][..], &7_u32.to_be_bytes()].concat();
    let hash = |bytes: &[u8]| Sha256::digest(bytes).to_vec();
    let signed = [hash(b"ssh:"), tail.clone(), hash(&blob)].concat();
    let signature = key.try_sign(&signed).unwrap();
    let data = [signature.as_bytes(), &tail].concat();
    let signature = Signature::new(Algorithm::SkEd25519, data).unwrap();
    let public = KeyData::SkEd25519(public);
    let signed = SshSig::new(public, NAMESPACE, HashAlg::Sha512, signature).unwrap();
    signed.to_pem(LineEnding::LF).unwrap()
}

#[test]
fn missing_touch() {
    let touch = "principals: [alice@example.com, ann@example.com], require_touch: true";
    let policy = POLICY.replace("principals: [alice@example.com, ann@example.com]", touch);
    let world = World::with(&policy);
    let path = world.sign("security-lead", "alice");
    let refusal = world.refusal();
    assert_eq!(
        refusal,
        "it was signed without a hardware key, which security-lead requires"
    );

    let key = PrivateKey::read_openssh_file(&world.path().join("keys/alice")).unwrap();
    let public = SkEd25519::from(*key.public_key().key_data().ed25519().unwrap());
    let listed = ssh_key::PublicKey::from(KeyData::SkEd25519(public.clone()));
    let listed = listed.to_openssh().unwrap();
    world.write("allowed_signers", &format!("alice@example.com {listed}\n"));
    let message = std::fs::read(&path).unwrap();
    let beside = format!("{}.sig", path.display());
    std::fs::write(&beside, fido(&key, public.clone(), 0, &message)).unwrap();
    let refusal = world.refusal();
    assert_eq!(
        refusal,
        "the hardware key was not touched for it, which security-lead requires"
    );
    std::fs::write(&beside, fido(&key, public, 1, &message)).unwrap();
    let run = world.resolve();
    assert_eq!(run.verdict, Verdict::Go, "{:?}", run.signoffs);
    assert!(run.signoffs[0].hardware);
}

#[test]
fn keys_from_a_protected_ref_cannot_be_brought_along() {
    let world = World::new();
    assert!(call(world.path(), "git", &["branch", "trusted"]));
    let mallory = world.key("mallory", "ed25519");
    world.edit("allowed_signers", |text| {
        format!("{text}alice@example.com {mallory}")
    });
    world.commit("mallory@example.com", "2026-11-24T09:00:00Z");
    world.resolve();
    let request = world.request("security-lead");
    for end in ["", ".pub"] {
        let key = |name: &str| world.path().join(format!("keys/{name}{end}"));
        std::fs::rename(key("mallory"), key("alice")).unwrap();
    }
    world.sign_request(&request, "alice", Approve, |_| ());
    assert_eq!(
        world.resolve().verdict,
        Verdict::Go,
        "the work tree believes itself"
    );
    let at = |name: &str| Origin::in_repository(name, world.path());
    let trusted = world.resolve_from(&at("trusted").unwrap().into());
    assert_eq!(trusted.verdict, Verdict::Pending);
    let gone = at("gone").err().map(|e| e.to_string()).unwrap_or_default();
    assert!(gone.contains("no ref, tag or commit `gone`"), "{gone}");
}

#[test]
fn broken_lists_let_nobody_sign_and_say_where() {
    let world = World::new();
    world.sign("security-lead", "alice");
    world.write(
        "allowed_signers",
        "# ours\nalice@example.com cert-authority ssh-ed25519 AAAA\n",
    );
    let run = world.resolve();
    assert_eq!(run.exit_code, 4);
    let says = "allowed_signers:2:19: cert-authority is not supported";
    assert!(run.reasons[0].contains(says), "{:?}", run.reasons);
}

#[test]
fn mistakes_in_allowed_signers_have_a_place() {
    let world = World::new();
    let key = world.read("keys/alice.pub");
    let key = key.trim_end();
    for (line, problem) in [
        ("a@x".to_owned(), "1:4: the key is missing"),
        (format!("a@x,, {key}"), "1:1: an empty principal"),
        (format!("\"a@x {key}"), "1:1: a double quote is not closed"),
        (
            format!("a@x namespaces=\"a\",namespaces=\"b\" {key}"),
            "1:20: `namespaces` is given twice",
        ),
        (
            format!("a@x namespaces=git {key}"),
            "1:5: write namespaces=\"signoff@",
        ),
        (
            format!("a@x valid-after=\"20260101\" {key}"),
            "1:5: `20260101` means another moment",
        ),
        (
            format!("a@x valid-after=\"20261301Z\" {key}"),
            "1:5: `20261301Z` is not a time",
        ),
        (
            format!("a@x valid-after=\"20260102Z\",valid-before=\"20260101Z\" {key}"),
            "1:5: valid-before is not after valid-after",
        ),
        (
            format!("a@x no-touch-required {key}"),
            "1:5: unknown option `no-touch-required`",
        ),
        (
            "a@x ssh-ed25519 AAAA".to_owned(),
            "1:5: the key cannot be read",
        ),
        (
            "a@x ssh-ed25519-cert-v01@openssh.com AAAA".to_owned(),
            "1:5: certificates are not supported",
        ),
        (
            format!("a@x namespaces=\"a\" valid-after=\"20260101Z\" {key}"),
            "1:20: `valid-after",
        ),
    ] {
        let error = AllowedSigners::parse(&line).unwrap_err().to_string();
        assert!(error.starts_with(problem), "{line}: {error}");
    }
    let error = Revoked::parse("SHA256:short\n").unwrap_err().to_string();
    assert!(error.starts_with("1:1: neither a public key"), "{error}");
}

/// Ours and OpenSSH's reading of the same file must allow the same.
#[test]
fn openssh_allows_what_we_allow() {
    let world = World::new();
    let path = world.sign("security-lead", "alice");
    let bytes = std::fs::read(&path).unwrap();
    let beside = format!("{}.sig", path.display());
    let signature = read(&std::fs::read(&beside).unwrap()).unwrap();
    let signer = verify(&bytes, &signature, NAMESPACE).unwrap();
    let key = world.read("keys/alice.pub");
    for (line, allowed) in [
        ("alice@example.com ", true),
        ("\"alice@example.com\" ", true),
        ("*@example.com ", true),
        ("a?ice@* ", true),
        ("bob@example.com,alice@example.com ", true),
        ("*@example.com,!alice@example.com ", false),
        ("!alice@example.com,*@example.com ", false),
        ("!bob@example.com ", false),
        ("ALICE@example.com ", false),
        ("alice@example.com namespaces=\"signoff@*\" ", true),
        (
            "alice@example.com NameSpaces=\"git,signoff@readygate.dev\" ",
            true,
        ),
        (
            "alice@example.com namespaces=\"*,!signoff@readygate.dev\" ",
            false,
        ),
        ("alice@example.com namespaces=\"git\" ", false),
        ("alice@example.com valid-before=\"20200101Z\" ", false),
        (
            "alice@example.com valid-after=\"20200101Z\",valid-before=\"209912312359Z\" ",
            true,
        ),
    ] {
        world.write("signers", &format!("# list\n\n{line}{key}"));
        let script = format!(
            "ssh-keygen -Y verify -f signers -I alice@example.com -n {NAMESPACE} -s '{beside}' < '{}'",
            path.display()
        );
        assert_eq!(
            call(world.path(), "bash", &["-c", &script]),
            allowed,
            "OpenSSH: {line}"
        );
        let signers = AllowedSigners::parse(&world.read("signers")).unwrap();
        let ours = signers.allows("alice@example.com", &signer.key, NAMESPACE, &[world.now]);
        assert_eq!(ours.is_ok(), allowed, "{line}: {ours:?}");
    }
}
