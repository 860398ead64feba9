//! `usher preview`

use clap::Args;

use super::{
    Global,
    session::{RunFlags, Session},
};
use crate::{chain::Mode, report::preview};

/// Show the first rows as each sink gets them, with the values of the people in them
#[derive(Debug, Args)]
pub(super) struct Preview {
    /// The chains, by name; all when none is named
    chains: Vec<String>,
    /// So many rows of each sink
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    rows: usize,
    /// Read at most so many records to find them
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    limit: u64,
}

impl Preview {
    pub(super) fn execute(self, global: &Global) -> u8 {
        let mut session =
            match Session::open(global, RunFlags { limit: Some(self.limit), ..RunFlags::default() }) {
                Ok(session) => session,
                Err(code) => return code,
            };
        let chains = match session.chains(&self.chains) {
            Ok(chains) => chains,
            Err(code) => return code,
        };
        let code = session.run_chains(&chains, Mode::Preview(self.rows), preview);
        // Too many rejects among the first rows are no failure of a preview.
        if code == super::session::code::REFUSED { super::session::code::DONE } else { code }
    }
}
