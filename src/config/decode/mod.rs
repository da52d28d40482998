//! Tree to types, through serde, collecting every mistake instead of the first.
//!
//! serde gives up on a value at its first error. Here the offending entry is then put aside, and
//! the same value is read again without it, until nothing new turns up. Unknown keys never reach
//! serde: the names that a struct knows are compared before its visitor sees a key.

mod access;
mod deserializer;
mod error;

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
};

use serde::Deserialize;

use super::{diagnostic::Diagnostic, yaml::Node};
use deserializer::Decoder;

/// Rounds of putting aside and reading again; each finds at least one new mistake.
const MOST_ROUNDS: usize = 200;

/// Mistakes that are kept: beyond this the file is something else than a config.
const MOST_PROBLEMS: usize = 1_000;

/// Where mistakes and secrets are collected.
#[derive(Debug, Default)]
pub struct Sink {
    problems: RefCell<Vec<Diagnostic>>,
    aside: RefCell<HashSet<usize>>,
    unknown: RefCell<HashSet<usize>>,
    secrets: RefCell<Vec<String>>,
    /// Values of variables that went into a text, by its address.
    values: RefCell<HashMap<usize, Vec<String>>>,
}

impl Sink {
    /// Adds a mistake.
    pub fn report(&self, problem: Diagnostic) {
        let mut problems = self.problems.borrow_mut();
        if problems.len() < MOST_PROBLEMS && !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    /// How many mistakes so far.
    pub fn len(&self) -> usize {
        self.problems.borrow().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All mistakes, and the values of all fields of secret type.
    pub fn into_parts(self) -> (Vec<Diagnostic>, Vec<String>) {
        (self.problems.into_inner(), self.secrets.into_inner())
    }

    /// Notes which value went into a text: if that turns out to be a secret, so is the value.
    pub fn add_value(&self, node: &Node, value: &str) {
        let mut values = self.values.borrow_mut();
        values
            .entry(address(node))
            .or_default()
            .push(value.to_owned());
    }

    /// Marks a value as secret.
    pub fn add_secret(&self, value: &str) {
        self.secrets.borrow_mut().push(value.to_owned());
    }
}

/// Reads `node` as a `T`, or reports everything that is wrong with it.
pub fn decode<'de, T: Deserialize<'de>>(node: &'de Node, sink: &Sink) -> Option<T> {
    let before = sink.len();
    for _ in 0..MOST_ROUNDS {
        match T::deserialize(Decoder { node, sink }) {
            Ok(value) if sink.len() == before => return Some(value),
            Ok(_) => return None,
            Err(error) => {
                if !error.known {
                    sink.report(error.diagnostic(node.span));
                }
                match error.culprit {
                    Some(culprit) if sink.aside.borrow_mut().insert(culprit) => {}
                    _ => return None,
                }
            }
        }
    }
    None
}

fn address(node: &Node) -> usize {
    std::ptr::from_ref(node).addr()
}
