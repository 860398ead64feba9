//! How much of what a vendor allows the client makes use of: `usher run` against the simulators, with the vendors' limits.
//! `bench/delivery` builds and starts it. What is measured is counted at the vendor's side.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "it prints a table, and may fail so")]

use std::{
    fmt::Write,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use usher_vendors::{CarrotQuest, ConstantContact, Simulator, Vendor, Zendesk};
use usher_vendors::{carrot_quest, constant_contact, zendesk};

/// How often the vendor's books are looked at.
const LOOK: Duration = Duration::from_millis(20);

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|w| name.starts_with(w.as_str()));
    println!(
        "| What bounds | Allowed | Reached | Ratio | Requests that send | 429 |\n|---|---:|---:|---:|---:|---:|"
    );
    for (name, rate, per_minute, seconds, minutes) in [
        ("zendesk-team", "team", 200, 2, 3),
        ("zendesk-enterprise", "enterprise", 700, 1, 2),
        ("zendesk-high-volume", "high_volume", 2_500, 0, 2),
    ] {
        if is_wanted(name) {
            requests(name, rate, per_minute, Duration::from_millis(seconds * 1_000 + 200), minutes);
        }
    }
    for (name, rate, per_minute, seconds, rounds) in [
        ("zendesk-jobs-2s", "high_volume", 2_500, 2, 15),
        ("zendesk-jobs-10s", "enterprise", 700, 10, 6),
        ("zendesk-jobs-60s", "team", 200, 60, 3),
    ] {
        if is_wanted(name) {
            jobs(name, rate, per_minute, Duration::from_secs(seconds), rounds);
        }
    }
    if is_wanted("carrot-quest") {
        carrot();
    }
    for (name, signs_up) in [("constant-contact-sign-ups", true), ("constant-contact-imports", false)] {
        if is_wanted(name) {
            contact(name, signs_up);
        }
    }
}

/// Zendesk's requests a minute, over whole minutes.
fn requests(name: &str, rate: &str, per_minute: u32, job_time: Duration, minutes: u32) {
    let vendor =
        Zendesk::start(zendesk::Settings { requests_per_minute: per_minute, job_time, ..Default::default() });
    // As many as could go out if nothing was asked for, so that the last minute is full, too.
    let run = Run::start(u64::from(per_minute * minutes) * 100 + 500, &support(&vendor, rate));
    let counted = run.watch(&vendor, Duration::from_secs(60) * minutes, |account| {
        [account.requests.len(), account.jobs.len()]
    });
    let throttled = count_429(vendor.account().throttled);
    row(
        &format!("{name}: {per_minute} requests a minute, jobs of {job_time:?}"),
        f64::from(per_minute * minutes),
        counted[0] as f64,
        counted[1],
        &throttled,
    );
}

/// Zendesk's thirty jobs at a time: so many rounds of them.
fn jobs(name: &str, rate: &str, per_minute: u32, job_time: Duration, rounds: u32) {
    let vendor =
        Zendesk::start(zendesk::Settings { requests_per_minute: per_minute, job_time, ..Default::default() });
    let units = 30 * rounds;
    let mut run = Run::start(u64::from(units) * 100, &support(&vendor, rate));
    let (mut begun, mut ended) = (None, None);
    while ended.is_none() {
        assert!(run.is_running() || vendor.account().jobs.len() as u32 == units, "it has ended too early");
        let taken = vendor.account().jobs.len() as u32;
        if taken > 0 {
            begun.get_or_insert_with(Instant::now);
        }
        // From the first job to the start of the last round: that is when it must have room for them.
        if taken == units {
            ended = Some(Instant::now());
        }
        sleep(LOOK);
    }
    run.end();
    let took = (ended.unwrap() - begun.unwrap()).as_secs_f64();
    let best = job_time.as_secs_f64() * f64::from(rounds - 1);
    let throttled = count_429(vendor.account().throttled);
    let allowed = 30.0 / job_time.as_secs_f64() * 60.0;
    row(
        &format!("{name}: 30 jobs at a time, {job_time:?} each (a minute)"),
        allowed,
        allowed * best / took,
        units as usize,
        &throttled,
    );
}

/// Carrot quest's sixty requests a minute: one import, everybody read back.
fn carrot() {
    let vendor = CarrotQuest::start(carrot_quest::Settings::default());
    let options = format!(
        "plugin = \"carrot-quest\"\nhosts = [\"{}\"]\nfields = {{ plan = \"user_metadata.plan\" }}\n\
         options = {{ deliver = \"api\", api_base = \"{}\", api = {{ token = \"hush-key\", confirm = \"all\" }} }}\n",
        vendor.domain(),
        vendor.url()
    );
    let run = Run::start(250, &options);
    let counted = run.watch(&vendor, Duration::from_secs(180), |account| [account.requests.len(), 1]);
    let throttled = count_429(vendor.account().throttled);
    row(
        "carrot-quest: 60 requests a minute, everybody read back",
        180.0,
        counted[0] as f64,
        counted[1],
        &throttled,
    );
}

