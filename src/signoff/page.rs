//! What a signer reads before they sign.

use std::{cmp::Reverse, fmt::Write as _};

use readygate_sdk::{count_of, defang};

use super::{
    request::Request,
    statement::{Predicate, Statement},
    vector::Status,
};
use crate::record::SignDecision;

/// What is signed, in plain text. Everything comes from a file that anybody may have written, so
/// nothing in it reaches the terminal as it is.
pub fn page(request: &Request, statement: &Statement) -> String {
    let said = &statement.predicate;
    let mut lines = Vec::new();
    let mut line = |text: String| lines.push(one_line(&text));
    line(match said.decision {
        SignDecision::Approve => format!("{} APPROVES as {}", said.principal, request.title),
        SignDecision::Reject => format!("{} REJECTS as {}", said.principal, request.title),
    });
    if let Some(reason) = &said.reason {
        line(format!("  reason        {reason}"));
    }
    line(String::new());
    line(format!("  target        {}", request.target));
    for subject in &statement.subject {
        for (kind, hex) in &subject.digest {
            line(format!("  {:<13} {kind} {hex}", subject.name));
        }
    }
    line(format!("  environment   {}", said.environment));
    if !said.stages.is_empty() {
        line(format!("  stages        {}", said.stages.join(", ")));
    }
    if let Some(id) = &said.release_id {
        line(format!("  release id    {id}"));
    }
    line(format!("  policy        sha256 {}", request.policy));
    line(format!(
        "  run           {}, ended {}",
        request.run, request.made
    ));
    line(format!(
        "  evidence      {} without the sign-offs",
        request.verdict
    ));
    line(format!("  holds until   {}", said.expires_at));
    let mut page = lines.join("\n") + "\n";
    page += &vouched_page(request, said);
    page += &evidence_page(request);
    page
}

fn vouched_page(request: &Request, said: &Predicate) -> String {
    let mut page = String::new();
    let _ = writeln!(page, "\nWhat is vouched for");
    for gate in &request.gates {
        let text = format!("  {} ({})", gate.title, gate.id);
        let _ = writeln!(page, "{}", one_line(&text));
        let _ = writeln!(page, "    {}", one_line(&gate.statement));
        for question in &gate.answers {
            let given = said.answers.get(&question.id);
            let given = given.map_or("(open)", String::as_str);
            let text = format!("    {}: {given}", question.ask);
            let _ = writeln!(page, "{}", one_line(&text));
        }
    }
    let accepts: Vec<String> = said
        .accepts
        .iter()
        .map(|accept| {
            let until = crate::waiver::until(accept.expires.0);
            format!("{} until {until}: {}", accept.covers(), accept.reason)
        })
        .collect();
    if !accepts.is_empty() {
        list(&mut page, "Accepted although it failed", &accepts);
    }
    if request.is_final {
        let _ = writeln!(page, "\nFinal approval over");
        for other in &request.attestations {
            let text = format!("  {} {} ({})", other.role, other.principal, other.file);
            let _ = writeln!(page, "{}", one_line(&text));
        }
    }
    page
}

/// What did not pass comes first, and in full.
fn evidence_page(request: &Request) -> String {
    let mut page = String::new();
    let mut items: Vec<_> = request.items.iter().collect();
    items.sort_by_key(|item| Reverse(item.status));
    let count = |wanted: fn(Status) -> bool| {
        let items = request.items.iter().filter(|item| wanted(item.status));
        items.count() as u64
    };
    let _ = writeln!(
        page,
        "\nEvidence: {}, {} passed, {} failed, {} could not be told",
        count_of(request.items.len() as u64, "gate", "gates"),
        count(|s| s == Status::Passed),
        count(|s| s == Status::Failed),
        count(|s| s == Status::Unmeasured),
    );
    for item in items {
        let text = format!(
            "  {:<12} {} ({}, {})",
            item.status.name().to_uppercase(),
            item.title,
            item.id,
            item.severity
        );
        let _ = writeln!(page, "{}", one_line(&text));
        if let Some(reason) = &item.reason {
            let _ = writeln!(page, "               {}", one_line(reason));
        }
    }
    list(&mut page, "Waivers in use", &request.waivers);
    match &request.changes {
        None => {
            let _ = writeln!(page, "\nNo earlier run to compare with (--baseline).");
        }
        Some(changes) => list(&mut page, "Changed since the earlier run", changes),
    }
    page
}

fn list(page: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        let _ = writeln!(page, "\n{title}: none");
        return;
    }
    let _ = writeln!(page, "\n{title}");
    for text in lines {
        let _ = writeln!(page, "  {}", one_line(text));
    }
}

/// A line feed in a request must not begin a line that looks like ours.
fn one_line(text: &str) -> String {
    defang(&text.replace(['\n', '\r', '\t', '\u{85}', '\u{2028}', '\u{2029}'], " "))
}
