//! `cargo xtask test`: everything that CI checks.

use std::path::Path;

use crate::{
    Done, deny,
    exec::{Stopwatch, cargo, succeeds},
    scaffold, setup, workspace,
};

/// One step, and how it ended.
struct Step {
    name: &'static str,
    seconds: f64,
    result: Result<bool, String>,
}

/// The steps so far; one that fails holds up no other.
#[derive(Default)]
struct Steps(Vec<Step>);

impl Steps {
    fn run(&mut self, name: &'static str, work: impl FnOnce() -> Result<bool, String>) {
        println!("\n== {name}");
        let watch = Stopwatch::start();
        let result = work();
        if let Err(message) = &result {
            eprintln!("{message}");
        }
        let seconds = watch.seconds();
        self.0.push(Step {
            name,
            seconds,
            result,
        });
    }

    fn all_well(&self) -> bool {
        self.0.iter().all(|step| step.result == Ok(true))
    }

    /// What a log processor looks for at the end.
    fn closing_line(&self) -> String {
        let passed = self.0.iter().filter(|step| step.result == Ok(true)).count();
        format!("steps: {passed} passed, {} failed", self.0.len() - passed)
    }

    fn summary(&self) -> String {
        let width = self.0.iter().map(|s| s.name.len()).max().unwrap_or(0);
        let rows = self.0.iter().map(|step| {
            let word = match &step.result {
                Ok(true) => "ok",
                Ok(false) | Err(_) => "FAILED",
            };
            format!("{:<width$}  {:>7.1} s  {word}\n", step.name, step.seconds)
        });
        rows.collect()
    }
}

/// Runs every step, whatever becomes of the others. `full` adds the slow ones.
pub fn main(full: bool) -> bool {
    let root = workspace::root();
    let mut steps = Steps::default();
    steps.run("set-up", || Ok(setup::main()));
    steps.run("format", || {
        succeeds(cargo(&root).args(["fmt", "--all", "--check"]))
    });
    steps.run("clippy", || clippy(&root));
    steps.run("dependencies", deny::main);
    steps.run("generated files", || {
        succeeds(cargo(&root).args(["xtask", "generate", "--check"]))
    });
    steps.run("doc tests", || {
        succeeds(cargo(&root).args(["test", "--quiet", "--workspace", "--doc"]))
    });
    if full {
        steps.run("scaffold", || scaffold::check(&root));
    }
    steps.run("tests", || tests(&root));
    println!("\n{}\n{}", steps.summary(), steps.closing_line());
    steps.all_well()
}

fn clippy(root: &Path) -> Done {
    let arguments = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--features",
        "readygate-sdk/testkit",
        "--",
        "-D",
        "warnings",
    ];
    succeeds(cargo(root).args(arguments))
}

fn tests(root: &Path) -> Done {
    let mut command = match setup::subcommand("nextest") {
        Ok(mut nextest) => {
            nextest.args(["run", "--workspace"]);
            nextest
        }
        Err(problem) => {
            println!("{problem}\ncargo test runs in its place: slower, without the time limits");
            let mut test = cargo(root);
            test.args(["test", "--workspace", "--all-targets"]);
            test
        }
    };
    for (variable, folder) in setup::shared_data()? {
        println!("{variable}={}", folder.display());
        command.env(variable, folder);
    }
    succeeds(&mut command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_fails_holds_up_no_other_and_fails_the_whole() {
        let mut steps = Steps::default();
        steps.run("first", || Ok(true));
        assert!(steps.all_well());
        steps.run("broken", || Err("cannot".to_owned()));
        steps.run("red", || Ok(false));
        steps.run("last", || Ok(true));
        assert!(!steps.all_well());
        let words: Vec<String> = steps
            .summary()
            .lines()
            .map(|line| line.split_whitespace().last().unwrap().to_owned())
            .collect();
        assert_eq!(words, ["ok", "FAILED", "FAILED", "ok"]);
    }
}
