//! Gates as YAML that people read: comments say what to connect and where a number comes from.

use std::fmt::Write as _;

use super::{
    dictionary::AnswerText,
    propose::{Coverage, Proposal, Proposed},
    source::{Fill, Source},
};
use crate::record::Severity;

/// The whole config.
pub fn config(proposal: &Proposal, coverage: &Coverage, file: &str) -> String {
    let mut out = head(proposal, coverage, file);
    out.push_str("\ngates:\n");
    let mut section = None;
    for gate in &proposal.gates {
        if section != Some(gate.section.as_str()) {
            section = Some(gate.section.as_str());
            let _ = write!(out, "\n  # ---- {} ----\n", comment(&gate.section));
        }
        out.push('\n');
        out.push_str(&self::gate(gate));
    }
    out
}

fn head(proposal: &Proposal, coverage: &Coverage, file: &str) -> String {
    let mut out = format!(
        "# yaml-language-server: $schema=./readygate.schema.json\n\
         # Written by `readygate import` from {}. These are proposals: read them, connect what the comments\n\
         # name, change what is wrong, and commit the file. `readygate import --update` keeps your changes.\n\
         #\n# {coverage}\n",
        comment(file)
    );
    for (title, note) in [("To settle", false), ("Good to know", true)] {
        let findings = || proposal.findings.iter().filter(|f| f.note == note);
        if findings().next().is_some() {
            let _ = write!(out, "#\n# {title}:\n");
        }
        for finding in findings() {
            let _ = writeln!(out, "# - {}", comment(&finding.title));
            for (line, text) in finding.lines.iter().take(8) {
                let _ = writeln!(out, "#     line {line}: {}", comment(text));
            }
            let _ = writeln!(out, "#     so far: {}", comment(&finding.taken));
        }
    }
    let version = proposal.version.as_deref().unwrap_or("0.0.0");
    let _ = write!(
        out,
        "\nversion: 1\n\n\
         target:\n  name: \"${{TARGET_NAME:-production}}\"\n  url: \"${{TARGET_URL:-https://app.example.com}}\"\n  \
         version: \"${{RELEASE_VERSION:-{version}}}\"\n\n\
         defaults: {{ timeout: 30s }}\n\n\
         # Deleting gates must not make a run pass.\n\
         require: {{ min_gates: {} }}\n\n\
         # Who answers. Their keys stand in allowed_signers, as `ssh-keygen -Y` reads it.\nroles:\n",
        proposal.gates.len()
    );
    for (role, title) in &proposal.roles {
        out.push_str(&self::role(role, title));
    }
    out.push_str("\nsignoffs: { allowed_signers: allowed_signers, directory: signoffs }\n");
    out
}

/// One role.
pub fn role(role: &str, title: &str) -> String {
    format!("  {role}: {{ title: {} }}\n", quoted(title))
}

/// One gate, indented as an item of `gates`.
pub fn gate(gate: &Proposed) -> String {
    let mut out = String::new();
    for text in &gate.comments {
        let _ = writeln!(out, "  # {}", comment(text));
    }
    let _ = write!(
        out,
        "  - id: {}\n    title: {}\n    section: {}\n    owner: {}\n    severity: {}\n    stages: [{}]\n",
        gate.id,
        quoted(&gate.title),
        quoted(&gate.section),
        gate.owner,
        gate.severity.name(),
        gate.stages.join(", ")
    );
    if gate.waivable && gate.severity == Severity::Blocker {
        out.push_str("    waivable: true\n");
    }
    if let Some(timeout) = &gate.timeout {
        let _ = writeln!(out, "    timeout: {timeout}");
    }
    if let Some(sustain) = &gate.sustain {
        let _ = writeln!(
            out,
            "    sustain: {{ for: {}, every: {}, failure_limit: {} }}",
            sustain.duration, sustain.every, sustain.failure_limit
        );
    }
    out.push_str(&source(&gate.source, "    "));
    let _ = writeln!(out, "    probe: {}", gate.probe);
    if gate.is_signature() {
        out.push_str(&signature(gate));
    } else {
        out.push_str("    with:\n");
        for line in gate.with.lines() {
            let _ = writeln!(out, "      {line}");
        }
    }
    if !gate.expect.is_empty() {
        out.push_str("    expect:\n");
    }
    for expect in &gate.expect {
        let from = match expect.line {
            Some(line) => format!("  # line {line}"),
            None => String::new(),
        };
        let _ = writeln!(out, "      {}: {}{from}", expect.metric, quoted(&expect.is));
    }
    out
}

