//! Cohort (getcohort.com): its user and event exports as sources, its user import as a sink.

mod columns;
mod email;
mod guide;
mod limits;
mod options;
mod sink;
mod source;

usher_sdk::export! {
    name = "cohort",
    summary = "Cohort, the loyalty and engagement platform",
    sources = { "users" => source::Users, "events" => source::Events },
    sinks = { "users" => sink::UsersFile },
    wants = ["input", "output"],
}
