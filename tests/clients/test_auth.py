"""Credentials: where they come from, when they are renewed, and that they show up nowhere."""

import base64
import io
import logging
import pickle
import sys
import threading
import traceback
import types
import warnings
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs

import pytest
from ldt_toolbox.clients import errors
from ldt_toolbox.clients.auth import ApiKey, BearerToken, ClientCredentials
from ldt_toolbox.clients.cache import Cache
from ldt_toolbox.clients.imperfect import CapabilityWarning
from ldt_toolbox.errors import WrongUseError

SECRET = "client-s3cret/+&=%7E"  # noqa: S105  (characters that encodings change)
STATIC = "static-token-0123456789"


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv("TWIN_ID", "town:heat")
    monkeypatch.setenv("TWIN_SECRET", SECRET)
    monkeypatch.setenv("TWIN_TOKEN", STATIC)


class Tokens:
    """A token server that hands out `issued-token-<n>`, and a resource that wants the newest."""

    def __init__(self, server, hostile, **answer):
        self.server, self.hostile = server, hostile
        self.answer = answer
        self.count = 0
        self.valid = set()
        server.route("POST", "/token", self.issue)
        server.route("GET", "/data", self.data)
        server.route("POST", "/data", self.data)

    def issue(self, request):
        pair = base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()
        if pair != "town%3Aheat:client-s3cret%2F%2B%26%3D%257E":
            return self.hostile.Reply(
                401, {"error": "invalid_client", "error_description": f"not {pair} {SECRET}"}
            )
        self.count += 1
        token = f"issued-token-{self.count}"
        self.valid.add(token)
        told = {"access_token": token, "token_type": "bearer", "expires_in": 300} | self.answer
        return self.hostile.Reply(body={k: v for k, v in told.items() if v is not None})

    def data(self, request):
        if request.headers.get("Authorization", "").removeprefix("Bearer ") in self.valid:
            return self.hostile.Reply(body={"ok": True})
        return self.hostile.Reply(
            401, {"title": "refused", "detail": f"got {request.headers.get('Authorization')}"}
        )


@pytest.fixture
def tokens(server, hostile):
    return Tokens(server, hostile)


class Clock:
    def __init__(self):
        self.now = 50.0

    def __call__(self):
        return self.now


def credentials(server, **options):
    options = {"client_id_env": "TWIN_ID", "client_secret_env": "TWIN_SECRET"} | options
    return ClientCredentials(f"{server.url}/token", **options)


def test_a_token_is_fetched_once_and_used_for_all(server, client, tokens):
    asking = client(auth=credentials(server, scope="read write"))
    for _ in range(3):
        assert asking.get("/data").json() == {"ok": True}
    (asked,) = server.seen("/token")
    assert parse_qs(asked.body.decode()) == {
        "grant_type": ["client_credentials"],
        "scope": ["read write"],
    }
    assert asked.headers["Content-Type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("life_s", "leeway_s", "renewed_after_s"),
    [(300, 30, 270), (300, 0, 300), (40, 30, 20)],  # a leeway is at most half of the life
)
def test_a_token_is_renewed_before_its_end(
    server, client, tokens, life_s, leeway_s, renewed_after_s
):
    clock = Clock()
    tokens.answer = {"expires_in": life_s}
    asking = client(auth=credentials(server, leeway_s=leeway_s, clock=clock))
    asking.get("/data")
    clock.now += renewed_after_s - 0.5
    asking.get("/data")
    assert tokens.count == 1
    clock.now += 0.5
    asking.get("/data")
    assert tokens.count == 2


@pytest.mark.parametrize("told", [None, "soon"])
def test_a_token_without_end_is_used_until_it_is_rejected(server, client, tokens, told):
    clock = Clock()
    tokens.answer = {"expires_in": told}
    asking = client(auth=credentials(server, clock=clock))
    asking.get("/data")
    clock.now += 1e9
    asking.get("/data")
    assert tokens.count == 1
    tokens.valid.clear()
    assert asking.get("/data").json() == {"ok": True}
    assert tokens.count == 2


def test_a_rejected_token_is_renewed_once_for_a_write_as_well(server, client, tokens, waits):
    asking = client(auth=credentials(server))
    asking.get("/data")
    tokens.valid.clear()
    # 401 means that nothing was done, so a POST may be repeated
    assert asking.post("/data", json={"a": 1}).json() == {"ok": True}
    assert [r.json() for r in server.requests if (r.method, r.path) == ("POST", "/data")] == [
        {"a": 1},
        {"a": 1},
    ]
    assert waits == []


