"""What the client does for each fault of a server; docs/http.md has the list."""

import hashlib
import inspect
import json
import logging
import pickle
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldt_toolbox.clients import errors, imperfect
from ldt_toolbox.clients.answer import Answer
from ldt_toolbox.clients.http import HttpClient
from ldt_toolbox.clients.links import parse_links
from ldt_toolbox.clients.masking import MASK, is_secret_name, mask_text, mask_url, mask_value
from ldt_toolbox.clients.pace import Pace, pace_of
from ldt_toolbox.clients.retry import Backoff, retry_after_s
from ldt_toolbox.errors import LDTError, OutputError, WrongUseError
from requests.structures import CaseInsensitiveDict


def no_cause(error):
    """An error of requests holds the request, and with it the credentials."""
    while error is not None:
        assert type(error).__module__.partition(".")[0] not in ("requests", "urllib3", "json")
        error = error.__cause__ or error.__context__


# --- attempts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/502-once", "/503-once", "/504-once", "/500-once", "/reset-once", "/cut-once"]
)
def test_a_passing_fault_is_tried_again(server, client, waits, path):
    assert client().get(path).json() == {"ok": True}
    assert len(server.seen(path)) == 2
    assert len(waits) == 1


@pytest.mark.parametrize(
    ("path", "error", "sent"),
    [
        ("/503", errors.ServerFault, 5),
        ("/429", errors.TooManyRequests, 5),
        ("/500", errors.ServerFault, 2),  # a fault of the program rarely passes: one more try
        ("/reset", errors.ConnectionFailed, 5),
        ("/nothing", errors.ConnectionFailed, 5),
        ("/no-http", errors.ConnectionFailed, 5),
        ("/many-headers", errors.ConnectionFailed, 5),
        ("/cut", errors.Truncated, 5),
        ("/chunked-cut", errors.Truncated, 5),
        ("/chunk-garbage", errors.Truncated, 5),
        ("/cut-gzip", errors.Truncated, 5),
        ("/damaged-gzip", errors.InvalidAnswer, 1),
        ("/brotli", errors.InvalidAnswer, 1),
        ("/problem", errors.BadRequest, 1),
        ("/unknown", errors.NotFound, 1),
    ],
)
def test_a_lasting_fault_ends_in_a_typed_error(server, client, waits, path, error, sent):
    with pytest.raises(error) as caught:
        client().get(path)
    assert len(server.seen(path)) == sent
    assert len(waits) == sent - 1
    assert str(caught.value).startswith(f"GET {server.url}{path}")
    assert (f"({sent} attempts)" in str(caught.value)) == (sent > 1)
    assert isinstance(caught.value, LDTError)
    assert isinstance(caught.value, OSError)
    no_cause(caught.value)


@pytest.mark.parametrize("path", ["/503", "/500", "/reset", "/cut"])
def test_what_is_not_idempotent_is_sent_once(server, client, path):
    server.route("POST", path, server._routes["GET", path])
    with pytest.raises(errors.ClientError):
        client().post(path, json={})
    assert len(server.seen(path)) == 1
    with pytest.raises(errors.ClientError):
        client(retries=2).post(path, json={}, idempotent=True)
    assert len(server.seen(path)) == 1 + (2 if path == "/500" else 3)


def test_retries_can_be_switched_off(server, client):
    with pytest.raises(errors.ServerFault):
        client(retries=0).get("/503")
    with pytest.raises(errors.ServerFault):
        client(retries=0).get("/500")
    assert len(server.requests) == 2


def test_the_wait_is_at_least_what_the_server_asks(client, waits):
    assert client().get("/429-seconds").json() == {"ok": True}
    # 1 s as asked, and at most base_s of jitter on top
    assert 1 <= waits.pop() <= 1.5
    assert client().get("/429-date").json() == {"ok": True}
    # a date has whole seconds: 2 s may have become 1 s and a little
    assert 1 <= waits.pop() <= 2.5


def test_a_server_that_asks_for_a_day_is_not_waited_for(server, client, waits):
    with pytest.raises(errors.TooManyRequests, match="asks to wait 86400 s"):
        client().get("/429-long")
    assert len(server.requests) == 1
    assert waits == []


def test_a_delete_that_took_effect_before_the_cut_says_so(server, hostile, client):
    def handler(request):
        return hostile.Raw([]) if request.count == 1 else hostile.Reply(404)

    server.route("DELETE", "/thing", handler)
    with pytest.raises(errors.NotFound) as caught:
        client().delete("/thing")
    assert caught.value.attempts == 2


