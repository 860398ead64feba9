#!/bin/sh
# compare.sh RUN_DIR EXPECTED_DIR RUN_ID [--write]: holds the parts of a run against checked-in files. The run id, the
# only thing that differs from run to run, is taken out of names and of UPLOAD.md.
set -eu
run_dir=$1 expected=$2 id=$3 found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT
for connector in "$run_dir"/*/; do
  name=$(basename "$connector")
  mkdir -p "$found/$name"
  for file in "$connector"*; do
    sed "s/$id/RUN/g" "$file" > "$found/$name/$(basename "$file" | sed "s/$id/RUN/g")"
  done
done
for file in rejects.csv left-out.csv merged.csv; do cp "$run_dir/$file" "$found/"; done
if [ "${4:-}" = --write ]; then
  rm -rf "$expected" && mkdir -p "$(dirname "$expected")" && cp -r "$found" "$expected"
  exit
fi
diff -r "$expected" "$found" > /dev/null || { diff -r "$expected" "$found" | head -n 40; echo "$run_dir differs from $expected" >&2; exit 1; }
echo "$run_dir equals $expected"
