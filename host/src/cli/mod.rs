//! The command line: one file a command, each with its flags and its end.

mod check;
mod completions;
mod forget;
mod interrupt;
mod login;
mod new;
mod plan;
mod plugins;
mod preview;
mod prune;
mod rejects;
mod retry;
mod run;
mod runs;
mod schema;
mod session;
mod swap;
mod test;
mod worker;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::{
    manifest::Isolation,
    report::{LogFormat, Prints, is_json, log_as},
    runner::no_core_dump,
};

/// Moves user records between SaaS vendors: reads an export, shapes it, writes what each vendor's import takes.
#[derive(Debug, Parser)]
#[command(name = "usher", version, arg_required_else_help = true, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done, 1 failed and nothing published, 2 wrong usage or manifest, 3 more rejects \
                        than allowed, 4 partly sent (the same command goes on), 130/143 interrupted."
)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Flags that every command takes.
#[derive(Debug, Clone, Args)]
struct Global {
    /// The manifest
    #[arg(long, short, global = true, value_name = "FILE", default_value = "connectors.toml")]
    manifest: PathBuf,
    /// Search this folder for plugins before all others (may be given several times)
    #[arg(long, global = true, value_name = "DIR")]
    plugin_dir: Vec<PathBuf>,
    /// Use another value for a key of the manifest, e.g. connectors.users.options.input=users.csv
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Read with so many threads instead of one for each core; the results do not depend on it
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
    /// Run all plugins there, whatever the manifest says: in this process, or each in a jailed one of its own (also by
    /// USHER_ISOLATION)
    #[arg(long, global = true, value_name = "WHERE", value_parser = isolation)]
    isolation: Option<Isolation>,
    /// Answer in JSON on standard output
    #[arg(long, global = true)]
    json: bool,
    /// Say nothing but results and errors
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Write the log (standard error) as text, or as one object of JSON a line: time, level, chain, run, connector, message
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value_t)]
    log_format: LogFormat,
    /// Say more; layout differences of refused plugins, too
    #[arg(long, short, global = true)]
    verbose: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run chains and publish what they write
    Run(run::Run),
    /// Check manifest, plugins, options, columns and expressions; reads no more than the inputs' heads
    Check(check::Check),
    /// Show the first rows as each sink gets them, with the values of the people in them
    Preview(preview::Preview),
    /// Do everything but send and publish, and say exactly what a run would do
    Plan(plan::Plan),
    /// Show what a run did not take: by reason, with examples and what to do
    Rejects(rejects::Rejects),
    /// Run the chain again over what a run did not take, for the sinks that have missed it
    Retry(retry::Retry),
    /// List runs, look at one, or see whether it is still what it was
    Runs(runs::Runs),
    /// Remove a person from runs, state and recordings, and say where they were
    Forget(forget::Forget),
    /// Show what happens if another vendor takes the place of one: columns, limits, rows; and make the change
    Swap(swap::Swap),
    /// Log a connector in to its vendor: shows a code, and waits until somebody has entered it in a browser
    Login(login::Login),
    /// Look at plugins
    #[command(subcommand)]
    Plugins(plugins::Plugins),
    /// Write the crate of a new connector, which builds, passes its tests and runs as it is
    New(new::New),
    /// Hold a plugin to the conformance suite
    Test(test::Test),
    /// Print a JSON Schema of the manifest for editors, the options of the plugins found included
    Schema,
    /// Print completions for a shell
    Completions(completions::Completions),
    /// The process that a plugin runs in
    #[command(hide = true)]
    Worker,
}

/// By its word, for flag and environment.
fn isolation(text: &str) -> Result<Isolation, String> {
    Isolation::parse(text).ok_or_else(|| format!("it is `{}`", Isolation::NAMES.join("` or `")))
}

/// Runs a parsed command line.
pub fn main(cli: Cli) -> ExitCode {
    let Cli { mut global, command } = cli;
    // Options with their secrets and people's data are in this process's memory. A system that forbids even this is no reason
    // not to run.
    let _ = no_core_dump();
    log_as(global.log_format);
    if let (None, Ok(text)) = (global.isolation, std::env::var("USHER_ISOLATION")) {
        match isolation(&text) {
            Ok(isolation) => global.isolation = Some(isolation),
            Err(message) => {
                session::say_error(&global, format!("USHER_ISOLATION is `{text}`; {message}"));
                return ExitCode::from(session::code::USAGE);
            }
        }
    }
    // `usher test` watches a process of its own for it.
    let prints = match command {
        Command::Test(_) | Command::Worker => None,
        _ => {
            interrupt::guard();
            is_json().then(Prints::read).flatten()
        }
    };
    let code = match command {
        Command::Run(command) => command.execute(&global),
        Command::Check(command) => command.execute(&global),
        Command::Preview(command) => command.execute(&global),
        Command::Plan(command) => command.execute(&global),
        Command::Rejects(command) => command.execute(&global),
        Command::Retry(command) => command.execute(&global),
        Command::Runs(command) => command.execute(&global),
        Command::Forget(command) => command.execute(&global),
        Command::Swap(command) => command.execute(&global),
        Command::Login(command) => command.execute(&global),
        Command::Plugins(command) => command.execute(&global),
        Command::New(command) => command.execute(&global),
        Command::Test(command) => command.execute(&global),
        Command::Schema => schema::execute(&global),
        Command::Completions(command) => command.execute(),
        Command::Worker => worker::execute(),
    };
    interrupt::done();
    if let Some(prints) = prints {
        prints.end();
    }
    ExitCode::from(code)
}
