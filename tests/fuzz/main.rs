//! The inputs that are kept, among them each that ever found a fault, through the properties that a fuzzer holds: see
//! `README.md` beside this file.

#[path = "../support/mod.rs"]
mod support;
mod targets;

use std::{collections::BTreeSet, fs, path::PathBuf};

use usher_abi::ModuleRef;

/// The root module of a connector.
pub(crate) fn module(connector: &str) -> ModuleRef {
    let file = support::plugin_file(connector);
    usher::plugins::load(&file).unwrap_or_else(|refusal| panic!("{refusal:?}"))
}

fn corpus(target: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fuzz/corpus")).join(target)
}

fn hold(name: &str) {
    let (_, run, seeds) = targets::ALL.into_iter().find(|(target, ..)| *target == name).expect("a target");
    let mut inputs = 0;
    for input in seeds() {
        run(&input);
        inputs += 1;
        // A fuzzer begins with them, too.
        if let Some(folder) = std::env::var_os("USHER_SEEDS_TO") {
            let folder = PathBuf::from(folder).join(name);
            fs::create_dir_all(&folder).expect("a folder");
            fs::write(folder.join(format!("made-{inputs}")), &input).expect("an input");
        }
    }
    // A target all of whose inputs are made by code has no folder.
    for file in fs::read_dir(corpus(name)).into_iter().flatten() {
        let path = file.expect("a file").path();
        // A fault that ends the process leaves this as its last word.
        eprintln!("{}", path.display());
        run(&fs::read(&path).expect("an input"));
        inputs += 1;
    }
    assert!(inputs > 0, "{name} has neither a corpus nor inputs made by code");
}

macro_rules! held {
    ($($target:ident)*) => {
        $(#[test] fn $target() { hold(stringify!($target)); })*

        #[test]
        fn each_target_has_its_test_its_program_and_a_small_corpus() {
            let targets: BTreeSet<&str> = targets::ALL.iter().map(|(name, ..)| *name).collect();
            assert_eq!(targets, BTreeSet::from([$(stringify!($target)),*]));
            let programs = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fuzz/cargo-fuzz/Cargo.toml");
            let programs = fs::read_to_string(programs).expect("the programs");
            for name in targets {
                assert!(programs.contains(&format!("bins/{name}.rs")), "{name}");
                let files = fs::read_dir(corpus(name)).into_iter().flatten();
                let bytes: u64 = files.map(|file| file.expect("a file").metadata().expect("its size").len()).sum();
                assert!(bytes < 300_000, "the corpus of {name} has {bytes} bytes; `cargo fuzz cmin` makes it smaller");
            }
        }
    };
}

held! { arrow csv description expression http library manifest ndjson packed paths replies reports worker }
