//! A plugin that misbehaves on purpose: the option `fault` of its source and of its sink chooses how, and
//! `USHER_MISBEHAVE` for what it says of itself. Without one it is well-behaved, so that a test changes one thing only.

mod constructed;
mod fault;
mod sink;
mod source;
mod words;

usher_sdk::export! {
    name = "misbehaving",
    summary = "Rows that go wrong in the way asked for",
    sources = { "rows" => source::Rows },
    sinks = { "rows" => sink::RowsFile },
}
