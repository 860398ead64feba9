#!/usr/bin/env python3
"""Read every part of a run folder again and hold it against the vendors' own rules.

    python3 tests/vendor_check.py RUN_DIR [--raw-words]

Written from the vendor sheets alone, never from the connectors' code, so that a misreading in one place is found by
the other. Comments name the sheet's row: KB-USR 2.2 is the row of section 2.2 of the Zendesk sheet that cites KB-USR.
`warn` lines are things a person should look at and that the sheets leave open; they never change the exit code.
--raw-words silences the warning about cells that read None, null, undefined, True, …

The last line is `N passed, N failed`; exit 0 nothing found, 1 findings, 2 wrong usage.
"""

import collections
import datetime
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from audit import (Malformed, Tally, Usage, delimiter_of, json_records, kind_of, load_report,  # noqa: E402
                   shown, stem_of, table_rows)

HERE = os.path.dirname(os.path.abspath(__file__))

# ---- shared by all vendors -----------------------------------------------------------------------------------

INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060\u00ad"
RAW_WORDS = {"None", "none", "null", "Null", "NULL", "undefined", "True", "False", "NaN", "nan"}
LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\-\u0080-\U0010ffff]{1,64}")
LABEL = re.compile(r"[A-Za-z0-9\u0080-\U0010ffff](?:[A-Za-z0-9\-\u0080-\U0010ffff]{0,61}[A-Za-z0-9\u0080-\U0010ffff])?")
E164 = re.compile(r"\+[1-9][0-9]{1,14}")


def trimmed(text):
    """No whitespace of any kind and no invisible mark at either end."""
    edge = text[:1] + text[-1:]
    return not any(c.isspace() or c in "\ufeff\u200b\u2060" for c in edge)


def stains(text):
    """The characters that Carrot quest warns of in headings and keys: BOM, zero-width, NBSP, controls."""
    return [f"U+{ord(c):04X}" for c in text if c in INVISIBLE or c == "\u00a0" or ord(c) < 32]