def test_a_server_that_rejects_every_token_is_asked_twice(server, hostile, client, tokens):
    server.route("GET", "/never", lambda request: hostile.Reply(401))
    with pytest.raises(errors.Unauthorised):
        client(auth=credentials(server)).get("/never")
    assert len(server.seen("/never")) == 2
    assert tokens.count == 2


def test_many_threads_fetch_one_token(server, client, tokens):
    asking = client(auth=credentials(server))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: asking.get("/data"), range(16)))
    assert tokens.count == 1
    tokens.valid.clear()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: asking.get("/data"), range(16)))
    assert tokens.count == 2


def test_a_busy_token_server_is_asked_again(server, hostile, client, tokens, waits):
    def busy(request):
        return hostile.Reply(503) if request.count == 1 else tokens.issue(request)

    server.route("POST", "/token", busy)
    assert client(auth=credentials(server)).get("/data").json() == {"ok": True}
    assert len(waits) == 1


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"access_token": None}, "without a bearer token"),
        ({"token_type": "mac"}, "without a bearer token"),
        ({"access_token": "bad\r\ntoken"}, "no header can carry"),
        ({"access_token": ["x"]}, "without a bearer token"),
    ],
)
def test_answers_of_a_token_server_that_are_no_token(server, client, tokens, answer, told):
    tokens.answer = answer
    with pytest.raises(errors.AuthError, match=told) as caught:
        client(auth=credentials(server)).get("/data")
    assert isinstance(caught.value, PermissionError)


def test_a_scope_that_is_not_granted_is_told(server, hostile, client):
    granted = {"access_token": "t0ken", "token_type": "Bearer", "scope": "read"}
    server.route("POST", "/token", lambda request: hostile.Reply(200, granted))
    server.route("GET", "/open", lambda request: hostile.Reply(body={}))
    assert client(auth=credentials(server, scope="read")).get("/open").status == 200
    with pytest.warns(CapabilityWarning, match="the scope admin write; ask its operator") as told:
        client(auth=credentials(server, scope="read write admin")).get("/open")
    assert "t0ken" not in str(told[0].message)


def test_a_wrong_secret_is_told_without_the_secret(server, client, tokens, monkeypatch):
    monkeypatch.setenv("TWIN_SECRET", "another-s3cret")
    with pytest.raises(errors.AuthError, match="invalid_client") as caught:
        client(auth=credentials(server)).get("/data")
    assert "environment variable TWIN_ID" in str(caught.value)
    assert "another-s3cret" not in str(caught.value)


def test_the_form_does_not_follow_to_another_host(server, hostile, client, tokens):
    with hostile.HostileServer() as elsewhere:
        for status in (302, 307):
            server.route(
                "POST",
                "/token",
                lambda request, status=status: hostile.Reply(
                    status, headers=[("Location", elsewhere.url + "/token")]
                ),
            )
            with pytest.raises(errors.AuthError, match="redirected"):
                client(auth=credentials(server)).get("/data")
        assert elsewhere.requests == []


def test_a_token_in_the_environment_is_read_each_time(server, client, monkeypatch):
    asking = client(auth=BearerToken.from_env("TWIN_TOKEN"))
    assert asking.get("/echo").json()["headers"]["Authorization"] == f"Bearer {STATIC}"
    monkeypatch.setenv("TWIN_TOKEN", "newer-token\n")
    assert asking.get("/echo").json()["headers"]["Authorization"] == "Bearer newer-token"


def test_a_key_goes_in_its_own_header_and_to_its_own_host(server, hostile, client, monkeypatch):
    asking = client(auth=ApiKey.from_env("TWIN_TOKEN"))
    assert asking.get("/echo").json()["headers"]["X-API-Key"] == STATIC
    monkeypatch.setenv("TWIN_TOKEN", "newer-key")
    named = client(auth=ApiKey.from_env("TWIN_TOKEN", header="apikey"))
    sent = named.get("/echo").json()["headers"]
    assert sent["apikey"] == "newer-key"
    assert "Authorization" not in sent
    with hostile.HostileServer() as elsewhere:
        asking.get("/redirect", params={"to": f"{elsewhere.url}/echo"})
        assert "X-API-Key" not in elsewhere.requests[0].headers
    assert repr(asking).endswith("ApiKey(environment variable TWIN_TOKEN))")
    with pytest.raises(WrongUseError, match="no name of one"):
        ApiKey.from_env("TWIN_TOKEN", header="X: y")


