//! Personal data on its way: the transform `columns` hashes, masks, drops or shortens chosen columns before any sink
//! sees them.

mod action;
mod options;
mod plan;
mod transform;

usher_sdk::export! {
    name = "pii",
    summary = "Hashes, masks, drops or shortens chosen columns",
    transforms = { "columns" => transform::Hide },
}
