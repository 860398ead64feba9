//! `usher login`: the device flow, in which a person enters a code in a browser on any machine (`GUIDE-DEV`, RFC 8628).

use usher_sdk::{
    Clock, Host, Login, Secret,
    abi::{Error, LoginProgress, LoginPrompt},
};

use crate::{
    device::Waited,
    oauth::{Device, expired},
    options::Options,
    tokens::Tokens,
};

const NO_REFRESH_TOKEN: &str = "no refresh token came with the login, so it is good for a day; see in the developer portal \
                                that the application may use refresh tokens";

/// See the module's head.
pub(crate) struct DeviceLogin {
    tokens: Tokens,
    clock: Clock,
    begun: Option<Begun>,
}

struct Begun {
    device: Device,
    until_ms: u64,
    /// Seconds between two questions; grows when the vendor asks for it.
    interval: u64,
}

impl Login for DeviceLogin {
    type Options = Options;

    fn open(options: Options, host: Host) -> Result<Self, Error> {
        Ok(Self { tokens: Tokens::new(&host, options.access()?)?, clock: host.clock()?, begun: None })
    }

    fn begin(&mut self) -> Result<LoginPrompt, Error> {
        let device = self.tokens.device()?;
        let prompt = LoginPrompt {
            verification_uri: device.verification_uri.clone(),
            verification_uri_complete: device.verification_uri_complete.clone(),
            user_code: device.user_code.clone(),
            expires_in: device.expires_in,
            interval: device.interval,
        };
        let until_ms = self.clock.now_ms().saturating_add(device.expires_in.saturating_mul(1_000));
        self.begun = Some(Begun { until_ms, interval: device.interval, device });
        Ok(prompt)
    }

    fn poll(&mut self) -> Result<LoginProgress, Error> {
        let begun = self.begun.as_mut().ok_or_else(|| Error::bug("login.order", "`poll` before `begin`"))?;
        if self.clock.now_ms() > begun.until_ms {
            return Err(expired());
        }
        match self.tokens.waited(&begun.device)? {
            Waited::Pending => {}
            // RFC 8628 §3.5.
            Waited::SlowDown => begun.interval += 5,
            Waited::Done { refreshes, replaces } => {
                let warning = match (refreshes, replaces) {
                    (true, _) => None,
                    (false, false) => Some(NO_REFRESH_TOKEN.to_owned()),
                    (false, true) => Some(format!(
                        "{NO_REFRESH_TOKEN}; it took the place of a login that had a refresh token"
                    )),
                };
                let warnings = warning.into_iter().collect();
                let option = Some("/api/refresh_token".to_owned());
                return Ok(LoginProgress { done: true, option, warnings, interval: 0 });
            }
        }
        Ok(LoginProgress { interval: begun.interval, ..LoginProgress::default() })
    }

    fn export(&mut self) -> Result<Secret, Error> {
        self.tokens.export()
    }
}
