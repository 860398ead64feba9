#!/usr/bin/env python3
"""Recount a run folder from its files alone.

    python3 tests/audit.py RUN_DIR [--manifest-free]

RUN_DIR is out/<chain>/<run id>. What report.json says is compared with what lies in the folder and, where the input
files of `inputs[].path` can be found (as they stand, beside the folder that holds `out`, or from the current
folder), with the inputs too. --manifest-free leaves the inputs alone: for a run folder that was carried elsewhere.

Written without a look at the Rust code. Findings and warnings go to stdout, the last line is
`N passed, N failed`; exit 0 nothing found, 1 findings, 2 wrong usage. Warnings never change the exit code.
"""

import array
import bisect
import csv
import glob
import gzip
import io
import itertools
import json
import os
import re
import stat
import sys

MASK = (1 << 64) - 1
SENT = ("accepted", "confirmed", "unknown", "not_sent")  # terms of books, of connectors that send
SHOWN = 8  # findings shown per check
DIGEST_LIMIT = 2_000_000  # BLAKE3 in Python is slow; longer files are noted as not digested

csv.field_size_limit(1 << 30)


class Usage(Exception):
    """The command line or the folder is not what it should be."""


class Tally:
    """Checks by name. One that was begun and never failed has passed."""

    def __init__(self):
        self._failures = {}
        self._warnings = {}

    def begin(self, *names):
        for name in names:
            self._failures.setdefault(name, [])

    def fail(self, name, message):
        self._failures.setdefault(name, []).append(message)

    def has_failed(self, name):
        return bool(self._failures.get(name))

    def check(self, name, good, message):
        self.begin(name)
        if not good:
            self.fail(name, message)
        return good

    def warn(self, name, message):
        self._warnings.setdefault(name, []).append(message)

    @property
    def failed(self):
        return sorted(name for name, found in self._failures.items() if found)

    def print(self, out):
        for kind, table in (("warn", self._warnings), ("FAIL", self._failures)):
            for name, found in table.items():
                for message in found[:SHOWN]:
                    print(f"{kind}: {name}: {message}", file=out)
                if len(found) > SHOWN:
                    print(f"{kind}: {name}: … and {len(found) - SHOWN} more", file=out)
        print(f"{len(self._failures) - len(self.failed)} passed, {len(self.failed)} failed", file=out)


def shown(value):
    """A value for people: escaped, cut, never a raw control character on the terminal."""
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= 100 else text[:99] + "…"


# ---- identity sums -----------------------------------------------------------------------------------------

def identity_of(input_id, offset):
    """One record's share of an identity sum (splitmix64 of its place)."""
    golden = 0x9E3779B97F4A7C15
    z = (offset + input_id * golden + golden) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def identity_sum(places):
    return sum(identity_of(i, o) for i, o in places) & MASK


# ---- BLAKE3, plain ------------------------------------------------------------------------------------------

_IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
_ORDER = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
_MIXES = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
          (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))
_CHUNK_START, _CHUNK_END, _PARENT, _ROOT = 1, 2, 4, 8


def _compress(chain, words, counter, length, flags):
    v = [*chain, *_IV[:4], counter & 0xFFFFFFFF, counter >> 32, length, flags]
    for turn in range(7):
        for n, (a, b, c, d) in enumerate(_MIXES):
            for x, first, second in ((words[2 * n], 16, 12), (words[2 * n + 1], 8, 7)):
                v[a] = (v[a] + v[b] + x) & 0xFFFFFFFF
                t = v[d] ^ v[a]
                v[d] = (t >> first | t << (32 - first)) & 0xFFFFFFFF
                v[c] = (v[c] + v[d]) & 0xFFFFFFFF
                t = v[b] ^ v[c]
                v[b] = (t >> second | t << (32 - second)) & 0xFFFFFFFF
        if turn < 6:
            words = [words[k] for k in _ORDER]
    return [v[k] ^ v[k + 8] for k in range(8)]


def _words(block):
    block = block.ljust(64, b"\0")
    return [int.from_bytes(block[k:k + 4], "little") for k in range(0, 64, 4)]


def blake3(data):
    """BLAKE3 (32 bytes, hex) of bytes."""
    def chunk(piece, counter, root):
        chain = _IV
        blocks = [piece[k:k + 64] for k in range(0, len(piece), 64)] or [b""]
        for n, block in enumerate(blocks):
            flags = (_CHUNK_START if n == 0 else 0) | (_CHUNK_END if n == len(blocks) - 1 else 0)
            if root and n == len(blocks) - 1:
                flags |= _ROOT
            chain = _compress(chain, _words(block), counter, len(block), flags)
        return chain

    chunks = [data[k:k + 1024] for k in range(0, len(data), 1024)] or [b""]
    level = [chunk(piece, n, len(chunks) == 1) for n, piece in enumerate(chunks)]
    while len(level) > 1:
        # pairing neighbours and carrying the odd one up gives the same tree as BLAKE3's rule
        level = [
            _compress(_IV, level[k] + level[k + 1], 0, 64, _PARENT | (_ROOT if len(level) == 2 else 0))
            if k + 1 < len(level) else level[k]
            for k in range(0, len(level), 2)]
    return b"".join(w.to_bytes(4, "little") for w in level[0]).hex()


# ---- reading tables -----------------------------------------------------------------------------------------

DELIMITERS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}


def delimiter_of(part):
    given = part.get("delimiter") or ","
    return DELIMITERS.get(str(given).lower(), given)


class Malformed(Exception):
    """The bytes are no table (or no JSON) of the kind they claim to be."""


