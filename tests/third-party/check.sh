#!/bin/sh
# Builds the connectors of this folder outside the checkout, by the commands of docs/writing-a-connector.md, and runs
# them in a host that was built before; see README.md.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
case $target in /*) ;; *) target=$root/$target ;; esac
unset CARGO_TARGET_DIR
usher=${USHER:-$target/debug/usher}
USHER_PLUGIN_PATH=${USHER_PLUGIN_PATH:-$target/debug/deps}
export USHER_PLUGIN_PATH

[ -x "$usher" ] || { echo "no host at $usher: build it first (cargo test --no-run), or name it in USHER" >&2; exit 2; }
case $(uname -s) in
    Darwin) extension=dylib ;;
    *) extension=so ;;
esac

work=$(mktemp -d)
# The libraries go, too: a host looks for plugins in its own folder, and other tests list what is there.
trap 'rm -rf "$work" "$target"/*/deps/libusher_vcard.* "$target"/*/deps/libusher_brevo*' EXIT
trap 'exit 1' HUP INT TERM

# What both they and the workspace depend on is compiled once; a release is not optimised, since it runs once.
mkdir "$work/.cargo"
{
    printf '[build]\nbuild-dir = "%s"\n[net]\noffline = true\n[profile.release]\nopt-level = 0\n' "$target"
    sed -n '/^\[profile\.dev\]/,$p' "$root/Cargo.toml"
} > "$work/.cargo/config.toml"

# Makes the crate anywhere else, with the versions that the repository was tested with; builds it, drops the library into
# `plugins` beside a manifest, and runs that, with more arguments if there are any.
build() {
    library=libusher_$(printf %s "$1" | tr - _).$extension
    cp -R "$here/$1" "$work/$1"
    sed "s|\"../../../core/|\"$root/core/|" "$here/$1/Cargo.toml" > "$work/$1/Cargo.toml"
    cp "$root/Cargo.lock" "$work/$1/Cargo.lock"
    cd "$work/$1"
    cargo test --quiet
    cargo build --quiet --release
    mkdir -p plugins
    cp "target/release/$library" plugins/
    "$usher" plugins show "./plugins/$library" | grep -q "^$1 0\." || { echo "the host does not know $1" >&2; exit 1; }
    name=$1
    shift
    "$usher" run "$@" > said.txt 2> stderr.txt || { cat said.txt stderr.txt >&2; echo "$name does not run" >&2; exit 1; }
}

build vcard
cat out/cards/latest/cards/*.vcf | cmp - "$here/vcard/expected.vcf"
parts=$(find out/cards/latest/cards -name '*.vcf' | wc -l)
[ "$parts" -eq 2 ] || { echo "$parts files instead of two" >&2; exit 1; }

build brevo
cat out/try/latest/contacts/*.csv | cmp - "$here/brevo/expected.csv"
lines=$(cat src/*.rs | wc -l)
[ "$lines" -lt 100 ] || { echo "the connector for Brevo has grown to $lines lines" >&2; exit 1; }

# Answers come from what was recorded; a request that is not the recorded one fails the run. Any key will do: it is in no
# record. What names it in the summary is made from it.
export BREVO_API_KEY=made-up
# Messages may quote values of people, so they are shown off a terminal only when asked for.
build brevo-api --show-values --replay tests/recorded
cat out/try/latest/contacts/*.ndjson | cmp - "$here/brevo-api/expected.ndjson"
sed -n -e 's/ at key [0-9a-f]*/ at KEY/' -e '/^  contacts: /p' -e '/^  warning: /p' said.txt | diff - "$here/brevo-api/expected.txt"
if "$usher" run --quiet --replay tests/recorded --set 'connectors.contacts.options.lists=[5]' 2> stderr.txt; then
    echo "another request is answered from the record" >&2; exit 1
fi
grep -q 'is not the one on record' stderr.txt

echo "connectors from outside run: vcard, brevo ($lines lines) and brevo-api"