@given(st.integers(1, 400), st.floats(0, 120) | st.none())
def test_waits_grow_but_never_beyond_their_bounds(attempt, asked_s):
    wait_s = Backoff().wait_s(attempt, asked_s)
    if asked_s is None:
        assert 0 <= wait_s <= min(30, 0.5 * 2 ** (attempt - 1))
    else:
        assert asked_s <= wait_s <= asked_s + 0.5


NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@given(st.integers(0, 10**12))
def test_retry_after_in_seconds(seconds):
    assert retry_after_s(f" {seconds} ", NOW) == seconds


@given(st.integers(-(10**8), 10**9))
def test_retry_after_as_a_date_never_goes_back(seconds):
    when = NOW + timedelta(seconds=seconds)
    for text in (
        format_datetime(when, usegmt=True),
        when.strftime("%a %b %e %H:%M:%S %Y"),  # asctime, RFC 9110 5.6.7
    ):
        assert retry_after_s(text, NOW) == max(0, seconds)


def test_retry_after_as_an_obsolete_date():
    assert retry_after_s("Sunday, 01-Mar-26 12:00:30 GMT", NOW) == 30


@given(st.text() | st.none())
def test_retry_after_of_anything_is_a_wait_or_nothing(text):
    found = retry_after_s(text, NOW)
    assert found is None or found >= 0


# --- time and size ------------------------------------------------------------------------------


def test_a_slow_server_is_left_after_the_time_allowed(server, client):
    begun = time.monotonic()
    with pytest.raises(errors.TimedOut, match=r"no answer within 0\.2 s") as caught:
        client(timeout_s=(1, 0.2)).get("/slow")
    assert isinstance(caught.value, TimeoutError)
    assert len(server.seen("/slow")) == 2  # once more, not four times more
    assert time.monotonic() - begun < 2


def test_a_server_that_falls_silent_is_left(server, client):
    with pytest.raises(errors.TimedOut, match="silent after 3 bytes"):
        client(timeout_s=(1, 0.2)).get("/silent")


def test_a_server_that_drips_is_left(server, client):
    begun = time.monotonic()
    with pytest.raises(errors.TimedOut, match=r"not complete after 0\.3 s"):
        client(total_s=0.3, retries=0).get("/drip")
    assert time.monotonic() - begun < 1.5


def test_an_endless_body_is_left(client):
    with pytest.raises(errors.TooLarge, match="sent more than that, 1000000 bytes are allowed"):
        client(max_bytes=1_000_000).get("/endless")


def test_a_body_that_declares_too_much_is_not_read(client):
    with pytest.raises(errors.TooLarge, match="declares 999999999999 bytes"):
        client().get("/declares-much")


def test_a_gzip_bomb_is_noticed_before_it_fills_the_memory(client):
    asking = client(max_bytes=1_000_000)
    asking.get("/ok")
    tracemalloc.start()
    try:
        with pytest.raises(errors.TooLarge, match="by decompression"):
            asking.get("/bomb")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # 50 MB unpacked. The server of the test lives in this process: its packed bomb and the block
    # of 1 MB that it packs count as well, besides the 1 MB that is allowed.
    assert peak < 8_000_000


@pytest.mark.parametrize("path", ["/gzip", "/deflate", "/raw-deflate"])
def test_compression_is_undone(client, path):
    assert client().get(path).json() == {"ok": True}


# --- what the body says -------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/wrong-type", "/no-type"])
def test_json_under_another_name_is_read_with_a_warning(client, path):
    answer = client().get(path)
    with pytest.warns(imperfect.WrongContentTypeWarning, match="JSON declared as"):
        assert answer.json() == {"ok": True}


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/login-page", "HTML or XML, perhaps a login page"),
        ("/invalid-json", "line 1 column 9"),
        ("/truncated-200", "where the body ends"),
        ("/empty", "the body is empty"),
    ],
)
def test_what_is_no_json_is_told_without_being_quoted(client, path, told):
    answer = client().get(path)
    with pytest.raises(errors.InvalidAnswer, match=told) as caught:
        answer.json()
    assert "hunter22" not in str(caught.value)
    no_cause(caught.value)
    assert isinstance(caught.value, ValueError)


def test_deep_nesting_is_an_error_of_the_answer():
    deep = Answer(200, "http://x/", CaseInsensitiveDict(), b"[" * 200_000)
    with pytest.raises(errors.InvalidAnswer):
        deep.json()


def test_nan_stays_a_float_with_a_warning(client):
    answer = client().get("/nan")
    with pytest.warns(imperfect.InvalidNumberWarning, match="-Infinity, NaN"):
        value = answer.json()
    assert value["t"] != value["t"]
    assert value["u"] == float("-inf")


