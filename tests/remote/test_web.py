"""Rule D11: files on web servers, read from a hostile one over HTTPS on this machine."""

from __future__ import annotations

import email.utils
import json
import re
import socket
import threading
import time
import tracemalloc

import pytest

import royaltycli
from royaltycli.api import check
from royaltycli.errors import ManifestError, RemoteError
from royaltycli.limits import MiB
from royaltycli.remote import addresses, connections, web
from tests.remote.servers import Web

BYTES = bytes(range(256)) * 40


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    """Wait no longer than a moment, unless the server asks for it; give up soon, and read little at a time."""
    monkeypatch.setattr(web.random, "uniform", lambda _low, _high: 0.01)
    monkeypatch.setattr(web, "RETRIES", 4)


def read(server, start=0, stop=10240):
    url = f"{server.url}/a.bin"
    size, version = web.find(url)
    server.log.clear()
    return lambda: web.fetch(url, size, version, start, stop)


@pytest.fixture
def server(web):
    web.files["/a.bin"] = BYTES
    return web


# -- reading -------------------------------------------------------------------------------------


def test_a_corpus_on_a_web_server_counts_as_the_same_corpus_here(server, folder):
    rows = [{"text": f"Document {number}.", "by": f"a{number % 3}"} for number in range(50)]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    server.files |= {"/b%20c/one.txt": b"One day.", "/posts.jsonl": lines.encode(), "/empty.txt": b""}
    manifest = """
[corpus]
remote = true
[[source]]
id = "a"
path = ["{root}/b%20c/one.txt{query}", "{root}/empty.txt"]
[[collection]]
id = "b"
path = "{root}/posts.jsonl"
source = "by"
"""
    place = folder(
        {
            "here.toml": manifest.format(root=".", query=""),
            "there.toml": manifest.format(root=server.url, query="?download=1"),
            "b%20c/one.txt": "One day.",
            "empty.txt": "",
            "posts.jsonl": lines,
        }
    )
    here, there = (royaltycli.scan(place / f"{name}.toml") for name in ("here", "there"))
    assert there["digest"].equals(here["digest"])
    assert there["tokens"].equals(here["tokens"])


def test_an_unchanged_file_is_not_read_again(server, folder, tmp_path):
    server.files["/a.txt"] = b"One day."
    place = folder({"corpus.toml": f'[corpus]\nremote = true\n[[source]]\nid = "a"\npath = "{server.url}/a.txt"\n'})
    royaltycli.scan(place, output=tmp_path / "tokens.parquet")
    server.log.clear()
    royaltycli.scan(place, output=tmp_path / "tokens.parquet")
    assert server.gets("a.txt") == ["bytes=0-0"]


def test_a_part_is_what_was_asked_for(server):
    assert read(server, 100, 1000)() == BYTES[100:1000]
    assert server.gets("a.bin") == ["bytes=100-999"]


# -- what goes wrong on the way -------------------------------------------------------------------


def test_a_connection_that_breaks_is_taken_up_at_the_byte_where_it_broke(server):
    fetch = read(server)
    server.faults.extend(["drop", "drop"])
    assert fetch() == BYTES
    assert server.gets("a.bin") == ["bytes=0-10239", "bytes=5120-10239", "bytes=7680-10239"]


def test_an_answer_that_only_drips_is_given_up_and_asked_for_at_the_byte_where_it_was(server, monkeypatch):
    fetch = read(server)
    monkeypatch.setattr(web, "REQUEST_SECONDS", 0.3)
    server.faults.append("drip")
    assert fetch() == BYTES
    first, second = server.gets("a.bin")
    assert (first, second[-6:]) == ("bytes=0-10239", "-10239")
    assert 0 < int(re.search("[0-9]+", second)[0]) < 9000


def test_an_answer_that_always_drips_is_an_error_in_the_end(server, monkeypatch):
    fetch = read(server)
    monkeypatch.setattr(web, "REQUEST_SECONDS", 0.01)
    server.faults.extend(["drip"] * 9)
    with pytest.raises(RemoteError, match=r"cannot be read \(the answer took more than 0\.01 seconds\), tried 5 times"):
        fetch()


