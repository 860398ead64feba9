#!/bin/sh
# Holds plugins that were built in another way to the conformance suite, in a host that was built before: by another
# compiler (Debian's rustc-web), and by ours with the layout of Rust types shuffled. See README.md.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
case $target in /*) ;; *) target=$root/$target ;; esac
usher=${USHER:-$target/release/usher}
other=${OTHER_RUSTC:-/usr/bin/rustc}
plugins=${PLUGINS:-cohort zendesk}   # a source of tables, a sink of tables, a sink with the most rules

[ -x "$usher" ] || { echo "no host at $usher: build it first (cargo build --release), or name it in USHER" >&2; exit 2; }
case $(uname -s) in
    Darwin) extension=dylib ;;
    *) extension=so ;;
esac
if [ ! -x "$other" ]; then
    echo "no compiler at $other: installing Debian's rustc-web" >&2
    apt-get update -qq && apt-get install -y -qq --no-install-recommends rustc-web >/dev/null
fi
[ "$("$other" -V)" != "$(rustc -V)" ] || { echo "$other is the compiler that the host was built with" >&2; exit 2; }

packages=$(for plugin in $plugins; do printf ' -p usher-%s' "$plugin"; done)

# $1: a word for the way, $2: the target folder
held() {
    for plugin in $plugins; do
        file=$2/debug/libusher_$(echo "$plugin" | tr - _).$extension
        "$usher" plugins show "$file" | sed -n 's/^built */  /p'
        printf '  %s, %s: ' "$plugin" "$1"
        "$usher" --quiet test "$file" --quick --cases "$root/connectors/$plugin/conformance.toml" | tail -n 1
    done
}

cd "$root"
echo "$("$other" -V)"
# shellcheck disable=SC2086 # one word a package
RUSTC=$other CARGO_TARGET_DIR=$target/cross CARGO_INCREMENTAL=0 cargo build --locked --quiet $packages
held "another compiler" "$target/cross"

echo "$(rustc -V), types laid out at random"
# shellcheck disable=SC2086
RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zrandomize-layout CARGO_TARGET_DIR=$target/shuffled CARGO_INCREMENTAL=0 \
    cargo build --locked --quiet $packages
held "another layout" "$target/shuffled"
