//! A delivery from beginning to end.

use usher_abi::{Delivery, Error, ErrorClass, Part, Report, Stopped};

use super::{Outbox, destination::Destination, flight::Flight, note::Notes};

/// What came of a delivery; goes into the [`Receipt`](usher_abi::Receipt).
#[derive(Clone, Debug)]
pub struct Sent {
    /// What was to be sent, as one file; and answers that were not understood.
    pub parts: Vec<Part>,
    /// How far it came.
    pub delivery: Delivery,
    /// What a person should know.
    pub warnings: Vec<String>,
}

impl Outbox {
    /// Sends everything, and reports every row of which anything is known. A delivery that had to stop is no error: the
    /// answer says why, rows under way are reported as unknown, and those that were not sent are not reported at all.
    /// Only `cancelled` is an error, and what the host itself could not do.
    ///
    /// In a dry run every request is put together, and none is sent.
    pub fn deliver(mut self, destination: &mut dyn Destination, report: &mut Report) -> Result<Sent, Error> {
        self.handle.write(&std::mem::take(&mut self.buffer))?;
        let rows = self.rows();
        let cuts = self.cutter.finish();
        let (account, units) = (destination.account(), cuts.0.len() as u64);
        let notes = Notes { ledger: self.host.ledger()?, account: account.clone() };
        let mut flight = Flight::new(&mut self, destination, notes, cuts, report)?;
        let result = flight.run();
        match &result {
            Err(error) if error.class == ErrorClass::CANCELLED => return Err(error.clone()),
            Err(error)
                if matches!(
                    error.code.as_str(),
                    "http.unreachable" | "http.lost" | "http.timeout" | "delivery.in-doubt"
                ) => {}
            // The network is there: what was asked before will be answered soon.
            Err(_) => flight.hear_out(),
            _ => {}
        }
        let landed = flight.land()?;
        let stopped = result.err().map(|error| Stopped::by(&error));
        let bytes = self.header + landed.bytes;
        let name = self.handle.finish(rows)?;
        let mut parts = vec![Part { name, rows, bytes, extra: true, ..Part::default() }];
        parts.extend(landed.kept);
        self.origins.discard()?;
        let delivery = Delivery {
            account,
            units,
            settled: landed.settled,
            earlier: landed.earlier,
            stopped,
            answers: landed.answers,
        };
        Ok(Sent { parts, delivery, warnings: landed.warnings })
    }
}