def test_declared_characters_are_respected(client):
    assert client().get("/latin-1").json() == {"name": "Nîmes"}


def test_an_answer_without_length_warns_unless_json_proves_it(client):
    with pytest.warns(imperfect.UnknownLengthWarning, match="a cut would go unnoticed"):
        assert client().get("/http10").text == "a,b\n1,2\n"
    assert client().get("/http10-json").json() == {"ok": True}


def test_problem_details_are_shown(server, client):
    with pytest.raises(errors.BadRequest) as caught:
        client().get("/problem", params={"q": "speed>"})
    error = caught.value
    assert error.status == 400
    assert error.problem["type"] == "https://uri.etsi.org/ngsi-ld/errors/BadRequestData"
    assert "Bad request data - q: unexpected token at 7 (https://uri.etsi.org" in str(error)
    assert error.request == f"GET {server.url}/problem?q=speed%3E"
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (str(again), again.status, again.problem) == (str(error), 400, error.problem)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, errors.Unauthorised), (403, errors.Forbidden), (404, errors.NotFound),
        (405, errors.NotImplementedByServer), (409, errors.Conflict), (410, errors.NotFound),
        (412, errors.PreconditionFailed), (413, errors.RequestTooLarge), (422, errors.BadRequest),
        (418, errors.HttpStatusError), (501, errors.NotImplementedByServer),
        (507, errors.ServerFault),
    ],
)  # fmt: skip
def test_each_status_has_its_error_unless_expected(server, hostile, client, status, error):
    server.route("GET", "/s", lambda request: hostile.Reply(status, {"title": "why"}))
    with pytest.raises(error, match=f"answered {status} .*why.*; ") as caught:
        client().get("/s")
    assert type(caught.value) is error
    assert client().get("/s", expected={status}).status == status


def test_bodies_of_errors_are_read_to_a_bound(server, hostile, client):
    server.route("GET", "/e", lambda request: hostile.Reply(400, b"[" * 1_000_000))
    with pytest.raises(errors.BadRequest) as caught:
        client().get("/e")
    assert caught.value.problem == {}


def test_nothing_listens(client):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(errors.ConnectionFailed, match="refused; check that the server runs") as e:
        client(f"http://127.0.0.1:{port}").get("/")
    no_cause(e.value)
    assert isinstance(e.value, ConnectionError)


# --- strictness ---------------------------------------------------------------------------------


def test_strict_raises_and_restores(client):
    answer = client().get("/wrong-type")
    with pytest.raises(errors.ClientError), imperfect.strict():
        answer.json()
    with pytest.warns(imperfect.WrongContentTypeWarning):
        answer.json()
    with imperfect.ignore():
        answer.json()
        with pytest.raises(imperfect.WrongContentTypeWarning), imperfect.strict():
            answer.json()
        answer.json()
        with imperfect.strict(imperfect.PagingWarning):
            answer.json()


def test_strict_stops_a_request_that_would_warn(client, server):
    with pytest.raises(imperfect.UnknownLengthWarning), imperfect.strict():
        client().get("/http10")
    assert len(server.seen("/http10")) == 1


def test_strictness_stays_in_its_thread(client):
    answer = client().get("/wrong-type")
    both = threading.Barrier(2)
    seen = []

    def lenient():
        both.wait()
        try:
            with imperfect.ignore():
                answer.json()
            seen.append("passed")
        finally:
            both.wait()

    other = threading.Thread(target=lenient)
    other.start()
    with imperfect.strict():
        both.wait()
        with pytest.raises(imperfect.WrongContentTypeWarning):
            answer.json()
        both.wait()
    other.join()
    assert seen == ["passed"]


# --- redirects ----------------------------------------------------------------------------------


@pytest.fixture
def elsewhere(hostile):
    with hostile.HostileServer() as running:
        yield running


def test_a_redirect_inside_the_origin_keeps_headers(server, client):
    answer = client(headers={"X-Tenant": "town"}).get("/redirect", params={"to": "/echo"})
    assert answer.json()["headers"]["X-Tenant"] == "town"
    assert answer.url == f"{server.url}/echo"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_redirect_to_another_origin_takes_nothing_along(client, elsewhere, host, monkeypatch):
    monkeypatch.setenv("TOKEN", "token-abc-123")
    from ldt_toolbox.clients.auth import BearerToken

    asking = client(
        auth=BearerToken.from_env("TOKEN"), headers={"X-Custom": "key-456", "NGSILD-Tenant": "t"}
    )
    to = f"http://{host}:{elsewhere.port}/echo"
    asking.get("/redirect", params={"to": to}, headers={"Accept": "text/csv", "X-Mine": "x"})
    (seen,) = elsewhere.requests
    assert {name.lower() for name in seen.headers} == {
        "host", "user-agent", "accept", "accept-encoding", "connection",
    }  # fmt: skip
    assert seen.headers["Accept"] == "text/csv"