class _Lines:
    """The lines of a text file, remembering what the CSV parser took since the last `take`."""

    def __init__(self, file):
        self._file = file
        self._taken = []

    def __iter__(self):
        return self

    def __next__(self):
        line = next(self._file)
        self._taken.append(line)
        return line

    def take(self):
        text = "".join(self._taken)
        self._taken.clear()
        return text


_CELL = {}


def _strict_cells(text, delimiter):
    """The cells of one row by RFC 4180 to the letter; None when it is not well formed."""
    pattern = _CELL.get(delimiter)
    if pattern is None:
        d = re.escape(delimiter)
        pattern = _CELL[delimiter] = re.compile(f'(?:"((?:[^"]|"")*)"|([^"\r\n{d}]*))({d}|\r\n|\n|\Z)')
    cells, at = [], 0
    while True:
        match = pattern.match(text, at)
        if match is None:
            return None
        cells.append(match[2] if match[1] is None else match[1].replace('""', '"'))
        at = match.end()
        if match[3] != delimiter:
            return cells if at == len(text) else None


def open_text(path):
    raw = gzip.open(path, "rb") if path.endswith(".gz") else open(path, "rb")
    return io.TextIOWrapper(raw, encoding="utf-8", errors="strict", newline="")


def table_rows(path, delimiter=","):
    """(cells, text of the row with its line end, physical line number) for every row, header included."""
    try:
        with open_text(path) as file:
            lines, line = _Lines(file), 1
            try:
                reader = csv.reader(lines, delimiter=delimiter, strict=True)
                for cells in reader:
                    text = lines.take()
                    plain = text[1:] if line == 1 and text.startswith("\ufeff") else text
                    if '"' in text:
                        if plain is not text:  # the csv module does not know the mark and spoils a quoted first cell
                            cells = _strict_cells(plain, delimiter)
                        if cells is None or _strict_cells(plain, delimiter) != cells:
                            raise Malformed(f"line {line}: quoting is not RFC 4180")
                    elif plain is not text and cells:
                        cells[0] = cells[0][1:]
                    if text.endswith("\r"):
                        raise Malformed(f"line {line}: ends with a lone CR")
                    yield cells, text, line
                    line += text.count("\n")
            except csv.Error as error:
                raise Malformed(f"line {line}: {error}") from error
    except UnicodeDecodeError as error:
        raise Malformed(f"not UTF-8: {error.reason} at byte {error.start} of a block") from error
    except (OSError, EOFError) as error:
        raise Malformed(f"cannot be read: {error}") from error


def as_meant(cell):
    """What a cell of a run's own tables says: a `'` stands before what a spreadsheet would take for a formula."""
    if cell.startswith("'") and re.match(r"[=@\t\r\n\0]|[+-].*[^0-9 .,()/-]", cell[1:], re.DOTALL):
        return cell[1:]
    return cell


def own_rows(path):
    """The rows of a table that the run itself has written, as it means them."""
    with open(path, encoding="utf-8", newline="") as table:
        return [{name: as_meant(cell) for name, cell in row.items()} for row in csv.DictReader(table)]


def kind_of(path):
    name = path[:-3] if path.endswith(".gz") else path
    extension = name.rsplit(".", 1)[-1].lower()
    return {"ndjson": "ndjson", "jsonl": "ndjson", "json": "json"}.get(extension, "table")


