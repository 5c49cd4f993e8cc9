"""Servers on this machine to read from: one that speaks S3, behind a proxy that can be hostile, and a hostile web server."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import http.server
import logging
import select
import ssl
import threading
import time
from collections import defaultdict, deque

import trustme
from moto.server import ThreadedMotoServer

ANYBODY = "AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00"
HOP = ("transfer-encoding", "connection", "date", "server")


class Handler(http.server.BaseHTTPRequestHandler):
    """What both servers need: a log of requests, and ways to misbehave, each taken once from the server's list."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments):
        pass

    def note(self):
        self.server.log.append((self.command, self.path, self.headers.get("Range")))

    def fault(self):
        return self.server.faults.popleft() if self.server.faults and self.command == "GET" else None

    def status(self, status, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def hang_up(self):
        self.wfile.flush()
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(2)


class Server(http.server.ThreadingHTTPServer):
    """On a port of its own; `log` has each request, `faults` what is to go wrong with the next GETs."""

    daemon_threads = True

    def __init__(self, handler):
        super().__init__(("127.0.0.1", 0), handler)
        self.log, self.faults = [], deque()
        # It looks this often whether it is to end, and each test ends one.
        threading.Thread(target=self.serve_forever, args=[0.02], daemon=True).start()

    def handle_error(self, *_arguments):
        """A client that hangs up is none."""

    def gets(self, part):
        """The ranges that were asked for of what has `part` in its path."""
        return [asked for command, path, asked in self.log if command == "GET" and part in path]


class _Proxy(Handler):
    def do_GET(self):
        self.note()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kind = "list" if "list-type" in self.path else self.command
        fault = self.fault() if kind == "GET" else next(iter(self.server.others[kind][:1]), None)
        self.server.others[kind] = self.server.others[kind][1:]
        if isinstance(fault, int):
            self.status(fault)
            return
        if isinstance(fault, tuple):
            self.send_response(fault[0])
            self.send_header("Content-Length", str(len(fault[1])))
            self.end_headers()
            self.wfile.write(fault[1])
            return
        if callable(fault):
            fault()
        headers = {name: value for name, value in self.headers.items() if name.lower() != "authorization"}
        headers["Authorization"] = ANYBODY
        path = self.path.replace("%2F", "/").replace("%2E", ".")  # which moto does not take for the same
        if fault == "ignore the condition":
            headers.pop("If-Match", None) or headers.pop("if-match", None)
        connection = http.client.HTTPConnection("127.0.0.1", self.server.behind)
        connection.request(self.command, path, body, headers)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() == "content-length" and fault == "short":
                self.send_header(name, len(data) // 2)
            elif name.lower() not in HOP:
                self.send_header(name, value)
        self.end_headers()
        if fault == "spoil":
            data = data[:-1] + bytes([data[-1] ^ 1])
        if fault in ("drop", "short"):
            self.wfile.write(data[: len(data) // 2])
            self.hang_up()
        elif self.command != "HEAD":
            self.wfile.write(data)

    do_PUT = do_HEAD = do_POST = do_DELETE = do_GET  # noqa: N815 -- as the base class calls them


class Store(Server):
    """moto's S3 server behind a proxy that can be hostile.

    `others` has what is to go wrong with requests that are no GETs of a file: "PUT", "HEAD", and "list".
    """

    def __init__(self):
        self.others = defaultdict(list)
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self.moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self.moto.start()
        self.behind = self.moto.get_host_and_port()[1]
        super().__init__(_Proxy)

    def client(self):
        import boto3

        return boto3.client("s3", endpoint_url=f"http://127.0.0.1:{self.behind}")

    def put(self, bucket, files):
        client = self.client()
        client.create_bucket(Bucket=bucket)
        for name, data in files.items():
            client.put_object(Bucket=bucket, Key=name, Body=data)

    def get(self, bucket, name):
        return self.client().get_object(Bucket=bucket, Key=name)["Body"].read()

    def empty(self, bucket):
        client = self.client()
        client.create_bucket(Bucket=bucket)
        for name in self.names(bucket):
            client.delete_object(Bucket=bucket, Key=name)

    def names(self, bucket):
        return [one["Key"] for one in self.client().list_objects_v2(Bucket=bucket).get("Contents", [])]

    def stop(self):
        self.shutdown()
        self.server_close()
        self.moto.stop()


class _Page(Handler):
    def do_GET(self):
        self.note()
        path = self.path.partition("?")[0]
        fault = self.fault()
        if callable(fault):
            fault = fault()
        if isinstance(fault, dict):
            self.status(**fault)
            return
        if fault == "drip head":
            self.drip_head()
            return
        data = self.server.files.get(path)
        if data is None:
            self.status(404)
            return
        size = self.server.claims.get(path, len(data))
        tag = f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'
        tag = self.server.tags.get(path, tag)
        condition = self.headers.get("If-Match")
        if condition and condition != tag and fault != "ignore the condition":
            self.status(412)
            return
        asked = self.headers.get("Range")
        if asked is None or fault == "whole":
            start, stop, status = 0, len(data), 200
        elif not data:
            self.status(416, Content_Range="bytes */0", ETag=tag)
            return
        else:
            first, last = asked.removeprefix("bytes=").split("-")
            start, stop, status = int(first), min(int(last) + 1, size), 206
        self.send_response(status)
        if tag:
            self.send_header("ETag", tag)
        if fault == "other part":
            self.send_header("Content-Range", f"bytes {start + 1}-{stop - 1}/{len(data)}")
        elif status == 206:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size + (fault == 'other size')}")
        part = data[start:stop]
        sent = part[: len(part) // 2] if fault in ("drop", "short") else part
        self.send_header("Content-Length", len(sent) if fault == "short" else stop - start)
        self.end_headers()
        self.send_part(sent, drip=fault == "drip")
        if fault == "drop" or len(part) < stop - start:
            self.hang_up()

    def drip_head(self):
        with contextlib.suppress(OSError):
            for letter in b"HTTP/1.1 206 Partial Content\r\nX: " + b"x" * 1200:  # a minute, unless nobody waits
                self.wfile.write(bytes([letter]))
                if select.select([self.connection], [], [], 0.05)[0]:  # as it is once the other side has hung up
                    break
        self.hang_up()

    def send_part(self, part, *, drip):
        while drip and part:
            self.wfile.write(part[:512])
            part = part[512:]
            time.sleep(0.05)
        self.wfile.write(part)


class Web(Server):
    """A web server with files in memory, over HTTPS with a certificate for `localhost` that `authority` vouches for.

    It says of a file in `claims` that it has so many bytes, and hangs up after those that there are.
    """

    def __init__(self, files, *, secure=True):
        super().__init__(_Page)
        self.files, self.tags, self.claims = dict(files), {}, {}
        self.authority = trustme.CA()
        if secure:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.authority.issue_cert("localhost").configure_cert(context)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def url(self):
        return f"https://localhost:{self.server_port}"

    def stop(self):
        self.shutdown()
        self.server_close()
