#!/usr/bin/env python3
"""Holds requests that reached the simulators against a server that others made from the vendors' descriptions.

    USHER_EXCHANGES=/some/folder cargo test -p usher --test deliveries
    python3 -B tests/vendors/prism.py /some/folder

Installs @stoplight/prism-cli as `prism/package-lock.json` has it, below target/; starts `prism mock --errors` on each
description as it lies in `openapi/`, sends every request that was kept, and prints in prism's words what is wrong with any.
Ends with 1 then, with 2 when it could not judge.

Nothing is changed in the descriptions. Prism serves the paths as a description names them, without `basePath` or what
stands in the address of `servers`; the requests are kept without that, too (`src/exchanges.rs`).
"""

import base64, ctypes, http.client, json, os, shutil, signal, socket, subprocess, sys, tempfile, time
from pathlib import Path
from urllib.parse import urlencode

HERE = Path(__file__).resolve().parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or HERE.parents[1] / "target") / "prism"
DESCRIPTIONS = ["zendesk", "constant-contact", "auth0-management", "auth0-authentication"]
PATIENCE = 180  # seconds until prism listens, on a machine that has much else to do

# What prism refuses and a vendor takes: description, how the request's line begins, what prism's text holds, and why.
EXCEPTIONS = [
    (
        "zendesk",
        "POST /api/v2/organizations/create_many",
        "No supported content types",
        "the description has no body for this call, which its text speaks of: up to 100 objects (sheet, 4.1)",
    ),
    (
        "constant-contact",
        "GET /account/summary",
        "Invalid security scheme used",
        "asked without a token where nobody is logged in, so that a check which may not go online ends before it says so",
    ),
    (
        "auth0-authentication",
        "POST /oauth/token",
        "Invalid security scheme used",
        "the description asks for a token of every call, also of the one that gives tokens (sheet: credentials in the body)",
    ),
]

# Kinds of bodies that are sent once more with nonsense in them. What is in a multipart form prism hardly looks at.
SPOILED = ["application/json", "application/x-www-form-urlencoded"]

# The credentials are not the judge's affair, only that there are some.
DUMMIES = {"Basic": "Basic " + base64.b64encode(b"somebody:secret").decode(), "Bearer": "Bearer dummy"}


def give_up(why):
    print(f"prism: {why}", file=sys.stderr)
    sys.exit(2)


def install():
    """A copy of the two files and what they name, once for each version of them."""
    if not (shutil.which("node") and shutil.which("npm")):
        give_up("node and npm are needed on the PATH (node 18.20 or newer)")
    lock = (HERE / "prism/package-lock.json").read_text()
    done = TARGET / "installed"
    if not done.exists() or done.read_text() != lock:
        TARGET.mkdir(parents=True, exist_ok=True)
        for name in ["package.json", "package-lock.json"]:
            shutil.copy(HERE / "prism" / name, TARGET / name)
        # No scripts of packages: one of them only reports that it was installed.
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        if subprocess.run(command, cwd=TARGET, stdout=sys.stderr).returncode != 0:
            give_up("npm could not install it")
        done.write_text(lock)
    return TARGET / "node_modules/@stoplight/prism-cli/dist/index.js"


class Prism:
    """A server for one description. It ends with this process, however that ends."""

    def __init__(self, program, description):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.said = tempfile.TemporaryFile()
        file = HERE / "openapi" / f"{description}.json"
        command = ["node", str(program), "mock", "--errors", "-h", "127.0.0.1", "-p", str(self.port), str(file)]
        self.process = subprocess.Popen(
            command, stdout=self.said, stderr=self.said, stdin=subprocess.DEVNULL, preexec_fn=end_with_parent
        )

    def __enter__(self):
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.1)
        self.__exit__()
        self.said.seek(0)
        give_up("it does not start:\n" + self.said.read().decode(errors="replace"))

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def judge(self, request, body):
        """What is wrong with a request, in prism's words."""
        query = "?" + urlencode([tuple(pair) for pair in request["query"]]) if request["query"] else ""
        given = {
            "Accept": request["accept"] or "*/*",
            "Content-Type": request["content_type"],
            "Authorization": DUMMIES.get(request["authorization"]),
        }
        headers = {name: value for name, value in given.items() if value}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request(request["method"], request["path"] + query, body or None, headers)
        reply = connection.getresponse()
        text = reply.read().decode(errors="replace")
        connection.close()
        # What is wrong with a request stands in a header, beside a reply that prism makes up; where it has none to make
        # up, in a problem. That such a reply does not fit its own description (`--errors` tells) is not the request's fault.
        found = json.loads(reply.getheader("sl-violations") or "[]")
        if (reply.getheader("Content-Type") or "").startswith("application/problem+json"):
            problem = json.loads(text)
            if "validation" not in problem:
                return [f"{problem['title']}: {problem['detail']}"]
            found += problem["validation"]
        told = [("/".join(map(str, v.get("location", []))), v["message"]) for v in found]
        return sorted({f"{place}: {message}" for place, message in told if not place.startswith("response")})


def end_with_parent():
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def body_of(request):
    body = request["body"]
    return base64.b64decode(body["base64"]) if "base64" in body else body["text"].encode()


def excuse(description, line, text, used):
    for exception in EXCEPTIONS:
        if exception[0] == description and line.startswith(exception[1]) and exception[2] in text:
            used.add(exception)
            return True
    return False


def check(program, description, requests, used):
    """Prints what was found in one description; answers whether all is well."""
    bad = excused = noticed = spoiled = 0
    with Prism(program, description) as prism:
        for request in requests:
            line = f"{request['method']} {request['path']}"
            found = prism.judge(request, body_of(request))
            real = [text for text in found if not excuse(description, line, text, used)]
            excused += bool(found) and not real
            bad += bool(real)
            for text in real:
                print(f"{description}: {line}: {text}")
            # A judge that lets everything pass is none: the same call with another body must be refused.
            described = not any("content types" in text for text in found)
            if described and (request["content_type"] or "").split(";")[0] in SPOILED:
                spoiled += 1
                noticed += bool(set(prism.judge(request, b"[7]")) - set(found))
    calls = len({(r["method"], r["path"]) for r in requests})
    print(
        f"{description}: {len(requests)} requests to {calls} addresses, {len(requests) - bad - excused} pass, {excused} excused, "
        f"{bad} refused; {noticed} of {spoiled} spoiled ones noticed"
    )
    if not spoiled or noticed < spoiled:
        print(f"{description}: prism has nothing to judge, or lets pass what it must not; was USHER_EXCHANGES set?")
        return False
    return bad == 0


def main():
    if len(sys.argv) != 2:
        give_up("usage: prism.py FOLDER, which tests have filled (USHER_EXCHANGES)")
    kept = [json.loads(file.read_text()) for file in sorted(Path(sys.argv[1]).glob("*.json"))]
    program, used = install(), set()
    results = [
        check(program, name, [r for r in kept if r["description"] == name], used) for name in DESCRIPTIONS
    ]
    for exception in EXCEPTIONS:
        print(f"excused where {' '.join(exception[:3])}: {exception[3]}" + ("" if exception in used else " (never needed)"))
    sys.exit(0 if all(results) else 1)


main()
