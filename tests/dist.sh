#!/bin/sh
# The tarball of tools/dist, unpacked into an empty folder, runs without cargo and without this checkout.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
tarball=$(ls "$root"/target/dist/usher-*.tar.gz | tail -n 1)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar -xzf "$tarball" -C "$work" --strip-components=1
cd "$work"
sha256sum --check --quiet SHA256SUMS
mkdir data && cp -r "$root/examples" "$root/connectors.toml" data/
env -i PATH=/usr/bin:/bin HOME="$work" ./bin/usher run --quiet --manifest data/connectors.toml
ls data/out/onboard/latest/support/*.csv > /dev/null
echo "the tarball runs: $(basename "$tarball")"