/// Constant Contact's four requests a second.
fn contact(name: &str, signs_up: bool) {
    let vendor = ConstantContact::start(constant_contact::Settings {
        activity_time: Duration::from_secs(5),
        access_token: "hush-access".to_owned(),
        ..Default::default()
    });
    let way = if signs_up { "explicit_consent = true, " } else { "" };
    let options = format!(
        "plugin = \"constant-contact\"\nhosts = [\"{}\"]\nfields = {{ first_name = \"name\" }}\n\
         options = {{ deliver = \"api\", consent = \"email != ''\", lists = [\"Newsletter\"], max_rows = 10, \
         api_base = \"{url}/v3\", api = {{ client_id = \"usher-client\", client_secret = \"hush-secret\", \
         refresh_token = \"hush-refresh-0\", {way}canary = 0, auth_base = \"{url}\" }} }}\n",
        vendor.domain(),
        url = vendor.url()
    );
    let run = Run::start(if signs_up { 400 } else { 4_000 }, &options);
    let counted = run.watch(&vendor, Duration::from_secs(60), |account| {
        let api = account.requests.iter().filter(|asked| asked.path.starts_with("/v3")).count();
        let sent = account.count("POST /v3/activities/contacts") + account.count("POST /v3/contacts/sign_up");
        [api, sent]
    });
    let throttled = count_429(vendor.account().throttled);
    row(&format!("{name}: 4 requests a second"), 240.0, counted[0] as f64, counted[1], &throttled);
}

fn support(vendor: &Zendesk, rate: &str) -> String {
    format!(
        "plugin = \"zendesk\"\nhosts = [\"{}\"]\noptions = {{ deliver = \"api\", import_type = \"create_and_update\", \
         api = {{ subdomain = \"acme\", oauth_token = \"hush-oauth\", rate = \"{rate}\", api_base = \"{}\" }} }}\n",
        vendor.domain(),
        vendor.url()
    )
}

fn row(what: &str, allowed: f64, reached: f64, sending: usize, throttled: &str) {
    println!("| {what} | {allowed:.0} | {reached:.0} | {:.3} | {sending} | {throttled} |", reached / allowed);
}

fn count_429(throttled: u32) -> String {
    throttled.to_string()
}

/// A run of the release binary in a folder of its own.
struct Run {
    folder: PathBuf,
    child: Child,
}

impl Run {
    fn start(users: u64, sink: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("usher-delivery-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let mut lines = String::new();
        for n in 0..users {
            writeln!(
                lines,
                r#"{{"user_id":"auth0|{n:07}","email":"user{n}@example.com","name":"User {n}","user_metadata":{{"plan":"pro"}}}}"#
            )
            .unwrap();
        }
        std::fs::write(folder.join("users.ndjson"), lines).unwrap();
        let manifest = format!(
            "version = 1\n\n[connectors.users]\nplugin = \"auth0\"\noptions = {{ input = \"users.ndjson\" }}\n\n\
             [connectors.sink]\n{sink}\n[chains.main]\nfrom = \"users\"\nto = [\"sink\"]\n"
        );
        std::fs::write(folder.join("connectors.toml"), manifest).unwrap();
        let usher = std::env::var_os("USHER").map_or("target/release/usher".into(), PathBuf::from);
        let child = Command::new(std::path::absolute(usher).unwrap())
            .args(["run", "--quiet"])
            .current_dir(&folder)
            .env("XDG_DATA_HOME", folder.join("data"))
            .stdout(Stdio::null())
            .spawn()
            .expect("the release binary; bench/delivery builds it");
        Self { folder, child }
    }

    fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// What was counted in so much time from the first request on.
    fn watch<V: Vendor>(
        mut self,
        vendor: &Simulator<V>,
        time: Duration,
        count: impl Fn(&V) -> [usize; 2],
    ) -> [usize; 2] {
        while count(&*vendor.account())[0] == 0 {
            assert!(self.is_running(), "it asks nothing");
            sleep(LOOK);
        }
        let until = Instant::now() + time;
        while Instant::now() < until {
            assert!(self.is_running(), "it was done before the time was up");
            sleep(LOOK);
        }
        let counted = count(&*vendor.account());
        self.end();
        counted
    }

    fn end(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