def test_credentials_don_t_come_back_after_a_detour(server, client, elsewhere, monkeypatch):
    monkeypatch.setenv("TOKEN", "token-abc-123")
    from ldt_toolbox.clients.auth import BearerToken

    back = f"{elsewhere.url}/redirect?to={server.url}/echo"
    answer = client(auth=BearerToken.from_env("TOKEN")).get("/redirect", params={"to": back})
    assert "Authorization" not in answer.json()["headers"]
    assert "Authorization" in server.requests[0].headers


@pytest.mark.parametrize(
    ("to", "told"),
    [
        ("/loop", "in a circle"),
        ("/chain", "comes after 10 redirects"),
        ("/redirect?to=ftp://example.org/", "where no client may follow"),
        ("/redirect?to=http://user:pw@example.org/", "where no client may follow"),
        ("/redirect?to=http://[bad/", "which is no URL"),
        ("/redirect?to=file:///etc/passwd", "where no client may follow"),
    ],
)
def test_redirects_that_lead_nowhere(server, client, to, told):
    with pytest.raises(errors.RedirectError, match=told) as caught:
        client().get(to)
    assert "pw@" not in str(caught.value)
    assert len(server.requests) <= 11


def test_the_body_of_a_redirect_is_not_read(client):
    assert client().get("/endless-redirect").json() == {"ok": True}


def test_a_body_goes_only_where_it_was_sent(server, client, elsewhere):
    server.route("POST", "/redirect", server._routes["GET", "/redirect"])
    server.route("POST", "/echo", lambda request: server._routes["GET", "/echo"](request))
    asking = client()
    assert asking.post("/redirect?status=307&to=/echo", json={"a": 1}).status == 200
    assert server.seen("/echo")[-1].json() == {"a": 1}
    # 303 turns into a GET without body (RFC 9110, 15.4.4)
    asking.post("/redirect?status=303&to=/echo", json={"a": 1})
    assert (server.requests[-1].method, server.requests[-1].body) == ("GET", b"")
    assert "Content-Type" not in server.requests[-1].headers
    for status, to in ((301, "/echo"), (302, "/echo"), (308, f"{elsewhere.url}/echo")):
        with pytest.raises(errors.RedirectError, match="send the POST request to that address"):
            asking.post(f"/redirect?status={status}&to={to}", json={"a": 1})
    assert elsewhere.requests == []


def test_tls_is_not_dropped():
    from ldt_toolbox.clients.redirects import Hop, next_hop

    hop = Hop("GET", "https://example.org/a", {}, None, authorised=True)
    with pytest.raises(errors.RedirectError, match="without TLS"):
        next_hop(hop, 302, "http://example.org/a")
    assert next_hop(hop, 302, "https://example.org:443/b").authorised
    assert not next_hop(hop, 302, "https://example.org:444/b").authorised
    assert not next_hop(hop, 302, "//example.com/b").authorised


# --- requests -----------------------------------------------------------------------------------


def test_addresses_join_the_base_with_its_path(server, client):
    asking = client(f"{server.url}/ngsi-ld/v1/")
    server.route("GET", "*", lambda request: server._routes["GET", "/echo"](request))
    for url, target in [
        ("entities", "/ngsi-ld/v1/entities"),
        ("/entities", "/ngsi-ld/v1/entities"),
        ("entities/urn:ngsi-ld:T:1", "/ngsi-ld/v1/entities/urn:ngsi-ld:T:1"),
        ("//evil.example/x", "/ngsi-ld/v1/evil.example/x"),
        ("", "/ngsi-ld/v1"),
        ("?a=b", "/ngsi-ld/v1?a=b"),
        (f"{server.url}/other#part", "/other"),
    ]:
        assert asking.get(url).json()["target"] == target
    answer = asking.get("x", params={"a": None, "b": ["1", "é"], "c": "d e"})
    assert answer.json()["target"] == "/ngsi-ld/v1/x?b=1&b=%C3%A9&c=d+e"


@pytest.mark.parametrize(
    "url",
    [
        "http://user:secretpw@127.0.0.1/", "ftp://x/", "http://", "http://a b/", "http://x:99999/",
        "http://x/\r\nY: z", "javascript:alert(1)", "http://[::1",
    ],
)  # fmt: skip
def test_unusable_addresses_are_refused(client, url):
    with pytest.raises(WrongUseError) as caught:
        client().get(url)
    assert "secretpw" not in str(caught.value)


