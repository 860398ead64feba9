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
