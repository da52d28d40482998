//! Environment variables.

use readygate_sdk::{Checks, Rule, count_of};

use super::shown;
use crate::{EnvironmentRecord, State, Variable, rules};

const SUBJECT: &str = "environment variables";

pub(super) fn judge(found: &EnvironmentRecord, checks: &mut Checks) {
    let variables = &found.variables;
    if !variables.iter().any(|v| v.declared) {
        checks
            .check(&rules::ENV_MISSING, SUBJECT)
            .unmeasured("no variable is declared");
        return;
    }
    let missing = |v: &Variable| v.declared && !v.optional && v.state.is_none();
    one(
        &rules::ENV_MISSING,
        "declared, and not deployed",
        variables,
        &missing,
        checks,
    );
    let empty = |v: &Variable| v.declared && !v.optional && v.state == Some(State::Empty);
    one(
        &rules::ENV_EMPTY,
        "deployed without a value",
        variables,
        &empty,
        checks,
    );
    let placeholder = |v: &Variable| matches!(v.state, Some(State::Placeholder | State::Example));
    one(
        &rules::ENV_PLACEHOLDER,
        "deployed with a placeholder",
        variables,
        &placeholder,
        checks,
    );
    let undeclared = |v: &Variable| !v.declared;
    one(
        &rules::ENV_UNDECLARED,
        "deployed, and not declared",
        variables,
        &undeclared,
        checks,
    );
}

fn one(
    rule: &'static Rule,
    what: &str,
    variables: &[Variable],
    wrong: &dyn Fn(&Variable) -> bool,
    checks: &mut Checks,
) {
    let wrong: Vec<&Variable> = variables.iter().filter(|v| wrong(v)).collect();
    let total = wrong.len() as u64;
    let declared = variables.iter().filter(|v| v.declared).count() as u64;
    let check = checks
        .check(rule, SUBJECT)
        .expected(format!("no variable that is {what}"))
        .actual(count_of(total, "variable", "variables"));
    let Some(first) = wrong.first() else {
        let declared = count_of(declared, "declared variable", "declared variables");
        check.message(format!("none is {what}; {declared}")).pass();
        return;
    };
    let message = match total {
        1 => format!("{} is {what}", first.name),
        n => format!("{} and {} more are {what}", first.name, n - 1),
    };
    let lines = wrong.iter().map(|v| match &v.location {
        Some(location) => format!("{} ({location})", v.name),
        None => v.name.clone(),
    });
    let check = check.message(message).details(shown(lines, total));
    match first.location.clone() {
        Some(location) => check.at(location).fail(),
        None => check.fail(),
    }
}
