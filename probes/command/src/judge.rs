//! Applies the rules to a measurement.

mod external;
mod plugin;

use readygate_sdk::{Checks, Rule, excerpt, process::Ended};

use crate::{
    CommandConfig, CommandMeasurement, ExitCodes, JsonFound, Matcher, Protocol, StreamConfig,
    StreamRecord, TextFact, TextRole, rules,
};

/// Lines of output shown as evidence.
const LINES: usize = 20;

pub fn judge(config: &CommandConfig, measurement: &CommandMeasurement, checks: &mut Checks) {
    match config.protocol {
        Protocol::Exit => exit_code(config, measurement, checks),
        Protocol::Nagios => plugin::judge(measurement, checks),
        Protocol::Json => external::judge(measurement, checks),
    }
    let program = &measurement.program;
    let out = Stream {
        rule: &rules::STDOUT,
        name: "standard output",
        program,
        record: &measurement.stdout,
    };
    out.judge(&config.stdout, checks);
    let err = Stream {
        rule: &rules::STDERR,
        name: "standard error",
        program,
        record: &measurement.stderr,
    };
    err.judge(&config.stderr, checks);
    if config.reads_json() {
        json(config, measurement, checks);
    }
}

fn exit_code(config: &CommandConfig, measurement: &CommandMeasurement, checks: &mut Checks) {
    let zero = ExitCodes(vec![0]);
    let wanted = config.exit_code.as_ref().unwrap_or(&zero);
    let check = checks
        .check(&rules::EXIT_CODE, &measurement.program)
        .message(format!("it ended with {}", ended(measurement.ended)))
        .expected(wanted.to_string())
        .actual(measurement.ended.to_string());
    let holds = match measurement.ended {
        Ended::Code(code) => wanted.0.iter().any(|wanted| i32::from(*wanted) == code),
        Ended::Signal(_) => false,
    };
    if holds {
        return check.pass();
    }
    let check = check.details(last_words(measurement));
    match measurement.ended {
        Ended::Code(126 | 127) if config.shell.is_some() => check
            .hint("126 and 127 are the shell's own: a program was not executable, or not found")
            .fail(),
        Ended::Signal(9) => check
            .hint("SIGKILL mostly comes from the kernel when memory runs out: dmesg | grep -i oom")
            .fail(),
        _ => check.fail(),
    }
}

/// Reads after "it ended with".
fn ended(ended: Ended) -> String {
    match ended {
        Ended::Code(_) => ended.to_string(),
        Ended::Signal(_) => format!("a signal: {ended}"),
    }
}

/// The last lines that the program wrote on standard error, or else on standard output.
fn last_words(measurement: &CommandMeasurement) -> Vec<String> {
    let text = match measurement.stderr.text.trim() {
        "" => measurement.stdout.text.trim(),
        text => text,
    };
    let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
    let last = lines.iter().skip(lines.len().saturating_sub(LINES));
    last.map(|line| excerpt(line, 300)).collect()
}

/// One output stream under judgement.
struct Stream<'a> {
    rule: &'static Rule,
    name: &'static str,
    program: &'a str,
    record: &'a StreamRecord,
}