/// The `source` block.
pub fn source(source: &Source, indent: &str) -> String {
    if let (Some(line), None, [], []) = (
        source.line,
        &source.file,
        &source.also[..],
        &source.fills[..],
    ) {
        let anchor = quoted(&source.anchor);
        return format!("{indent}source: {{ line: {line}, anchor: {anchor} }}\n");
    }
    let mut out = format!("{indent}source:\n");
    if let Some(file) = &source.file {
        let _ = writeln!(out, "{indent}  file: {}", quoted(file));
    }
    if let Some(line) = source.line {
        let _ = writeln!(out, "{indent}  line: {line}");
    }
    let _ = writeln!(out, "{indent}  anchor: {}", quoted(&source.anchor));
    if !source.also.is_empty() {
        let _ = writeln!(out, "{indent}  also:");
        for anchor in &source.also {
            let _ = writeln!(out, "{indent}    - {}", quoted(anchor));
        }
    }
    if !source.fills.is_empty() {
        let _ = writeln!(out, "{indent}  fills:");
        for fill in &source.fills {
            let _ = writeln!(out, "{indent}    - {}", self::fill(fill));
        }
    }
    out
}

fn fill(fill: &Fill) -> String {
    let mut parts = vec![format!("anchor: {}", quoted(&fill.anchor))];
    if fill.blank > 0 {
        parts.push(format!("blank: {}", fill.blank));
    }
    parts.extend(fill.metric.as_ref().map(|m| format!("metric: {m}")));
    parts.extend(fill.answer.as_ref().map(|a| format!("answer: {a}")));
    parts.extend(fill.fact.as_ref().map(|f| format!("fact: {f}")));
    format!("{{ {} }}", parts.join(", "))
}

fn signature(gate: &Proposed) -> String {
    let mut out = format!(
        "    with:\n      role: {}\n      statement: {}\n",
        gate.owner,
        quoted(&gate.statement)
    );
    if gate.is_final {
        out.push_str("      final: true\n");
    }
    if !gate.answers.is_empty() {
        out.push_str("      answers:\n");
    }
    for answer in &gate.answers {
        let _ = writeln!(out, "        - {}", self::answer(answer));
    }
    out
}

/// One question to the signer, in one line.
pub fn answer(answer: &AnswerText) -> String {
    let mut parts = vec![
        format!("id: {}", answer.id),
        format!("ask: {}", quoted(&answer.ask)),
        format!("type: {}", answer.kind),
    ];
    if !answer.choices.is_empty() {
        let choices: Vec<String> = answer.choices.iter().map(|c| quoted(c)).collect();
        parts.push(format!("choices: [{}]", choices.join(", ")));
    }
    parts.extend(answer.max_age.as_ref().map(|a| format!("max_age: {a}")));
    if answer.optional {
        parts.push("optional: true".to_owned());
    }
    format!("{{ {} }}", parts.join(", "))
}

/// Double quotes, as JSON has them, which YAML reads too. Nothing of it is a variable.
pub fn quoted(text: &str) -> String {
    let clean: String = text.chars().map(printable).collect();
    serde_json::Value::String(clean.replace('$', "$$")).to_string()
}

/// One line of a comment.
fn comment(text: &str) -> String {
    let clean: String = text.chars().map(printable).collect();
    readygate_sdk::excerpt(clean.trim_end(), 200)
}

/// What YAML 1.2 does not allow, and what would end a comment, becomes a blank.
fn printable(c: char) -> char {
    match c {
        '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => ' ',
        c if c.is_control() => ' ',
        c => c,
    }
}
