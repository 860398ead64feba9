//! `usher` with two connectors linked in, for `bench/boundary`. All else is as ever (their files are found, read and hashed), so
//! what is left between the two is what loading libraries and calling into them costs.

use std::{path::Path, process::ExitCode};

use clap::Parser;
use usher_abi::ModuleRef;

/// The root module of the connector that such a file holds.
fn module(path: &Path) -> Option<ModuleRef> {
    match path.file_stem()?.to_str()? {
        "libusher_auth0" => Some(usher_auth0::plugin()),
        "libusher_csv" => Some(usher_csv::plugin()),
        _ => None,
    }
}

fn main() -> ExitCode {
    let _ = usher::plugins::LINKED.set(module);
    let cli = usher::cli::Cli::parse();
    usher::report::keep_stdout();
    usher::cli::main(cli)
}