def test_a_relative_address_needs_a_base(client):
    with pytest.raises(WrongUseError, match="no base_url"):
        client("").get("/x")
    with pytest.raises(WrongUseError, match="put the query into params"):
        client("http://x/?api_key=abc")


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\n", "€", "\x00"])
def test_headers_that_cannot_be_sent_are_named_without_value(client, value):
    with pytest.raises(WrongUseError, match="header X-Api-Key: its value") as caught:
        client().get("/ok", headers={"X-Api-Key": value})
    no_cause(caught.value)
    with pytest.raises(WrongUseError, match="header name"):
        client().get("/ok", headers={"bad name": "x"})


def test_json_bodies(server, client):
    server.route("POST", "/echo", lambda request: server._routes["GET", "/echo"](request))
    client().post("/echo", json={"é": 1})
    assert server.requests[-1].body == '{"é": 1}'.encode()
    assert server.requests[-1].headers["Content-Type"] == "application/json"
    client().post("/echo", json=[], headers={"content-type": "application/ld+json"})
    assert server.requests[-1].headers["Content-Type"] == "application/ld+json"
    with pytest.raises(WrongUseError, match="NaN"):
        client().post("/echo", json=[float("nan")])
    with pytest.raises(WrongUseError, match="not both"):
        client().post("/echo", json=[], content=b"")


def test_connections_are_used_again(server, client):
    asking = client()
    for path in ("/ok", "/gzip", "/echo", "/ok"):
        asking.get(path)
    assert server.connections == 1


def test_cookies_are_neither_kept_nor_shown(server, client):
    asking = client()
    answer = asking.get("/cookie")
    assert "Set-Cookie" not in answer.headers
    assert asking.get("/cookie").json() == {"cookie": None}


def test_proxies_come_from_the_environment(server, client, monkeypatch):
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.delenv("no_proxy", raising=False)
    server.route("GET", "/through", server._routes["GET", "/ok"])
    assert client("http://somewhere.invalid").get("/through").json() == {"ok": True}
    assert server.requests[-1].target == "http://somewhere.invalid/through"


def test_netrc_is_not_read(server, client, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password netrc-secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert "Authorization" not in client().get("/echo").json()["headers"]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_a_private_authority_is_trusted_when_named(server, client, tmp_path):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    listener = server._server
    listener.socket = context.wrap_socket(
        listener.socket, server_side=True, do_handshake_on_connect=False
    )
    url = f"https://localhost:{server.port}"
    assert client(url, verify=tmp_path / "cert.pem").get("/ok").json() == {"ok": True}
    with pytest.raises(errors.ConnectionFailed, match="name its bundle with verify="):
        client(url).get("/ok")


# --- links --------------------------------------------------------------------------------------


def with_link(text, url="http://x.example/a/b?c=d"):
    return Answer(200, url, CaseInsensitiveDict({"Link": text}), b"")


def test_several_link_headers(server, client):
    answer = client().get("/several-links")
    assert answer.links("next") == [f"{server.url}/page?at=2"]
    assert answer.links("PREV") == [f"{server.url}/page?at=0"]
    assert answer.links("http://www.w3.org/ns/json-ld#context") == ["https://example.org/c.jsonld"]
    assert answer.links("last") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('<?page=2>; rel="next"', ["http://x.example/a/b?page=2"]),
        ("<../n>;REL=next", ["http://x.example/n"]),
        ('<http://y.example/?q=a,b;c>; rel=next', ["http://y.example/?q=a,b;c"]),
        ('</1>; title="a, <b>; rel=\\"next\\""; rel="prev", </2>; rel="up next"',
         ["http://x.example/2"]),
        ('</1>; rel="prev"; rel="next"', []),  # RFC 8288, 3.3: the first rel counts
        ('</1>; rel="next"; anchor="#part"', []),
        ('</1>; rel="next"; anchor="/a/b?c=d"', ["http://x.example/1"]),
        ('</1> ; rel = next , , </2>;rel="next"',
         ["http://x.example/1", "http://x.example/2"]),
        ("</î>; rel=next".encode().decode("latin-1"), ["http://x.example/î"]),
        ("</1; rel=next", []),
        ("", []),
    ],
)  # fmt: skip
def test_link_headers_as_servers_write_them(text, found):
    assert with_link(text).links("next") == found


TOKEN = st.text("abcXYZ09-._~", min_size=1, max_size=8)
VALUE = st.text(
    st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=20
)