def test_a_static_token_that_is_rejected_is_not_sent_again_unless_it_changed(
    server, hostile, client, monkeypatch
):
    server.route("GET", "/never", lambda request: hostile.Reply(401))
    with pytest.raises(errors.Unauthorised, match="check that credentials are given"):
        client(auth=BearerToken.from_env("TWIN_TOKEN")).get("/never")
    assert len(server.requests) == 1

    def changing(request):
        monkeypatch.setenv("TWIN_TOKEN", "newer-token")
        fresh = request.headers["Authorization"] == "Bearer newer-token"
        return hostile.Reply(body={}) if fresh else hostile.Reply(401)

    server.route("GET", "/changing", changing)
    assert client(auth=BearerToken.from_env("TWIN_TOKEN")).get("/changing").status == 200


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_variable_is_named(client, monkeypatch, value):
    if value is None:
        monkeypatch.delenv("TWIN_TOKEN")
    else:
        monkeypatch.setenv("TWIN_TOKEN", value)
    with pytest.raises(errors.AuthError, match="environment variable TWIN_TOKEN is not set"):
        client(auth=BearerToken.from_env("TWIN_TOKEN")).get("/ok")


@pytest.mark.parametrize("value", ["two words", "line\r\nX-Evil: 1", "é"])
def test_a_token_that_no_header_can_carry_is_not_quoted(server, client, monkeypatch, value):
    monkeypatch.setenv("TWIN_TOKEN", value)
    with pytest.raises(errors.AuthError, match="store the bare token") as caught:
        client(auth=BearerToken.from_env("TWIN_TOKEN")).get("/ok")
    assert value not in str(caught.value)
    assert server.requests == []


def test_the_keyring_is_optional(server, client, monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)  # as if it were not installed
    asking = client(auth=BearerToken.from_keyring("twin", "town"))
    with pytest.raises(errors.AuthError, match=r"keyring entry twin/town .*`pip install keyring`"):
        asking.get("/ok")

    ring = types.ModuleType("keyring")
    ring.get_password = {("twin", "town"): "ring-token", ("twin", "id"): SECRET}.get
    ring.get_password = lambda service, user, known=ring.get_password: known((service, user))
    monkeypatch.setitem(sys.modules, "keyring", ring)
    assert asking.get("/echo").json()["headers"]["Authorization"] == "Bearer ring-token"
    with pytest.raises(errors.AuthError, match="`keyring set twin nobody` stores it"):
        client(auth=BearerToken.from_keyring("twin", "nobody")).get("/ok")

    def locked(service, user):
        raise RuntimeError(f"locked {SECRET}")

    ring.get_password = locked
    with pytest.raises(errors.AuthError, match="RuntimeError") as caught:
        asking.get("/ok")
    assert caught.value.__context__ is None


def test_a_client_secret_may_lie_in_the_keyring(server, client, tokens, monkeypatch):
    ring = types.ModuleType("keyring")
    ring.get_password = lambda service, user: SECRET
    monkeypatch.setitem(sys.modules, "keyring", ring)
    auth = credentials(server, client_secret_env="", keyring=("twin", "secret"))
    assert client(auth=auth).get("/data").json() == {"ok": True}
    for both in ({"keyring": ("a", "b")}, {"client_secret_env": ""}):
        with pytest.raises(WrongUseError, match="either client_secret_env or keyring"):
            credentials(server, **both)


def test_credentials_go_to_their_host_only(server, hostile, client):
    auth = BearerToken.from_env("TWIN_TOKEN")
    with pytest.raises(WrongUseError, match="need a base_url"):
        client("", auth=auth)
    with pytest.raises(WrongUseError, match="need a base_url"):
        client("", headers={"X-Api-Key": "k"})
    asking = client(auth=auth, headers={"X-Api-Key": "k", "X-Tenant": "t"})
    with hostile.HostileServer() as elsewhere:
        # such as a next link that names another host
        seen = asking.get(f"{elsewhere.url}/echo").json()["headers"]
        assert not {"Authorization", "X-Api-Key", "X-Tenant"} & set(seen)
        with pytest.raises(WrongUseError, match="would go to"):
            asking.get(f"{elsewhere.url}/echo", headers={"Authorization": "Bearer abc"})
        assert len(elsewhere.requests) == 1


def test_credentials_don_t_travel_in_the_open(client):
    with pytest.raises(errors.AuthError, match=r"unencrypted to http://broker\.example; use https"):
        client("http://broker.example", auth=BearerToken.from_env("TWIN_TOKEN"))
    with pytest.raises(errors.AuthError, match="unencrypted"):
        ClientCredentials("http://id.example/t", client_id_env="A", keyring=("b", "c"))
    client("http://broker", auth=BearerToken.from_env("TWIN_TOKEN", plain_http=True))
    for host in ("http://localhost:1", "http://127.0.0.1", "http://[::1]:1", "https://x.example"):
        client(host, auth=BearerToken.from_env("TWIN_TOKEN"))
    with pytest.raises(errors.AuthError):
        client("http://127.0.0.1.evil.example", auth=BearerToken.from_env("TWIN_TOKEN"))


