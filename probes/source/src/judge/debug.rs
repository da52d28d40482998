//! Debug code.

use readygate_sdk::{Checks, Rule, count_of};

use super::shown;
use crate::{DebugConfig, DebugKind, DebugRecord, rules};

pub(super) fn judge(config: &DebugConfig, found: &DebugRecord, checks: &mut Checks) {
    for kind in [DebugKind::Breakpoint, DebugKind::Print, DebugKind::Focus] {
        if config.kinds.contains(&kind) {
            one(kind, found, checks);
        }
    }
    if !config.patterns.is_empty() {
        one(DebugKind::Pattern, found, checks);
    }
    if found.unread_total > 0 {
        let total = found.unread_total;
        let message = format!(
            "{} could not be read",
            count_of(total, "source file", "source files")
        );
        checks
            .check(&rules::UNREAD, "debug code")
            .details(shown(found.unread.iter().cloned(), total))
            .unmeasured(message);
    }
    let unreasoned = found.unreasoned.len() as u64;
    if found.allowed + unreasoned > 0 {
        let check = checks
            .check(&rules::ALLOW_WITHOUT_REASON, "debug code")
            .expected("a reason behind every readygate:allow-debug")
            .actual(format!(
                "{} allowed, {unreasoned} without a reason",
                found.allowed
            ));
        let lines = found.unreasoned.iter().map(ToString::to_string);
        match found.unreasoned.first() {
            Some(first) => check
                .at(first.clone())
                .details(shown(lines, unreasoned))
                .fail(),
            None => check.message("every allowed finding has its reason").pass(),
        }
    }
}

fn one(kind: DebugKind, found: &DebugRecord, checks: &mut Checks) {
    let (rule, total, name): (&'static Rule, u64, &str) = match kind {
        DebugKind::Breakpoint => (&rules::DEBUG_CODE, found.breakpoints, "debug statement"),
        DebugKind::Print => (&rules::DEBUG_PRINT, found.prints, "debug print"),
        DebugKind::Focus => (&rules::FOCUSED_TEST, found.focused, "focused test"),
        DebugKind::Pattern => (&rules::FORBIDDEN_PATTERN, found.patterns, "forbidden line"),
    };
    let plural = format!("{name}s");
    let mut places = found.findings.iter().filter(|f| f.kind == kind).peekable();
    let check = checks
        .check(rule, "debug code")
        .expected(format!("no {name}"))
        .actual(format!(
            "{} in {}",
            count_of(total, name, &plural),
            count_of(found.files, "source file", "source files")
        ));
    if total == 0 {
        let message = format!(
            "no {name} in {}",
            count_of(found.files, "source file", "source files")
        );
        if found.files == 0 {
            check.unmeasured("no source file could be read");
        } else {
            check.message(message).pass();
        }
        return;
    }
    let check = match places.peek() {
        Some(first) => check
            .message(match total {
                1 => format!("`{}` is left in the code", first.what),
                n => format!(
                    "`{}` and {} are left in the code",
                    first.what,
                    count_of(n - 1, "more", "more")
                ),
            })
            .at(first.location.clone()),
        None => check,
    };
    let lines = places.map(|f| format!("{}: {}", f.location, f.what));
    check.details(shown(lines, total)).fail();
}
