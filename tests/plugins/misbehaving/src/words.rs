//! Faults of what the plugin says of itself. No option can choose them, as `describe` has none: the environment does.

use std::{
    env, process,
    sync::atomic::{AtomicU32, Ordering},
};

use usher_sdk::abi::Component;

use crate::fault::never_return;

/// How often it was asked.
static ASKED: AtomicU32 = AtomicU32::new(0);

/// The description, more or less.
pub(crate) fn spoilt(component: Component) -> Component {
    let fault = env::var("USHER_MISBEHAVE").unwrap_or_default();
    match fault.as_str() {
        "panic-in-describe" => panic!("a panic was asked for"),
        "describe-never-returns" => never_return(),
        "describe-exits" => process::exit(0),
        "describe-changes" => {
            let asked = ASKED.fetch_add(1, Ordering::SeqCst);
            Component { summary: format!("asked {asked} times before"), ..component }
        }
        "no-schema" => Component { options: serde_json::json!({ "type": "thing" }), ..component },
        _ => component,
    }
}
