#!/bin/sh
# Holds plugins that were built in another way to the whole conformance suite, in a host that was built before: by another
# compiler (Debian's rustc-web), and by ours with the fields of Rust's types shuffled. What is missing is installed or is
# an error: nothing is skipped. See README.md.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
usher=${USHER:-$target/release/usher}
other=${OTHER_RUSTC:-/usr/bin/rustc}
plugins="sample cohort"   # every function of every table, and one that people use
# What else is promised to build with the oldest compiler (`rust-version` in Cargo.toml).
others="testkit auth0 carrot-quest constant-contact csv json zendesk"

[ -x "$usher" ] || { echo "no host at $usher: build it first (cargo build --release), or name it in USHER" >&2; exit 2; }
[ "$(uname -s)" = Linux ] || { echo "this needs Debian's second compiler" >&2; exit 2; }
if [ ! -x "$other" ]; then
    echo "no compiler at $other: installing Debian's rustc-web" >&2
    apt-get update -qq && apt-get install -y -qq --no-install-recommends rustc-web >/dev/null
fi
mine=$(rustc -V)
[ "$("$other" -V)" != "$mine" ] || { echo "$other is the compiler that the host was built with" >&2; exit 2; }

# $1: what to build; $2: a target folder; then what the environment of cargo has. Not optimised: compiling takes longer than the suite.
built() {
    packages=$1 into=$2
    shift 2
    # shellcheck disable=SC2046 # one word a package
    (cd "$root" && env "$@" CARGO_TARGET_DIR="$into" CARGO_INCREMENTAL=0 cargo build --locked --quiet \
        --config 'profile.dev.package."*".opt-level=0' $(printf ' -p usher-%s' $packages))
}

# $1: the compiler, as it names itself; $2: how; $3: the target folder
held() {
    for plugin in $plugins; do
        file=$3/debug/libusher_$plugin.so
        "$usher" plugins show "$file" | grep -qF "$1" || { echo "$file was not built by $1" >&2; exit 1; }
        case $plugin in
            sample) cases=$here/sample/conformance.toml ;;
            *) cases=$root/connectors/$plugin/conformance.toml ;;
        esac
        report=$("$usher" --quiet test "$file" --deadline 600 --cases "$cases") || { echo "$report"; exit 1; }
        echo "$1$2, $plugin: $(echo "$report" | tail -n 1)"
    done
}

echo "the host: $mine"
built "$plugins $others" "$target/cross" RUSTC="$other"
held "$("$other" -V)" "" "$target/cross"
built "$plugins" "$target/shuffled" RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zrandomize-layout
held "$mine" ", shuffled" "$target/shuffled"