@given(
    st.lists(
        st.tuples(
            st.text("abc/?=&,;:%20'", max_size=20),
            st.lists(TOKEN, min_size=1, max_size=3),
            st.dictionaries(TOKEN.filter(lambda name: name.lower() != "rel"), VALUE, max_size=3),
        ),
        max_size=4,
    ),
    st.sampled_from([", ", ",", " ,, "]),
)
def test_any_links_come_back_as_they_were_written(links, between):
    def quoted(text):
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    text = between.join(
        f"<{target}>" + "".join(f";{name}={quoted(value)}" for name, value in others.items())
        + f"; rel={quoted(' '.join(relations))}"
        for target, relations, others in links
    )  # fmt: skip
    read = parse_links(text)
    assert [link.target for link in read] == [target.strip() for target, _, _ in links]
    for link, (_, relations, others) in zip(read, links, strict=True):
        assert link.relations == tuple(relation.lower() for relation in relations)
        kept = {}
        for name, value in others.items():
            kept.setdefault(name.lower(), value)
        assert {k: v for k, v in link.parameters.items() if k != "rel"} == kept


@given(st.text(st.sampled_from('<>;,="\\ relnxtaé/?'), max_size=60))
def test_no_text_breaks_the_link_reader(text):
    for link in parse_links(text):
        assert f"<{link.target}" in text.replace("< ", "<") or link.target in text


def test_location_is_absolute(server, hostile, client):
    server.route("POST", "/e", lambda request: hostile.Reply(201, headers=[("Location", "/e/1")]))
    assert client().post("/e", json={}).location == f"{server.url}/e/1"
    assert client().get("/ok").location == ""


# --- pace ---------------------------------------------------------------------------------------


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@given(st.floats(0.5, 50), st.integers(1, 5), st.lists(st.floats(0, 2), min_size=1, max_size=40))
def test_no_window_holds_more_than_rate_and_burst(rate, burst, gaps):
    clock = Clock()
    pace = Pace(rate, burst=burst, clock=clock, sleep=clock.sleep)
    passed = []
    for gap in gaps:
        clock.now += gap
        pace.wait()
        passed.append(clock.now)
    for start in range(len(passed)):
        for end in range(start, len(passed)):
            # 1e-6 requests: rounding of sums of times around 100 s
            assert end - start + 1 <= burst + rate * (passed[end] - passed[start]) + 1e-6


def test_threads_share_a_pace(server, client):
    asking = client(requests_per_s=50)
    begun = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: asking.get("/ok"), range(11)))
    # ten gaps of 20 ms; the clock of the machine may be a hair fast
    assert time.monotonic() - begun > 0.199


def test_a_pace_can_be_held():
    clock = Clock()
    pace = Pace(10, burst=3, clock=clock, sleep=clock.sleep)
    pace.hold(5)
    pace.wait()
    assert clock.now == pytest.approx(105)
    for rate in (0, -1, float("nan"), float("inf")):
        with pytest.raises(WrongUseError, match="requests_per_s"):
            Pace(rate)


def test_hosts_have_the_paces_of_the_registry():
    wfs = pace_of("https://data.geopf.fr/wfs/ows?x=y")
    assert wfs is pace_of("https://DATA.geopf.fr/other")
    heights = pace_of("https://data.geopf.fr/altimetrie/1.0/calcul")
    assert heights is not wfs
    assert heights._interval_s == pytest.approx(1 / 5)
    assert wfs._interval_s == pytest.approx(1 / 30)
    assert pace_of("https://georisques.gouv.fr/api/v1/x")._interval_s >= 60 / 1000
    assert pace_of("http://127.0.0.1/") is None


# --- downloads ----------------------------------------------------------------------------------

FILE = bytes(range(256)) * 1000
SHA = hashlib.sha256(FILE).hexdigest()


