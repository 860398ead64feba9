#!/usr/bin/env python3
"""Write the example files of this folder.

    python3 examples/generate.py [--out DIR]

Every person is made up. The generator has a fixed seed and uses nothing but the standard library: running it
again gives the same bytes. Without --out the files land beside this script, and the table of awkward lines in
README.md is brought up to date.
"""

import argparse
import json
import os
import random
import sys
import unicodedata

SEED = 20240229
LINES = 330  # of users.ndjson; the 5 % that a run may reject are 16 records

BROKEN_LINE = 150  # JSON cut in the middle
NO_OBJECT_LINE = 160  # valid JSON, but no object
BAD_UTF8_LINE = 251  # a byte that is no UTF-8, past the first 64 KiB of the file
INDENTED_LINE = 128  # blanks around the object
CRLF_LINE = 129  # the line ends CR LF
ASCII_LINES = (122, 123)  # written with \uXXXX escapes, surrogate pairs included

GIVEN = """Ada Amélie Anders Aoife Beatriz Björn Carmen Chloé Daan Dmitri Elif Emre Farah Fatima Giulia Hana Hugo
Ingrid Iris João Kenji Lars Leila Lucía Mads Maja Mei Milan Nadia Niamh Noor Olu Paulo Priya Rasmus Renée Sofia
Søren Tomasz Uma Vera Wanjiru Xavier Yara Zoë""".split()
FAMILY = """Abara Almeida Andersson Archer Bakker Bauer Beaumont Castillo Chandra Demir Dupont Eriksen Ferrari
Fischer Gallo Grześ Hansen Hughes Ibarra Ivanova Jansen Kaya Keller Kimura Kowalski Laurent Lindqvist Mancini
Marchetti Mbeki Moreau Müller Nakamura Novak Okafor Ortega Papadakis Petit Quispe Rahman Rossi Sato Silva Sørensen
Tanaka Thorne Umarov Vasquez Weber Wójcik Yilmaz Zieliński""".split()
COMPANIES = ["Acme", "Globex", "Initech", "Umbra Freight", "Blue Heron Books", "Kite & Key", "Northwind Dairy",
             "Café du Port", "日本ガラス GmbH", "Tessera"]
PLANS = ["free", "starter", "team", "business", "enterprise"]
COUNTRIES = ["FR", "GB", "US", "DE", "NL", "SE", "BR", "JP", "KE", "IT"]
LOCALES = ["en", "en-GB", "en-US", "fr", "fr-FR", "de", "nl", "sv", "pt-BR", "ja"]
ZONES = ["Europe/Paris", "Europe/London", "America/New_York", "America/Los_Angeles", "Europe/Berlin", "Asia/Tokyo",
         "America/Sao_Paulo", "Africa/Nairobi", "Europe/Rome", "Australia/Sydney"]
DOMAINS = ["example.com", "example.org", "example.net"]
ROLES = ["reader", "editor", "billing", "support", "owner"]


class Dice:
    """random() alone is the same on every version of Python, so nothing else of the module is used."""

    def __init__(self, seed):
        self._random = random.Random(seed)

    def below(self, n):
        return int(self._random.random() * n)

    def pick(self, items):
        return items[self.below(len(items))]

    def chance(self, p):
        return self._random.random() < p


