//! What is going on, on stderr: a live line on a terminal, plain lines elsewhere, and a heartbeat
//! each minute so that no CI kills a long run for its silence.

use std::{
    collections::BTreeMap,
    io::{self, Write as _},
    sync::Arc,
    time::Duration,
};

use readygate_sdk::{Masker, Unit, defang};
use tokio::{sync::mpsc::UnboundedReceiver, time::Instant};

use super::output::Terminal;
use crate::{engine::Event, record::Outcome};

const HEARTBEAT: Duration = Duration::from_secs(60);
const REDRAW: Duration = Duration::from_millis(200);

/// Consumes events until the run ends.
pub async fn show(
    mut events: UnboundedReceiver<Event>,
    terminal: Terminal,
    masker: Arc<Masker>,
    quiet: bool,
) {
    let mut display = Display {
        terminal,
        masker,
        quiet,
        begun: Instant::now(),
        total: 0,
        done: 0,
        running: BTreeMap::new(),
        drawn: false,
    };
    let period = if terminal.interactive && !quiet {
        REDRAW
    } else {
        HEARTBEAT
    };
    let mut ticks = tokio::time::interval_at(Instant::now() + period, period);
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Some(event) => display.event(event),
                None => break,
            },
            _ = ticks.tick() => display.tick(),
        }
    }
    display.clear();
}

struct Display {
    terminal: Terminal,
    masker: Arc<Masker>,
    quiet: bool,
    begun: Instant,
    total: usize,
    done: usize,
    running: BTreeMap<String, (Instant, String)>,
    drawn: bool,
}

impl Display {
    fn event(&mut self, event: Event) {
        match event {
            Event::Started { total } => self.total = total,
            Event::GateStarted { id } => {
                self.line(&format!("start      {id}"), false);
                self.running.insert(id, (Instant::now(), String::new()));
            }
            Event::Progress { id, message } => {
                let message = defang(&self.masker.mask(&message));
                if let Some(entry) = self.running.get_mut(&id) {
                    entry.1 = message;
                }
            }
            Event::Retrying {
                id,
                attempt,
                outcome,
                reason,
                delay,
            } => {
                let reason = reason.unwrap_or_default();
                let delay = Unit::Seconds.format(delay.as_secs_f64());
                let outcome = outcome.name();
                self.line(
                    &format!(
                        "retry      {id}: attempt {attempt} {outcome} ({reason}); again in {delay}"
                    ),
                    true,
                );
            }
            Event::GateEnded { record } => {
                self.done += usize::from(record.is_selected());
                self.running.remove(&record.id);
                let reason = record
                    .reason
                    .as_ref()
                    .map_or_else(String::new, |r| format!(": {r}"));
                let took = Unit::Seconds.format((record.duration_s * 1e3).round() / 1e3);
                let calm = record.outcome == Outcome::Passed;
                let ended = if record.is_waived() {
                    "waived"
                } else {
                    record.outcome.name()
                };
                let text = format!("{ended:<10} {} ({took}){reason}", record.id);
                self.line(&text, !calm && self.terminal.interactive);
            }
        }
    }

    fn tick(&mut self) {
        if self.terminal.interactive && !self.quiet {
            self.draw();
        } else {
            self.terminal.note(&format!("readygate: {}", self.status()));
        }
    }

    /// `12 s, 3 of 7 done, running: perf.load (10 s: 31,000 requests)`
    fn status(&self) -> String {
        let elapsed = self.begun.elapsed().as_secs();
        let mut text = format!("{elapsed} s, {} of {} done", self.done, self.total);
        let running: Vec<String> = self
            .running
            .iter()
            .map(|(id, (since, message))| {
                let seconds = since.elapsed().as_secs();
                if message.is_empty() {
                    format!("{id} ({seconds} s)")
                } else {
                    format!("{id} ({seconds} s: {message})")
                }
            })
            .collect();
        if !running.is_empty() {
            text += ", running: ";
            text += &running.join(", ");
        }
        text
    }

    /// A line that stays. On a terminal only what is out of the ordinary stays; the rest is in the
    /// live line and in the result.
    fn line(&mut self, text: &str, important: bool) {
        if self.quiet || (self.terminal.interactive && !important) {
            return;
        }
        self.clear();
        let text = defang(&self.masker.mask(text)).replace('\n', " ");
        self.terminal.note(&readygate_sdk::excerpt(&text, 300));
    }

    fn draw(&mut self) {
        let status = self.status().replace('\n', " ");
        let fits: String = status
            .chars()
            .take(self.terminal.width.saturating_sub(1))
            .collect();
        let _ = write!(io::stderr().lock(), "\r\u{1b}[2K{fits}");
        let _ = io::stderr().flush();
        self.drawn = true;
    }

    fn clear(&mut self) {
        if self.drawn {
            let _ = write!(io::stderr().lock(), "\r\u{1b}[2K");
            let _ = io::stderr().flush();
            self.drawn = false;
        }
    }
}