def test_pickles_hold_no_token(server, client, tokens):
    auth = credentials(server)
    client(auth=auth).get("/data")
    dumped = pickle.dumps(auth)
    static = BearerToken.from_env("TWIN_TOKEN")
    client(auth=static).get("/ok")
    dumped += pickle.dumps(static)
    for secret in ("issued-token", SECRET, STATIC):
        assert secret.encode() not in dumped
    again = pickle.loads(pickle.dumps(auth))  # noqa: S301
    assert client(auth=again).get("/data").json() == {"ok": True}
    assert tokens.count == 2


def everything_about(error):
    """All texts that an error leads to: its own, its attributes, its causes."""
    seen = []
    while error is not None:
        seen += [str(error), repr(error), repr(vars(error)), repr(error.args)]
        error = error.__cause__ or error.__context__
    return "\n".join(seen)


def test_no_secret_appears_anywhere(server, hostile, client, tokens, tmp_path, caplog):
    """Logs of all libraries, errors with their causes, warnings, reprs, the cache: no secret."""
    texts = []
    heard = io.StringIO()
    listener = logging.StreamHandler(heard)
    root = logging.getLogger()
    root.addHandler(listener)
    level = root.level
    root.setLevel(logging.DEBUG)

    def mirror(request):
        """A server that quotes the request wherever it can."""
        sent = request.headers.get("Authorization") or request.headers.get("Sesame")
        said = f"{sent} {request.target}"
        status = int(request.query["status"])
        return hostile.Reply(
            status, {"title": said, "detail": said, "access_token": said}, [("X-Said", said)]
        )

    server.route("GET", "/mirror", mirror)
    cache = Cache(tmp_path / "cache", authorised=True)
    key = "query-key-42"
    try:
        for auth in (
            credentials(server),
            BearerToken.from_env("TWIN_TOKEN"),
            ApiKey.from_env("TWIN_TOKEN", header="Sesame"),
        ):
            asking = client(auth=auth, cache=cache, retries=1, timeout_s=(1, 0.2))
            texts += [repr(auth), str(auth), repr(asking)]
            for path in (
                "/ok", "/cut", "/reset", "/429-long", "/loop", "/invalid-json", "/empty",
                "/slow", "/bomb", "/http10", "/wrong-type", "/brotli", "/data", "/chunked-cut",
                "/redirect?to=/ok?api_key=query-key-42",
                *(f"/mirror?status={status}" for status in (400, 401, 403, 404, 500, 503)),
            ):  # fmt: skip
                with warnings.catch_warnings(record=True) as warned:
                    warnings.simplefilter("always")
                    try:
                        answer = asking.get(path, params={"api_key": key})
                        texts += [repr(answer), answer.url]
                        answer.json()
                    except errors.ClientError as error:
                        texts += [everything_about(error), traceback.format_exc()]
                    texts += [str(w.message) for w in warned]
            with pytest.raises(errors.ClientError) as caught:
                asking.download(f"/cut?api_key={key}", tmp_path / "files" / "f.bin")
            texts.append(everything_about(caught.value))
    finally:
        root.removeHandler(listener)
        root.setLevel(level)
    texts += [heard.getvalue(), caplog.text]
    for path in tmp_path.rglob("*"):
        texts.append(str(path))
        # bodies are the server's own words: only what the client wrote about them counts
        if path.is_file() and "objects" not in path.parts:
            texts.append(path.read_bytes().decode("latin-1"))
    whole = "\n".join(texts)
    assert "GET /ok" in whole, "the debug log of the transport was not heard"
    assert len([text for text in texts if "answered" in text]) > 10
    basic = base64.b64encode(b"town%3Aheat:client-s3cret%2F%2B%26%3D%257E").decode()
    for secret in ("issued-token", STATIC, SECRET, "s3cret", basic, key):
        assert secret not in whole, whole[max(0, whole.find(secret) - 200) :][:300]


def test_threads_that_renew_at_once_don_t_deadlock(server, client, tokens):
    auth = credentials(server, leeway_s=1e9)
    tokens.answer = {"expires_in": 0}  # every request fetches a token
    asking = client(auth=auth)
    done = threading.Event()

    def work():
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda n: asking.get("/data"), range(12)))
        done.set()

    threading.Thread(target=work, daemon=True).start()
    assert done.wait(10)
