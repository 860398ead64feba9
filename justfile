# What is done often. Everything here is one plain command; nothing needs `just`.

# List the recipes.
default:
    @just --list

# All tests.
test *args:
    cargo test --workspace {{args}}

# What a change must pass: format, lints, documentation.
lint:
    cargo fmt --check
    cargo clippy --workspace --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# The requests of all tests, judged by prism from the vendors' own descriptions (needs node and npm).
prism:
    rm -rf target/exchanges
    USHER_EXCHANGES="$PWD/target/exchanges" cargo test --test deliveries
    python3 -B tests/vendors/prism.py target/exchanges

# Deliveries with many seeds: `just seeds 50 10000`.
seeds seeds="50" users="10000":
    USHER_SEEDS={{seeds}} USHER_USERS={{users}} cargo test --test deliveries -- --nocapture

# All that a clean checkout must pass.
ci:
    .ci/run

# Advisories, licences, sources of the dependencies (needs cargo-deny).
deny:
    cargo deny check

# Run the example manifest, or any other command: `just run plan onboard`.
run *args="run":
    cargo run --quiet -- {{args}}

# Plugins built by another compiler and with shuffled types, held to the whole conformance suite (Debian).
abi-cross:
    cargo build --release
    tests/abi/cross.sh

# An archive with the host and all connectors, in target/dist.
dist:
    tools/dist

# Make inputs up for a target of tests/fuzz: `just fuzz csv 1800` (needs cargo-fuzz).
fuzz target seconds="60" *args:
    mkdir -p target/fuzz/corpus/{{target}} target/fuzz/found/{{target}} tests/fuzz/corpus/{{target}}
    cp Cargo.lock tests/fuzz/cargo-fuzz/
    USHER_SEEDS_TO="$PWD/target/fuzz/corpus" cargo test --test fuzz -- {{target}}
    ASAN_OPTIONS=detect_odr_violation=0 RUSTC_BOOTSTRAP=1 cargo fuzz run -O -a --fuzz-dir tests/fuzz/cargo-fuzz --target-dir target/fuzz {{target}} target/fuzz/corpus/{{target}} tests/fuzz/corpus/{{target}} -- -max_total_time={{seconds}} -timeout=20 -rss_limit_mb=4096 -artifact_prefix=target/fuzz/found/{{target}}/ {{args}}

# Leaks aside: a library's module is made once and stays.
# The boundary, the SDK's shims and connectors over them, watched by AddressSanitizer.
sanitize *args:
    ASAN_OPTIONS=detect_leaks=0 RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=address" cargo test --no-fail-fast --target "$(rustc -vV | sed -n 's/host: //p')" --target-dir target/sanitize -p usher-abi -p usher-sdk -p usher-testkit -p usher-json -p usher-csv -p usher-pii --lib --tests {{args}}