def file_route(hostile, *, tag='"v1"', ranges=True, cuts=0, content=FILE):
    """A file that is cut in its middle by the first `cuts` requests."""

    def handler(request):
        start = 0
        wanted = request.headers.get("Range")
        if ranges and wanted and request.headers.get("If-Range") == tag:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
        part = content[start:]
        lines = [f"Content-Length: {len(part)}", f"ETag: {tag}" if tag else "X-None: 1"]
        status = "200 OK"
        if start:
            status = "206 Partial Content"
            lines.append(f"Content-Range: bytes {start}-{len(content) - 1}/{len(content)}")
        sent = part[: len(part) // 2] if request.count <= cuts else part
        return hostile.Raw([hostile.head(*lines, status=status), sent])

    return handler


def only(path):
    """The file, and nothing beside it."""
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    return path.read_bytes()


def test_a_cut_download_goes_on_where_it_stopped(server, hostile, client, tmp_path):
    server.route("GET", "/f", file_route(hostile, cuts=2))
    assert only(client().download("/f", tmp_path / "d" / "f.bin", sha256=SHA)) == FILE
    asked = [r.headers.get("Range") for r in server.requests]
    half = len(FILE) // 2
    assert asked == [None, f"bytes={half}-", f"bytes={half + half // 2}-"]
    assert server.requests[1].headers["If-Range"] == '"v1"'
    assert server.requests[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("options", [{"tag": ""}, {"tag": 'W/"weak"'}, {"ranges": False}])
def test_a_cut_download_starts_anew_where_it_cannot_go_on(
    server, hostile, client, tmp_path, options
):
    server.route("GET", "/f", file_route(hostile, cuts=1, **options))
    assert only(client().download("/f", tmp_path / "f.bin")) == FILE
    assert len(server.requests) == 2


def test_a_later_call_goes_on(server, hostile, client, tmp_path):
    path = tmp_path / "f.bin"
    server.route("GET", "/f", file_route(hostile, cuts=1))
    with pytest.raises(errors.Truncated):
        client(retries=0).download("/f", path)
    assert not path.exists()
    assert (tmp_path / "f.bin.part").stat().st_size == len(FILE) // 2
    assert only(client().download("/f", path, sha256=SHA)) == FILE
    assert server.requests[-1].headers["Range"] == f"bytes={len(FILE) // 2}-"


def test_a_file_that_changed_meanwhile_is_not_patched_together(server, hostile, client, tmp_path):
    path = tmp_path / "f.bin"
    server.route("GET", "/f", file_route(hostile, cuts=1))
    with pytest.raises(errors.Truncated):
        client(retries=0).download("/f", path)
    server.route("GET", "/f", file_route(hostile, tag='"v2"', content=FILE[::-1]))
    assert only(client().download("/f", path)) == FILE[::-1]


def test_a_server_that_lies_about_its_edition_is_found_out_by_the_hash(
    server, hostile, client, tmp_path
):
    path = tmp_path / "f.bin"
    server.route("GET", "/f", file_route(hostile, cuts=1, content=FILE[::-1]))
    with pytest.raises(errors.Truncated):
        client(retries=0).download("/f", path)
    server.route("GET", "/f", file_route(hostile))  # other content under the same ETag
    assert only(client().download("/f", path, sha256=SHA)) == FILE


def test_a_wrong_hash_leaves_nothing(server, hostile, client, tmp_path):
    server.route("GET", "/f", file_route(hostile))
    path = tmp_path / "f.bin"
    path.write_bytes(b"older")
    with pytest.raises(errors.HashMismatch, match="sha256 is"):
        client().download("/f", path, sha256="0" * 64)
    assert only(path) == b"older"
    with pytest.raises(WrongUseError, match="64 hexadecimal"):
        client().download("/f", path, sha256="abc")


@pytest.mark.parametrize("answer", ["416", "wrong range", "unasked 206"])
def test_ranges_that_don_t_fit_start_anew(server, hostile, client, tmp_path, answer):
    whole = file_route(hostile, cuts=1)

    def handler(request):
        if request.count != 2 and not (answer == "unasked 206" and request.count == 1):
            return whole(request)
        if answer == "416":
            return hostile.Reply(416)
        return hostile.Reply(206, b"abc", [("Content-Range", "bytes 5-7/8")])

    server.route("GET", "/f", handler)
    assert only(client().download("/f", tmp_path / "f.bin", sha256=SHA)) == FILE


def test_a_file_that_is_there_is_not_fetched_again(server, client, tmp_path):
    path = tmp_path / "f.bin"
    path.write_bytes(FILE)
    assert client().download("/f", path, sha256=SHA.upper()) == path
    assert client(offline=True).download("/f", path) == path
    assert server.requests == []
    with pytest.raises(errors.OfflineError, match="download it once"):
        client(offline=True).download("/f", tmp_path / "other.bin")


def test_downloads_of_one_path_at_once_don_t_mix(server, hostile, client, tmp_path):
    server.route("GET", "/f", file_route(hostile, cuts=3))
    asking = client()
    path = tmp_path / "f.bin"
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: asking.download("/f", path), range(6)))
    assert only(path) == FILE


def test_an_endless_download_is_left(client, tmp_path):
    with pytest.raises(errors.TooLarge):
        client().download("/endless", tmp_path / "f.bin", max_bytes=1_000_000)
    assert list(tmp_path.iterdir()) == []


