"""A small Hugging Face Hub on this machine: one dataset, as its interface shows it, at one commit."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

from tests.remote.servers import Handler, Server

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_secret"


class _Hub(Handler):
    def do_GET(self):  # noqa: N802 -- as the base class calls it
        self.note()
        self.server.tokens.append(self.headers.get("Authorization"))
        if self.path.startswith("/api/") and self.server.refusals:
            refusal = self.server.refusals.pop(0)
            self.status(refusal) if refusal else self.hang_up()
            return
        path = self.path.partition("?")[0]
        tree = f"/api/datasets/o/n/tree/{COMMIT}"
        revision = path.removeprefix("/api/datasets/o/n/revision/")
        if path == "/api/datasets/o/n" or revision in ("main", "refs%2Fconvert%2Fparquet", COMMIT):
            self.send(json.dumps({"_id": "1", "id": "o/n", "sha": COMMIT, "siblings": []}).encode())
        elif path.startswith(tree):
            below = path.removeprefix(tree).strip("/")
            files = [
                {"type": "file", "path": name, "size": len(data), "oid": f"oid{len(data)}"}
                for name, data in self.server.files.items()
                if name.startswith(f"{below}/" if below else "")
            ]
            self.send(json.dumps(files).encode())
        elif path.startswith(f"/datasets/o/n/resolve/{COMMIT}/"):
            if self.fault() == 503:
                self.status(503)
                return
            data = self.server.files[path.removeprefix(f"/datasets/o/n/resolve/{COMMIT}/")]
            first, last = self.headers["Range"].removeprefix("bytes=").split("-")
            part = data[int(first) : int(last) + 1]
            self.send(part, 206, Content_Range=f"bytes {first}-{int(first) + len(part) - 1}/{len(data)}")
        else:
            self.status(404, X_Error_Code="RepoNotFound")

    def do_POST(self):  # noqa: N802 -- the same
        """Information on paths that are named."""
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())["paths"]
        files = [
            {"type": "file", "path": name, "size": len(data), "oid": f"oid{len(data)}"}
            for name, data in self.server.files.items()
            if name in asked
        ]
        self.send(json.dumps(files).encode())

    def send(self, data, status=200, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", len(data))
        self.end_headers()
        self.wfile.write(data)


class Hub(Server):
    """The dataset `o/n`.

    `refusals` are the statuses of the next answers about it, and not of its content; None is to hang up.
    """

    def __init__(self, files):
        super().__init__(_Hub)
        self.files, self.tokens, self.refusals = dict(files), [], []

    def stop(self):
        self.shutdown()
        self.server_close()
