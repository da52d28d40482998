//! The command line: one file per subcommand.

mod admit;
mod commit;
mod diff_policy;
mod event;
mod explain;
mod gate;
mod import;
mod init;
mod judge;
mod load;
mod output;
mod plan;
mod probe;
mod progress;
mod render;
mod renew;
mod run;
mod schema;
mod session;
mod shell;
mod sign;
mod verify;
mod verify_checklist;
mod watch;

use std::path::PathBuf;

pub use schema::{Which as SchemaOf, text as schema_text};

use clap::{Args, ColorChoice, Parser, Subcommand, ValueEnum};

use crate::{
    config::{Environment, Variables},
    exit,
    record::Selection,
};

/// Decides whether a system is ready for production.
///
/// Reads readygate.yaml, runs its gates against the target, writes reports, and exits with
/// 0 go, 1 no-go, 2 usage or config error, 3 inconclusive, 4 only sign-offs pending,
/// 5 rollback advised, 130 or 143 interrupted.
#[derive(Debug, Parser)]
#[command(
    name = "readygate",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Colours on the terminal; NO_COLOR is respected.
    #[arg(long, global = true, value_enum, default_value_t = When::Auto, value_name = "WHEN")]
    color: When,
    /// Words and ASCII marks in place of glyphs.
    #[arg(long, global = true)]
    ascii: bool,
    /// Diagnostic log on stderr: error, warn, info, debug, trace, or a filter such as readygate=debug.
    #[arg(long, global = true, value_name = "FILTER")]
    log: Option<String>,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gates and decide.
    Run(run::RunArgs),
    /// Show what would run, what is contacted and how, and run nothing.
    Plan(plan::PlanArgs),
    /// Run one probe without a config.
    Probe(probe::ProbeArgs),
    /// Judge the measurements of an earlier run by another config.
    Judge(judge::JudgeArgs),
    /// Render a report from a run record.
    Render(render::RenderArgs),
    /// Explain a gate, a probe or a rule.
    Explain(explain::ExplainArgs),
    /// Write a starter config after a look at the repository.
    Init(init::InitArgs),
    /// Write a config from a Markdown checklist.
    Import(import::ImportArgs),
    /// Sign a request in the name of a role.
    Sign(sign::SignArgs),
    /// Decide again on a recorded run and the signatures that came since; probe nothing.
    Gate(gate::GateArgs),
    /// Add an event to the history of a release.
    Event(event::EventArgs),
    /// Watch the target after a deployment and advise.
    Watch(watch::WatchArgs),
    /// Verify a bundle of evidence offline.
    Verify(verify::VerifyArgs),
    /// Find edits that were made to a filled-in checklist.
    VerifyChecklist(verify_checklist::VerifyChecklistArgs),
    /// Compare two policies: what is looser in the second.
    DiffPolicy(diff_policy::DiffPolicyArgs),
    /// Prepare load gates for other machines.
    Load(load::LoadArgs),
    /// Print a JSON Schema.
    Schema(schema::SchemaArgs),
    /// Print a shell completion script.
    Completions(shell::CompletionsArgs),
    /// Print the manual page.
    Man,
}

/// Which config files and values.
#[derive(Debug, Clone, Args)]
pub struct ConfigArgs {
    /// Config file; several are put together.
    #[arg(
        short,
        long = "config",
        value_name = "FILE",
        default_value = "readygate.yaml"
    )]
    config: Vec<PathBuf>,
    /// Value for `${NAME}`; outranks the environment.
    #[arg(long = "var", value_name = "NAME=VALUE")]
    variables: Vec<String>,
    /// Read the policy (config files and lists of keys) from this git ref, not from the working tree,
    /// so that a change cannot loosen the rules that it is judged by.
    #[arg(long, value_name = "REF")]
    trust_ref: Option<String>,
}

impl ConfigArgs {
    fn variables(&self, environment: &Environment) -> Result<Variables, String> {
        variables(&self.variables, environment)
    }
}

fn variables(given: &[String], environment: &Environment) -> Result<Variables, String> {
    let mut values = environment.all().clone();
    for pair in given {
        let (name, value) = pair
            .split_once('=')
            .ok_or_else(|| format!("--var `{pair}` is not NAME=VALUE"))?;
        values.insert(name.to_owned(), value.to_owned());
    }
    Ok(Variables::new(values))
}

/// Which gates.
#[derive(Debug, Clone, Default, Args)]
pub struct SelectArgs {
    /// Gates of this stage, and those without stages.
    #[arg(long = "stage", value_name = "STAGE", value_delimiter = ',')]
    stages: Vec<String>,
    /// Gates with this tag.
    #[arg(long = "tag", value_name = "TAG", value_delimiter = ',')]
    tags: Vec<String>,
    /// Gates with this id; `*` matches any part. What they need runs too.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    only: Vec<String>,
    /// Leaves out gates with this id; `*` matches any part.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    skip: Vec<String>,
}

impl From<&SelectArgs> for Selection {
    fn from(args: &SelectArgs) -> Self {
        let SelectArgs {
            stages,
            tags,
            only,
            skip,
        } = args.clone();
        Self {
            stages,
            tags,
            only,
            skip,
        }
    }
}

/// Parses the arguments, runs the command, gives the exit code.
pub fn main() -> u8 {
    let environment = Environment::of_process();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(exit::USAGE);
        }
    };
    let Cli { global, command } = cli;
    let terminal = output::Terminal::new(&global, &environment);
    if let Err(message) = init_log(&global) {
        return terminal.usage_error(&message);
    }
    match command {
        Command::Run(args) => run::main(&args, &terminal, &environment),
        Command::Plan(args) => plan::main(&args, &terminal, &environment),
        Command::Probe(args) => probe::main(&args, &terminal, &environment),
        Command::Judge(args) => judge::main(&args, &terminal, &environment),
        Command::Render(args) => render::main(&args, &terminal),
        Command::Explain(args) => explain::main(&args, &terminal, &environment),
        Command::Init(args) => init::main(&args, &terminal),
        Command::Import(args) => import::main(&args, &terminal),
        Command::Sign(args) => sign::main(&args, &terminal, &environment),
        Command::Gate(args) => gate::main(&args, &terminal, &environment),
        Command::Event(args) => event::main(&args, &terminal, &environment),
        Command::Watch(args) => watch::main(&args, &terminal, &environment),
        Command::Verify(args) => verify::main(&args, &terminal, &environment),
        Command::VerifyChecklist(args) => verify_checklist::main(&args, &terminal),
        Command::DiffPolicy(args) => diff_policy::main(&args, &terminal, &environment),
        Command::Load(args) => load::main(&args, &terminal, &environment),
        Command::Schema(args) => schema::main(&args, &terminal),
        Command::Completions(args) => shell::completions(&args, &terminal),
        Command::Man => shell::man(&terminal),
    }
}

fn init_log(global: &Global) -> Result<(), String> {
    let Some(filter) = &global.log else {
        return Ok(());
    };
    let filter = tracing_subscriber::EnvFilter::try_new(filter)
        .map_err(|e| format!("--log `{filter}`: {e}"))?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(global.color == When::Always)
        .finish();
    tracing::subscriber::set_global_default(subscriber).map_err(|e| e.to_string())
}

/// The arguments as clap sees them, for completions, the manual and the docs.
pub fn command() -> clap::Command {
    use clap::CommandFactory as _;
    Cli::command().color(ColorChoice::Never)
}
