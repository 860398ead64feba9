#!/usr/bin/env python3
"""The checkers checked: a small good run folder passes both, and every way of spoiling it is caught.

    python3 tests/test_checkers.py
"""

import csv
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import audit  # noqa: E402
import vendor_check  # noqa: E402

RUN = "20240301T101500Z-7f3a"


def person(n, **changes):
    record = {"user_id": f"auth0|{n:024x}", "email": f"person{n}@example.com", "name": f"Person {n}",
              "company": "Acme" if n % 2 else "Kite & Key", "phone": f"+442079460{n:03}",
              "note": f'line one\r\nline "two" of {n}' if n % 3 == 0 else "plain"}
    record.update(changes)
    return record


def table(header, rows, delimiter=","):
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode("utf-8")


class Run:
    """A good run folder over twelve records: one unreadable, one merged, one filtered, one refused by the newsletter. The
    account is sent what has changed; of people it had, one is withdrawn and four are missing."""

    def __init__(self, top, packed=False):
        self.top = top
        lines = [json.dumps(person(n), ensure_ascii=False) for n in range(1, 13)]
        lines[4] = lines[4][: len(lines[4]) // 2]
        lines[6] = json.dumps(person(7, email=" PERSON2@example.com"))
        lines[9] = json.dumps(person(10, email=""))
        data = "".join(line + "\n" for line in lines).encode("utf-8")
        self.starts = [0]
        for line in lines[:-1]:
            self.starts.append(self.starts[-1] + len(line.encode("utf-8")) + 1)
        self.lines = lines
        os.makedirs(os.path.join(top, "data"))
        self.input = os.path.join(top, "data", "users.ndjson")
        stored = gzip.compress(data, mtime=0) if packed else data
        with open(self.input, "wb") as file:
            file.write(stored)
        self.folder = os.path.join(top, "out", "onboard", RUN)
        os.makedirs(self.folder)
        self.report = {
            "version": 1, "chain": "onboard", "run": RUN,
            "inputs": [{"id": 0, "name": "users.ndjson", "path": "data/users.ndjson", "bytes": len(stored),
                        "digest": "blake3:" + audit.blake3(stored)}],
            "read": {"records": 12}, "connectors": []}
        self.rejects = [self.reject("", 5, "", "json.syntax", "the record is cut"),
                        self.reject("newsletter", 10, "Email Address", "email.missing", "no address"),
                        self.reject("loyalty", 10, "Email", "email.missing", "no address"),
                        self.reject("batch", 10, "email", "email.missing", "no address")]
        self.merged = [["", "users.ndjson", 7, self.starts[6], "users.ndjson", 2, self.starts[1], "unique: email"]]
        self.left_out = [["crm", "users.ndjson", 3, "$phone", "phone.syntax", "n/a", "no number"]]

        people = [person(n) for n in (1, 2, 3, 4, 6, 8, 10, 11, 12)]
        people[6]["email"] = ""
        mailed = [p for p in people if p["email"]]
        self.connector("support", "zendesk", "ui-file", people, {
            "organizations": table(["name", "external_id", "domain_names", "tags", "organization_fields.gold"],
                                   [["Acme", "o1", "example.com|example.org", "a|b", "True"], ["Kite & Key", "o2", "", "", "False"]]),
            "users": table(["name", "emails", "ticket_restriction", "external_id", "notes", "phones", "role",
                            "skip_verify_email", "time_zone", "locale", "organizations", "tags", "custom_fields.plan"],
                           [[p["name"], p["email"], "requested", p["user_id"], p["note"], p["phone"], "end-user", "true",
                             "Paris", "fr-CA", p["company"], "vip,beta", "free"] for p in people])})
        self.connector("crm", "carrot-quest", "api-file", people, {
            "users": table(["$user_id", "$email", "$name", "Действие"],
                           [[p["user_id"], p["email"], p["name"], p["note"]] for p in people], "\t")}, "\t")
        self.connector("newsletter", "constant-contact", "ui-file", mailed, {
            "contacts": table(["Email Address", "First Name", "Anniversary", "Birthday", "Plan"],
                              [[p["email"], p["name"], "2020-02-29", "1984-07-19", "free"] for p in mailed])})
        self.connector("batch", "constant-contact", "api-file", mailed, {
            "contacts": table(["email", "first_name", "birthday_month", "birthday_day", "cf:plan"],
                              [[p["email"], p["name"], "2", "29", "free"] for p in mailed])})
        self.connector("loyalty", "cohort", "ui-file", mailed, {
            "users": table(["Email", "First Name", "Plan"], [[p["email"], p["name"], "free"] for p in mailed])})
        self.connector("dump", "csv", "ui-file", people, {
            "rows": b"\xef\xbb\xbf" + table(["a", "b"], [[p["name"], p["note"]] for p in people], ";")}, ";")
        self.connector("lines", "json", "ui-file", people, {
            "users": "".join(json.dumps(p) + "\n" for p in people).encode()}, extension="ndjson")
        self.withdrawn = [["account", "users.ndjson", 9, self.starts[8], "where", "person9@example.com"]]
        self.missing = [["account", "a@example.com", "suspended", ""], ["account", "b@example.com", "suspended", ""],
                        ["account", "c@example.com", "absent", "not there"], ["account", "d@example.com", "refused", "no"]]
        self.account(people)
        self.save()
        os.symlink(RUN, os.path.join(top, "out", "onboard", "latest"))

    def reject(self, connector, line, field, code, message):
        return {"connector": connector,
                "origin": {"input": "users.ndjson", "line": line, "offset": self.starts[line - 1],
                           "length": len(self.lines[line - 1].encode("utf-8"))},
                "field": field, "code": code, "message": message, "raw": self.lines[line - 1]}

    def connector(self, name, plugin, deliver, people, files, delimiter=",", extension="csv"):
        rejected = [r["origin"]["offset"] for r in self.rejects if r["connector"] in ("", name)]
        identity = {"rejected": rejected, "merged": [self.starts[6]], "filtered": [self.starts[8]]}
        identity["written"] = [s for s in self.starts if s not in sum(identity.values(), [])]
        identity["read"] = self.starts
        assert len(identity["written"]) == len(people), name
        parts = []
        for stem, content in files.items():
            path = f"{name}/onboard-{name}-{RUN}-{stem}-0001.{extension}"
            self.write(path, content)
            parts.append({"path": path, "rows": 2 if stem == "organizations" else len(people), "bytes": len(content),
                          "digest": "blake3:" + audit.blake3(content), "delimiter": delimiter, "header": extension == "csv"})
        self.write(f"{name}/UPLOAD.md", ("upload\n" + "\n".join(os.path.basename(p["path"]) for p in parts)).encode())
        self.report["connectors"].append({
            "name": name, "plugin": plugin, "deliver": deliver,
            "books": {"read": 12, "filtered": {"where": 1}, "merged": 1, "rejected": len(rejected), "written": len(people),
                      "identity": {k: f"{audit.identity_sum((0, o) for o in v):016x}" for k, v in identity.items()}},
            "parts": parts, "changed": [{"column": "emails", "rule": "lower-case", "count": 1}],
            "left_out": 1 if name == "crm" else 0})

    def account(self, people):
        """A connector that sends; of its rows two are as the vendor has them, and of one nothing is known."""
        people = [dict(p, email=p["email"] or "none@example.com") for p in people]
        self.connector("account", "zendesk", "api", people, {
            "users": "".join(json.dumps(p) + "\n" for p in people).encode()}, extension="ndjson")
        os.remove(os.path.join(self.folder, "account", "UPLOAD.md"))
        books, fates = self.books("account"), {"accepted": [], "not_sent": [], "written": []}
        out = [s for s in self.starts if s not in (self.starts[4], self.starts[6], self.starts[8])]
        fates.update(filtered=out[:2] + [self.starts[8]], unknown=out[2:3], confirmed=out[3:])
        books["filtered"]["unchanged"] = 2
        books.update({term: len(fates[term]) for term in ("written", "accepted", "confirmed", "unknown", "not_sent")})
        books["identity"].update({k: f"{audit.identity_sum((0, o) for o in v):016x}" for k, v in fates.items()})
        self.report["connectors"][-1]["sync"] = {
            "waiting": 0, "withdrawn": 1, "missing": 4,
            "suspension": {"suspended": 2, "absent": 1, "refused": 1, "unknown": 0, "not_sent": 0, "nameless": 0}}

        self.write("held-back/account.bits", (9).to_bytes(8, "little") + bytes([0b11111100, 0b1]))

    def sync(self):
        return self.report["connectors"][-1]["sync"]

    # -- writing

    def save(self):
        self.write("withdrawn.csv", table(["connector", "input", "line", "offset", "reason", "key"], self.withdrawn))
        self.write("missing.csv", table(["connector", "key", "outcome", "message"], self.missing))
        self.write("report.json", json.dumps(self.report, indent=1).encode())
        self.write("rejects.ndjson", "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in self.rejects).encode())
        self.write("rejects.csv", table(
            ["connector", "input", "line", "offset", "length", "field", "code", "message", "raw"],
            [[r["connector"], *r["origin"].values(), r["field"], r["code"], r["message"], r["raw"]] for r in self.rejects]))
        self.write("merged.csv", table(["connector", "input", "line", "offset", "survivor_input", "survivor_line",
                                        "survivor_offset", "reason"], self.merged))
        self.write("left-out.csv", table(["connector", "input", "line", "column", "code", "value", "message"], self.left_out))
        self.write_receipt()

    def write_receipt(self):
        files = []
        for folder, _, names in os.walk(self.folder):
            for name in sorted(set(names) - {"receipt.json"}):
                with open(os.path.join(folder, name), "rb") as file:
                    content = file.read()
                path = os.path.relpath(os.path.join(folder, name), self.folder)
                files.append({"path": path, "bytes": len(content), "digest": "blake3:" + audit.blake3(content)})
        means = {"manifest": {"path": "connectors.toml"}, "plugins": [{"name": "zendesk"}], "inputs": self.report["inputs"]}
        connectors = {c["name"]: {"books": c["books"]} for c in self.report["connectors"]}
        self.write("receipt.json", json.dumps({**means, "files": files, "connectors": connectors}).encode())

    def write(self, path, content):
        full = os.path.join(self.folder, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as file:
            file.write(content)
        os.chmod(full, 0o600)
        os.chmod(os.path.dirname(full), 0o700)

    def overwrite_input(self, start):
        with open(self.input, "r+b") as file:
            file.write(start)

    def part(self, name, stem=None):
        entry = next(c for c in self.report["connectors"] if c["name"] == name)
        return next(p for p in entry["parts"] if stem is None or f"-{stem}-" in p["path"])

    def books(self, name):
        return next(c for c in self.report["connectors"] if c["name"] == name)["books"]

    def read(self, path):
        with open(os.path.join(self.folder, path), "rb") as file:
            return file.read()

    def swap(self, name, old, new, stem=None, count=1):
        """Change the bytes of a part and nothing else."""
        part = self.part(name, stem)
        content = self.read(part["path"])
        old, new = (t.encode() if isinstance(t, str) else t for t in (old, new))
        assert old in content, (old, content[:300])
        self.write(part["path"], content.replace(old, new, count))

    def remake(self, name, header, rows, delimiter=","):
        self.write(self.part(name)["path"], table(header, rows, delimiter))

    # -- running

    def failed(self, checker):
        if checker == "audit":
            here = os.getcwd()
            os.chdir(tempfile.gettempdir())
            try:
                return audit.Audit(self.folder).run().failed
            finally:
                os.chdir(here)
        return vendor_check.check(self.folder).failed


def spoil_report(change):
    def spoil(run):
        change(run.report)
        run.save()
    return spoil


def spoil(method, *args, **named):
    return lambda run: getattr(run, method)(*args, **named)


def set_books(name, **values):
    def change(run):
        run.books(name).update(values)
        run.save()
    return change


def set_identity(name, **values):
    def change(run):
        run.books(name)["identity"].update(values)
        run.save()
    return change


def edit(attribute, change):
    def spoiled(run):
        change(getattr(run, attribute))
        run.save()
    return spoiled


def relink(run):
    latest = os.path.join(run.top, "out", "onboard", "latest")
    os.remove(latest)
    os.symlink("20990101T000000Z-none", latest)


def exchange_reject_and_merged(run):
    """Counts stay, records do not: the identity sums must notice."""
    run.merged[0][2:4] = [8, run.starts[7]]
    run.save()


# what is done: (which check must fail, how)
AUDIT = {
    "a row cut off the end": ("loyalty: parts rows", lambda r: r.write(
        r.part("loyalty")["path"], r.read(r.part("loyalty")["path"]).rsplit(b"\n", 2)[0] + b"\n")),
    "a multi-line cell opened": ("support: parts well formed", spoil("swap", "support", '"line one', 'line one', "users")),
    "a byte more": ("crm: parts bytes", spoil("swap", "crm", "plain", "plains")),
    "a byte changed": ("crm: parts digest", spoil("swap", "crm", "plain", "Plain")),
    "rows misreported": ("lines: parts rows", spoil_report(lambda r: r["connectors"][6]["parts"][0].update(rows=8))),
    "a row short of cells": ("batch: parts well formed", spoil("swap", "batch", ",free\n", "\n")),
    "a blank line": ("batch: parts well formed", spoil("swap", "batch", "free\n", "free\n\n")),
    "broken JSON line": ("lines: parts well formed", spoil("swap", "lines", '{"user_id"', '{"user_id')),
    "counts that do not balance": ("support: books balance", set_books("support", written=10)),
    "read differs from the chain": ("support: books balance", set_books("support", read=13, written=10)),
    "identity that does not balance": ("support: books identity", set_identity("support", written="00000000000000ff")),
    "identity of no hex": ("support: books identity", set_identity("support", written="12")),
    "a reject not listed": ("newsletter: books rejected", edit("rejects", lambda x: x.pop(1))),
    "another record merged": ("support: books identity", exchange_reject_and_merged),
    "merged row missing": ("support: books merged", edit("merged", lambda x: x.clear())),
    "merged and rejected at once": ("support: books disjoint", lambda r: (r.merged[0].__setitem__(3, r.starts[4]), r.save())),
    "survivor is merged itself": ("merged: survivor", edit("merged", lambda x: x.append(x[0][:1] + x[0][4:7] + x[0][1:4] + ["x"]))),
    "raw is another record": ("rejects: raw record", edit("rejects", lambda x: x[1].update(raw=x[0]["raw"]))),
    "raw is half a record": ("rejects: raw record", lambda r: (
        r.rejects[1]["origin"].update(length=20), r.rejects[1].update(raw=r.lines[9][:20]), r.save())),
    "wrong line": ("rejects: origin", edit("rejects", lambda x: x[1]["origin"].update(line=11))),
    "offset inside a record": ("rejects: origin", edit("rejects", lambda x: x[1]["origin"].update(offset=x[1]["origin"]["offset"] + 1))),
    "unknown input": ("rejects: origin", edit("rejects", lambda x: x[1]["origin"].update(input="else.csv"))),
    "unknown connector": ("rejects: fields", edit("rejects", lambda x: x[1].update(connector="nobody"))),
    "no code": ("rejects: fields", edit("rejects", lambda x: x[1].update(code="oops"))),
    "rejected twice": ("rejects: one per record", edit("rejects", lambda x: x.append(x[1]))),
    "rejects.csv differs": ("rejects: same as a table", lambda r: r.write(
        "rejects.csv", r.read("rejects.csv").replace(b"no address", b"no adress", 1))),
    "left-out count": ("left out: count", edit("left_out", lambda x: x.append(x[0]))),
    "a file for all to read": ("folder: modes", lambda r: os.chmod(os.path.join(r.folder, "report.json"), 0o644)),
    "a folder for all to read": ("folder: modes", lambda r: os.chmod(os.path.join(r.folder, "crm"), 0o755)),
    "a staged file left": ("folder: leftovers", spoil("write", "crm/x.csv.tmp", b"")),
    "a staging folder left": ("folder: leftovers", lambda r: os.makedirs(os.path.join(r.top, "out", "onboard", ".staging"))),
    "a part that is not reported": ("folder: undeclared parts", spoil("write", f"crm/onboard-crm-{RUN}-users-0002.csv", b"a\n")),
    "latest to nowhere": ("folder: latest", relink),
    "no guide": ("crm: parts guide", lambda r: os.remove(os.path.join(r.folder, "crm", "UPLOAD.md"))),
    "guide without the part": ("crm: parts guide", spoil("write", "crm/UPLOAD.md", b"upload")),
    "part missing": ("crm: parts names", lambda r: os.remove(os.path.join(r.folder, r.part("crm")["path"]))),
    "parts numbered from 2": ("crm: parts names", lambda r: (
        os.rename(os.path.join(r.folder, r.part("crm")["path"]), os.path.join(r.folder, r.part("crm")["path"].replace("0001", "0002"))),
        r.part("crm").update(path=r.part("crm")["path"].replace("0001", "0002")), r.save())),
    "a file that the receipt does not know": ("receipt: files", spoil("write", "notes.txt", b"mine")),
    "a file changed since the receipt": ("receipt: files", spoil("write", "crm/UPLOAD.md", b"upload, please")),
    "a file changed to as many bytes": ("receipt: digests", lambda r: r.write("rejects.csv", b"x" * os.path.getsize(os.path.join(r.folder, "rejects.csv")))),
    "other books in the receipt": ("receipt: books", lambda r: (r.report["connectors"][0]["books"].update(merged=2), r.write_receipt())),
    "no receipt": ("folder: files", lambda r: os.remove(os.path.join(r.folder, "receipt.json"))),
    "input changed since": ("inputs: digest", spoil("overwrite_input", b"{ ")),
    "fewer records read than said": ("read: identity", lambda r: (r.report["read"].update(records=11), r.save())),
    "confirmed more than were read": ("account: books balance", set_books("account", confirmed=7)),
    "another row confirmed": ("account: books identity", set_identity("account", confirmed="00000000000000ff")),
    "a term of what was sent left out": ("account: books balance", lambda r: (r.books("account").pop("not_sent"), r.save())),
    "more sent than there was": ("account: parts rows", spoil("write", f"account/onboard-account-{RUN}-users-0001.ndjson", b"{}\n")),
    "somebody withdrawn and not listed": ("sync: count", edit("withdrawn", lambda x: x.clear())),
    "somebody missing and not listed": ("sync: count", edit("missing", lambda x: x.pop())),
    "nobody asked for it": ("sync: files", edit("missing", lambda x: x[0].__setitem__(0, "crm"))),
    "withdrawn and missing at once": ("sync: once", edit("missing", lambda x: x[0].__setitem__(1, "Person9@example.com"))),
    "withdrawn for another reason": ("sync: withdrawn", edit("withdrawn", lambda x: x[0].__setitem__(4, "exclude"))),
    "withdrawn by a merged record": ("sync: withdrawn", lambda r: (r.withdrawn[0].__setitem__(3, r.starts[6]), r.save())),
    "more wait than went out": ("sync: waiting", lambda r: (r.sync().update(waiting=1), r.save())),
    "another row held back": ("sync: held back", spoil("write", "held-back/account.bits", (9).to_bytes(8, "little") + b"\xf8\x01")),
    "nobody knows what was held back": ("sync: held back", lambda r: os.remove(os.path.join(r.folder, "held-back/account.bits"))),
    "no list of the missing": ("sync: files", lambda r: os.remove(os.path.join(r.folder, "missing.csv"))),
    "a suspension too many": ("sync: suspension", lambda r: (r.sync()["suspension"].update(suspended=3), r.save())),
    "refused and said to be suspended": ("sync: suspension", edit("missing", lambda x: x[3].__setitem__(2, "suspended"))),
    "another run's report": ("report: run", spoil_report(lambda r: r.update(run="other"))),
}

USERS_HEADER = "name,emails,ticket_restriction,external_id"
VENDOR = {
    "columns in another order": ("support: header", spoil("swap", "support", "notes,phones", "phones,notes", "users")),
    "unknown column": ("support: header", spoil("swap", "support", "time_zone", "timezone", "users")),
    "no emails column": ("support: header", spoil("swap", "support", "name,emails", "name,email", "users")),
    "field key in capitals": ("support: header", spoil("swap", "support", "custom_fields.plan", "custom_fields.Plan", "users")),
    "name blank": ("support: name", spoil("swap", "support", "Person 4,", ",", "users")),
    "restriction of agents": ("support: restriction", spoil("swap", "support", "requested", "assigned", "users")),
    "restriction blank": ("support: restriction", spoil("swap", "support", "requested", "", "users")),
    "role in capitals": ("support: role", spoil("swap", "support", "end-user", "End-user", "users")),
    "boolean True": ("support: booleans", spoil("swap", "support", ",true,", ",True,", "users")),
    "zone by its IANA name": ("support: time zone", spoil("swap", "support", "Paris", "Europe/Paris", "users")),
    "locale with underscore": ("support: locale", spoil("swap", "support", "fr-CA", "fr_CA", "users")),
    "phone not E.164": ("support: phones", spoil("swap", "support", "+442079460004", "(020) 7946 0004", "users")),
    "phone list with a hole": ("support: lists: phones", spoil("swap", "support", "+442079460004", "+442079460004||+442079460999", "users")),
    "bad address": ("support: emails", spoil("swap", "support", "person4@", "person4", "users")),
    "address twice but for its case": ("support: unique: email", spoil("swap", "support", "person4@example.com", "PERSON3@example.com", "users")),
    "external_id twice": ("support: unique: external_id", spoil("swap", "support", f"auth0|{4:024x}", f"AUTH0|{3:024x}", "users")),
    "neither address nor id": ("support: identity: email or external_id", spoil("swap", "support", f"Person 10,,requested,auth0|{10:024x}", "Person 10,,requested,", "users")),
    "empty tag": ("support: tags", spoil("swap", "support", '"vip,beta"', '"vip,,beta"', "users")),
    "organization that is in no file": ("support: organizations: all named", spoil("swap", "support", "Acme", "Acmy", "organizations")),
    "organization twice": ("support: organizations: names", spoil("swap", "support", "Kite & Key", "Acme", "organizations")),
    "51 organizations": ("support: organizations: at most 50", spoil("swap", "support", "Kite & Key", "|".join(["Acme"] * 51), "users")),
    "a row above 128,000 bytes": ("support: bytes of a row", spoil("swap", "support", "plain", "x" * 128_000, "users")),
    "201 columns": ("support: limits", lambda r: r.write(r.part("support", "users")["path"], table(
        USERS_HEADER.split(",") + [f"custom_fields.c{n}" for n in range(197)], []))),
    "semicolons for Zendesk": ("support: separator", lambda r: (r.part("support", "users").update(delimiter=";"), r.save())),

    "key is not first": ("crm: key column", spoil("swap", "crm", "$user_id\t$email", "$phone\t$user_id")),
    "key blank": ("crm: key column", spoil("swap", "crm", f"auth0|{4:024x}", "")),
    "key twice": ("crm: key unique", spoil("swap", "crm", f"auth0|{4:024x}", f"auth0|{3:024x}")),
    "zero-width space in a key": ("crm: key column", spoil("swap", "crm", f"auth0|{4:024x}", f"auth0|\u200b{4:024x}")),
    "unknown system column": ("crm: header", spoil("swap", "crm", "$name", "$first_name")),
    "NBSP in a heading": ("crm: header", spoil("swap", "crm", "Действие", "Дей\u00a0ствие")),
    "heading twice": ("crm: header", spoil("swap", "crm", "$name", "$email")),
    "value padded": ("crm: values trimmed", spoil("swap", "crm", "plain", "plain ")),
    "256 characters": ("crm: text length", spoil("swap", "crm", "plain", "é" * 256)),
    "byte order mark": (None, lambda r: r.write(r.part("crm")["path"], b"\xef\xbb\xbf" + r.read(r.part("crm")["path"]))),
    "30 MB": ("crm: limits", lambda r: r.remake("crm", ["$user_id"] + [f"c{n}" for n in range(60)],
                                                [[f"u{n}"] + ["x" * 250] * 60 for n in range(2000)], "\t")),
    "more than 4,000 rows by hand": ("crm: limits", lambda r: (
        r.report["connectors"][1].update(deliver="ui-file"), r.save(),
        r.remake("crm", ["$user_id"], [[f"u{n}"] for n in range(4001)], "\t"))),
    "a colon as delimiter": ("crm: delimiter", lambda r: (r.part("crm").update(delimiter=":"), r.save())),
    "the wrong delimiter": ("crm: header", lambda r: (r.part("crm").update(delimiter=","), r.save())),

    "no address for the newsletter": ("newsletter: email", spoil("swap", "newsletter", "person4@example.com", "")),
    "address of 81 characters": ("newsletter: email", spoil("swap", "newsletter", "person4@", "p" * 60 + "@a.long.domain.")),
    "first name of 51": ("newsletter: text length", spoil("swap", "newsletter", "Person 4", "P" * 51)),
    "anniversary of another form": ("newsletter: anniversary", spoil("swap", "newsletter", "2020-02-29", "02/29/2020")),
    "anniversary that does not exist": ("newsletter: anniversary", spoil("swap", "newsletter", "2020-02-29", "2021-02-29")),
    "birthday that does not exist": ("newsletter: birthday", spoil("swap", "newsletter", "1984-07-19", "1984-13-19")),
    "neither form of headings": ("newsletter: header", spoil("swap", "newsletter", "Email Address", "Courriel")),
    "26 custom fields": ("batch: custom fields", lambda r: r.remake(
        "batch", ["email"] + [f"cf:c{n}" for n in range(26)], [["a@example.com"] + ["x"] * 26])),
    "unknown API column": ("batch: header", spoil("swap", "batch", "first_name", "firstname")),
    "month without day": ("batch: birthday", spoil("swap", "batch", ",2,29,", ",2,,")),
    "upload headings for the API": ("batch: header", spoil("swap", "batch", "email,", "Email Address,")),
    "40,001 lines": ("batch: limits", lambda r: r.remake("batch", ["email"], [[f"p{n}@example.com"] for n in range(40_000)])),
    "4 MB": ("batch: limits", lambda r: r.remake("batch", ["email"] + [f"cf:c{n}" for n in range(20)],
                                                 [[f"p{n}@example.com"] + ["x" * 200] * 20 for n in range(1000)])),
    "four phones": ("batch: phones", lambda r: r.remake("batch", ["email", "phone", "home_phone", "work_phone", "mobile_phone"],
                                                        [["a@example.com", "1", "2", "3", "4"]])),

    "no email column": ("loyalty: email column", spoil("swap", "loyalty", "Email", "Mail")),
    "no address in a row": ("loyalty: email column", spoil("swap", "loyalty", "person4@example.com", "")),
    "same address in capitals": ("loyalty: unique: email", spoil("swap", "loyalty", "person4@", "PERSON3@")),
    "heading padded": ("loyalty: header", spoil("swap", "loyalty", "First Name", "First Name ")),
    "empty heading": ("loyalty: header", spoil("swap", "loyalty", "First Name", "")),
    "10 MB": ("loyalty: limits", lambda r: r.remake("loyalty", ["Email", "x"], [[f"p{n}@example.com", "x" * 10_000] for n in range(1000)])),

    "not UTF-8": (None, spoil("swap", "loyalty", b"Person 4", b"Person \xff")),
    "a cell too few": (None, spoil("swap", "loyalty", ",free\n", "\n")),
    "a quote astray": (None, spoil("swap", "loyalty", "Person 4", 'Per"son 4')),
    "JSON cut": (None, spoil("swap", "lines", '{"user_id"', '{"user_id')),
}


class GoodRun(unittest.TestCase):
    def test_both_pass(self):
        for packed in (False, True):
            with self.subTest(packed=packed), tempfile.TemporaryDirectory() as top:
                run = Run(top, packed)
                self.assertEqual(run.failed("audit"), [])
                self.assertEqual(run.failed("vendor"), [])

    def test_what_they_print(self):
        with tempfile.TemporaryDirectory() as top:
            run = Run(top)
            for tool, flag in (("audit.py", "--manifest-free"), ("vendor_check.py", "--raw-words")):
                done = subprocess.run([sys.executable, "-B", os.path.join(HERE, tool), run.folder, flag],
                                      capture_output=True, text=True, check=False)
                self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
                self.assertRegex(done.stdout.splitlines()[-1], r"^[1-9]\d* passed, 0 failed$")
            run.swap("loyalty", "person4@example.com", "")
            done = subprocess.run([sys.executable, "-B", os.path.join(HERE, "vendor_check.py"), run.folder],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("FAIL: loyalty: email column", done.stdout)

    def test_wrong_usage(self):
        with tempfile.TemporaryDirectory() as top:
            for tool in ("audit.py", "vendor_check.py"):
                for args in ([], [top], [top, top], ["--what"], [os.path.join(top, "nothing")]):
                    done = subprocess.run([sys.executable, "-B", os.path.join(HERE, tool), *args],
                                          capture_output=True, text=True, check=False)
                    self.assertEqual(done.returncode, 2, (tool, args))

    def test_words_only_warn(self):
        with tempfile.TemporaryDirectory() as top:
            run = Run(top)
            run.swap("loyalty", "Person 4", "None")
            for raw_words, expected in ((False, True), (True, False)):
                out = io.StringIO()
                vendor_check.check(run.folder, raw_words).print(out)
                self.assertEqual("reads None" in out.getvalue(), expected)
                self.assertIn(" 0 failed", out.getvalue())

    def test_a_run_of_the_first_records(self):
        """--limit reads less than the inputs hold."""
        with tempfile.TemporaryDirectory() as top:
            run = Run(top)
            with open(run.input, "ab") as file:
                file.write(b'{"email":"late@example.com"}\n')
            failed = run.failed("audit")
            self.assertEqual(failed, ["inputs: bytes", "inputs: digest"])


class SpoiltRun(unittest.TestCase):
    def spoilt(self, checker, cases):
        for what, (check, change) in cases.items():
            with self.subTest(what), tempfile.TemporaryDirectory() as top:
                run = Run(top)
                change(run)
                failed = run.failed(checker)
                if check is None:
                    self.assertTrue(any(": form: " in name for name in failed), failed)
                else:
                    self.assertIn(check, failed)

    def test_audit_notices(self):
        self.spoilt("audit", AUDIT)

    def test_vendor_check_notices(self):
        self.spoilt("vendor", VENDOR)


class Pieces(unittest.TestCase):
    def test_blake3(self):
        """The published vectors: bytes 0, 1, …, 250, 0, … of these lengths."""
        def pattern(n):
            return bytes(k % 251 for k in range(n))
        self.assertEqual(audit.blake3(b""), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262")
        self.assertEqual(audit.blake3(pattern(1025)), "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444")
        self.assertEqual(audit.blake3(pattern(31744)), "62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47")

    def test_identity(self):
        """splitmix64 with seed 0: its first output stands for input 0, offset 0."""
        self.assertEqual(audit.identity_of(0, 0), 0xE220A8397B1DCDAF)
        self.assertEqual(audit.identity_of(1, 0), 0x6E789E6AA1B965F4)
        self.assertEqual(audit.identity_sum([(0, 0), (1, 0)]), (0xE220A8397B1DCDAF + 0x6E789E6AA1B965F4) % 2 ** 64)

    def test_addresses(self):
        for good in ("a@example.com", "o'neil+news@example.org", "pipe|dream@example.com", "x@sub.example.net"):
            self.assertIsNone(vendor_check.email_fault(good), good)
        for bad in ("", "@example.com", "a@", "a", "a@@example.com", "a b@example.com", "a..b@example.com", ".a@example.com",
                    "a@example", "a@-example.com", "a@example.com.", "a\u200b@example.com", "a@exam ple.com", "a@1.2.3.4",
                    "x" * 65 + "@example.com"):
            self.assertIsNotNone(vendor_check.email_fault(bad), bad)

    def test_time_zones(self):
        zones = vendor_check.zendesk_time_zones()
        self.assertEqual(len(zones), 153)
        self.assertIn("Eastern Time (US & Canada)", zones)

    def test_constant_contact_birthdays(self):
        for text, good in (("19-July", True), ("29-February", True), ("7/19/1984", True), ("19-July-84", True), ("1984", False)):
            with tempfile.TemporaryDirectory() as top:
                run = Run(top)
                run.swap("newsletter", "1984-07-19", text)
                self.assertEqual("newsletter: birthday" not in run.failed("vendor"), good, text)


class Examples(unittest.TestCase):
    """The example files are what their script writes."""

    FILES = ("auth0/users.ndjson", "auth0/users.csv", "auth0/users-fr.csv", "auth0/users.tsv.csv", "unsubscribed.csv",
             "cohort/users.csv", "cohort/events.csv", "README.md")

    def setUp(self):
        self.folder = os.path.join(HERE, "..", "examples")

    def content(self, name, folder=None):
        with open(os.path.join(folder or self.folder, name), "rb") as file:
            return file.read()

    def test_same_bytes(self):
        with tempfile.TemporaryDirectory() as top:
            with open(os.path.join(top, "README.md"), "wb") as file:
                file.write(self.content("README.md"))
            subprocess.run([sys.executable, "-B", os.path.join(self.folder, "generate.py"), "--out", top], check=True)
            for name in self.FILES:
                self.assertEqual(hashlib.sha256(self.content(name)).hexdigest(),
                                 hashlib.sha256(self.content(name, top)).hexdigest(), name)

    def test_unreadable_lines(self):
        lines, bad, offset = self.content("auth0/users.ndjson").split(b"\n"), [], 0
        self.assertEqual(lines.pop(), b"")
        for number, line in enumerate(lines, 1):
            try:
                good = isinstance(json.loads(line.decode("utf-8")), dict)
            except UnicodeDecodeError:
                good = False
                self.assertGreater(offset, 65536)
            except ValueError:
                good = False
            if not good:
                bad.append(number)
            offset += len(line) + 1
        self.assertEqual((len(lines), bad), (330, [150, 160, 251]))

    def test_few_enough_rejects(self):
        """At the worst, with no condition in the chain, a vendor that needs an address refuses at most 5 %."""
        refused = 3
        for line in self.content("auth0/users.ndjson").split(b"\n"):
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict) and vendor_check.email_fault((record.get("email") or "").strip()):
                refused += 1
        self.assertLessEqual(refused, 330 * 0.05)

    def test_tables_agree(self):
        def rows(name, delimiter=","):
            found = list(audit.table_rows(os.path.join(self.folder, "auth0", name), delimiter))
            header = found[0][0]
            return [dict(zip(header, cells)) for cells, _, _ in found[1:] if len(cells) == len(header)]

        def bare(text):
            return text[1:] if text.startswith("'") else text
        bulk, french, old = rows("users.csv"), rows("users-fr.csv"), rows("users.tsv.csv", "\t")
        self.assertEqual([len(bulk), len(french), len(old)], [327] * 3)
        for b, f, o in zip(bulk, french, old):
            self.assertEqual(bare(b["user_id"]), bare(f["Id"]))
            self.assertEqual(bare(b["email"]), bare(f["Adresse courriel"]))
            self.assertEqual(bare(b["given_name"]), o["Given Name"])
            self.assertEqual(b["created_at"], f["Créé à"])
            self.assertFalse(b["created_at"].startswith("'"))


if __name__ == "__main__":
    unittest.main()