def hex_id(n, digits=24):
    """A stable id that looks like the ones of a user database."""
    value = (n + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835
    return format(value % (1 << (4 * digits)), "0%dx" % digits)


def ascii_fold(text):
    replaced = text.replace("ø", "o").replace("Ø", "O").replace("ł", "l").replace("ß", "ss")
    return "".join(c for c in unicodedata.normalize("NFD", replaced) if ord(c) < 128).lower()


def stamp(day, second):
    """An ISO date as Auth0 writes it: `day` counted from 2019-01-01, `second` of that day."""
    year = 2019
    while day >= 365:
        day -= 365
        year += 1
    month = 0
    for length in (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31):
        month += 1
        if day < length:
            break
        day -= length
    return "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ" % (
        year, month, day + 1, second // 3600, second // 60 % 60, second % 60, second * 7 % 1000)


def phone(n):
    """Numbers out of the ranges that regulators keep for fiction."""
    k = n // 4  # so that nobody shares a number by accident
    return ("+442079460%03d" % k, "+120255501%02d" % k, "+3319900%04d" % (1200 + k), "+493023125%03d" % k)[n % 4]


def person(line, dice, taken):
    """An ordinary person; the awkward ones are made of these in `AWKWARD`."""
    given, family = dice.pick(GIVEN), dice.pick(FAMILY)
    handle = ascii_fold(given) + "." + ascii_fold(family)
    while handle in taken:
        handle = ascii_fold(given) + "." + ascii_fold(family) + str(dice.below(90) + 10)
    taken.add(handle)
    created, seen = dice.below(1500), dice.below(86400)
    last = created + dice.below(400)
    provider = "auth0" if dice.chance(0.75) else "google-oauth2"
    local = hex_id(line) if provider == "auth0" else "1%020d" % (line * 104729 * 7919)
    connection = "Username-Password-Authentication" if provider == "auth0" else provider

    metadata = {"plan": dice.pick(PLANS)}
    if dice.chance(0.7):
        metadata["company"] = dice.pick(COMPANIES)
    if dice.chance(0.5):
        metadata["birthday"] = "%04d-%02d-%02d" % (1950 + dice.below(55), 1 + dice.below(12), 1 + dice.below(28))
    if dice.chance(0.7):
        metadata["country"] = dice.pick(COUNTRIES)
    if dice.chance(0.4):
        metadata["age"] = 18 + dice.below(60)
    if dice.chance(0.3):
        metadata["vip"] = dice.chance(0.3)
    if dice.chance(0.2):
        metadata["note"] = "asked for the guide\ncall back in " + dice.pick(["March", "June", "autumn"])
    if dice.chance(0.85):
        metadata["consent"] = {"given": dice.chance(0.7), "date": stamp(created, seen)[:10]}

    record = {
        "user_id": provider + "|" + local,
        "email": handle + "@" + dice.pick(DOMAINS),
        "email_verified": dice.chance(0.92),
        "name": given + " " + family,
        "given_name": given,
        "family_name": family,
        "nickname": handle,
        "picture": "https://example.com/avatars/%d.png" % line,
        "identities": [{"user_id": local, "provider": provider, "connection": connection,
                        "isSocial": provider != "auth0"}],
        "created_at": stamp(created, seen),
        "updated_at": stamp(last, (seen * 3) % 86400),
        "last_login": stamp(last, (seen * 3) % 86400),
        "last_ip": "%s.%d" % (dice.pick(["192.0.2", "198.51.100", "203.0.113"]), 1 + dice.below(250)),
        "logins_count": 1 + dice.below(400),
    }
    if dice.chance(0.35):
        record["phone_number"] = phone(line)
    if dice.chance(0.6):
        record["locale"] = dice.pick(LOCALES)
    if dice.chance(0.5):
        record["zoneinfo"] = dice.pick(ZONES)
    record["user_metadata"] = metadata
    if dice.chance(0.5):
        record["app_metadata"] = {"roles": [dice.pick(ROLES)] + (["beta"] if dice.chance(0.2) else [])}
    return record


# ---- the awkward people ------------------------------------------------------------------------------------

def put(**values):
    def change(record, _people):
        record.update(values)
    return change


def drop(*names):
    def change(record, _people):
        for name in names:
            record.pop(name, None)
    return change


def meta(**values):
    def change(record, _people):
        record["user_metadata"].update(values)
    return change


def consent(value):
    return meta(consent=value)


def named(given, family, name=None):
    return put(given_name=given, family_name=family, name=name if name is not None else given + " " + family)


def identity(provider, local, connection=None, social=False):
    def change(record, _people):
        record["user_id"] = provider + "|" + local
        record["identities"] = [{"user_id": local, "provider": provider, "connection": connection or provider,
                                 "isSocial": social}]
    return change


def sms(n):
    def change(record, _people):
        local = hex_id(1000 + n)
        number = "+12125550%d" % (170 + n)
        for name in ("email", "email_verified", "given_name", "family_name", "nickname"):
            record.pop(name, None)
        record.update(user_id="sms|" + local, name=number, nickname="", phone_number=number, phone_verified=True,
                      identities=[{"user_id": local, "provider": "sms", "connection": "sms", "isSocial": False}])
    return change


def same_as(line, **values):
    """The person of an earlier line again, with these values changed."""
    def change(record, people):
        record.clear()
        record.update(json.loads(json.dumps(people[line])))
        record.update(values)
    return change


def address_of(line, form="%s"):
    def change(record, people):
        record["email"] = form % people[line]["email"]
    return change


def upper_address_of(line):
    def change(record, people):
        record["email"] = "  " + people[line]["email"].upper() + " "
    return change


def name_is_email(record, _people):
    record["name"] = record["email"]


LONG_NAME = ("Maximiliana Aurelia Philippa of the Long Register " * 7)[:300]
LONG_RTL = ("אבגדה " * 60)[:300]
LONG_LOCAL = "a.very.long.local.part.that.somebody.really.typed.once.upon.a.t"
assert len(LONG_NAME) == 300 and len(LONG_RTL) == 300 and len(LONG_LOCAL) <= 64

PLAIN = (put(email_verified=True), drop("blocked"))
YES = consent({"given": True, "date": "2023-04-01"})

# line: (what is awkward, changes…); every one of them is verified and consenting unless said otherwise
AWKWARD = {
    3: ("name is the email, no given or family name", name_is_email, drop("given_name", "family_name")),
    5: ("given name only", drop("family_name"), put(name="Ondine", given_name="Ondine")),
    6: ("family name only", drop("given_name"), put(name="Thorne", family_name="Thorne")),
    7: ("no name of any kind, not even `nickname`", drop("name", "given_name", "family_name", "nickname")),
    8: ("`given_name` null, `family_name` empty", put(given_name=None, family_name="", name="Perpetua")),
    9: ("SMS user: `phone_number` only, `name` is the number", sms(1)),
    10: ("SMS user without `user_metadata`", sms(2), drop("user_metadata", "app_metadata")),
    11: ("`email` null", put(email=None, email_verified=False)),
    12: ("`email` missing, `username` there", drop("email", "email_verified"), put(username="pale.rider")),
    13: ("`email` empty though verified", put(email="")),
    17: ("social id, 21 digits", identity("google-oauth2", "103547991597142817347", None, True)),
    18: ("social id (Facebook)", identity("facebook", "10215678901234567", None, True)),
    19: ("id with two `|` and an `@`", identity("samlp|corp", "jane.archer@example.net", "corp")),
    20: ("id holding an address, AD FS", identity("adfs", "quentin@example.net", "auth10.example")),
    21: ("windowslive with `emails[]` and `locale` en_US", identity("windowslive", "4cf0a30169d55031", None, True),
         put(locale="en_US", emails=["one@example.com", "two@example.com"])),
    22: ("Apple id with dots, `email_verified` missing", identity("apple", "001234.0a1b2c3d4e5f.0808", None, True),
         drop("email_verified")),
    29: ("leading apostrophe", named("Gerard", "'t Hooft", "'t Hooft")),
    30: ("formula-like text `=1+1`", named("=1+1", "Bauer")),
    31: ("formula-like text `@SUM(A1:A9)`", named("@SUM(A1:A9)", "Weber")),
    32: ("formula-like text `+1-2` and `-2+3`", named("+1-2", "-2+3")),
    33: ("formula with quotes and a comma", named('=HYPERLINK("https://example.com/?a=1,2","x")', "Rossi")),
    34: ("double quotes in the name", named('Ann "Annie"', "O\"Hara")),
    35: ("comma and semicolon in the name", named("Sato, Kenji", "Jr.; PhD")),
    36: ("LF inside the name", named("Line\nBreak", "Moreau")),
    37: ("CR LF inside the name", named("Carriage\r\nReturn", "Petit")),
    38: ("lone CR inside the name", named("Lone\rReturn", "Keller")),
    39: ("TAB inside the name", named("Tab\tStop", "Silva")),
    40: ("backslash and `\\n` spelt out", named("Back\\slash", "New\\nLine")),
    41: ("right-to-left names", named("מרים", "בן־דוד")),
    42: ("right-to-left with direction marks", named("\u202bليلى\u202c", "حدّاد\u200f")),
    43: ("combining marks, decomposed", named("Zoe\u0301", "Nguye\u0302\u0303n")),
    44: ("emoji joined by ZWJ, flag, skin tone", named("Robin 👩🏽\u200d💻", "Vera 🏳️\u200d🌈 🇫🇷")),
    45: ("zero-width space inside the name", named("Zero\u200bWidth", "Hansen\u200b")),
    46: ("NBSP inside and around the name", named("\u00a0Non\u00a0Breaking", "Laurent\u00a0")),
    47: ("byte order mark inside and before the name", named("\ufeffBom", "Mar\ufeffker")),
    48: ("300-character names", named(LONG_NAME, LONG_NAME, LONG_NAME)),
    49: ("300-character names, right-to-left", named(LONG_RTL.strip(), "Levi", LONG_RTL)),
    50: ("upper-case email", put(email="SHOUTING.PERSON@EXAMPLE.COM")),
    51: ("blank-padded email", put(email="  padded.person@example.org   ")),
    52: ("same email as line 1, upper-case and padded", upper_address_of(1)),
    53: ("NBSP around the email", put(email="\u00a0nbsp.person@example.org\u00a0")),
    54: ("zero-width space after the email", put(email="zero.width@example.net\u200b")),
    55: ("byte order mark before the email", put(email="\ufeffbom.person@example.com")),
    56: ("invalid email: no @", put(email="no-at-sign.example.com")),
    57: ("invalid email: two @ (not verified)", put(email="two@@example.com", email_verified=False)),
    58: ("invalid email: blank inside", put(email="blank inside@example.com")),
    59: ("invalid email: two dots (not verified)", put(email="two..dots@example.com", email_verified=False)),
    60: ("invalid email: no domain", put(email="nothing.after@")),
    61: ("valid email of more than 80 characters", put(email=LONG_LOCAL + "@department.of.names.example.com")),
    62: ("valid email of 51 to 80 characters", put(email="somebody.with.a.longish.address@department.of.names.example.org")),
    63: ("valid email holding a `|`", put(email="pipe|dream@example.com")),
    64: ("valid email with apostrophe and plus", put(email="o'neil+news@example.com")),
    66: ("plain; see line 67",),
    67: ("the same line twice", same_as(66)),
    70: ("same `user_id` as line 210, old email",),
    72: ("same email as line 215, earlier `last_login`", identity("auth0", hex_id(72), "Username-Password-Authentication"),
         put(last_login="2021-02-03T04:05:06.007Z")),
    74: ("same email as line 220; consents", YES),
    76: ("phone shared with line 77", put(phone_number="+442079460777")),
    77: ("phone shared with line 76", put(phone_number="+442079460777")),
    78: ("phone not E.164: national form", put(phone_number="(020) 7946 0123")),
    79: ("phone not E.164: n/a", put(phone_number="n/a")),
    80: ("phone not E.164: 00 prefix", put(phone_number="00442079460124")),
    81: ("phone with blanks and dashes", put(phone_number="+44 20-7946-0125")),
    82: ("locale `en_US`", put(locale="en_US")),
    83: ("locale `fr-CA`, zone America/Toronto", put(locale="fr-CA", zoneinfo="America/Toronto")),
    84: ("locale `xx_INVALID`", put(locale="xx_INVALID")),
    85: ("locale `pt-br` (case), zone Europe/Paris", put(locale="pt-br", zoneinfo="Europe/Paris")),
    86: ("zone America/New_York", put(zoneinfo="America/New_York")),
    87: ("zone by an old alias, US/Eastern", put(zoneinfo="US/Eastern")),
    88: ("zone that does not exist, Mars/Phobos", put(zoneinfo="Mars/Phobos")),
    89: ("zone without a name of its own at the vendor, Antarctica/Troll", put(zoneinfo="Antarctica/Troll")),
    90: ("role address admin@", put(email="admin@example.com")),
    91: ("role address abuse@", put(email="abuse@example.org")),
    92: ("address with `spam` in it", put(email="antispam.team@example.net")),
    93: ("no `user_metadata`", drop("user_metadata")),
    94: ("`user_metadata` empty object", put(user_metadata={})),
    95: ("`user_metadata` null", put(user_metadata=None)),
    96: ("`consent` missing", lambda r, _p: r["user_metadata"].pop("consent", None)),
    97: ("`consent` empty object", consent({})),
    98: ("`consent` null", consent(None)),
    99: ('consent text "false"', consent({"given": "false", "date": "2022-01-01"})),
    100: ('consent text "true"', consent({"given": "true", "date": "2022-01-02"})),
    101: ('consent text "True"', consent({"given": "True", "date": "2022-01-03"})),
    102: ("consent null, date there", consent({"given": None, "date": "2022-01-04"})),
    103: ('consent text "maybe": no boolean', consent({"given": "maybe", "date": "2022-01-05"})),
    104: ("role with a comma inside", put(app_metadata={"roles": ["billing,admin", "reader"]})),
    105: ("role with a `|` inside", put(app_metadata={"roles": ["ops|night", "reader"]})),
    106: ("roles empty", put(app_metadata={"roles": []})),
    107: ("roles with blanks, capitals, an empty item, a repeat",
          put(app_metadata={"roles": ["Team Lead", "", "reader", "reader"]})),
    108: ("company with a `|` inside", meta(company="Pipe|Works")),
    109: ("company with quotes and a comma", meta(company='Smith, "Jones" & Co.')),
    110: ("company in another case and padded", meta(company=" ACME ")),
    111: ("note with CR LF, TAB, quotes", meta(note='first line\r\nsecond\tline says "hi"\n')),
    112: ("birthday in another form", meta(birthday="19/07/1984")),
    113: ("birthday that does not exist", meta(birthday="1990-02-30")),
    114: ("age a decimal, vip text", meta(age=41.5, vip="yes")),
    115: ("blocked", put(blocked=True)),
    116: ("multifactor", put(multifactor=["duo", "google-authenticator"],
                             multifactor_last_modified="2023-05-06T07:08:09.010Z")),
    117: ("two identities, a number as `user_id`, profileData",
          lambda r, _p: r["identities"].append({"user_id": 4711, "provider": "github", "connection": "github",
                                                "isSocial": True, "profileData": {"email": "x@example.org"}})),
    118: ("never logged in: no `last_login`", drop("last_login", "last_ip"), put(logins_count=0)),
    119: ("names that read None and Null", named("None", "Null")),
    120: ("names that read True and undefined", named("True", "undefined")),
    121: ("attributes of the identity provider, nested",
          put(gender="x", upn="sam@example.org", issuer="https://idp.example.net",
              address={"locality": "Lyon", "lines": ["1 Rue Neuve", "69001"]})),
    122: ("escaped surrogate pairs", named("Smile \U0001f600", "Pair \U0001f469\u200d\U0001f680")),
    123: ("everything but ASCII escaped", named("Ève", "日本 花子")),
    128: ("blanks around the JSON object",),
    129: ("line ends CR LF",),
    130: ("blocked", put(blocked=True)),
    131: ("blocked false, spelt out", put(blocked=False)),
    140: ("NBSP around a company, zero-width space in a plan", meta(company="\u00a0Globex\u00a0", plan="te\u200bam")),
    141: ("note of 300 characters", meta(note="long note " * 30)),
    150: ("JSON cut in the middle of the line",),
    160: ("valid JSON but no object",),
    210: ("same `user_id` as line 70, new email", same_as(70, email="moved.house@example.net",
                                                          last_login="2024-01-02T03:04:05.006Z")),
    215: ("same email as line 72 under another id, later `last_login`", address_of(72),
          identity("google-oauth2", "110000000000000000215", None, True),
          put(last_login="2024-02-03T04:05:06.007Z")),
    220: ("same email as line 74 under another id; refuses consent", address_of(74),
          identity("google-oauth2", "110000000000000000220", None, True), consent({"given": False, "date": "2024-01-01"})),
    251: ("a byte that is no UTF-8 (past 64 KiB)",),
    260: ("blocked and not verified", put(blocked=True, email_verified=False)),
    300: ("`email_verified` null", put(email_verified=None)),
}


def make_people():
    """line number → record, in order; the three unreadable lines are records here too."""
    dice, taken, people = Dice(SEED), set(), {}
    for line in range(1, LINES + 1):
        record = person(line, dice, taken)
        if line == 1 or line in AWKWARD:
            for change in PLAIN + (YES,):
                change(record, people)
        for change in AWKWARD.get(line, ("",))[1:]:
            change(record, people)
        people[line] = record
    return people


# ---- writing -----------------------------------------------------------------------------------------------

def ndjson(people):
    out = bytearray()
    for line, record in people.items():
        text = json.dumps(record, ensure_ascii=line in ASCII_LINES, separators=(",", ":")).encode("utf-8")
        if line == BROKEN_LINE:
            text = text[: len(text) // 2]
        elif line == NO_OBJECT_LINE:
            text = b'["not","an","object"]'
        elif line == BAD_UTF8_LINE:
            assert len(out) > 65536
            text = text.replace(b'"nickname":"', b'"nickname":"\xff\xfe', 1)
        elif line == INDENTED_LINE:
            text = b"  " + text + b" "
        out += text + (b"\r\n" if line == CRLF_LINE else b"\n")
    return bytes(out)


def readable(people):
    return [p for line, p in people.items() if line not in (BROKEN_LINE, NO_OBJECT_LINE, BAD_UTF8_LINE)]


def at(record, path):
    value = record
    for step in path.replace("[", ".[").split("."):
        if step.startswith("["):
            index = int(step[1:-1])
            value = value[index] if isinstance(value, list) and index < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def text_of(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return str(value)


AUTH0_DATES = ("created_at", "updated_at", "last_login", "last_password_reset", "multifactor_last_modified")


def escaped(path, value):
    """Auth0's guard against formulas: ' in front, quotes doubled, wrapped; its own dates, booleans, numbers bare."""
    if value is None:
        return ""
    if isinstance(value, (bool, int, float)) or path in AUTH0_DATES:
        return text_of(value)
    return '"\'' + text_of(value).replace('"', '""') + '"'


def quoted(value, separator):
    """Ordinary CSV, quotes only where needed."""
    text = "" if value is None else text_of(value)
    if any(c in text for c in separator + '"\r\n') or text != text.strip():
        return '"' + text.replace('"', '""') + '"'
    return text


def auth0_table(people, columns, newline="\n"):
    rows = [",".join(heading for heading, _ in columns)]
    rows += [",".join(escaped(path, at(p, path)) for _, path in columns) for p in people]
    return (newline.join(rows) + newline).encode("utf-8")


def plain_table(header, rows, separator=",", last_newline=True):
    lines = [separator.join(quoted(cell, separator) for cell in row) for row in [header] + rows]
    return ("\n".join(lines) + ("\n" if last_newline else "")).encode("utf-8")


BULK_COLUMNS = [(p, p) for p in """user_id email email_verified username name given_name family_name nickname
phone_number locale zoneinfo created_at updated_at last_login logins_count blocked identities[0].connection
user_metadata.plan user_metadata.company user_metadata.birthday user_metadata.country user_metadata.age
user_metadata.vip user_metadata.note user_metadata.consent.given user_metadata.consent.date
app_metadata.roles""".split()]

FRENCH_COLUMNS = [
    ("Id", "user_id"), ("Adresse courriel", "email"), ("Courriel vérifié", "email_verified"), ("Créé à", "created_at"),
    ("Prenom", "given_name"), ("Nom de famile", "family_name"), ("Nom", "name"), ("Téléphone", "phone_number"),
    ("Langue", "locale"), ("Fuseau horaire", "zoneinfo"), ("Dernière connexion", "last_login"), ("Bloqué", "blocked"),
    ("Plan", "user_metadata.plan"), ("Société", "user_metadata.company"),
    ("Date de naissance", "user_metadata.birthday"), ("Remarque", "user_metadata.note"),
    ("Consentement", "user_metadata.consent.given")]

OLD_COLUMNS = [
    ("Id", "user_id"), ("Given Name", "given_name"), ("Family Name", "family_name"), ("Nickname", "nickname"),
    ("Name", "name"), ("Email", "email"), ("Email Verified", "email_verified"), ("Picture", "picture"),
    ("Connection", "identities[0].connection"), ("Created At", "created_at"), ("Updated At", "updated_at"),
    ("Phone", "phone_number"), ("Plan", "user_metadata.plan"), ("Consent", "user_metadata.consent.given")]


def swap_case(text):
    return "".join(c.upper() if i % 2 else c for i, c in enumerate(text))


def unsubscribed(people):
    known = [people[n]["email"] for n in (2, 14, 24, 65, 170, 180, 190, 205)]
    forms = [known[0], known[1].upper(), swap_case(known[2]), known[3].title(), " " + known[4], known[5] + "  ",
             swap_case(known[6]), known[7],
             "Shouting.Person@example.com", "never.heard.of@example.com", "NOBODY@EXAMPLE.NET", "gone@example.org"]
    return plain_table(["email"], [[f] for f in forms])


def cohort_people(people):
    chosen = [people[n] for n in range(170, 210) if people[n]["email"]]
    chosen += [people[n] for n in (29, 34, 36, 41, 44)]
    return chosen


def cohort_users(people):
    rows = []
    for p in cohort_people(people):
        m = p.get("user_metadata") or {}
        rows.append([p["email"], p.get("given_name"), p.get("family_name"), m.get("plan"), p["created_at"][:10],
                     m.get("vip"), p["logins_count"] * 5])
    return plain_table(["Email", "First Name", "Last Name", "Plan", "Created at", "VIP", "Points"], rows)


def cohort_events(people):
    dice, rows = Dice(SEED + 1), []
    kinds = [("badge.gained", 'Badge "First steps"'), ("challenge.completed", "Quiz, round 2"),
             ("perk.redeemed", "10 % off\nvalid until June"), ("campaign.joined", None)]
    chosen = cohort_people(people)
    for n in range(80):
        p, (kind, detail) = dice.pick(chosen), dice.pick(kinds)
        rows.append(["evt_" + hex_id(n, 12), kind, p["email"], stamp(1800 + n, dice.below(86400)),
                     dice.below(20) * 10, detail])
    return plain_table(["Event ID", "Event type", "User email", "Occurred at", "Points", "Details"], rows)


TABLE_START, TABLE_END = "<!-- lines: written by generate.py -->", "<!-- end of lines -->"


def readme_table():
    rows = ["| Line | What is awkward |", "|---|---|"]
    rows += ["| %d | %s |" % (line, case[0].replace("|", "\\|")) for line, case in sorted(AWKWARD.items())]
    return "\n".join(rows)


def write(folder, name, content):
    path = os.path.join(folder, *name.split("/"))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description="write the example files")
    parser.add_argument("--out", default=here, help="folder to write to (default: beside this script)")
    folder = parser.parse_args().out

    people = make_people()
    good = readable(people)
    write(folder, "auth0/users.ndjson", ndjson(people))
    write(folder, "auth0/users.csv", auth0_table(good, BULK_COLUMNS))
    # as it comes out of a spreadsheet: byte order mark, CR LF
    write(folder, "auth0/users-fr.csv", b"\xef\xbb\xbf" + auth0_table(good, FRENCH_COLUMNS, "\r\n"))
    write(folder, "auth0/users.tsv.csv",
          plain_table([h for h, _ in OLD_COLUMNS], [[at(p, path) for _, path in OLD_COLUMNS] for p in good],
                      "\t", last_newline=False))
    write(folder, "unsubscribed.csv", unsubscribed(people))
    write(folder, "cohort/users.csv", cohort_users(people))
    write(folder, "cohort/events.csv", cohort_events(people))

    readme = os.path.join(folder, "README.md")
    if os.path.exists(readme):
        with open(readme, encoding="utf-8") as file:
            text = file.read()
        before, rest = text.split(TABLE_START)
        after = rest.split(TABLE_END)[1]
        write(folder, "README.md",
              (before + TABLE_START + "\n" + readme_table() + "\n" + TABLE_END + after).encode("utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
