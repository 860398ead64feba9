//! Tags, given to everybody on the lists when all contacts are there.

use usher_sdk::{abi::Error, words::counted};

use crate::{
    activity::{State, activity},
    api,
    delivery::Delivery,
    polling::{LONGEST_MS, wait_ms},
    refusals::refused,
};

impl Delivery<'_> {
    /// Gives the tags, and waits until that is done (OAS).
    pub(crate) fn tag(&mut self) -> Result<(), Error> {
        let call = "giving the tags";
        let body = api::tagging(&self.account.lists(), &self.account.tags());
        let text = self.client.post(call, api::TAGGING, &body)?.map_err(|refusal| refused(call, &refusal))?;
        let id = activity(&text)?.activity_id;
        let url = self.client.url(&format!("{}/{id}", api::ACTIVITIES));
        let begun = self.client.clock.now_ms();
        for asked in 0.. {
            self.client.clock.sleep_ms(wait_ms(asked))?;
            let activity = activity(&self.client.text("asking how far the tags are", &url, &[])?)?;
            let late = self.client.clock.now_ms().saturating_sub(begun) > LONGEST_MS;
            match activity.state() {
                State::Running if !late => {}
                State::Completed => {
                    for error in activity.errors().take(3) {
                        self.warnings.push(format!("tags, activity {id}: {error}"));
                    }
                    if let Some((done, all)) = activity.left() {
                        self.warnings.push(format!(
                            "tags, activity {id}: it is completed, and has done {done} of {}; see in Constant Contact who \
                             has the tags, and run the same command again to give them once more",
                            counted(all, "contact", "contacts")
                        ));
                    }
                    self.tagged = true;
                    break;
                }
                _ => {
                    let message = format!(
                        "{call}: the activity {id} has the state `{}`{}; the contacts are there, and the same command gives \
                         the tags once more",
                        activity.state,
                        activity.why()
                    );
                    return Err(Error::transient("import.tags", message));
                }
            }
        }
        Ok(())
    }
}
