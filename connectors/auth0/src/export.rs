//! An export, from the order to the file.

use usher_sdk::{
    Clock, Host, Secret,
    abi::{Error, ErrorClass, LogLevel, service::InputFile},
    words::counted,
};

use crate::{
    api::Job,
    client::Client,
    jobs::Jobs,
    limits::{DOWNLOADS, HINT_SECONDS, JOB_MS, POLL_SECONDS},
    order::Order,
    tenant::Tenant,
};

/// What is to be done next, by what Auth0 says of the job.
#[derive(Debug)]
enum Next {
    /// It is not done.
    Wait { seconds: u64 },
    /// The file is there.
    Fetch { location: Secret },
    /// There will be no file.
    GiveUp(Error),
}

/// Only the ends are known by name, and no list of statuses exists (`OAS`): any other means that the job goes on.
fn next(job: &Job) -> Next {
    match (job.status.as_str(), &job.location) {
        ("completed", Some(location)) => Next::Fetch { location: location.clone() },
        (ended @ ("failed" | "cancelled"), _) => {
            let why = job.why().map_or(String::new(), |why| format!(" ({why})"));
            Next::GiveUp(Error::permanent(
                "export.job-failed",
                format!(
                    "Auth0 says that the export `{}` is {ended}{why}; run again to order a new one",
                    job.id
                ),
            ))
        }
        ("expired", _) => Next::GiveUp(Error::permanent(
            "export.job-gone",
            format!("the export `{}` has expired; run again to order a new one", job.id),
        )),
        _ => {
            let (least, most) = HINT_SECONDS;
            Next::Wait { seconds: job.seconds_left().map_or(POLL_SECONDS, |hint| hint.clamp(least, most)) }
        }
    }
}

/// The scope with which `identities` have tokens in them (`OAS`).
pub(crate) const TOKENS_SCOPE: &str = "read:user_idp_tokens";

/// Whether an application with these scopes may read the tokens of identity providers.
pub(crate) fn reads_tokens(scope: &str) -> bool {
    scope.split_whitespace().any(|one| one == TOKENS_SCOPE)
}

/// Gets exports of one tenant.
#[derive(Debug)]
pub(crate) struct Exporter {
    host: Host,
    clock: Clock,
    client: Client,
    jobs: Jobs,
}

impl Exporter {
    pub(crate) fn new(host: &Host, tenant: &Tenant) -> Result<Self, Error> {
        let (client, jobs) = (Client::new(host, tenant)?, Jobs::new(host, &tenant.domain)?);
        Ok(Self { host: host.clone(), clock: host.clock()?, client, jobs })
    }

    /// What the application may do, if its token says so.
    pub(crate) fn scope(&mut self) -> Result<Option<String>, Error> {
        self.client.scope()
    }

    /// The file of an order: of the job that an earlier attempt at this run has read, or that an earlier run has ordered
    /// and got no further, else of a new one.
    pub(crate) fn fetch(&mut self, order: &Order) -> Result<InputFile, Error> {
        self.refuse_tokens(order)?;
        let earlier = match self.jobs.read_before(order)? {
            Some(job) => Some(job),
            None => self.jobs.find(order, self.clock.now_ms())?,
        };
        if let Some(job) = earlier {
            self.host.log(LogLevel::INFO, &format!("the export `{job}` of an earlier run is taken up"));
            match self.follow(order, &job) {
                Err(error) if is_lost(&error) => {
                    self.host
                        .warn(&format!("a new export is ordered, since the one taken up is lost: {error}"));
                }
                ended => return ended,
            }
        }
        if let Some(remark) = order.remark() {
            self.host.warn(&remark);
        }
        let job = self.client.order(order)?;
        self.jobs.note(order, &job.id, self.clock.now_ms())?;
        self.follow(order, &job.id)
    }

    /// Tokens of identity providers are never ordered: Auth0 puts them into `identities` for an application that may read
    /// them (`OAS`), and an order names attributes, not what is to be left out of them.
    fn refuse_tokens(&mut self, order: &Order) -> Result<(), Error> {
        let wholes = order.with_tokens();
        if wholes.is_empty() || !self.scope()?.is_some_and(|scope| reads_tokens(&scope)) {
            return Ok(());
        }
        let message = format!(
            "`{}` as a whole would bring the users' tokens at their identity providers, since the application has the \
             scope `{TOKENS_SCOPE}`; take that scope away in the Dashboard, or name what is needed, such as \
             `identities[0].provider`",
            wholes[0]
        );
        Err(Error::config("export.tokens", message))
    }

