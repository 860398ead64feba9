//! A delivery that ends before it begins: the account cannot be looked at, or what is missing not created.

use usher_sdk::{
    Http, Reply,
    abi::{Error, ErrorClass, Receipt, Report, Stopped},
    outbox::{Destination, Doubt, Jobs, Outbox, Progress, Reaction, Step, Unit},
};

/// The receipt of a run in which nothing was sent, for this reason. What an attempt before has settled stays reported, rows
/// of which it may have sent something are unknown, and all others count as not sent.
pub(crate) fn stopped(
    outbox: Outbox,
    account: &str,
    error: Error,
    report: &mut Report,
) -> Result<Receipt, Error> {
    if error.class == ErrorClass::CANCELLED {
        return Err(error);
    }
    let sent = outbox.deliver(&mut Nowhere { account, error: &error }, report)?;
    let mut delivery = sent.delivery;
    delivery.stopped.get_or_insert_with(|| Stopped {
        code: error.code.to_string(),
        message: error.to_string(),
        retryable: matches!(error.class, ErrorClass::TRANSIENT | ErrorClass::RATE_LIMITED),
    });
    Ok(Receipt { parts: sent.parts, warnings: sent.warnings, delivery: Some(delivery), ..Receipt::default() })
}

/// Takes nothing.
struct Nowhere<'a> {
    account: &'a str,
    error: &'a Error,
}

impl Destination for Nowhere<'_> {
    fn account(&self) -> String {
        self.account.to_owned()
    }

    fn send(&mut self, _: &Http, _: &Unit) -> Result<Step, Error> {
        Err(self.error.clone())
    }

    fn sent(&mut self, _: &Unit, _: Reply) -> Result<Reaction, Error> {
        Err(self.error.clone())
    }

    fn poll(&mut self, _: &Http, _: &mut Jobs<'_>) -> Result<Vec<Progress>, Error> {
        Err(self.error.clone())
    }

    fn doubt(&mut self, _: &Http, _: &Unit, _: u64) -> Result<Doubt, Error> {
        Err(self.error.clone())
    }

    fn close(&mut self, _: &Http) -> Result<(), Error> {
        Err(self.error.clone())
    }
}
