//! A worker process, seen from inside: it takes its orders from standard input, reports on
//! standard output, and ends with its parent.

use std::{
    io::{self, Read},
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use rustix::process::{
    Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setrlimit,
};

use super::{
    children::Order,
    crew::{Threads, Up},
    frames::{self, CALM, FAILURE, HALT, JOB, REPORT, START, STOP},
    plan::Plan,
    schedule::Share,
    tally::State,
    tls::Setup,
    worker::Job,
};

/// What the main thread hears.
enum Heard {
    Worker(Up),
    /// A frame of the parent, or nothing: it has gone.
    Parent(Option<frames::Frame>),
}

/// Runs a worker process; gives its exit code.
pub fn worker_main() -> u8 {
    // Should the parent be killed, nobody is left to read the end of standard input.
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
    raise_file_limit();
    match work() {
        Ok(()) => 0,
        Err(message) => {
            let _ = frames::write(&mut io::stdout().lock(), FAILURE, message.as_bytes());
            1
        }
    }
}

/// As many files as the hard limit allows.
pub(super) fn raise_file_limit() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let wanted = Rlimit {
        current: maximum,
        maximum,
    };
    // Where it fails, connections fail with the kind `file_limit`.
    let _ = setrlimit(Resource::Nofile, wanted);
}

fn work() -> Result<(), String> {
    let order = order(&mut io::stdin().lock())?;
    let (send, receive) = channel();
    let plan = Plan::new(&order.spec)?;
    let job = Job {
        tls: Setup::new(&order.spec)?,
        plan: Arc::new(plan),
        spec: Arc::new(order.spec),
        share: Share {
            index: order.first,
            of: order.of,
        },
        targets: order.targets,
        sources: order.sources,
    };
    let up = send.clone();
    let threads = Threads::start(&job, order.first, order.threads, move |message| {
        let _ = up.send(Heard::Worker(message));
    })
    .map_err(|e| format!("a worker cannot be started: {e}"))?;
    thread::Builder::new()
        .name("orders".to_owned())
        .spawn(move || listen(&send))
        .map_err(|e| e.to_string())?;
    relay(&receive, &threads, order.threads)?;
    keep(&receive);
    Ok(())
}

fn order(stdin: &mut impl Read) -> Result<Order, String> {
    let frame = frames::read(stdin).map_err(|e| e.to_string())?;
    let frame = frame
        .filter(|f| f.kind == JOB)
        .ok_or("this is for readygate's own use")?;
    serde_json::from_slice(&frame.content).map_err(|e| e.to_string())
}

/// Passes on what the parent says.
fn listen(to: &Sender<Heard>) {
    let mut stdin = io::stdin().lock();
    loop {
        let frame = frames::read(&mut stdin).ok().flatten();
        let gone = frame.is_none();
        if to.send(Heard::Parent(frame)).is_err() || gone {
            return;
        }
    }
}

/// Passes messages on in both directions until all workers are done.
fn relay(messages: &Receiver<Heard>, threads: &Threads, count: u32) -> Result<(), String> {
    let mut stdout = io::stdout().lock();
    let mut done = 0;
    while done < count {
        match messages.recv().map_err(|e| e.to_string())? {
            Heard::Worker(Up::Report(interval)) => {
                done += u32::from(interval.gauges.state == State::Done);
                let content = frames::encode(&interval)?;
                frames::write(&mut stdout, REPORT, &content).map_err(|e| e.to_string())?;
            }
            Heard::Worker(Up::Lost(message)) => return Err(message),
            Heard::Parent(Some(frame)) => obey(&frame, threads),
            Heard::Parent(None) => return Err("the parent has gone".to_owned()),
        }
    }
    Ok(())
}

/// Waits until the parent says that all is over, with the sockets open. The kernel closes them when
/// this process ends, and is busy with that on a core that other workers may still measure on.
fn keep(messages: &Receiver<Heard>) {
    while let Ok(heard) = messages.recv() {
        match heard {
            Heard::Parent(Some(frame)) if frame.kind != HALT => {}
            Heard::Parent(_) => return,
            Heard::Worker(_) => {}
        }
    }
}

fn obey(frame: &frames::Frame, threads: &Threads) {
    match (frame.kind, frame.content.first_chunk::<8>()) {
        (START, Some(at)) => threads.begin(u64::from_be_bytes(*at)),
        (CALM, Some(at)) => threads.calm(u64::from_be_bytes(*at)),
        (STOP, _) => threads.stop(),
        (HALT, _) => threads.halt(),
        _ => {}
    }
}
