"""What the client does for each fault of a server; docs/http.md has the list."""

import inspect
import pickle
import re
import socket
import threading
import time
import tracemalloc
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldt_toolbox.clients import errors, imperfect
from ldt_toolbox.clients.answer import Answer
from ldt_toolbox.clients.http import HttpClient
from ldt_toolbox.clients.retry import Backoff, retry_after_s
from ldt_toolbox.errors import LDTError, WrongUseError
from requests.structures import CaseInsensitiveDict

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
def test_a_lasting_fault_ends_in_a_typed_error(server, client, waits, path, error, sent, no_cause):
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


def test_no_request_waits_for_ever(server):
    assert inspect.signature(HttpClient).parameters["timeout_s"].default == (5, 60)
    for never in ((None, 60), (5, None), (0, 1), (5, float("inf"))):
        with pytest.raises(WrongUseError, match="timeout_s"):
            HttpClient(server.url, timeout_s=never)


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
def test_what_is_no_json_is_told_without_being_quoted(client, path, told, no_cause):
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


def test_nothing_listens(client, no_cause):
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