def test_an_answer_whose_head_only_drips_is_given_up_and_asked_for_anew(server, monkeypatch):
    fetch = read(server)
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    server.faults.append("drip head")
    began = time.monotonic()
    assert fetch() == BYTES
    assert server.gets("a.bin") == ["bytes=0-10239"] * 2
    assert time.monotonic() - began < 40  # of the minute for which it drips, however busy the machine


def test_an_answer_whose_head_always_drips_is_an_error_in_the_end(server, monkeypatch):
    fetch = read(server)
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.1)
    server.faults.extend(["drip head"] * 9)
    with pytest.raises(RemoteError, match=r"\(the answer did not begin within 0\.1 seconds\), tried 5 times"):
        fetch()


def test_an_empty_file_that_is_sent_as_a_whole_is_empty(server):
    """As nginx sends it, since it has no part."""
    fetch = read(server)
    server.files["/a.bin"] = b""
    server.faults.append("whole")
    assert web.find(f"{server.url}/a.bin")[0] == 0
    server.faults.append("whole")
    with pytest.raises(RemoteError, match="changed while it was being read"):
        fetch()


@pytest.mark.parametrize("fault", ["short", "other part", *({"status": status} for status in web.MAY_PASS)])
def test_what_fails_for_a_while_is_asked_for_again(server, fault):
    fetch = read(server)
    server.faults.extend([fault, fault])
    assert fetch() == BYTES


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_server_that_asks_to_wait_is_waited_for(server, status, form, monkeypatch):
    waited = []
    monkeypatch.setattr(web.time, "sleep", waited.append)
    asked = {"seconds": "7", "date": email.utils.formatdate(time.time() + 7, usegmt=True)}[form]
    fetch = read(server)
    server.faults.append({"status": status, "Retry_After": asked})
    assert fetch() == BYTES
    assert 5 < waited[0] <= 7


def test_no_server_can_make_a_scan_wait_for_ever(server, monkeypatch):
    waited = []
    monkeypatch.setattr(web.time, "sleep", waited.append)
    fetch = read(server)
    server.faults.extend([{"status": 503, "Retry_After": "99999999"}] * 99)
    with pytest.raises(
        RemoteError, match=r"a\.bin cannot be read \(status 503\), tried 5 times; check the network and try again$"
    ):
        fetch()
    assert waited == [web.LONGEST_WAIT] * 4


def test_waits_grow_and_differ(monkeypatch):
    monkeypatch.undo()
    waited = []
    monkeypatch.setattr(web.time, "sleep", waited.append)
    for failures in range(8):
        for _ in range(20):
            web._wait("url", web._Passing("broke"), failures)
    means = [sum(waited[at : at + 20]) / 20 for at in range(0, 160, 20)]
    assert means == sorted(means)
    assert len(set(waited)) > 100
    assert max(waited) <= web.LONGEST_WAIT


@pytest.mark.parametrize("fault", [None, "ignore the condition"])
def test_a_file_that_changes_between_two_parts_is_an_error_and_not_a_mix(server, fault):
    """Whether the server keeps to If-Match, or only shows another ETag."""
    fetch = read(server)

    def change():
        server.files["/a.bin"] = bytes(len(BYTES))
        return fault

    server.faults.extend(["drop", change])
    with pytest.raises(
        RemoteError, match=r"a\.bin: changed while it was being read; let it come to rest and scan again$"
    ):
        fetch()


