//! The workers of a run: threads of this process, or processes of their own.

use std::{io, sync::Arc, thread, time::Duration};

use readygate_sdk::{Cx, ProbeError};
use tokio::sync::mpsc::UnboundedSender;

use super::{
    children::Children,
    h2,
    layout::Layout,
    poller::Waker,
    schedule::Share,
    spec::Protocol,
    tally::Interval,
    worker::{Control, Job, Worker},
};

/// What comes from the workers.
#[derive(Debug)]
pub(super) enum Up {
    Report(Box<Interval>),
    /// Workers ended before their time, and why.
    Lost(String),
}

/// Threads of this process.
pub(super) struct Threads {
    control: Arc<Control>,
    wakers: Vec<Waker>,
}

impl Threads {
    /// Starts one for each share of `count`, from `first` on.
    pub(super) fn start(
        job: &Job,
        first: u32,
        count: u32,
        up: impl Fn(Up) + Clone + Send + 'static,
    ) -> io::Result<Self> {
        let control = Arc::new(Control::default());
        let mut threads = Self {
            control: Arc::clone(&control),
            wakers: Vec::new(),
        };
        for index in first..first + count {
            let share = Share {
                index,
                of: job.share.of,
            };
            let job = Job {
                share,
                ..job.clone()
            };
            let (report, lost) = (up.clone(), up.clone());
            let outlet = move |interval| report(Up::Report(Box::new(interval)));
            let work: Box<dyn FnOnce() -> io::Result<()> + Send> = match job.spec.protocol {
                Protocol::Http2 { .. } => {
                    let worker = h2::Worker::new(job, Arc::clone(&control), outlet);
                    Box::new(move || worker.run())
                }
                Protocol::Auto | Protocol::Http1 => {
                    let worker = Worker::new(job, Arc::clone(&control), outlet)?;
                    threads.wakers.push(worker.waker());
                    Box::new(move || worker.run())
                }
            };
            let guarded = move || {
                let panicked = Panic(&lost, index);
                let outcome = work();
                std::mem::forget(panicked);
                if let Err(error) = outcome {
                    lost(Up::Lost(format!("worker {index}: {error}")));
                }
            };
            thread::Builder::new()
                .name(format!("load-{index}"))
                .spawn(guarded)?;
        }
        Ok(threads)
    }

    pub(super) fn begin(&self, at: u64) {
        self.control.start(at);
        self.wake();
    }

    pub(super) fn calm(&self, at: u64) {
        self.control.calm(at);
        self.wake();
    }

    pub(super) fn stop(&self) {
        self.control.stop();
        self.wake();
    }

    pub(super) fn halt(&self) {
        self.control.halt();
        self.wake();
    }

    fn wake(&self) {
        self.wakers.iter().for_each(Waker::wake);
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.halt();
    }
}

/// Tells the parent when a thread panics.
struct Panic<'a, F: Fn(Up)>(&'a F, u32);

impl<F: Fn(Up)> Drop for Panic<'_, F> {
    fn drop(&mut self) {
        self.0(Up::Lost(format!("worker {} panicked", self.1)));
    }
}

/// All workers.
pub(super) enum Crew {
    Threads(Threads),
    Children(Children),
}

impl Crew {
    pub(super) fn start(
        job: &Job,
        layout: &Layout,
        cx: &Cx,
        up: UnboundedSender<Up>,
    ) -> Result<Self, ProbeError> {
        if layout.processes > 0 {
            return Children::start(job, layout, cx, &up).map(Self::Children);
        }
        let send = move |message| drop(up.send(message));
        Threads::start(job, 0, layout.threads, send)
            .map(Self::Threads)
            .map_err(|e| super::internal(&format!("a worker cannot be started: {e}")))
    }

    /// The first phase begins at this time.
    pub(super) fn begin(&self, at: u64) {
        match self {
            Self::Threads(threads) => threads.begin(at),
            Self::Children(children) => children.begin(at),
        }
    }

    /// The stress is over as of this time.
    pub(super) fn calm(&self, at: u64) {
        match self {
            Self::Threads(threads) => threads.calm(at),
            Self::Children(children) => children.calm(at),
        }
    }

    /// Nothing new is begun.
    pub(super) fn stop(&self) {
        match self {
            Self::Threads(threads) => threads.stop(),
            Self::Children(children) => children.stop(),
        }
    }

    /// All ends at once.
    pub(super) fn halt(&self) {
        match self {
            Self::Threads(threads) => threads.halt(),
            Self::Children(children) => children.halt(),
        }
    }

    /// All workers are done: their connections are closed. Waits so long for worker processes to be
    /// gone.
    pub(super) async fn finish(&mut self, within: Duration) {
        match self {
            Self::Threads(threads) => threads.halt(),
            Self::Children(children) => children.finish(within).await,
        }
    }

    /// Resident bytes of the workers.
    pub(super) fn resident(&self) -> u64 {
        match self {
            Self::Threads(_) => super::machine::resident(None).unwrap_or(0),
            Self::Children(children) => children.resident(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::{TcpListener, TcpStream},
        sync::mpsc::channel,
    };

    use super::*;
    use crate::engine::{
        clock,
        plan::Plan,
        spec::{Phase, PhaseKind, Spec},
        tally::State,
    };

    fn job(listener: &TcpListener) -> Job {
        let address = listener.local_addr().unwrap();
        let mut spec = Spec::get(format!("http://{address}/").parse().unwrap(), "/");
        spec.connections = 1;
        spec.phases = vec![Phase {
            name: "measure".to_owned(),
            kind: PhaseKind::Measure,
            rate: Some(20.0),
            users: None,
            duration: Duration::from_millis(100),
        }];
        Job {
            tls: None,
            plan: Arc::new(Plan::new(&spec).unwrap()),
            spec: Arc::new(spec),
            share: Share { index: 0, of: 1 },
            targets: vec![address],
            sources: Vec::new(),
        }
    }

    /// Answers until nothing comes for a while; whether the client closed.
    fn serve(socket: &mut TcpStream) -> bool {
        let mut buffer = [0; 1_024];
        loop {
            match socket.read(&mut buffer) {
                Ok(0) => return true,
                Ok(_) => socket
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!")
                    .unwrap(),
                Err(_) => return false,
            }
        }
    }

    #[test]
    fn sockets_stay_open_until_all_workers_are_done() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (send, receive) = channel();
        let up = move |message| drop(send.send(message));
        let threads = Threads::start(&job(&listener), 0, 1, up).unwrap();
        let (mut socket, _) = listener.accept().unwrap();
        let wait = |state: State| {
            loop {
                match receive.recv_timeout(Duration::from_secs(10)).unwrap() {
                    Up::Report(interval) if interval.gauges.state == state => return,
                    Up::Report(_) => {}
                    Up::Lost(why) => panic!("{why}"),
                }
            }
        };
        wait(State::Ready);
        threads.begin(clock::now());
        socket
            .set_read_timeout(Some(Duration::from_millis(500)))
            .unwrap();
        assert!(!serve(&mut socket), "closed before all were done");
        wait(State::Done);
        assert!(!serve(&mut socket), "closed with the last report");
        drop(threads);
        socket
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        assert!(serve(&mut socket), "not closed at all");
    }
}
