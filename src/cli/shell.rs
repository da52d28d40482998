//! `readygate completions` and `readygate man`

use clap::Args;
use clap_complete::Shell;

use super::output::Terminal;
use crate::exit;

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// For which shell.
    shell: Shell,
}

/// Prints a completion script.
pub fn completions(args: &CompletionsArgs, terminal: &Terminal) -> u8 {
    let mut out = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "readygate", &mut out);
    terminal.result(&out, exit::GO)
}

/// Prints the manual page, all commands included.
pub fn man(terminal: &Terminal) -> u8 {
    let mut out = Vec::new();
    let root = super::command();
    if let Err(error) = clap_mangen::Man::new(root.clone()).render(&mut out) {
        return terminal.usage_error(&error.to_string());
    }
    for sub in root.get_subcommands() {
        let page = clap_mangen::Man::new(sub.clone());
        if let Err(error) = page
            .render_description_section(&mut out)
            .and_then(|()| page.render_options_section(&mut out))
        {
            return terminal.usage_error(&error.to_string());
        }
    }
    terminal.result(&out, exit::GO)
}