    /// Waits for a job and downloads its file. The job is forgotten once it has nothing more to give.
    fn follow(&mut self, order: &Order, job: &str) -> Result<InputFile, Error> {
        let ended = self.wait_and_download(job);
        if ended.is_ok() {
            self.jobs.note_read(order, job)?;
        }
        let done = ended.as_ref().map_or_else(is_lost, |_| true);
        if done {
            self.jobs.forget(job, self.clock.now_ms())?;
        }
        ended
    }

    fn wait_and_download(&mut self, id: &str) -> Result<InputFile, Error> {
        let until = self.clock.now_ms().saturating_add(JOB_MS);
        let mut downloads = 0;
        loop {
            self.host.stop_if_cancelled()?;
            let job = self.client.job(id)?;
            match next(&job) {
                Next::GiveUp(error) => return Err(error),
                Next::Fetch { location } => {
                    downloads += 1;
                    match self.client.download(&location, id) {
                        // A link lives for 60 seconds (`EXP`), and the job has a new one each time that it is asked.
                        Err(error) if downloads < DOWNLOADS && is_worth_another_link(&error) => {
                            self.host.warn(&format!("the download is begun again with a new link: {error}"));
                        }
                        ended => return ended,
                    }
                }
                Next::Wait { .. } if self.clock.now_ms() >= until => {
                    let hours = counted(JOB_MS / 3_600_000, "hour", "hours");
                    return Err(Error::new(
                        ErrorClass::TIMEOUT,
                        "export.timeout",
                        format!(
                            "the export `{id}` is still `{}` after {hours}; run again, which takes it up where it is",
                            job.status
                        ),
                    ));
                }
                Next::Wait { seconds } => self.clock.sleep_ms(seconds * 1_000)?,
            }
        }
    }
}

/// Whether a job will never have a file.
fn is_lost(error: &Error) -> bool {
    matches!(error.code.as_str(), "export.job-gone" | "export.job-failed")
}

/// Whether a download may end well with another link: one that was refused (expired), or cut.
fn is_worth_another_link(error: &Error) -> bool {
    let passing = [ErrorClass::TRANSIENT, ErrorClass::TIMEOUT].contains(&error.class);
    passing || error.code == "export.download"
}

#[cfg(test)]
mod tests {
    use super::{Next, next};
    use crate::api;

    #[test]
    fn what_is_next_by_status_and_hint() {
        let next = |rest: &str| match next(&api::job(&format!(r#"{{"id":"job_1",{rest}}}"#)).unwrap()) {
            Next::Wait { seconds } => format!("wait {seconds}"),
            Next::Fetch { location } => format!("fetch {}", location.reveal()),
            Next::GiveUp(error) => format!("{}: {error}", error.code),
        };
        for running in ["pending", "waiting", "processing", "quite new", ""] {
            assert_eq!(next(&format!(r#""status":"{running}""#)), "wait 5");
        }
        for (hint, expected) in
            [("0", "wait 1"), ("7", "wait 7"), ("3600", "wait 30"), ("-1", "wait 5"), ("null", "wait 5")]
        {
            assert_eq!(next(&format!(r#""status":"pending","time_left_seconds":{hint}"#)), expected);
        }
        assert_eq!(next(r#""status":"completed","location":"a/b""#), "fetch a/b");
        assert_eq!(next(r#""status":"completed""#), "wait 5", "the link may come later");
        assert_eq!(next(r#""status":"pending","location":"a/b""#), "wait 5");
        let failed = next(r#""status":"failed","status_details":"out of users""#);
        assert!(failed.starts_with("export.job-failed: ") && failed.contains("(out of users)"), "{failed}");
        assert!(next(r#""status":"cancelled""#).starts_with("export.job-failed: "));
        assert!(next(r#""status":"expired""#).starts_with("export.job-gone: "));
    }
}