@pytest.mark.parametrize("fault", ["other size", {"status": 404}, {"status": 410}, {"status": 416}])
def test_a_file_of_another_size_or_that_is_gone_has_changed(server, fault):
    fetch = read(server)
    server.faults.append(fault)
    with pytest.raises(RemoteError, match="changed while it was being read"):
        fetch()


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("a.jsonl", 10**18 - 1, r"cannot be read \(.*\), tried 5 times; check the network and try again$"),
        ("a.jsonl.gz", 10**18 - 1, r"cannot be read \(.*\), tried 5 times; check the network and try again$"),
        ("a.parquet", 10**18 - 1, r"cannot be read \(.*\), tried 5 times; check the network and try again$"),
        ("a.warc", 10**18 - 1, r"cannot be read \(.*\), tried 5 times; check the network and try again$"),
        ("a.txt.gz", 10**18 - 1, r"cannot be read \(.*\), tried 5 times; check the network and try again$"),
        ("a.txt", 2**31 - 1, r"cannot be read \(.*\), tried 5 times; check the network and try again$"),
        ("a.txt", 2**31, "longer than 2,147,483,647 bytes"),
    ],
)
def test_a_server_that_lies_about_a_size_costs_neither_memory_nor_time(server, folder, name, size, message):
    server.files[f"/{name}"] = b'{"text": "One day."}\n' * 50
    server.claims[f"/{name}"] = size
    url = f"{server.url}/{name}"
    place = folder({"corpus.toml": f'[corpus]\nremote = true\n[[source]]\nid = "a"\npath = "{url}"\n'})
    before = threading.enumerate()
    tracemalloc.start()
    try:
        with pytest.raises(royaltycli.RoyaltyError, match=f"^{re.escape(url)}:? {message}"):
            royaltycli.scan(place, workers=1)
        assert tracemalloc.get_traced_memory()[1] < 96 * MiB  # most of it for the engine and its vocabulary
    finally:
        tracemalloc.stop()
    for thread in set(threading.enumerate()).difference(before):
        if not thread.daemon:  # another piece, for which the scan did not wait
            thread.join()
    assert len(server.log) < 50


def test_a_file_without_an_etag_is_told_by_its_time_and_a_weak_one_by_comparison(server):
    server.tags["/a.bin"] = 'W/"weak"'
    fetch = read(server)
    assert fetch() == BYTES
    server.tags["/a.bin"] = 'W/"other"'
    with pytest.raises(RemoteError, match="changed while it was being read"):
        fetch()


# -- what is refused -----------------------------------------------------------------------------


def problem(folder, url):
    place = folder({"corpus.toml": f'[corpus]\nremote = true\n[[source]]\nid = "a"\npath = "{url}"\n'})
    with pytest.raises(ManifestError) as caught:
        check(place)
    return str(caught.value).removeprefix(f"{place}/corpus.toml:3: source 'a': path '{url}': ")


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"status": 404}, "{url} does not exist (status 404); check its spelling"),
        ({"status": 403}, "{url} may not be read by you (status 403); ask its owner for permission"),
        ({"status": 418}, "{url} cannot be read (status 418); check it in a browser"),
        (
            {"status": 206, "Content_Range": "bytes 0-0/9", "ETag": '"tag"', "Content_Encoding": "gzip"},
            "{url} is sent packed ('gzip'), so that no part can be read; copy it to this machine",
        ),
        ("whole", "{url} is sent only as a whole, so that no break could be mended; copy it to this machine"),
    ],
)
def test_what_cannot_be_found_is_named(server, folder, fault, message):
    server.files["/a.txt"] = b"One day."
    server.faults.append(fault)
    assert problem(folder, f"{server.url}/a.txt") == message.format(url=f"{server.url}/a.txt")


def test_a_file_without_a_version_is_refused(server, folder):
    server.files["/a.txt"] = b"One day."
    server.tags["/a.txt"] = ""
    url = f"{server.url}/a.txt"
    what = "has neither an ETag nor a time, by which a change in mid-scan could be noticed; copy it to this machine"
    assert problem(folder, url) == f"{url} {what}"


def test_a_certificate_for_another_name_or_of_an_unknown_authority_is_refused(server, folder, monkeypatch):
    monkeypatch.setenv("ROYALTY_TRUSTED_HOSTS", f"127.0.0.1:{server.server_port}")
    said = problem(folder, f"https://127.0.0.1:{server.server_port}/a.txt")
    assert "the server cannot prove who it is" in said
    assert said.endswith("; use another address, or see to your certificates (SSL_CERT_FILE)")
    other = Web({"/a.txt": b"One day."})
    monkeypatch.setenv("ROYALTY_TRUSTED_HOSTS", f"localhost:{other.server_port}")
    assert "the server cannot prove who it is" in problem(folder, f"{other.url}/a.txt")
    assert not other.log
    other.stop()


