//! Arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    let first = std::env::args_os().nth(1);
    if first.is_some_and(|arg| arg == readygate_load::engine::WORKER_COMMAND) {
        return ExitCode::from(readygate_load::engine::worker_main());
    }
    ExitCode::from(readygate::cli::main())
}