def test_a_download_without_length_or_hash_warns(client, tmp_path):
    with pytest.warns(imperfect.UnknownLengthWarning):
        client().download("/http10", tmp_path / "t.csv")
    digest = hashlib.sha256(b"a,b\n1,2\n").hexdigest()
    client().download("/http10", tmp_path / "u.csv", sha256=digest)


def test_a_folder_that_cannot_be_written_is_named(client, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"f\.bin cannot be written"):
        client().download("/ok", tmp_path / "file" / "f.bin")


# --- secrets in texts ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["api_key", "apikey", "X-Api-Key", "access_token", "Authorization", "sig", "client_secret",
     "password", "X-Amz-Signature", "token", "Cookie", "Ocp-Apim-Subscription-Key", "JWT"],
)  # fmt: skip
def test_secret_names(name):
    assert is_secret_name(name)
    assert mask_url(f"https://h/p?a=1&{name}=S3CRET#f") == f"https://h/p?a=1&{name}={MASK}"
    for text in (f"{name}=S3CRET", f'{{"{name}": "S3CRET"}}', f"see ?x=1&{name}=S3CRET, then"):
        assert "S3CRET" not in mask_text(text)
    assert mask_value({"a": [{name: "S3CRET"}]}) == {"a": [{name: MASK}]}


def test_urls_inside_urls_are_masked():
    inner = "https%3A%2F%2Fme%3AS3CRET%40host%2F"
    assert mask_url(f"https://h/p?to={inner}&q=1") == f"https://h/p?to={MASK}&q=1"
    assert "S3CRET" not in mask_url("https://h/p?to=https://x/?api_key=S3CRET")
    assert "S3CRET" not in mask_url("https://h/p/eyJhbGciOi.eyJzdWIi.S3CRET/q")


@pytest.mark.parametrize("name", ["q", "type", "limit", "NGSILD-Tenant", "Accept", "id", "bbox"])
def test_ordinary_names(name):
    assert not is_secret_name(name)
    assert mask_url(f"https://h/p?{name}=value") == f"https://h/p?{name}=value"


@given(st.text("abcdefABCDEF0123456789-_.~+/", min_size=8, max_size=40))
def test_known_secrets_go_from_any_text(secret):
    for text in (f"'{secret}' was refused", f"x{secret}x", f"Bearer {secret}"):
        assert secret not in mask_text(text, [secret])
    assert secret not in mask_text(f"http://me:{secret.replace('/', '')}@host/", [secret])


def test_log_lines_of_the_transport_are_masked(client, caplog):
    with caplog.at_level(logging.DEBUG):
        client().get("/ok", params={"api_key": "S3CRET", "q": "plain"})
    assert any(record.name == "urllib3.connectionpool" for record in caplog.records)
    assert "q=plain" in caplog.text
    assert "S3CRET" not in caplog.text


def test_the_client_shows_itself_without_secrets(server, client):
    shown = repr(client(headers={"X-Api-Key": "S3CRET"}))
    assert "S3CRET" not in shown
    assert server.url in shown
    with HttpClient(server.url) as one:
        assert "<Answer 200" in repr(one.get("/ok"))
    assert json.loads(one.get("/ok").content) == {"ok": True}


def test_a_wait_that_a_server_asks_for_holds_all_threads(server, hostile, client):
    server.route(
        "GET", "/busy", hostile.once(lambda r: hostile.Reply(429, headers=[("Retry-After", "0.3")]))
    )
    asking = client(requests_per_s=1000, retries=0)
    with pytest.raises(errors.TooManyRequests):
        asking.get("/busy")
    begun = time.monotonic()
    asking.get("/ok")
    assert time.monotonic() - begun > 0.25  # 0.3 s less what passed since the answer


@pytest.mark.parametrize(("page", "least"), [("http.md", 50), ("ngsi-ld.md", 40)])
def test_the_list_of_faults_names_tests_that_exist(page, least):
    root = Path(__file__).parents[2]
    text = (root / "docs" / page).read_text("utf-8")
    named = set(re.findall(r"`(test_\w+)`", text))
    there = "".join(path.read_text("utf-8") for path in Path(__file__).parent.rglob("test_*.py"))
    assert len(named) > least
    assert {name for name in named if f"def {name}(" not in there} == set()
    files = set(re.findall(r"`(test_\w+\.py)`", text))
    assert {name for name in files if not list(Path(__file__).parent.rglob(name))} == set()


def test_no_request_waits_for_ever(server):
    assert inspect.signature(HttpClient).parameters["timeout_s"].default == (5, 60)
    for never in ((None, 60), (5, None), (0, 1), (5, float("inf"))):
        with pytest.raises(WrongUseError, match="timeout_s"):
            HttpClient(server.url, timeout_s=never)