# -- private addresses ---------------------------------------------------------------------------


@pytest.mark.parametrize("trusted", ["", "localhost", "localhost:1", "127.0.0.1"])
def test_a_private_address_is_refused_unless_the_user_trusts_this_very_host_and_port(
    server, folder, monkeypatch, trusted
):
    monkeypatch.setenv("ROYALTY_TRUSTED_HOSTS", trusted)
    name = f"localhost:{server.server_port}"
    said = problem(folder, f"{server.url}/a.txt")
    assert re.fullmatch(
        rf"localhost is at (127\.0\.0\.1|::1), a private address, where a manifest must not reach; "
        rf"if you trust it, set ROYALTY_TRUSTED_HOSTS={name} in your environment",
        said,
    )
    assert not server.log


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("https://169.254.169.254/latest/meta-data/", "169.254.169.254 is at 169.254.169.254, a private address"),
        ("https://[fd00::1]/a.txt", "fd00::1 is at fd00::1, a private address"),
        ("https://10.0.0.1:8443/a.txt", "10.0.0.1 is at 10.0.0.1, a private address"),
        ("http://169.254.169.254/latest/meta-data/", "is no address of the form https://HOST/PATH"),
        ("http://example.com/a.txt", "is no address of the form https://HOST/PATH"),
        ("file:///etc/passwd", "is no address of the form https://HOST/PATH"),
        ("https://me@localhost/a.txt", "is no address of the form https://HOST/PATH"),
    ],
)
def test_a_redirect_is_checked_like_the_first_address(server, folder, target, message):
    server.faults.append({"status": 302, "Location": target})
    assert message in problem(folder, f"{server.url}/a.txt")
    assert len(server.log) == 1


@pytest.mark.parametrize(
    "target",
    [
        "https://[bad",
        "https://[bad]/a.txt",
        "https://[::::]/",
        "https://h:99999/",
        "https://h:abc/",
        "https://h:0/",
        "https://a..b/",
        f"https://{'a' * 64}.example/",
    ],
)
def test_a_redirect_to_what_is_no_address_is_an_error(server, folder, target):
    server.faults.append({"status": 302, "Location": target})
    assert problem(folder, f"{server.url}/a.txt") == (
        f"{target} is no address of the form https://HOST/PATH, but was redirected to; name another"
    )


@pytest.mark.parametrize("host", ["example.org", "h:99999"])
def test_a_password_in_a_redirect_is_not_shown(server, folder, host):
    server.faults.append({"status": 302, "Location": f"https://me:secret@{host}/a.txt"})
    assert problem(folder, f"{server.url}/a.txt") == (
        f"https://{host}/a.txt is no address of the form https://HOST/PATH, but was redirected to; name another"
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://h:99999/x.txt",
        "https://h:0/x.txt",
        "https://[::1]:99999/x.txt",
        "https://[::::]/x.txt",
        "https://a..b/x.txt",
        f"https://{'a' * 64}.example/x.txt",
    ],
)
def test_a_host_or_port_that_cannot_be_is_an_error(folder, url):
    assert problem(folder, url) == f"{url} has a host or a port that no web server can have; check its spelling"


@pytest.mark.parametrize("size", ["9" * 19, "9" * 5000, "-1", "*", ""])
def test_a_size_that_cannot_be_is_an_error(server, folder, size):
    server.faults.append({"status": 206, "Content_Range": f"bytes 0-0/{size}", "ETag": '"tag"'})
    url = f"{server.url}/a.txt"
    assert problem(folder, url) == f"{url} cannot be read (status 206); check it in a browser"


@pytest.mark.parametrize("asked", ["Mon, 01 Jan 0001 00:00:00 -0000", "Wed, 99 Foo 99999", "9" * 5000, "-5", "\xb2"])
def test_a_wait_that_cannot_be_asked_for_is_none_or_the_longest(server, monkeypatch, asked):
    waited = []
    monkeypatch.setattr(web.time, "sleep", waited.append)
    fetch = read(server)
    server.faults.append({"status": 503, "Retry_After": asked})
    assert fetch() == BYTES
    assert waited in ([0.01], [web.LONGEST_WAIT])


