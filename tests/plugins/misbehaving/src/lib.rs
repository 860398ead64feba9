//! A plugin that misbehaves on purpose: the option `fault` of its source, its transform and its sink chooses how, and
//! `USHER_MISBEHAVE` for what it says of itself. Without one it is well-behaved, so that a test changes one thing only.

mod batch;
mod constructed;
mod fault;
mod sink;
mod source;
mod stranger;
mod transform;
mod words;

usher_sdk::export! {
    name = "misbehaving",
    summary = "Rows that go wrong in the way asked for",
    sources = { "rows" => source::Rows },
    transforms = { "users" => transform::Users },
    sinks = { "rows" => sink::RowsFile },
}
