#!/bin/sh
# Builds the connector of this folder outside the checkout and runs it in a host that was built before; see README.md.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
case $target in /*) ;; *) target=$root/$target ;; esac
usher=${USHER:-$target/debug/usher}
USHER_PLUGIN_PATH=${USHER_PLUGIN_PATH:-$target/debug/deps}
export USHER_PLUGIN_PATH

[ -x "$usher" ] || { echo "no host at $usher: build it first (cargo test --no-run), or name it in USHER" >&2; exit 2; }
case $(uname -s) in
    Darwin) extension=dylib ;;
    *) extension=so ;;
esac

work=$(mktemp -d)
# Its library goes, too: a host looks for plugins in its own folder, and other tests list what is there.
trap 'rm -rf "$work" "$target"/debug/libusher_vcard.* "$target"/debug/deps/libusher_vcard.*' EXIT
trap 'exit 1' HUP INT TERM

# The crate, anywhere else, with the versions that the repository was tested with.
mkdir -p "$work/crate/src" "$work/run/plugins"
cp "$here/src/lib.rs" "$work/crate/src/"
sed "s|\"../../core/sdk\"|\"$root/core/sdk\"|" "$here/Cargo.toml" > "$work/crate/Cargo.toml"
cp "$root/Cargo.lock" "$work/crate/Cargo.lock"
cargo build --quiet --offline --manifest-path "$work/crate/Cargo.toml" --target-dir "$target"

# A library dropped into `plugins` beside a manifest, and a run.
cp "$target/debug/libusher_vcard.$extension" "$work/run/plugins/"
cp "$here/connectors.toml" "$here/people.csv" "$work/run/"
cd "$work/run"
"$usher" plugins show vcard | grep -q '^vcard 0.3.0: ' || { echo "the host does not know the connector" >&2; exit 1; }
"$usher" run --quiet > /dev/null
cat out/cards/latest/cards/*.vcf | cmp - "$here/expected.vcf"
parts=$(find out/cards/latest/cards -name '*.vcf' | wc -l)
[ "$parts" -eq 2 ] || { echo "$parts files instead of two" >&2; exit 1; }
echo "a connector from outside runs: libusher_vcard.$extension"
