//! Each row of the table against its own examples, and everything against placeholders.

use super::{sample::expand, *};

fn rules(path: &str, text: &str) -> Vec<&'static str> {
    scan(path, text.as_bytes()).iter().map(|h| h.rule).collect()
}

#[test]
fn every_format_finds_its_example() {
    for format in TABLE.iter() {
        for template in &format.like {
            for seed in 1..6 {
                let text = format!("line one\nx = \"{}\"\n", expand(template, seed));
                let found = format_alone(format, &text);
                assert!(
                    found,
                    "{} does not find {template} (seed {seed})",
                    format.id
                );
                assert!(
                    !scan("notes.txt", text.as_bytes()).is_empty(),
                    "{}",
                    format.id
                );
            }
        }
        for template in &format.unlike {
            let text = format!("x = \"{}\"\n", expand(template, 7));
            assert!(
                !format_alone(format, &text),
                "{} finds {template}",
                format.id
            );
        }
    }
}

/// Whether a keyword occurs and the format holds, without the others.
fn format_alone(format: &'static Format, text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let mut hits = Vec::new();
    for word in &format.find {
        for (at, _) in lower.match_indices(word) {
            try_format(format, text.as_bytes(), at, &mut hits);
        }
    }
    !hits.is_empty()
}

#[test]
fn examples_filled_in_by_hand_are_no_findings() {
    for format in TABLE.iter().filter(|f| !f.open && !f.plain) {
        for filler in ["x", "X", "0"] {
            let mut text = String::new();
            let mut rest = format.like[0];
            while let Some((head, tail)) = rest.split_once('{') {
                let Some((spec, after)) = tail.split_once('}') else {
                    break;
                };
                let count = spec
                    .split(':')
                    .next()
                    .and_then(|n| n.parse().ok())
                    .unwrap_or(4);
                text.push_str(head);
                text.push_str(&filler.repeat(count));
                rest = after;
            }
            if rest != format.like[0] {
                assert_eq!(
                    rules("a.py", &format!("v = '{text}{rest}'")),
                    [""; 0],
                    "{} {text}",
                    format.id
                );
            }
        }
    }
}

#[test]
fn placeholders_are_no_findings() {
    for line in [
        "password = \"changeme\"",
        "password: ${DB_PASSWORD}",
        "api_key = \"<your api key>\"",
        "API_KEY=xxxxxxxxxxxxxxxx",
        "secret: {{ .Values.secret }}",
        "token = process.env.TOKEN",
        "password = getpass.getpass()",
        "key_id: 203db13e-70c7-462b-9a3d-bf32640cb0be",
        "sha256: 60b725f10c9c85c70d97880dfe8191b3e1b5a1d704da4a9073be5f92861604598",
        "\"integrity\": \"sha512-q1f2GkF3pZ0u9s8xv7w6u5t4s3r2q1p0o9n8m7l6k5j4i3h2g1f0e9d8c7b6a5\"",
        "public_key = \"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8xYxJtY2\"",
        "https://user:password@example.com/",
        "postgres://postgres:postgres@localhost/db",
        "https://${user}:${password}@host/",
        "self.password = password",
        "let token = next_token();",
        "password: str",
        "password: Optional[str] = None",
        "if password == \"\" {",
        "tokenizer = \"bert-base-uncased\"",
        "author = \"Jane Doe 1\"",
        "passwordField: \"new-password\"",
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        "<password>${pw}</password>",
        "token: $TOKEN",
        "secret=$(cat file)",
        "PASSWORD=%PASSWORD%",
        "pwd: /home/user/project",
        "commit = \"8b1118b376c313ed420e5133ba91307817ed52c2\"",
        "key = \"user.settings.theme\"",
        "Authorization: Bearer <token>",
        "password = \"your-password-here\"",
        "secret_name: db-credentials-v2",
    ] {
        for path in ["a.yaml", "a.rs", "a.txt", ".env"] {
            let found = rules(path, line);
            let key_value = line.starts_with("commit") || line.starts_with("sha256");
            assert!(
                found.is_empty() || key_value && found == ["x"],
                "{path}: {line}: {found:?}"
            );
        }
    }
}

#[test]
fn assignments_are_found_in_the_forms_of_many_languages() {
    let word = expand("{6:alpha}7{5:alnum}!", 3);
    for (path, line) in [
        ("a.py", "db_password = '§'"),
        ("a.js", "const password = \"§\";"),
        ("a.go", "password := \"§\""),
        ("a.yaml", "password: §"),
        (".env", "DB_PASSWORD=§"),
        ("a.json", "{\"password\": \"§\"}"),
        ("a.rb", ":password => '§'"),
        ("a.php", "define('DB_PASSWORD', '§');"),
        ("a.xml", "<password>§</password>"),
        ("a.xml", "<add key=\"Password\" value=\"§\"/>"),
        ("Dockerfile", "ENV DB_PASSWORD §"),
        ("a.kt", "val password: String = \"§\""),
        ("a.java", "ds.setPassword(\"§\");"),
        ("a.ini", "password=§"),
        ("a.cs", "\"Server=db;Uid=app;Pwd=§;\""),
        ("a.yaml", "- name: DB_PASSWORD\n  value: §"),
        ("a.sh", "export DB_PASSWORD='§'"),
        ("a.py", "if password == '§':"),
    ] {
        let text = line.replace('§', &word);
        let hits = scan(path, text.as_bytes());
        assert_eq!(hits.len(), 1, "{path}: {line}");
        assert_eq!(
            &text.as_bytes()[hits[0].start..hits[0].end],
            word.as_bytes(),
            "{path}: {line}"
        );
    }
}

#[test]
fn code_without_literals_says_nothing() {
    for line in [
        "let password = config.password;",
        "password = input(\"Password: \")",
        "fn token(&self) -> Token {",
        "const token = await getToken(user, 'refresh');",
        "secret: Secret::new(value),",
    ] {
        assert_eq!(rules("a.rs", line), [""; 0], "{line}");
    }
}

#[test]
fn a_key_is_found_in_a_file_and_in_a_string() {
    let body = expand("{64:base64}", 5);
    let kind = ["-----BEGIN RSA PRIV", "ATE KEY-----"].concat();
    for text in [
        format!("{kind}\n{body}\n{body}\n"),
        format!("k = \"{kind}\\n{body}\\n{body}\""),
    ] {
        assert_eq!(rules("a.pem", &text), ["private-key"]);
    }
    let public = text_of_public(&body);
    assert_eq!(rules("a.pem", &public), [""; 0]);
}

fn text_of_public(body: &str) -> String {
    format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----")
}

#[test]
fn a_checksum_raises_confidence_and_never_drops() {
    let body = expand("{30:alnum}", 9);
    let wrong = format!("ghp_{body}{}", "zzzzzz");
    let hits = scan("a", wrong.as_bytes());
    assert_eq!((hits.len(), hits[0].confidence), (1, Confidence::Possible));
    let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let tail = verify::spell(crc32fast::hash(body.as_bytes()), 6, digits);
    let right = format!("ghp_{body}{}", String::from_utf8(tail).unwrap());
    let hits = scan("a", right.as_bytes());
    assert_eq!((hits.len(), hits[0].confidence), (1, Confidence::Verified));
    assert_eq!(hits[0].shown, 4);
}