def test_a_redirect_in_the_midst_of_reading_is_checked_too(server):
    fetch = read(server)
    server.faults.extend(["drop", {"status": 307, "Location": "https://169.254.169.254/a.bin"}])
    with pytest.raises(RemoteError, match="a private address, where a manifest must not reach"):
        fetch()


def test_redirects_to_public_or_trusted_places_are_followed_up_to_a_bound(server):
    server.faults.append({"status": 302, "Location": "/a.bin"})
    assert web.find(f"{server.url}/b.bin")[0] == len(BYTES)
    server.faults.extend([{"status": 302, "Location": "/a.bin"}] * 99)
    with pytest.raises(
        RemoteError, match=r"b\.bin is redirected more than 5 times; name the address that it leads to$"
    ):
        web.find(f"{server.url}/b.bin")


def test_the_connection_goes_to_the_address_that_was_checked(server, monkeypatch):
    """A name server that gives a public address to the check and a private one to the connection gains nothing."""
    real, asked, gone_to = socket.getaddrinfo, [], []

    def rebinding(host, port, *arguments, **options):
        if host != "rebinding.example":
            return real(host, port, *arguments, **options)
        asked.append(host)
        address = "93.184.215.14" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def connect(address, *_arguments, **_options):
        gone_to.append(address[0])
        raise OSError("no network in a test")

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr("urllib3.connection.connection.create_connection", connect)
    monkeypatch.setattr(web, "RETRIES", 0)
    with pytest.raises(RemoteError, match="no network in a test"):
        web.find(f"https://rebinding.example:{server.server_port}/a.bin")
    assert (asked, gone_to) == (["rebinding.example"], ["93.184.215.14"])


@pytest.mark.parametrize(
    "address",
    [
        "93.184.215.14",
        "1.1.1.1",
        "100.63.255.255",
        "100.128.0.1",
        "172.32.0.1",
        "198.17.255.255",
        "198.20.0.1",
        "2606:2800:21f:cb07:6820:80da:af6b:8b2c",
        "2001:200::1",
        "2a00:1450:4001:80e::200e",
        "::ffff:93.184.215.14",
        "64:ff9b::5db8:d70e",
        "2002:5db8:d70e::1",
    ],
)
def test_public_addresses(address):
    assert addresses.is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2001:0:a9fe:a9fe::1",
        "2001::1",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:db8::1",
        "3fff::1",
        "fec0::1",
        "64:ff9b:1::7f00:1",
        "64:ff9b:1:ffff::808:808",
        "64:ff9b::c0a8:1",
        "::ffff:0:127.0.0.1",
        "::ffff:0:8.8.8.8",
        "::127.0.0.1",
        "::a9fe:a9fe",
        "::8.8.8.8",
        "::ffff:100.64.0.1",
        "2002:a9fe:a9fe::1",
        "2002:a00:1::1",
        "100::1",
        "100:0:0:1::1",
        "5f00::1",
        "fd00:ec2::254",
        "4000::1",
        "192.0.0.9",
        "192.0.0.170",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "240.0.0.1",
        "239.255.255.255",
        "100.127.255.255",
        "172.31.255.255",
        "168.63.129.16",
    ],
)
def test_private_addresses(address):
    assert not addresses.is_public(address)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1"])
def test_an_address_written_otherwise_is_judged_by_what_it_is(host, monkeypatch):
    monkeypatch.setattr(web, "RETRIES", 0)
    with pytest.raises(RemoteError, match=r"a private address|cannot be read"):
        web.find(f"https://{host}/a.txt")


def test_one_private_address_among_several_is_enough(monkeypatch):
    answers = [(0, 0, 0, "", (address, 443)) for address in ("93.184.215.14", "192.168.0.1")]
    monkeypatch.setattr(addresses.socket, "getaddrinfo", lambda *_arguments, **_options: answers)
    with pytest.raises(RemoteError, match=r"example\.com is at 192\.168\.0\.1, a private address"):
        addresses.addresses_of("example.com", 443)
