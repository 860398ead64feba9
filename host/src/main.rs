//! The `usher` command.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    usher::cli::main(usher::cli::Cli::parse())
}