def no_repeats(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def not_a_number(text):
    raise ValueError(f"{text} is no JSON")


def parse_json(text):
    return json.loads(text, object_pairs_hook=no_repeats, parse_constant=not_a_number)


def json_records(path):
    """The records of an NDJSON or JSON part; a JSON part is an array, or an object holding one array of objects."""
    try:
        with open_text(path) as file:
            if kind_of(path) == "ndjson":
                for number, line in enumerate(file, 1):
                    if line.strip():
                        yield parse_json(line), line, number
                return
            whole = parse_json(file.read())
    except UnicodeDecodeError as error:
        raise Malformed(f"not UTF-8: {error.reason} at byte {error.start} of a block") from error
    except (ValueError, OSError, EOFError) as error:
        raise Malformed(f"no JSON: {error}") from error
    if isinstance(whole, dict):
        arrays = [whole[k] for k in ("import_data", "users", "organizations") if isinstance(whole.get(k), list)]
        if len(arrays) != 1:
            raise Malformed("neither an array nor an object with one known array")
        whole = arrays[0]
    if not isinstance(whole, list):
        raise Malformed("the top of the file is no array")
    for number, record in enumerate(whole, 1):
        yield record, "", number


def named_rows(path, delimiter=","):
    """A small table of the run folder as dictionaries."""
    rows = table_rows(path, delimiter)
    header = next(rows, (None, "", 0))[0]
    if not header:
        raise Malformed("no header")
    if len(set(header)) != len(header):
        raise Malformed("a heading stands twice")
    out = []
    for cells, _, line in rows:
        if len(cells) != len(header):
            raise Malformed(f"line {line}: {len(cells)} cells under {len(header)} headings")
        out.append(dict(zip(header, map(as_meant, cells))))
    return header, out


def stem_of(path):
    """`users` of onboard-support-<run id>-users-0001.csv; None when the name is of another form."""
    match = re.search(r"-([a-z][a-z0-9_]*)-(\d{4,})\.[a-z.]+$", os.path.basename(path))
    return (match[1], int(match[2])) if match else (None, None)


def load_report(folder):
    path = os.path.join(folder, "report.json")
    if not os.path.isdir(folder):
        raise Usage(f"{folder} is no folder")
    if not os.path.isfile(path):
        raise Usage(f"{folder} holds no report.json")
    try:
        with open(path, encoding="utf-8") as file:
            report = parse_json(file.read())
    except (ValueError, UnicodeDecodeError) as error:
        raise Usage(f"report.json cannot be read: {error}") from error
    if not isinstance(report, dict) or not isinstance(report.get("connectors"), list):
        raise Usage("report.json has no list of connectors")
    return report


# ---- the inputs ---------------------------------------------------------------------------------------------

class Input:
    """One input of the run: its decompressed bytes if the file can be found, else None."""

    def __init__(self, entry, folder):
        self.id, self.name, self.path = entry.get("id"), entry.get("name"), entry.get("path") or ""
        self.data, self.stored, self.reason = None, None, None
        self._starts, self._newlines = "unknown", None
        # What was downloaded lies in the run's own folder.
        places = [self.path, os.path.join(folder, "..", "..", "..", self.path)] if self.path else []
        if self.path.startswith("inputs/"):
            places.insert(0, os.path.join(folder, self.path))
        found = next((p for p in places if os.path.isfile(p)), None)
        if found is None:
            self.reason = "no such file here"
            return
        with open(found, "rb") as file:
            stored = file.read()
        if stored[:4] == b"\x28\xb5\x2f\xfd":
            self.reason = "zstd"
            return
        self.stored = stored
        try:
            self.data = gzip.decompress(stored) if stored[:2] == b"\x1f\x8b" else stored
        except (OSError, EOFError) as error:
            self.reason = f"gzip: {error}"

    def line(self, offset):
        """The line an offset lies on."""
        if self._newlines is None:
            self._newlines = array.array("q", (found.start() for found in re.finditer(b"\n", self.data)))
        return 1 + bisect.bisect_left(self._newlines, offset)

    def record(self, offset, length):
        return self.data[offset:offset + length]

    def starts(self):
        """Offsets of the records of a line-wise JSON or a CSV input; None for other kinds (one JSON array)."""
        if self._starts == "unknown":
            self._starts = self._find_starts()
        return self._starts

    def _find_starts(self):
        start = 3 if self.data.startswith(b"\xef\xbb\xbf") else 0
        first = self.data[start:start + 4096].lstrip()[:1]
        if first == b"[":
            return None
        offsets, inside, at = [], False, 0
        is_json = first == b"{"
        for line in _lf_lines(self.data):
            if not inside and line.strip():
                offsets.append(at)
            if not is_json and line.count(b'"') % 2:
                inside = not inside
            at += len(line)
        return offsets if is_json else offsets[1:]


def skip_blanks(data, offset):
    """Where the text after the blanks of a line's beginning stands."""
    while data[offset:offset + 1] in (b" ", b"\t", b"\r"):
        offset += 1
    return offset


def _lf_lines(data):
    at = 0
    while at < len(data):
        end = data.find(b"\n", at) + 1 or len(data)
        yield data[at:end]
        at = end


# ---- the audit ----------------------------------------------------------------------------------------------

TABLES = ("rejects.csv", "left-out.csv", "merged.csv")
SMALL = 100_000  # bytes that this file's own BLAKE3 reads in no time
EXPECTED = ("report.json", "receipt.json", "rejects.ndjson") + TABLES


class Audit:
    def __init__(self, folder, manifest_free=False):
        self.folder = os.path.realpath(folder)
        self.tally = Tally()
        self.report = load_report(self.folder)
        self.connectors = [c for c in self.report["connectors"] if isinstance(c, dict)]
        self.names = [c.get("name") for c in self.connectors]
        self.inputs = []
        self.free = manifest_free
        self.rejects, self.merged = [], []

    def run(self):
        self.folder_itself()
        self.modes_and_leftovers()
        self.read_inputs()
        self.read_rejects()
        self.read_merged()
        self.left_out()
        for connector in self.connectors:
            self.books(connector)
            self.parts(connector)
        self.records_read()
        self.retry()
        self.sync()
        self.receipt()
        return self.tally

    def path(self, *names):
        return os.path.join(self.folder, *names)

    # -- folder

    def folder_itself(self):
        t, report = self.tally, self.report
        t.check("report: version", report.get("version") == 1, f"version is {shown(report.get('version'))}, not 1")
        run, chain = os.path.basename(self.folder), os.path.basename(os.path.dirname(self.folder))
        t.check("report: run", report.get("run") == run, f"says {shown(report.get('run'))}, the folder is {run}")
        t.check("report: chain", report.get("chain") == chain,
                f"says {shown(report.get('chain'))}, the folder above is {chain}")
        t.check("report: connectors", len(self.connectors) == len(report["connectors"]) and all(self.names)
                and len(set(self.names)) == len(self.names), "a connector without a name, or a name twice")
        for name in EXPECTED:
            t.check("folder: files", os.path.isfile(self.path(name)), f"{name} is missing")
        latest = os.path.join(os.path.dirname(self.folder), "latest")
        if os.path.lexists(latest):
            t.begin("folder: latest")
            if not os.path.islink(latest):
                t.fail("folder: latest", "is no symbolic link")
            else:
                target = os.readlink(latest)
                at = os.path.join(os.path.dirname(latest), target)
                t.check("folder: latest", os.path.isfile(os.path.join(at, "report.json")),
                        f"points to {target}, which is no run")
                t.check("folder: latest", os.path.realpath(os.path.dirname(os.path.abspath(at.rstrip("/"))))
                        == os.path.dirname(self.folder), f"points out of the chain's folder: {target}")

    def modes_and_leftovers(self):
        t = self.tally
        t.begin("folder: modes", "folder: leftovers", "folder: links", "folder: undeclared parts")
        declared = {os.path.normpath(p.get("path", "")) for c in self.connectors for p in c.get("parts") or []}
        for top, folders, files in os.walk(self.folder):
            linked = [f for f in folders if os.path.islink(os.path.join(top, f))]
            for name, wanted in [("", 0o700)] + [(f, 0o600) for f in files + linked]:
                path = os.path.join(top, name) if name else top
                mode = os.lstat(path).st_mode
                short = os.path.relpath(path, self.folder)
                if stat.S_ISLNK(mode):
                    t.fail("folder: links", f"{short} is a symbolic link")
                elif stat.S_IMODE(mode) != wanted:
                    t.fail("folder: modes", f"{short} is {stat.S_IMODE(mode):04o}, not {wanted:04o}")
            for name in folders + files:
                short = os.path.relpath(os.path.join(top, name), self.folder)
                if name.endswith((".tmp", ".part", ".partial", ".lock")) or name.startswith("."):
                    t.fail("folder: leftovers", f"{short} was left behind")
                elif stem_of(name)[0] and name in files and os.path.normpath(short) not in declared:
                    t.fail("folder: undeclared parts", f"{short} is not in report.json")
            for name in folders if top == self.folder else []:
                # What was downloaded, or is tried again, stands in inputs/; which rows were held back, in held-back/.
                if name not in self.names + ["inputs", "held-back"]:
                    t.fail("folder: undeclared parts", f"{name}/ belongs to no connector of report.json")
        for name in os.listdir(os.path.dirname(self.folder)):
            if name.endswith(".tmp") or name.startswith(".staging"):
                t.fail("folder: leftovers", f"{name} was left behind beside the run")

    # -- inputs

    def read_inputs(self):
        t, entries = self.tally, self.report.get("inputs") or []
        ids = [e.get("id") for e in entries]
        t.check("inputs: ids", len(set(ids)) == len(ids) and all(type(i) is int and i >= 0 for i in ids),
                f"ids are {ids}")
        for entry in entries:
            if self.free:
                one = Input({**entry, "path": ""}, self.folder)
            else:
                one = Input(entry, self.folder)
                if one.data is None:
                    t.warn("inputs", f"{one.name} not compared: {one.reason}")
            self.inputs.append(one)
            if one.data is None:
                continue
            sizes = {len(one.stored), len(one.data)}
            t.check("inputs: bytes", entry.get("bytes") in sizes,
                    f"{one.name}: report says {entry.get('bytes')}, the file has {len(one.stored)}")
            self.digest("inputs: digest", one.name, entry.get("digest"), [one.stored, one.data])

    def digest(self, check, name, said, contents):
        t = self.tally
        if not said:
            return t.check(check, False, f"{name}: no digest")
        t.check(check, re.fullmatch(r"blake3:[0-9a-f]{64}", said) is not None, f"{name}: {shown(said)} is no digest")
        if any(len(c) > DIGEST_LIMIT for c in contents):
            return t.warn(check, f"{name}: too long to digest here")
        unique = contents if contents[0] is not contents[-1] else contents[:1]
        return t.check(check, said in {"blake3:" + blake3(c) for c in unique}, f"{name}: digest differs")

    def input_id(self, name):
        """The id of the input of that name or path, or None when there is none or more than one."""
        found = {i.id for i in self.inputs if name in (i.name, i.path)}
        return found.pop() if len(found) == 1 else None

    def place(self, name, offset, check, what):
        """(input id, offset) as numbers, or None after a finding."""
        if offset in (None, ""):
            self.tally.warn(check, f"{what}: no offset (not from a file?), identity not recounted")
            return None
        number = self.input_id(name)
        if number is None:
            self.tally.fail(check, f"{what}: input {shown(name)} is not, or not once, among the inputs of report.json")
            return None
        if not re.fullmatch(r"\d+", str(offset)):
            self.tally.fail(check, f"{what}: offset {shown(offset)} is no number")
            return None
        return number, int(offset)

    def check_place(self, check, what, place, line):
        """Does a record begin there, and is its line number right?"""
        one = next(i for i in self.inputs if i.id == place[0])
        if one.data is None:
            return
        t, offset = self.tally, place[1]
        if not t.check(check, offset < len(one.data), f"{what}: offset {offset} lies past the end of {one.name}"):
            return
        t.check(check, str(line) == str(one.line(offset)),
                f"{what}: says line {line}, offset {offset} of {one.name} is on line {one.line(offset)}")
        if one.starts() is not None:
            before = one.data[offset - 1:offset] if offset else b"\n"
            mark = offset == 3 and one.data.startswith(b"\xef\xbb\xbf")
            t.check(check, before == b"\n" or mark or not one.data[one.data.rfind(b"\n", 0, offset) + 1:offset].strip(),
                    f"{what}: no record of {one.name} begins at offset {offset}")

    # -- rejects, merged, left out

    def read_rejects(self):
        t, path = self.tally, self.path("rejects.ndjson")
        t.begin("rejects: read", "rejects: fields", "rejects: origin", "rejects: raw record", "rejects: same as a table")
        if not os.path.isfile(path):
            return
        try:
            found = list(json_records(path))
        except Malformed as error:
            return t.fail("rejects: read", f"rejects.ndjson: {error}")
        for reject, _, number in found:
            what = f"rejects.ndjson line {number}"
            if not isinstance(reject, dict) or not isinstance(reject.get("origin"), dict):
                t.fail("rejects: fields", f"{what}: no object with an origin")
                continue
            for key in ("connector", "field", "code", "message", "raw"):
                if key not in reject or not isinstance(reject[key], (str, type(None))):
                    t.fail("rejects: fields", f"{what}: `{key}` is missing or no text")
            if reject.get("connector") not in self.names + [""]:
                t.fail("rejects: fields", f"{what}: no connector {shown(reject.get('connector'))} in report.json")
            if not re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+", reject.get("code") or ""):
                t.fail("rejects: fields", f"{what}: code {shown(reject.get('code'))} is not of the form a.b")
            if not reject.get("message"):
                t.fail("rejects: fields", f"{what}: no message")
            origin = reject["origin"]
            place = self.place(origin.get("input"), origin.get("offset"), "rejects: origin", what)
            self.rejects.append((reject.get("connector"), place, reject))
            if place:
                self.check_place("rejects: origin", what, place, origin.get("line"))
                self.check_raw(what, place, origin, reject.get("raw"))
        for name in self.names:
            seen = set()
            for connector, place, _ in self.rejects:
                if connector in ("", name) and place:
                    t.check("rejects: one per record", place not in seen,
                            f"{name}: input {place[0]} offset {place[1]} is rejected twice")
                    seen.add(place)
        self.same_as_table([reject for _, _, reject in self.rejects])

    def check_raw(self, what, place, origin, raw):
        one = next(i for i in self.inputs if i.id == place[0])
        length = origin.get("length")
        if type(length) is not int or length <= 0:
            return self.tally.fail("rejects: origin", f"{what}: length {shown(length)}")
        if one.data is None or raw is None:
            return None
        data = one.record(place[1], length)
        self.tally.check("rejects: raw record", data.decode("utf-8", "replace").rstrip("\r\n") == raw.rstrip("\r\n"),
                         f"{what}: raw is not what stands in {one.name} at {place[1]}+{length}")
        end = place[1] + length
        if one.starts() is not None:
            rest = one.data[end:end + 2]
            whole = end >= len(one.data) or data.endswith(b"\n") or rest[:1] in (b"\n", b"\r")
            tail = one.data[end:(one.data.find(b"\n", end) + 1) or len(one.data)]
            self.tally.check("rejects: raw record", end <= len(one.data) and (whole or not tail.strip()),
                             f"{what}: {place[1]}+{length} is not the whole record of {one.name}")
        return None

    def same_as_table(self, rejects):
        t, check, path = self.tally, "rejects: same as a table", self.path("rejects.csv")
        if not os.path.isfile(path):
            return
        try:
            header, rows = named_rows(path)
        except Malformed as error:
            return t.fail(check, f"rejects.csv: {error}")
        ways = {"connector": ("connector",), "input": ("origin", "input"), "line": ("origin", "line"),
                "offset": ("origin", "offset"), "length": ("origin", "length"), "field": ("field",),
                "column": ("field",), "code": ("code",), "message": ("message",), "raw": ("raw",)}
        short = [h.removeprefix("origin.").removeprefix("origin_") for h in header]
        for needed in ("connector", "input", "line", "code", "message", "raw"):
            t.check(check, needed in short, f"rejects.csv has no column {needed}")
        if not t.check(check, len(rows) == len(rejects),
                       f"rejects.csv has {len(rows)} rows, rejects.ndjson {len(rejects)}"):
            return None
        for number, (row, reject) in enumerate(zip(rows, rejects), 1):
            for heading, name in zip(header, short):
                value = reject
                for step in ways.get(name, ()):
                    value = value.get(step)
                if name in ways and row[heading] != ("" if value is None else str(value)):
                    t.fail(check, f"row {number}, {heading}: {shown(row[heading])} against {shown(value)}")
        return None

    def read_merged(self):
        t, path = self.tally, self.path("merged.csv")
        t.begin("merged: read", "merged: origin", "merged: survivor")
        if not os.path.isfile(path):
            return
        try:
            header, rows = named_rows(path)
        except Malformed as error:
            return t.fail("merged: read", f"merged.csv: {error}")
        wanted = ["connector", "input", "line", "offset", "survivor_input", "survivor_line", "survivor_offset", "reason"]
        if not t.check("merged: read", header == wanted, f"headings are {header}"):
            return None
        for number, row in enumerate(rows, 1):
            what = f"merged.csv row {number}"
            if row["connector"] not in self.names + [""]:
                t.fail("merged: read", f"{what}: no connector {shown(row['connector'])} in report.json")
            t.check("merged: read", row["reason"], f"{what}: no reason")
            place = self.place(row["input"], row["offset"], "merged: origin", what)
            survivor = self.place(row["survivor_input"], row["survivor_offset"], "merged: survivor", what)
            self.merged.append((row["connector"], place, survivor))
            if place:
                self.check_place("merged: origin", what, place, row["line"])
            if survivor:
                self.check_place("merged: survivor", what, survivor, row["survivor_line"])
        gone = {(connector, place) for connector, place, _ in self.merged}
        for connector, place, survivor in self.merged:
            t.check("merged: survivor", survivor is None or (connector, survivor) not in gone,
                    f"the survivor of {place} is itself merged: {survivor}")
        return None

    def left_out(self):
        t, path = self.tally, self.path("left-out.csv")
        t.begin("left out: read", "left out: count")
        if not os.path.isfile(path):
            return
        try:
            header, rows = named_rows(path)
        except Malformed as error:
            return t.fail("left out: read", f"left-out.csv: {error}")
        wanted = ["connector", "input", "line", "column", "code", "value", "message"]
        if not t.check("left out: read", header == wanted, f"headings are {header}"):
            return None
        for number, row in enumerate(rows, 1):
            t.check("left out: read", row["connector"] in self.names and row["column"] and row["code"],
                    f"left-out.csv row {number}: connector, column or code is wrong")
            known = self.input_id(row["input"]) is not None
            t.check("left out: read", known, f"left-out.csv row {number}: unknown input {shown(row['input'])}")
            one = next((i for i in self.inputs if row["input"] in (i.name, i.path)), None)
            if one and one.data is not None:
                lines = one.line(len(one.data))
                t.check("left out: read", row["line"].isdigit() and 1 <= int(row["line"]) <= lines,
                        f"left-out.csv row {number}: line {row['line']} of {lines}")
        for connector in self.connectors:
            count = sum(row["connector"] == connector.get("name") for row in rows)
            t.check("left out: count", connector.get("left_out", 0) == count,
                    f"{connector.get('name')}: report says {connector.get('left_out')}, left-out.csv has {count}")
        return None

    def sync(self):
        """Of connectors that get only what has changed: who is listed as withdrawn or missing."""
        t = self.tally
        syncs = {c.get("name"): c["sync"] for c in self.connectors if isinstance(c.get("sync"), dict)}
        listed = {}
        for file, key in (("withdrawn.csv", "withdrawn"), ("missing.csv", "missing")):
            path = self.path(file)
            t.check("sync: files", os.path.isfile(path) or not any(s.get(key) for s in syncs.values()), f"{file} is not there")
            if not os.path.isfile(path):
                continue
            rows = own_rows(path)
            for number, row in enumerate(rows, 1):
                name = row["connector"]
                t.check("sync: files", name in syncs, f"{file} row {number}: `{name}` does not ask for what has changed")
                person = (name, row["key"].strip().lower())
                t.check("sync: once", not row["key"] or person not in listed,
                        f"{file} row {number}: listed in {listed.get(person)} before")
                listed[person] = file
                if key == "withdrawn":
                    self.withdrawn(number, row)
            for name, sync in syncs.items():
                count = sum(row["connector"] == name for row in rows)
                t.check("sync: count", (sync.get(key) or 0) == count, f"{name}: report says {sync.get(key)} {key}, {file} has {count}")
        for connector in self.connectors:
            sync = syncs.get(connector.get("name"))
            if sync and "suspension" in sync:
                self.suspension(connector["name"], sync)
            if sync:
                self.held_back(connector["name"], connector["books"]["filtered"].get("unchanged", 0))
                out = sum(connector["books"].get(term, 0) for term in ("written", "accepted"))
                t.check("sync: waiting", 0 <= sync["waiting"] <= out, f"{connector['name']}: {sync['waiting']} wait, {out} went out")

    def held_back(self, name, unchanged):
        """A bit for each row that came so far; those of rows that were held back are 0."""
        t, path = self.tally, self.path("held-back", f"{name}.bits")
        if not t.check("sync: held back", os.path.isfile(path) == (unchanged > 0), f"{name}: {unchanged} rows unchanged, and {path}"):
            return
        if unchanged:
            with open(path, "rb") as file:
                rows, bits = int.from_bytes(file.read(8), "little"), file.read()
            held = rows - sum(byte.bit_count() for byte in bits)
            t.check("sync: held back", len(bits) == (rows + 7) // 8 and held == unchanged, f"{name}: {held} of {rows} held back, not {unchanged}")

    def suspension(self, name, sync):
        """Whoever is missing is in one of the terms of the suspension, and so `missing.csv` says."""
        t, terms = self.tally, {key.replace("_", "-"): count for key, count in sync["suspension"].items()}
        t.check("sync: suspension", sum(terms.values()) == sync["missing"], f"{name}: {terms} of {sync['missing']} missing")
        if not os.path.isfile(self.path("missing.csv")):
            return
        outcomes = [row["outcome"] for row in own_rows(self.path("missing.csv")) if row["connector"] == name]
        # Where something is not known of one, it is of none.
        for outcome in ("absent", "refused", "nameless"):
            count = outcomes.count(outcome)
            t.check("sync: suspension", count == terms[outcome], f"{name}: {terms[outcome]} {outcome}, missing.csv has {count}")
        if not terms["unknown"] and not terms["not-sent"]:
            count = outcomes.count("suspended")
            t.check("sync: suspension", count == terms["suspended"], f"{name}: {terms['suspended']} suspended, missing.csv has {count}")

    def withdrawn(self, number, row):
        """Whoever is withdrawn was left out by a condition: neither rejected nor merged, at a place where a record begins."""
        t, one = self.tally, self.input_id(row["input"])
        if not t.check("sync: withdrawn", one is not None, f"withdrawn.csv row {number}: unknown input {shown(row['input'])}"):
            return
        place = (one, int(row["offset"]))
        books = next((c["books"] for c in self.connectors if c.get("name") == row["connector"]), {"filtered": {}})
        t.check("sync: withdrawn", books["filtered"].get(row["reason"], 0) > 0,
                f"withdrawn.csv row {number}: nothing was filtered for `{row['reason']}`")
        others = [p for c, p, _ in self.rejects + self.merged if c in ("", row["connector"])]
        t.check("sync: withdrawn", place not in others, f"withdrawn.csv row {number}: its record was rejected or merged")

    # -- books

    def books(self, connector):
        t, name = self.tally, connector.get("name")
        check = f"{name}: books"
        books = connector.get("books")
        t.begin(f"{check} balance", f"{check} identity", f"{check} rejected", f"{check} merged", f"{check} disjoint")
        if not isinstance(books, dict) or not isinstance(books.get("filtered", {}), dict):
            return t.fail(f"{check} balance", "no books in report.json")
        sent = [term for term in SENT if term in books]
        t.check(f"{check} balance", not sent or sent == list(SENT), f"of what was sent it says only {sent}")
        counts = [books.get(k) for k in ("read", "merged", "rejected", "written", *sent)] + list(books.get("filtered", {}).values())
        if not t.check(f"{check} balance", all(type(n) is int and n >= 0 for n in counts), f"counts are {counts}"):
            return None
        filtered = sum(books.get("filtered", {}).values())
        terms = {"filtered": filtered, **{term: books[term] for term in ("merged", "rejected", "written", *sent)}}
        told = " + ".join(f"{term} {count}" for term, count in terms.items())
        rest = sum(terms.values())
        t.check(f"{check} balance", books["read"] == rest, f"read {books['read']}, but {told} = {rest}")
        total = (self.report.get("read") or {}).get("records")
        t.check(f"{check} balance", books["read"] == total, f"read {books['read']}, the chain read {total}")

        rejected = [place for c, place, _ in self.rejects if c in ("", name)]
        merged = [place for c, place, _ in self.merged if c in ("", name)]
        t.check(f"{check} rejected", len(rejected) == books["rejected"],
                f"report says {books['rejected']}, rejects.ndjson has {len(rejected)}")
        t.check(f"{check} merged", len(merged) == books["merged"],
                f"report says {books['merged']}, merged.csv has {len(merged)}")
        both = set(rejected) & set(merged) - {None}
        t.check(f"{check} disjoint", not both, f"both rejected and merged: {sorted(both)[:5]}")
        t.check(f"{check} disjoint", len(set(merged)) == len(merged) or None in merged, "a record is merged twice")

        sums, said = {}, books.get("identity") or {}
        for key in ("read", *terms):
            if re.fullmatch(r"[0-9a-f]{16}", str(said.get(key))) is None:
                t.fail(f"{check} identity", f"identity.{key} is {shown(said.get(key))}, not 16 hex digits")
                return None
            sums[key] = int(said[key], 16)
        parts = sum(sums[k] for k in terms) & MASK
        t.check(f"{check} identity", sums["read"] == parts, f"read is {sums['read']:016x}, the others add up to {parts:016x}")
        for key, places in (("rejected", rejected), ("merged", merged)):
            if None not in places:
                mine = identity_sum(places)
                t.check(f"{check} identity", sums[key] == mine, f"{key} is {sums[key]:016x}, recounted {mine:016x}")
        for key, count in (("read", books["read"]), *terms.items()):
            t.check(f"{check} identity", count or not sums[key], f"{key} is 0 but its identity is {sums[key]:016x}")
        return None

    def records_read(self):
        """Count the records of the inputs and compare with what was read (all of some inputs, or the first N)."""
        t, total = self.tally, (self.report.get("read") or {}).get("records")
        t.check("read: records", type(total) is int, f"read.records is {shown(total)}")
        known = [(i, i.starts()) for i in self.inputs if i.data is not None]
        if self.free or type(total) is not int or not known or len(known) < len(self.inputs) or len(known) > 10 \
                or any(starts is None for _, starts in known):
            return
        said = {c["books"]["identity"]["read"] for c in self.connectors
                if isinstance((c.get("books") or {}).get("identity"), dict) and "read" in c["books"]["identity"]}
        if not t.check("read: same for all", len(said) <= 1, f"connectors disagree: {sorted(said)}"):
            return
        tried = []
        for size in range(len(known), 0, -1):
            for chosen in itertools.combinations(known, size):
                places = [(one, offset) for one, starts in chosen for offset in starts][:total]
                if len(places) < total:
                    continue
                for mark in (0, 3):  # the first record may begin before or after a byte order mark,
                    plain = [(one, mark if offset == 0 else offset) for one, offset in places]
                    tried.append(identity_sum((one.id, offset) for one, offset in plain))
                    # and every record before or after the blanks of its line
                    tried.append(identity_sum((one.id, skip_blanks(one.data, offset)) for one, offset in plain))
        t.check("read: identity", not said or said.pop() in [f"{n:016x}" for n in tried],
                f"no choice of the inputs' records ({[len(s) for _, s in known]}) gives {total} with that identity")

    # -- parts

    def parts(self, connector):
        t, name = self.tally, connector.get("name")
        check = f"{name}: parts"
        parts = connector.get("parts") or []
        t.begin(f"{check} rows", f"{check} bytes", f"{check} digest", f"{check} names", f"{check} guide",
                f"{check} well formed")
        numbers, written = {}, 0
        for part in parts:
            path = part.get("path") or ""
            full = self.path(*path.split("/"))
            stem, number = stem_of(path)
            start = f"{self.report.get('chain')}-{name}-{self.report.get('run')}-"
            t.check(f"{check} names", stem is not None and os.path.basename(path).startswith(start)
                    and os.path.dirname(path) == name, f"{path} is not {name}/{start}<stem>-NNNN.<ext>")
            numbers.setdefault(stem, []).append(number)
            if not os.path.realpath(full).startswith(self.folder + os.sep) or not os.path.isfile(full):
                t.fail(f"{check} names", f"{path} does not exist")
                continue
            size = os.path.getsize(full)
            t.check(f"{check} bytes", part.get("bytes") == size, f"{path}: report says {part.get('bytes')}, it has {size}")
            with open(full, "rb") as file:
                self.digest(f"{check} digest", path, part.get("digest"), [file.read(DIGEST_LIMIT + 1)])
            try:
                rows = self.count(full, part)
            except Malformed as error:
                t.fail(f"{check} well formed", f"{path}: {error}")
                continue
            t.check(f"{check} rows", part.get("rows") == rows, f"{path}: report says {part.get('rows')}, it has {rows}")
            if stem != "organizations":
                written += rows
        for stem, found in numbers.items():
            t.check(f"{check} names", found == list(range(1, len(found) + 1)), f"{stem}: parts are numbered {found}")
        books = connector.get("books") or {}
        said, files = books.get("written"), str(connector.get("deliver") or "").endswith("file")
        if "confirmed" in books:
            # What was to be sent, with rows that the vendor did not take; nobody uploads it.
            out = sum(books[term] for term in SENT if term in books)
            t.check(f"{check} rows", said == 0 and (out <= written or not parts), f"the parts hold {written} rows, {out} were sent or not")
        else:
            if (files or parts) and not t.has_failed(f"{check} well formed"):
                t.check(f"{check} rows", written == said, f"the parts hold {written} rows, written is {said}")
            self.guide(connector, parts)
        for change in connector.get("changed") or []:
            t.check(f"{name}: changed", isinstance(change, dict) and change.get("column") and change.get("rule")
                    and type(change.get("count")) is int and change["count"] > 0, f"{shown(change)}")

    def count(self, path, part):
        if kind_of(path) != "table":
            rows = 0
            for record, _, number in json_records(path):
                if not isinstance(record, dict):
                    raise Malformed(f"record {number} is no object")
                rows += 1
            return rows
        rows, width = 0, None
        for cells, text, line in table_rows(path, delimiter_of(part)):
            if not text.strip("\r\n"):
                raise Malformed(f"line {line} is blank")
            width = len(cells) if width is None else width
            if len(cells) != width:
                raise Malformed(f"line {line}: {len(cells)} cells under {width} headings")
            rows += 1
        if part.get("header", True) and rows == 0:
            raise Malformed("no header")
        return rows - (1 if part.get("header", True) else 0)

    def guide(self, connector, parts):
        t, name = self.tally, connector.get("name")
        path = self.path(str(name), "UPLOAD.md")
        if not parts and not os.path.isdir(self.path(str(name))):
            return
        if not t.check(f"{name}: parts guide", os.path.isfile(path), "UPLOAD.md is missing"):
            return
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
        for part in parts:
            base = os.path.basename(part.get("path") or "")
            t.check(f"{name}: parts guide", base in text, f"UPLOAD.md does not name {base}")

    def retry(self):
        """A retry holds what its run rejected, for those who rejected it, each record once for each of them."""
        of = self.report.get("retries")
        if of is None:
            return
        t = self.tally
        t.begin("retry: rejected before", "retry: once", "retry: read", "retry: told")
        before = os.path.join(os.path.dirname(self.folder), of)
        rejected = set()
        # What a vendor reported of the run's rows stands beside it.
        for path in [os.path.join(before, "rejects.ndjson"), *glob.glob(glob.escape(before) + ".imported/*.ndjson")]:
            with open(path, encoding="utf-8") as file:
                for line in filter(None, map(str.strip, file)):
                    reject = parse_json(line)
                    origin = reject["origin"]
                    rejected.add((reject["connector"], (origin["input"], str(origin["line"]), str(origin["offset"]))))
        missed, seen = dict.fromkeys(self.names, 0), set()
        rows = own_rows(self.path("retried.csv"))
        for row in rows:
            origin = (row["of_input"], row["of_line"], row["of_offset"])
            # What the source or the chain did not take, all have missed.
            whose = row["connectors"].split() or [""]
            for name in whose:
                t.check("retry: rejected before", (name, origin) in rejected, f"{name or 'the chain'} did not reject {origin} in {of}")
            for name in self.names if whose == [""] else whose:
                t.check("retry: once", (name, origin) not in seen, f"{name} gets {origin} twice")
                seen.add((name, origin))
                missed[name] = missed.get(name, 0) + 1
        t.check("retry: read", self.report["read"]["records"] == len(rows), f"{len(rows)} rows of retried.csv")
        for connector in self.connectors:
            books, name = connector["books"], connector["name"]
            others = books["filtered"].get("not-missed", 0)
            # Records that cannot be read are rejected before anybody can say whose they are.
            spare = sum(1 for c, _, _ in self.rejects if c == "")
            t.check("retry: told", missed[name] <= books["read"] - others <= missed[name] + spare,
                    f"{name} missed {missed[name]}, but {books['read'] - others} records are accounted for as its own")

    def receipt(self):
        t, path = self.tally, self.path("receipt.json")
        t.begin("receipt: read")
        if not os.path.isfile(path):
            return
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
            receipt = parse_json(text)
        except (ValueError, UnicodeDecodeError) as error:
            return t.fail("receipt: read", f"receipt.json: {error}")
        told = receipt.get("connectors", {})
        for name in self.names:
            t.check("receipt: connectors", name in told, f"{name} is not in receipt.json")
        for connector in self.connectors:
            books = told.get(connector.get("name"), {}).get("books")
            t.check("receipt: books", books == connector.get("books"), f"{connector.get('name')}: other books than the report")
        for key in ("manifest", "plugins", "inputs", "files"):
            t.check("receipt: means", bool(receipt.get(key)), f"receipt.json names no {key}")
        noted = {file["path"]: file for file in receipt.get("files", [])}
        found = {os.path.relpath(os.path.join(folder, name), self.folder)
                 for folder, _, names in os.walk(self.folder) for name in names} - {"receipt.json"}
        for path in sorted(set(noted) ^ found):
            t.fail("receipt: files", f"{path} is {'not there' if path in noted else 'not in receipt.json'}")
        for path in sorted(set(noted) & found):
            with open(self.path(path), "rb") as file:
                content = file.read()
            t.check("receipt: files", noted[path]["bytes"] == len(content), f"{path}: {len(content)} bytes, not {noted[path]['bytes']}")
            # Large parts are held against their digests above.
            if len(content) <= SMALL:
                t.check("receipt: digests", noted[path]["digest"] == "blake3:" + blake3(content), f"{path} has another digest")
        return None


def main(argv=None, out=None):
    argv, out = list(sys.argv[1:] if argv is None else argv), out or sys.stdout
    free = "--manifest-free" in argv
    rest = [a for a in argv if a != "--manifest-free"]
    if len(rest) != 1 or rest[0].startswith("-"):
        print("usage: audit.py RUN_DIR [--manifest-free]", file=sys.stderr)
        return 2
    try:
        tally = Audit(rest[0], free).run()
    except Usage as error:
        print(f"audit.py: {error}", file=sys.stderr)
        return 2
    tally.print(out)
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
