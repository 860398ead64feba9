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
env -i PATH=/usr/bin:/bin HOME="$work" ./bin/usher run --quiet
ls out/onboard/latest/support/*.csv > /dev/null
# Whatever the README leads to is there.
grep -o '](\([^)#]*\)' README.md SECURITY.md | sed 's/.*](//' | grep -v '^http' | sort -u | while read -r target; do
    [ -z "$target" ] || [ -e "$target" ] || { echo "README.md or SECURITY.md leads to $target, which is not in the tarball" >&2; exit 1; }
done
echo "the tarball runs: $(basename "$tarball")"
