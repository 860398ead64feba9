//! `usher login`

use std::sync::Arc;

use clap::Args;
use serde_json::json;
use usher_abi::{Error, ErrorClass, LoginPrompt, service::ClockService};

use super::{
    Global,
    session::{RunFlags, Session, code, print_json},
};
use crate::{
    chain,
    plugins::Login as PluginLogin,
    report::{print, tell},
    services::SystemClock,
};

/// Log a connector in to its vendor: shows a code, and waits until somebody has entered it in a browser
#[derive(Debug, Args)]
pub(super) struct Login {
    /// The connector, by its name in the manifest
    connector: String,
    /// Print the secret that is kept, for a machine on which nobody can log in
    #[arg(long)]
    export: bool,
}

impl Login {
    pub(super) fn execute(self, global: &Global) -> u8 {
        let mut session = match Session::open(global, RunFlags::default()) {
            Ok(session) => session,
            Err(code) => return code,
        };
        let login = match chain::login(&mut session.engine, &self.connector) {
            Ok(login) => login,
            Err(failure) => return session.fail_login(&self.connector, failure),
        };
        let result = if self.export { export(login, global) } else { self.log_in(login, &session) };
        match result {
            Ok(()) => code::DONE,
            Err(error) => session.fail_login(&self.connector, error.into()),
        }
    }

    fn log_in(&self, mut login: PluginLogin, session: &Session) -> Result<(), Error> {
        let prompt = login.begin()?;
        let clock: Arc<dyn ClockService> = Arc::new(SystemClock::new(session.engine.cancel.clone()));
        self.show(&prompt, &session.global);
        let until = clock.now_ms().saturating_add(prompt.expires_in.saturating_mul(1_000));
        let mut interval = prompt.interval;
        loop {
            clock.sleep_ms(interval.max(1).saturating_mul(1_000))?;
            let progress = match login.poll() {
                Ok(progress) => progress,
                // The network may come back while the code is good.
                Err(error) if may_pass(&error) && clock.now_ms() < until => continue,
                Err(error) => return Err(error),
            };
            if progress.done {
                for warning in &progress.warnings {
                    tell!(warning, "{warning}");
                }
                if session.global.json {
                    print_json(
                        &json!({ "connector": self.connector, "done": true, "warnings": progress.warnings }),
                    );
                } else if !session.global.quiet {
                    print(&format!("`{}` is logged in\n", self.connector));
                    if let Some(option) = &progress.option {
                        tell!(
                            "on a machine without a browser: `usher login {} --export` prints the value of its option `{}`",
                            self.connector,
                            option.trim_start_matches('/').replace('/', ".")
                        );
                    }
                }
                return Ok(());
            }
            interval = progress.interval;
        }
    }

    fn show(&self, prompt: &LoginPrompt, global: &Global) {
        if global.json {
            print_json(&json!({ "connector": self.connector, "prompt": prompt }));
            return;
        }
        let address = prompt.verification_uri_complete.as_ref().unwrap_or(&prompt.verification_uri);
        tell!("To log `{}` in, open this address in a browser, on any machine:", self.connector);
        tell!("");
        tell!("    {}", plain(address));
        tell!("");
        tell!("and enter this code:");
        tell!("");
        tell!("    {}", plain(&prompt.user_code));
        tell!("");
        tell!("It is good for {} minutes; waiting", prompt.expires_in.div_ceil(60));
    }
}

/// What came from afar, as a terminal may show it.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(500).collect()
}

fn may_pass(error: &Error) -> bool {
    matches!(error.class, ErrorClass::TRANSIENT | ErrorClass::RATE_LIMITED | ErrorClass::TIMEOUT)
}

fn export(mut login: PluginLogin, global: &Global) -> Result<(), Error> {
    let secret = login.export()?;
    if !global.quiet {
        tell!(
            "this is a secret: keep it where secrets are kept; if the vendor makes it good for one use, the machine that \
             uses it first is logged in and the other is not"
        );
    }
    if global.json {
        print_json(&json!({ "secret": secret }));
    } else {
        print(&format!("{secret}\n"));
    }
    Ok(())
}
