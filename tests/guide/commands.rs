//! Every command of `docs/writing-a-connector.md`.

use std::fs;

use crate::{support::root, workshop::Workshop};

/// The shell blocks of the guide, in order, as this platform names a library.
fn commands() -> String {
    let guide = fs::read_to_string(root().join("docs/writing-a-connector.md")).unwrap();
    let blocks: Vec<&str> =
        guide.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 4, "only {} blocks of commands in the guide", blocks.len());
    blocks.concat().replace(".so", std::env::consts::DLL_SUFFIX)
}

#[test]
fn the_guide_ends_with_rows_written_by_the_new_plugin() {
    let workshop = Workshop::new("guide", &["acme"]);
    let said = workshop.run(&commands());
    assert!(said.contains("test conforms ... ok") && said.contains("test ordinary_people ... ok"), "{said}");
    let rows = "Email,First Name\nada@example.com,Ada\ngrace@example.com,Grace\n";
    assert_eq!(workshop.written("acme", "contacts"), rows);
    // The last run is that of somebody else, who has the library and not the crate.
    assert!(!workshop.path("shop/target").exists());
    assert_eq!(workshop.written("shop", "contacts"), rows);
}
