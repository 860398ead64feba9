#!/bin/sh
# Builds the sample plugin, small and without a trace of this machine, and keeps it under the version of the boundary it
# is built with. Once that version is released its file is never made anew: it stands for the plugins out there.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}/keep
cargo=${CARGO_HOME:-$HOME/.cargo}
triple=$(rustc -vV | sed -n 's/^host: //p')

cd "$root"
remap="--remap-path-prefix=$root=usher"
for registry in "$cargo"/registry/src/*; do
    remap="$remap --remap-path-prefix=$registry=crates"
done
RUSTFLAGS=$remap CARGO_TARGET_DIR=$target CARGO_INCREMENTAL=0 \
    cargo rustc --locked --release -p usher-sample --lib --crate-type cdylib \
    --config 'profile.release.lto="fat"' --config 'profile.release.opt-level="z"' --config 'profile.release.strip="symbols"'

file=$target/release/libusher_sample.so
version=$(sed -n 's/^pub const ABI_M[A-Z]*: u32 = \([0-9]*\);/\1/p' core/abi/src/lib.rs | paste -sd.)
if strings -a "$file" | grep -F -e "$root" -e "$cargo" -e "$HOME/" -e registry; then
    echo "$file names folders of this machine (above)" >&2
    exit 1
fi
mkdir -p "$here/plugins/$version"
kept=$here/plugins/$version/sample-$triple.so
[ ! -e "$kept" ] || { echo "$kept is there already; remove it first if $version is still a draft that nobody has" >&2; exit 1; }
cp "$file" "$kept"
chmod 644 "$kept"
(cd "$here/plugins" && sha256sum */*.so > SHA256SUMS)
ls -l "$kept"
