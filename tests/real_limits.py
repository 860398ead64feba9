#!/usr/bin/env python3
"""One release-mode run at each vendor's real limits: 1,000,001 people with multi-byte names, so that every file limit of
the sheets is met to the row, and byte limits to the last record that fits.

    real_limits.py USHER_BINARY

Written from the sheets, not from the connectors. Exit 0 when every file keeps to its limit and no file could have taken
one row more.
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROWS = 1_000_001
MANIFEST = """
version = 1
[connectors.users]
plugin = "json"
options = { input = "users.ndjson" }
[connectors.support]
plugin = "zendesk"
options = { plan = "professional" }
[connectors.chat]
plugin = "carrot-quest"
[connectors.newsletter]
plugin = "constant-contact"
options = { consent = { not_needed = "a test of limits" } }
[connectors.letters]
plugin = "constant-contact"
options = { consent = { not_needed = "a test of limits" }, deliver = "api-file" }
[connectors.loyalty]
plugin = "cohort"
[chains.limits]
from = "users"
to = ["support", "chat", "newsletter", "letters", "loyalty"]
"""
# connector: (most rows, most bytes) of one file
LIMITS = {
    "support": (499_999, 1_000_000_000),  # zendesk 2.2: 500,000 lines with header, 1 GB
    "chat": (4_000, None),  # carrot-quest 4: 4,000 people per file in the admin panel
    "newsletter": (999_999, 99_999_999),  # constant-contact 1: rows and 100 MB, kept strictly below
    "letters": (39_999, 4_000_000),  # constant-contact 1: 39,999 + header, the whole body below 4 MB
    "loyalty": (None, 9_999_999),  # cohort 1: 10 MB, kept strictly below
}


def main():
    usher = Path(sys.argv[1]).resolve()
    findings, checks = [], 0
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        with open(work / "users.ndjson", "w", encoding="utf-8") as users:
            for i in range(ROWS):
                users.write(f'{{"sub":"{i:07d}","email":"u{i:07d}@example.com","name":"Жанна 李 {i:07d}","given_name":"Жанна","family_name":"李 🦊"}}\n')
        (work / "connectors.toml").write_text(MANIFEST)
        subprocess.run([usher, "run", "--quiet", "--manifest", work / "connectors.toml"], check=True)
        report = json.loads((work / "out/limits/latest/report.json").read_text())
        for connector in report["connectors"]:
            name, parts = connector["name"], connector["parts"]
            most_rows, most_bytes = LIMITS[name]
            checks += 1
            if sum(p["rows"] for p in parts) != ROWS:
                findings.append(f"{name}: {sum(p['rows'] for p in parts)} rows of {ROWS}")
            for part in parts:
                checks += 1
                if most_rows and part["rows"] > most_rows or most_bytes and part["bytes"] > most_bytes:
                    findings.append(f"{part['path']}: {part['rows']} rows, {part['bytes']} bytes")
            for part in parts[:-1]:
                # Every record is about as long as the others here, so a file that is not full is seen at once.
                checks += 1
                row = part["bytes"] / part["rows"]
                full_rows = most_rows and part["rows"] == most_rows
                full_bytes = most_bytes and part["bytes"] + 2 * row > most_bytes * 0.995
                if not (full_rows or full_bytes):
                    findings.append(f"{part['path']}: split early, at {part['rows']} rows and {part['bytes']} bytes")
    print("\n".join(findings))
    print(f"{checks - len(findings)} passed, {len(findings)} failed")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