impl Stream<'_> {
    fn judge(&self, config: &StreamConfig, checks: &mut Checks) {
        if let Some(empty) = config.empty {
            self.empty(empty, checks);
        }
        for text in config.contains.iter() {
            self.text(TextRole::Contains, text, checks);
        }
        for text in config.not_contains.iter() {
            self.text(TextRole::NotContains, text, checks);
        }
        for text in config.matches.iter() {
            self.text(TextRole::Matches, text, checks);
        }
    }

    fn empty(&self, wanted: bool, checks: &mut Checks) {
        let (name, bytes) = (self.name, self.record.bytes);
        let is_empty = bytes == 0;
        let text = self.record.text.trim();
        let check = checks
            .check(self.rule, self.program)
            .message(format!(
                "{name} is {}",
                if is_empty { "empty" } else { "not empty" }
            ))
            .expected(if wanted { "no output" } else { "some output" })
            .actual(readygate_sdk::count_of(bytes, "byte", "bytes"));
        let evidence = (!text.is_empty() && is_empty != wanted).then(|| excerpt(text, 300));
        check.details(evidence).passed_if(is_empty == wanted);
    }

    fn text(&self, role: TextRole, text: &str, checks: &mut Checks) {
        let name = self.name;
        let (expected, there) = match role {
            TextRole::Contains => (format!("`{text}` in {name}"), true),
            TextRole::NotContains => (format!("no `{text}` in {name}"), false),
            TextRole::Matches => (format!("a match of `{text}` in {name}"), true),
        };
        let check = checks.check(self.rule, self.program).expected(expected);
        let fact = self
            .record
            .texts
            .iter()
            .find(|f| f.role == role && f.text == text);
        match fact {
            None => check.unmeasured("this text was not looked for in the measurement"),
            Some(TextFact { found: None, .. }) => check
                .hint("raise `output_limit` (16MiB at most), or make the program print less")
                .unmeasured(format!(
                    "only a part of {name} was kept, and `{text}` may be in the rest"
                )),
            Some(fact) => {
                let found = fact.found == Some(true);
                let place = match fact.line {
                    Some(line) if found => format!(", line {line}"),
                    _ => String::new(),
                };
                let message = format!(
                    "`{text}` is {}in {name}{place}",
                    if found { "" } else { "not " }
                );
                let sample = fact.sample.clone().filter(|_| found);
                let check = check.message(message);
                let check = match sample {
                    Some(sample) => check.actual(sample),
                    None if self.record.bytes == 0 => check.actual("no output at all"),
                    None => check,
                };
                check.passed_if(found == there);
            }
        }
    }
}

fn json(config: &CommandConfig, measurement: &CommandMeasurement, checks: &mut Checks) {
    let check = checks.check(&rules::NOT_JSON, &measurement.program);
    let Some(json) = &measurement.json else {
        return check.unmeasured("standard output was not read as JSON in the measurement");
    };
    if measurement.stdout.truncated {
        return check
            .hint("raise `output_limit` (16MiB at most)")
            .unmeasured("only a part of standard output was kept, and a part is not JSON");
    }
    let check = check.expected("JSON");
    if let Some(problem) = &json.problem {
        let start = excerpt(measurement.stdout.text.trim(), 300);
        return check
            .message(format!("standard output is not JSON: {problem}"))
            .actual(if start.is_empty() {
                "nothing".to_owned()
            } else {
                start
            })
            .fail();
    }
    check.message("standard output is JSON").pass();
    for (pointer, matcher) in &config.json {
        let subject = if pointer.is_empty() {
            "the whole document"
        } else {
            pointer
        };
        let check = checks
            .check(&rules::JSON_VALUE, subject)
            .expected(matcher.to_string());
        match json.values.get(pointer) {
            None => check.unmeasured("this pointer was not followed in the measurement"),
            Some(found) => check
                .message(sentence(subject, matcher, found))
                .actual(shown(found))
                .passed_if(matcher.holds(found)),
        }
    }
}

fn sentence(subject: &str, matcher: &Matcher, found: &JsonFound) -> String {
    match found {
        _ if matcher.holds(found) => format!("{subject} is as wanted"),
        JsonFound::Missing => format!("there is nothing at {subject}"),
        _ => format!("{subject} is {}", shown(found)),
    }
}

fn shown(found: &JsonFound) -> String {
    match found {
        JsonFound::Missing => "nothing".to_owned(),
        JsonFound::Scalar(value) => excerpt(&value.to_string(), 200),
        JsonFound::Array { length } => format!("a list of {length}"),
        JsonFound::Object { length } => format!("an object of {length}"),
    }
}