def email_fault(text):
    """What is implausible about an address; None if nothing. Local part ≤ 64, all ≤ 254 (auth0 §7, DOC-PROF)."""
    local, at, domain = text.rpartition("@")
    if not at or not local:
        return "no @ or nothing before it"
    if len(text) > 254:
        return "longer than 254"
    if any(c.isspace() or c in INVISIBLE or ord(c) < 33 for c in text):
        return "blank or invisible character inside"
    if not LOCAL.fullmatch(local) or local[0] == "." or local[-1] == "." or ".." in local:
        return "local part"
    labels = domain.split(".")
    if len(labels) < 2 or not all(LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        return "domain"
    return None


def real_date(text, form="%Y-%m-%d"):
    try:
        return datetime.datetime.strptime(text, form).date()
    except ValueError:
        return None


class Part:
    """One part: header and rows. Faults of form (UTF-8, quoting, cell count) are found while reading."""

    def __init__(self, folder, entry, plugin):
        self.path, self.entry, self.plugin = entry.get("path") or "", entry, plugin
        self.file = os.path.join(folder, *self.path.split("/"))
        self.stem = stem_of(self.path)[0]
        self.kind = kind_of(self.path)
        self.bytes = os.path.getsize(self.file) if os.path.isfile(self.file) else 0
        self.header, self.row_count = [], 0

    def rows(self, tally):
        """Rows as lists of text under self.header; self.row_bytes and self.line are those of the row just given."""
        name = f"{self.path}: form"
        tally.begin(f"{name}: readable", f"{name}: no byte order mark", f"{name}: cells per row")
        if not os.path.isfile(self.file):
            return tally.fail(f"{name}: readable", "no such file")
        with open(self.file, "rb") as file:
            marked = file.read(3) == b"\xef\xbb\xbf"
        # KB-USR 2.2 "BOM tolerance unverified → write none"; IMPORT §5 and §7; cohort §1. The csv plugin has an option.
        tally.check(f"{name}: no byte order mark", not marked or self.plugin == "csv", "begins with a byte order mark")
        try:
            yield from self._rows(tally, name)
        except Malformed as error:
            tally.fail(f"{name}: readable", str(error))
        return None

    def _rows(self, tally, name):
        if self.kind != "table":
            for record, _, number in json_records(self.file):
                self.row_count, self.line, self.row_bytes = self.row_count + 1, number, 0
                if tally.check(f"{name}: cells per row", isinstance(record, dict), f"record {number} is no object"):
                    yield record
            return
        has_header = self.entry.get("header", True)
        width = None
        for cells, text, line in table_rows(self.file, delimiter_of(self.entry)):
            if width is None:
                width = len(cells)
                if has_header:
                    self.header, self.header_text = cells, text
                    continue
            self.row_count, self.line, self.row_bytes = self.row_count + 1, line, len(text.encode("utf-8"))
            if tally.check(f"{name}: cells per row", len(cells) == width and text.strip("\r\n") != "",
                           f"line {line}: {len(cells)} cells, the header has {width}"):
                yield cells
        if width is None and has_header:
            raise Malformed("no header")


class Vendor:
    """The checks of one connector; a subclass per plugin."""

    exempt_words = ()  # columns where a word like `none` is a value of the vendor's

    def __init__(self, tally, connector, parts, raw_words):
        self.tally, self.connector, self.parts, self.raw_words = tally, connector, parts, raw_words
        self.deliver = connector.get("deliver") or ""
        self.name = connector.get("name")

    def check(self, rule, good, message):
        """`message` is text, or for the checks of every row a function that gives it: most are never needed."""
        name = f"{self.name}: {rule}"
        if good:
            self.tally.begin(name)
            return True
        self.tally.fail(name, message() if callable(message) else message)
        return False

    def begin(self, *rules):
        self.tally.begin(*[f"{self.name}: {rule}" for rule in rules])

    def warn(self, rule, message):
        self.tally.warn(f"{self.name}: {rule}", message)

    def run(self):
        for part in self.parts:
            self.part(part)
        self.after()

    def after(self):
        """Checks over all parts."""

    def part(self, part):
        began = False
        for cells in part.rows(self.tally):
            if not began:
                began = True
                self.header(part)
            if isinstance(cells, dict):
                row = {k: cell_text(v) for k, v in cells.items()}
            else:
                row = dict(zip(part.header, cells)) if part.header else dict(enumerate(cells))
            at = f"{part.path}:{part.line}"
            if not self.raw_words:
                for column, value in row.items():
                    if value in RAW_WORDS and not str(column).startswith(self.exempt_words or ("\0",)):
                        self.warn("raw words", f"{at}: {column} reads {value}")
            self.row(part, at, row)
        if not began and part.header:
            self.header(part)
        self.size(part)

    def header(self, part):
        """Called once per part, before its rows."""

    def row(self, part, at, row):
        """Called for every row."""

    def size(self, part):
        """Called after the rows."""

    def plain_header(self, part, rule="header"):
        """Headings unique, trimmed, not empty."""
        header = part.header
        self.check(rule, all(h.strip() for h in header), f"{part.path}: an empty heading")
        self.check(rule, all(trimmed(h) for h in header), f"{part.path}: a heading with blanks around: {header}")
        twice = [h for h, n in collections.Counter(header).items() if n > 1]
        self.check(rule, not twice, f"{part.path}: headings twice: {twice}")

    def unique(self, rule, seen, value, at):
        """`value` (folded by the caller) must be new among the rows of all parts."""
        if self.check(rule, value not in seen, lambda: f"{at}: {shown(value)} stands already at {seen.get(value)}"):
            seen[value] = at

    def email(self, rule, value, at):
        fault = email_fault(value)
        self.check(rule, fault is None, lambda: f"{at}: {shown(value)}: {fault}")
        if fault is None and not value.isascii():
            self.warn(rule, f"{at}: {shown(value)} is not ASCII")


def cell_text(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


# ---- Zendesk --------------------------------------------------------------------------------------------------

def zendesk_time_zones():
    """TZ §5: the 153 names of GET /api/v2/time_zones."""
    rows = list(table_rows(os.path.join(HERE, "data", "zendesk_time_zones.csv")))
    at = rows[0][0].index("name")
    return {cells[at] for cells, _, _ in rows[1:]}


class Zendesk(Vendor):
    # KB-USR, SEED-001 2.1: the columns in the required order
    USERS = ("name", "emails", "ticket_restriction", "external_id", "details", "notes", "phones", "shared_phone", "role",
             "custom_role", "skip_verify_email", "time_zone", "locale", "local_id", "moderator",
             "only_private_comments", "remote_photo_url", "signature", "suspended", "alias", "organizations",
             "default_group_id", "tags", "custom_fields.")
    # KB-ORG §3
    ORGANIZATIONS = ("name", "external_id", "notes", "details", "domain_names", "group_id", "tags",
                     "organization_fields.")
    RESTRICTIONS = ("assigned", "groups", "none", "organization", "requested")  # KB-USR 2.1 row 3
    BOOLEANS = ("skip_verify_email", "moderator", "only_private_comments", "suspended")  # 2.1 rows 11, 15, 16, 19
    LOCALE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
    MAX_COLUMNS, MAX_ROWS, MAX_BYTES, MAX_ROW_BYTES = 200, 499_999, 1_000_000_000, 128_000  # KB-USR, SEED-001 2.2
    exempt_words = ("ticket_restriction", "organization_fields.")

    def run(self):
        self.zones = zendesk_time_zones()
        self.emails, self.ids, self.organizations = {}, {}, {}
        self.named = {}  # organization named by a user → where
        self.phones = {}
        self.blank, self.rows = collections.Counter(), 0
        users = [p for p in self.parts if p.stem != "organizations"]
        self.has_organizations = len(users) < len(self.parts)
        self.begin("separator", "limits", "bytes of a row")
        if users:
            self.begin("header", "identity: email or external_id", "emails", "unique: email", "unique: external_id",
                       "name", "restriction", "role")
        super().run()

    def header(self, part):
        if part.kind != "table":
            return
        # KB-USR 2.2 Separator
        self.check("separator", delimiter_of(part.entry) == ",", f"{part.path}: {shown(part.entry.get('delimiter'))}")
        # KB-USR, SEED-001 2.2: ≤ 128 KB per row (the header is one), ≤ 200 columns
        self.check("limits", len(part.header) <= self.MAX_COLUMNS, f"{part.path}: {len(part.header)} columns")
        self.check("bytes of a row", len(part.header_text.encode("utf-8")) <= self.MAX_ROW_BYTES, f"{part.path}: header")
        organizations = part.stem == "organizations"
        order, rule = (self.ORGANIZATIONS, "organizations: header") if organizations else (self.USERS, "header")
        self.plain_header(part, rule)
        places = []
        for heading in part.header:
            known = next((n for n, name in enumerate(order) if heading == name
                          or name.endswith(".") and heading.startswith(name) and len(heading) > len(name)), None)
            if self.check(rule, known is not None, f"{part.path}: unknown column {shown(heading)}"):
                places.append(known)
            # KB-USR 2.1 row 24: key in lower case
            if heading.startswith(("custom_fields.", "organization_fields.")):
                key = heading.split(".", 1)[1]
                self.check(rule, key == key.lower(), f"{part.path}: key not in lower case: {shown(heading)}")
                if not re.fullmatch(r"[a-z0-9_-]+", key):
                    self.warn(rule, f"{part.path}: unusual field key {shown(heading)}")
        # KB-USR 2.1 "those in use in exactly this order"; KB-ERR §6 "header check and order check"
        self.check(rule, places == sorted(places), f"{part.path}: columns are not in the required order: {part.header}")
        # KB-USR 2.1 rows 1–3; 2.1 row 2: `emails` must be there even where external_id identifies
        for needed in ("name",) if organizations else ("name", "emails", "ticket_restriction"):
            self.check(rule, needed in part.header, f"{part.path}: column {needed} is missing")
        if not organizations and "local_id" in part.header:
            self.warn(rule, "local_id or locale_id is in conflict (KB-USR 2.1 row 14): use locale")

    def row(self, part, at, row):
        if part.kind != "table":
            return
        # KB-USR, SEED-001 2.2 Size
        self.check("bytes of a row", part.row_bytes <= self.MAX_ROW_BYTES, lambda: f"{at}: {part.row_bytes} bytes")
        if part.stem == "organizations":
            self.organization(at, row)
        else:
            self.user(at, row)

    def user(self, at, row):
        self.rows += 1
        for column, value in row.items():
            if value == "":
                self.blank[column] += 1

        def cell(name):
            return row.get(name, "")

        # KB-USR 2.1 row 1; KB-ERR §6 `Column 'user_id' cannot be null`
        self.check("name", cell("name").strip() != "", lambda: f"{at}: name is blank")
        # KB-ERR §6: at least one of email / external_id
        self.check("identity: email or external_id", cell("emails") or cell("external_id"), lambda: f"{at}: neither")
        # KB-USR 2.1 row 2: addresses, | between; KB-ERR §6 address form
        addresses = self.list_of("emails", cell("emails"), at)
        for address in addresses:
            self.email("emails", address, at)
        # KB-USR 2.2 "Same user twice"; community §6: case-insensitively over email and external_id
        for address in {a.casefold() for a in addresses}:
            self.unique("unique: email", self.emails, address, at)
        self.check("emails", len({a.casefold() for a in addresses}) == len(addresses), lambda: f"{at}: an address twice in the list")
        if cell("external_id"):
            # DEV-USR 4.3: external_id search ignores case
            self.unique("unique: external_id", self.ids, cell("external_id").casefold(), at)
            self.check("unique: external_id", trimmed(cell("external_id")), lambda: f"{at}: external_id with blanks around")
        # KB-USR 2.1 rows 7 and 8: E.164
        for number in self.list_of("phones", cell("phones"), at):
            self.check("phones", E164.fullmatch(number), lambda: f"{at}: {shown(number)} is not E.164")
            if number in self.phones:  # KB-USR 2.1 row 7, 2.2 "Ambiguous row"
                self.warn("phones", f"{at}: {number} is in `phones` of {self.phones[number]} too")
            self.phones[number] = at
        if cell("shared_phone"):
            self.check("phones", E164.fullmatch(cell("shared_phone")), lambda: f"{at}: shared_phone {shown(cell('shared_phone'))}")
        self.role(at, cell)
        for column in self.BOOLEANS:
            if cell(column):
                self.check("booleans", cell(column) in ("true", "false"), lambda: f"{at}: {column} is {shown(cell(column))}")
        # KB-USR 2.1 row 12, TZ §5
        if cell("time_zone"):
            self.check("time zone", cell("time_zone") in self.zones, lambda: f"{at}: {shown(cell('time_zone'))}")
        # KB-USR 2.1 row 13: BCP-47; §7 `en_US` needs `en-US`
        if cell("locale"):
            self.check("locale", self.LOCALE.fullmatch(cell("locale")), lambda: f"{at}: {shown(cell('locale'))}")
        # KB-USR 2.1 rows 14 and 22: numbers
        for column in ("local_id", "default_group_id"):
            if cell(column):
                self.check("numbers", cell(column).isascii() and cell(column).isdigit(), lambda: f"{at}: {column} {shown(cell(column))}")
        # KB-USR 2.1 row 17
        if cell("remote_photo_url"):
            self.check("photo url", re.fullmatch(r"https?://[^\s/]+\S*", cell("remote_photo_url")),
                       lambda: f"{at}: {shown(cell('remote_photo_url'))}")
        # KB-USR 2.1 row 21: names, | between, ≤ 50
        names = self.list_of("organizations", cell("organizations"), at)
        self.check("organizations: at most 50", len(names) <= 50, lambda: f"{at}: {len(names)} organizations") if names else None
        for name in names:
            self.named.setdefault(name, at)
        # KB-USR 2.1 row 23: tags, comma between
        if cell("tags"):
            tags = cell("tags").split(",")
            self.check("tags", all(t.strip() for t in tags), lambda: f"{at}: an empty tag in {shown(cell('tags'))}")
            self.check("tags", len(set(tags)) == len(tags), lambda: f"{at}: a tag twice in {shown(cell('tags'))}")
            if "|" in cell("tags") or any(t != t.strip() or " " in t for t in tags):
                self.warn("tags", f"{at}: unusual characters in {shown(cell('tags'))}")
        for column, value in row.items():
            # KB-USR, SEED-001 2.4: dates YYYY-MM-DD
            if column.startswith("custom_fields.") and re.match(r"\d{4}-\d\d-\d\dT|\d\d?/\d\d?/\d{4}$", value):
                self.warn("custom fields", f"{at}: {column} {shown(value)}: write dates YYYY-MM-DD")

    def role(self, at, cell):
        # KB-USR 2.3: `end-user` or `agent`, case-sensitive; `admin` not offered; default end-user
        role = cell("role") or "end-user"
        self.check("role", role in ("end-user", "agent"), lambda: f"{at}: role {shown(role)}")
        restriction = cell("ticket_restriction")
        # KB-USR 2.1 row 3, 2.3: required for new users; end users `organization` or `requested` only
        self.check("restriction", restriction in self.RESTRICTIONS, lambda: f"{at}: ticket_restriction {shown(restriction)}")
        if role == "end-user":
            self.check("restriction", restriction in ("organization", "requested"), lambda: f"{at}: {shown(restriction)} for an end user")
            # KB-USR 2.1 rows 10, 22: custom_role with role agent; no groups for end users
            for column in ("custom_role", "default_group_id"):
                self.check("role", cell(column) == "", lambda: f"{at}: {column} for an end user")
            if cell("signature"):  # KB-USR 2.1 row 18
                self.warn("role", f"{at}: signature for an end user")

    def list_of(self, column, text, at):
        """KB-USR 2.1 `|` lists: no empty and no padded item."""
        items = text.split("|") if text else []
        if items:
            self.check(f"lists: {column}", all(i.strip() for i in items), lambda: f"{at}: an empty item in {shown(text)}")
            self.check(f"lists: {column}", all(trimmed(i) for i in items if i), lambda: f"{at}: blanks around an item of {shown(text)}")
        return [i for i in items if i]

    def organization(self, at, row):
        name = row.get("name", "")
        # KB-ORG §3 row 1; KB-USR 2.2: the same organization twice may fail
        self.check("organizations: names", name.strip() != "", lambda: f"{at}: no name")
        self.unique("organizations: names", self.organizations, name, at)
        # KB-USR 2.1 row 21: a name with | could never be named by a user
        self.check("organizations: names", "|" not in name, lambda: f"{at}: | in {shown(name)}")
        for column in ("domain_names", "tags"):  # KB-ORG §3 rows 5 and 7: | between
            self.list_of(column, row.get(column, ""), at)
        for column, value in row.items():  # KB-ORG §3 row 8
            if column.startswith("organization_fields.") and value.lower() in ("true", "false"):
                self.check("organizations: fields", value in ("True", "False"), lambda: f"{at}: {column} {value}: True or False")

    def size(self, part):
        self.check("limits", part.row_count <= self.MAX_ROWS, f"{part.path}: {part.row_count} rows")
        self.check("limits", part.bytes <= self.MAX_BYTES, f"{part.path}: {part.bytes} bytes")

    def after(self):
        # KB-USR 2.1 row 21: must exist already; §6 emit an organizations file beside the users file
        if self.has_organizations:
            self.begin("organizations: all named")
            for name, at in self.named.items():
                self.check("organizations: all named", name in self.organizations, lambda: f"{at}: {shown(name)} is in no organizations file")
            folded = collections.Counter(n.casefold().strip() for n in self.organizations)
            for name in [n for n, count in folded.items() if count > 1]:
                self.warn("organizations", f"{shown(name)} in several spellings")
        elif self.named:
            self.warn("organizations", f"{len(self.named)} named, no organizations file: they must exist already")
        # KB-USR, SEED-001 2.2: an empty cell of an update wipes the stored value (phone and email are added instead)
        for column, count in self.blank.items():
            if column not in ("emails", "phones", "shared_phone"):
                self.warn("blank cells", f"{column} is blank in {count} of {self.rows} rows: an update wipes what is stored")


# ---- Carrot quest ---------------------------------------------------------------------------------------------

class CarrotQuest(Vendor):
    # USER, FLUTTER, IMPORT §5 System keys that may be written
    KNOWN = {"$user_id", "$email", "$name", "$phone", "$cart_amount", "$viewed_products", "$cart_items",
             "$last_order_status", "$last_payment", "$revenue", "$profit", "$group", "$discount", "$orders_count",
             "$ordered_items", "$ordered_categories", "$viewed_categories"}
    DELIMITERS = {",", "|", ";", "\t", " "}  # IMPORT §2
    MAX_BYTES, UI_ROWS, MAX_TEXT, MAX_COLUMNS = 30_000_000, 4000, 255, 250  # IMPORT §2, TUNING §4, PROPS §5, §4

    def run(self):
        self.keys, self.key, self.headers = {}, None, set()
        self.begin("delimiter", "header", "key column", "key unique", "values trimmed", "text length", "limits")
        super().run()

    def header(self, part):
        header = part.header
        # IMPORT §2: one of the five, and the file must be written with it (a wrong one gives a single column)
        given = delimiter_of(part.entry)
        self.check("delimiter", given in self.DELIMITERS, f"{part.path}: {shown(part.entry.get('delimiter'))}")
        # HELP-EN, IMPORT §5 Names, §7: trimmed, no invisible characters, no empty or duplicate header
        self.plain_header(part)
        for heading in header:
            self.check("header", not stains(heading), f"{part.path}: {stains(heading)} in {shown(heading)}")
            if heading.startswith("$"):
                # USER, FLUTTER §5: $ is reserved; unknown and read-only ones are rejected up front
                self.check("header", heading in self.KNOWN, f"{part.path}: unknown or read-only {shown(heading)}")
        # IMPORT §2 merge_field: the key column must exist; HELP-EN §5: it goes first
        self.key = header[0] if header else None
        self.check("key column", self.key in ("$user_id", "$email"), f"{part.path}: the first column is {shown(self.key)}")
        self.headers.add(tuple(header))
        self.check("header", len(self.headers) == 1, f"{part.path}: another header than the first part's")
        if len(header) > self.MAX_COLUMNS:
            self.warn("header", f"{part.path}: {len(header)} columns, more than {self.MAX_COLUMNS} (unverified)")

    def row(self, part, at, row):
        key = row.get(self.key, "")
        # IMPORT §7: no blank keys, no duplicate keys in the file, no invisible characters in key columns
        self.check("key column", key.strip() != "", lambda: f"{at}: blank key")
        self.check("key column", not stains(key), lambda: f"{at}: {stains(key)} in key {shown(key)}")
        if key:
            self.unique("key unique", self.keys, key.casefold() if self.key == "$email" else key, at)
        if row.get("$email"):
            self.email("emails", row["$email"], at)
        for column, value in row.items():
            # IMPORT §5 Names: no stray spaces or invisible characters in values
            self.check("values trimmed", trimmed(value), lambda: f"{at}: {column} {shown(value)}")
            # PROPS §5: string ≤ 255
            self.check("text length", len(value) <= self.MAX_TEXT, lambda: f"{at}: {column} has {len(value)} characters")
            if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(\.\d+)?(Z|[+-]\d\d:?\d\d)", value):
                self.warn("dates", f"{at}: {column} {value}: PROPS §5 has no time zone in the form")
            if re.fullmatch(r"-?\d{16,}", value) and abs(int(value)) > 2 ** 53 and not str(column).startswith("$"):
                self.warn("numbers", f"{at}: {column} {value} is past 2^53 (PROPS §5)")

    def size(self, part):
        if self.deliver == "api-file":  # IMPORT §2: ≤ 30 MB
            self.check("limits", part.bytes < self.MAX_BYTES, f"{part.path}: {part.bytes} bytes")
        else:  # TUNING, HELP-RU §4: 4,000 people per file in the panel
            self.check("limits", part.row_count <= self.UI_ROWS, f"{part.path}: {part.row_count} rows")


# ---- Constant Contact -----------------------------------------------------------------------------------------

class ConstantContact(Vendor):
    # KB-HEAD §2: standard headings of the upload page → limit (None: a date)
    UI = {"Email Address": 80, "First Name": 50, "Last Name": 50, "Job Title": 50, "Company": 50, "Birthday": None,
          "Anniversary": None, "Home Address Line 1": 50, "Home Address Line 2": 50, "Work Address Line 1": 50,
          "Work Address Line 2": 50, "City": 50, "State / Province": 50, "State": 50, "Province": 50,
          "Zip / Postal Code": 25, "Zip": 25, "Postal Code": 25, "Country": 25, "Phone Number - Home": 25,
          "Phone Number - Work": 25}
    # OAS §3: columns of the import → limit
    API = {"email": 80, "first_name": 50, "last_name": 50, "job_title": 50, "company_name": 50, "birthday_month": None,
           "birthday_day": None, "anniversary": None, "sms_number": 16, "sms_consent_date": 16}
    PHONES = ("phone", "home_phone", "work_phone", "mobile_phone", "other_phone")
    for _phone in PHONES:
        API[_phone] = 50
    ADDRESSES = ("", "home_", "work_", "other_")
    for _kind in ADDRESSES:
        API.update({f"{_kind}street": 255, f"{_kind}street2": 255, f"{_kind}city": 50, f"{_kind}state": 50,
                    f"{_kind}zip": 50, f"{_kind}country": 50})
    API["home country"] = 50  # so spelt in the contract (OAS §3)
    MAX_CUSTOM, MAX_CUSTOM_TEXT = 25, 255  # OAS §3 `cf:`
    UI_ROWS, UI_BYTES = 1_000_000, 100_000_000  # KB-FAQ §2
    API_LINES, API_BYTES = 40_000, 4_000_000  # OAS §1
    BIRTHDAYS = ("%m/%d/%Y", "%Y/%m/%d", "%Y-%m-%d", "%d-%B", "%d-%B-%y")  # KB-HEAD §2 Birthday
    # community, KB-ROLE §9: never mailed even if imported
    ROLE = set("""abuse admin all everyone ftp investorrelations jobs marketing media noc postmaster prime privacy remove
        request root sales security spam subscribe usenet users uucp webmaster www""".split())

    def run(self):
        self.seen, self.form = {}, None
        self.begin("header", "email", "limits", "text length", "custom fields")
        super().run()

    def header(self, part):
        if part.kind == "table":
            self.plain_header(part)
            folded = collections.Counter(h.casefold() for h in part.header)
            self.check("header", max(folded.values(), default=0) <= 1, f"{part.path}: a heading twice but for its case")
            self.check("header", delimiter_of(part.entry) == ",", f"{part.path}: separator {shown(part.entry.get('delimiter'))}")
        headings = part.header or ["email"]
        forms = [f for f, name in (("ui", "Email Address"), ("api", "email")) if name in headings]
        if not self.check("header", len(forms) == 1 or "sms_number" in headings,
                          f"{part.path}: needs one of `Email Address` and `email`"):
            self.form = None
            return
        self.form = (forms or ["api"])[0]
        # OAS §3: whether the API's CSV takes the upload page's headings is unverified → API names only
        self.check("header", self.deliver != "api-file" or self.form == "api", f"{part.path}: upload-page headings for the API")
        if self.deliver == "ui-file" and self.form == "api":
            self.warn("header", f"{part.path}: API names; the person has to map every column by hand")
        for heading in headings if self.form == "api" else ():
            self.api_heading(part.path, heading)
        for heading in headings if self.form == "ui" else ():
            near = next((h for h in self.UI if h.casefold() == heading.casefold() and h != heading), None)
            if near:
                self.warn("header", f"{part.path}: {shown(heading)} is spelt {shown(near)} by the vendor")

    def api_heading(self, where, heading):
        known = heading in self.API or heading.startswith("cf:") and len(heading) > 3
        self.check("header", known, f"{where}: unknown column {shown(heading)}")  # OAS §3
        if heading.startswith("cf:"):  # OAS §3: the name with underscores, not the label
            self.check("header", " " not in heading, f"{where}: {shown(heading)} is a label, the name has underscores")

    def row(self, part, at, row):
        if self.form is None:
            return
        limits, mail = (self.UI, "Email Address") if self.form == "ui" else (self.API, "email")
        if part.kind != "table":
            for key in row:
                self.api_heading(at, key)
        email = row.get(mail, "")
        if email:
            # KB-HEAD 80, OAS 50: conflict (§3): warn above 50, reject above 80
            self.check("email", len(email) <= 80, lambda: f"{at}: {len(email)} characters")
            self.email("email", email, at)
            if self.form == "api" and len(email) > 50:
                self.warn("email", f"{at}: {len(email)} characters; the import schema says 50")
            if email.casefold() in self.seen:
                self.warn("email", f"{at}: {shown(email)} stands already at {self.seen[email.casefold()]}")
            self.seen[email.casefold()] = at
            if email.split("@")[0].casefold() in self.ROLE or "spam" in email.casefold():
                self.warn("role addresses", f"{at}: {shown(email)} is imported but never mailed")
        else:  # KB-FMT §2: an email address per row, or SMS number and consent date
            self.check("email", row.get("sms_number") and row.get("sms_consent_date"), lambda: f"{at}: no email")
        custom = 0
        for column, value in row.items():
            limit = limits.get(column)
            if column not in limits:
                custom += value != ""
                if self.form == "api":  # OAS §3: cf: 255
                    self.check("text length", len(value) <= self.MAX_CUSTOM_TEXT, lambda: f"{at}: {column} has {len(value)} characters")
            elif limit is not None:
                self.check("text length", len(value) <= limit, lambda: f"{at}: {column} has {len(value)} characters, limit {limit}")
        # OAS §3: ≤ 25 custom fields per contact
        self.check("custom fields", custom <= self.MAX_CUSTOM, lambda: f"{at}: {custom} custom fields")
        self.dates(at, row)
        if self.form == "api":
            self.api_row(at, row)

    def dates(self, at, row):
        # OAS §3, KB-HEAD §2: emit YYYY-MM-DD; v2: year > 1900, ≤ 10 years ahead
        anniversary = row.get("Anniversary") or row.get("anniversary")
        if anniversary:
            day = real_date(anniversary) if len(anniversary) == 10 else None
            self.check("anniversary", day is not None, lambda: f"{at}: {shown(anniversary)} is not YYYY-MM-DD")
            if day and not 1900 < day.year <= datetime.date.today().year + 10:
                self.warn("anniversary", f"{at}: year {day.year}")
        birthday = row.get("Birthday")
        if birthday:
            forms = [real_date(birthday, f) for f in self.BIRTHDAYS] + [real_date(birthday + "-2000", "%d-%B-%Y")]
            self.check("birthday", any(forms), lambda: f"{at}: {shown(birthday)}")
        month, day = row.get("birthday_month", ""), row.get("birthday_day", "")
        if month or day:  # OAS §3: each needs the other
            good = month.isdigit() and day.isdigit() and real_date(f"2000-{int(month):02}-{int(day):02}")
            self.check("birthday", good, lambda: f"{at}: month {shown(month)} day {shown(day)}")

    def api_row(self, at, row):
        # OAS §3: ≤ 3 phones and ≤ 3 addresses per contact
        phones = sum(bool(row.get(p)) for p in self.PHONES)
        self.check("phones", phones <= 3, lambda: f"{at}: {phones} phones")
        kinds = sum(any(row.get(f"{k}{f}") for f in ("street", "street2", "city", "state", "zip", "country"))
                    for k in self.ADDRESSES)
        self.check("addresses", kinds <= 3, lambda: f"{at}: {kinds} addresses")
        if row.get("sms_number"):  # OAS §3: US only
            self.check("phones", re.fullmatch(r"\d{10}|\d{3}-\d{3}-\d{4}", row["sms_number"]), lambda: f"{at}: {shown(row['sms_number'])}")

    def size(self, part):
        if self.deliver == "ui-file":  # KB-FAQ §2: 1 M rows or 100 MB
            self.check("limits", part.row_count < self.UI_ROWS, f"{part.path}: {part.row_count} rows")
            self.check("limits", part.bytes < self.UI_BYTES, f"{part.path}: {part.bytes} bytes")
        else:  # OAS §1: above 4 MB or 40,000 lines the rest is dropped silently
            lines = part.row_count + (1 if part.header else 0)
            self.check("limits", lines <= self.API_LINES, f"{part.path}: {lines} lines")
            self.check("limits", part.bytes < self.API_BYTES, f"{part.path}: {part.bytes} bytes")


# ---- Cohort ---------------------------------------------------------------------------------------------------

class Cohort(Vendor):
    MAX_BYTES = 10_000_000  # IMPEXP §1: "10 Mb", strictly below

    def run(self):
        self.seen, self.column = {}, None
        self.begin("header", "email column", "emails", "unique: email", "limits")
        super().run()

    def header(self, part):
        self.plain_header(part)  # §7: header non-empty, unique, trimmed
        self.check("header", delimiter_of(part.entry) == ",", f"{part.path}: separator {shown(part.entry.get('delimiter'))}")
        names = [h for h in part.header if re.sub(r"[^a-z]", "", h.casefold()) in ("email", "emailaddress")]
        # IMPEXP, LISTS §1 Required
        if self.check("email column", len(names) == 1, f"{part.path}: email columns are {names}"):
            self.column = names[0]
            if part.header[0] != names[0]:
                self.warn("email column", f"{part.path}: not the first column (§6 recommends it)")
        if len({h.casefold() for h in part.header}) < len(part.header):
            self.warn("header", f"{part.path}: headings that differ by case only")

    def row(self, part, at, row):
        email = row.get(self.column, "")
        # IMPEXP §1, §7: a valid address on every row
        if self.check("email column", email != "", lambda: f"{at}: no email"):
            self.email("emails", email, at)
            self.unique("unique: email", self.seen, email.casefold(), at)  # §1, §7: unique per file
        for column, value in row.items():
            # CUSTOM §2: booleans true/false; dates YYYY-MM-DD (unverified)
            if re.fullmatch(r"\d\d?/\d\d?/\d{4}", value):
                self.warn("values", f"{at}: {column} {value}: write dates YYYY-MM-DD")

    def size(self, part):
        self.check("limits", part.bytes < self.MAX_BYTES, f"{part.path}: {part.bytes} bytes")


VENDORS = {"zendesk": Zendesk, "carrot-quest": CarrotQuest, "constant-contact": ConstantContact, "cohort": Cohort,
           "csv": Vendor, "json": Vendor}


def check(folder, raw_words=False):
    folder = os.path.realpath(folder)
    report, tally = load_report(folder), Tally()
    for connector in report["connectors"]:
        plugin = connector.get("plugin")
        parts = [Part(folder, entry, plugin) for entry in connector.get("parts") or []]
        if plugin not in VENDORS:
            tally.warn("plugins", f"no rules for plugin {shown(plugin)}: parsed only")
        VENDORS.get(plugin, Vendor)(tally, connector, parts, raw_words).run()
    return tally


def main(argv=None, out=None):
    argv, out = list(sys.argv[1:] if argv is None else argv), out or sys.stdout
    raw_words = "--raw-words" in argv
    rest = [a for a in argv if a != "--raw-words"]
    if len(rest) != 1 or rest[0].startswith("-"):
        print("usage: vendor_check.py RUN_DIR [--raw-words]", file=sys.stderr)
        return 2
    try:
        tally = check(rest[0], raw_words)
    except Usage as error:
        print(f"vendor_check.py: {error}", file=sys.stderr)
        return 2
    tally.print(out)
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
