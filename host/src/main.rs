//! The `usher` command.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = usher::cli::Cli::parse();
    usher::report::keep_stdout();
    usher::cli::main(cli)
}
