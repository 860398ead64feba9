"""A stand-in for Brevo on this machine, for making `recorded/` without an account: python3 stand_in.py PORT

It answers as Brevo's pages show it. What they do not show it does not know."""

import http.server
import json
import sys

REPORTS = [
    "invalid_emails",
    "duplicate_contact_id",
    "duplicate_ext_id",
    "duplicate_email_id",
    "duplicate_phone_id",
    "duplicate_whatsapp_id",
    "duplicate_landline_number_id",
]
last, asked = 100, {}


class Api(http.server.BaseHTTPRequestHandler):
    def version_string(self):
        return "stand-in"

    def log_message(self, *_):
        pass

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def refuse(self):
        self.answer(404, {"code": "document_not_found", "message": "there is no such thing"})

    def do_GET(self):
        if self.path == "/v3/contacts/attributes":
            names = ["LASTNAME", "FIRSTNAME"]
            self.answer(200, {"attributes": [{"name": n, "category": "normal", "type": "text"} for n in names]})
        elif self.path == "/v3/contacts/lists/4":
            self.answer(200, {"id": 4, "name": "Customers"})
        elif self.path.startswith("/v3/processes/"):
            self.process(int(self.path.rsplit("/", 1)[1]))
        else:
            self.refuse()

    def process(self, number):
        """The first import is queued for a while, the second has one row that was there already."""
        asked[number] = asked.get(number, 0) + 1
        answer = {"id": number, "name": "IMPORTUSER", "status": "queued"}
        if number != 101 or asked[number] > 1:
            reports = dict.fromkeys(REPORTS)
            if number == 102:
                reports["duplicate_email_id"] = "https://example.com/102.csv"
            answer |= {"status": "completed", "info": {"import": reports}}
        self.answer(200, answer)

    def do_POST(self):
        global last
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/v3/contacts/import" or not body["jsonBody"]:
            return self.refuse()
        last += 1
        self.answer(202, {"processId": last})


http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Api).serve_forever()
