//! `usher completions`

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, session::code};
use crate::report::print;

/// Print completions for a shell
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn execute(self) -> u8 {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "usher", &mut text);
        print(&String::from_utf8_lossy(&text));
        code::DONE
    }
}
