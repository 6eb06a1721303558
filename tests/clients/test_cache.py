"""The cache: what is kept, for whom, for how long, and that damage is found."""

import json
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
from ldt_toolbox.clients import errors
from ldt_toolbox.clients.answer import Answer
from ldt_toolbox.clients.auth import BearerToken
from ldt_toolbox.clients.cache import Cache, Stored
from ldt_toolbox.errors import OutputError
from requests.structures import CaseInsensitiveDict


class Clock:
    def __init__(self):
        self.now = 1_770_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def cache(tmp_path, clock):
    return Cache(tmp_path / "cache", clock=clock)


def files(cache, part):
    return [path for path in (cache.folder / part).rglob("*") if path.is_file()]


def data(hostile, *headers, body=b"[1]"):
    def handler(request):
        for name, value in headers:
            if (name, request.headers.get("If-None-Match")) == ("ETag", value):
                return hostile.Reply(304, headers=headers)
        return hostile.Reply(body=body, headers=headers)

    return handler


def test_an_unchanged_answer_is_not_sent_again(server, hostile, client, cache):
    server.route("GET", "/d", data(hostile, ("ETag", '"1"')))
    asking = client(cache=cache)
    first = asking.get("/d")
    second = asking.get("/d")
    assert [r.headers.get("If-None-Match") for r in server.requests] == [None, '"1"']
    assert (first.from_cache, second.from_cache) == (False, True)
    assert (second.status, second.content, second.url) == (200, first.content, first.url)
    assert second.json() == [1]


def test_a_changed_answer_replaces_the_old_one(server, hostile, client, cache):
    asking = client(cache=cache)
    for n in range(3):
        server.route("GET", "/d", data(hostile, ("ETag", f'"{n}"'), body=str(n).encode()))
        assert asking.get("/d").content == str(n).encode()
    assert client(cache=cache, offline=True).get("/d").content == b"2"


def test_a_date_asks_as_well(server, hostile, client, cache):
    date = "Sun, 01 Mar 2026 12:00:00 GMT"
    server.route("GET", "/d", data(hostile, ("Last-Modified", date)))
    asking = client(cache=cache)
    asking.get("/d")
    asking.get("/d")
    assert server.requests[-1].headers["If-Modified-Since"] == date


def test_a_fresh_answer_asks_nobody_until_it_is_stale(server, hostile, client, cache, clock):
    server.route("GET", "/d", data(hostile, ("Cache-Control", "max-age=60"), ("Age", "10")))
    asking = client(cache=cache)
    asking.get("/d")
    clock.now += 49
    assert asking.get("/d").from_cache
    clock.now += 1
    assert not asking.get("/d").from_cache
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("control", "age", "fresh"),
    [
        ("max-age=60", 59, True), ("max-age=60", 60, False), ("MAX-AGE=60, private", 1, True),
        ("max-age=60, no-cache", 1, False), ("max-age=-1", 0, False), ("max-age=x", 0, False),
        ("", 0, False), ('max-age="60"', 1, True), ("max-age=60", -5, False),
    ],
)  # fmt: skip
def test_freshness(control, age, fresh):
    headers = CaseInsensitiveDict({"Cache-Control": control})
    assert Stored(Answer(200, "http://x/", headers, b""), 1000.0).is_fresh(1000.0 + age) == fresh


def test_a_write_makes_the_kept_answer_void(server, hostile, client, cache):
    server.route("GET", "/d", data(hostile, ("Cache-Control", "max-age=60")))
    server.route("PATCH", "/d", lambda request: hostile.Reply(204))
    asking = client(cache=cache)
    asking.get("/d")
    asking.patch("/d", json={})
    assert not asking.get("/d").from_cache


@pytest.mark.parametrize("header", [("Cache-Control", "no-store"), ("Vary", "*")])
def test_what_must_not_be_kept_is_not(server, hostile, client, cache, header):
    server.route("GET", "/d", data(hostile, header))
    client(cache=cache).get("/d")
    assert files(cache, "objects") == files(cache, "entries") == []


def test_every_header_that_may_vary_tells_answers_apart(server, hostile, client, cache):
    server.route(
        "GET",
        "/d",
        lambda request: hostile.Reply(
            body=dict(request.headers.items()),
            headers=[("Cache-Control", "max-age=60"), ("Vary", "Accept, NGSILD-Tenant")],
        ),
    )
    asking = client(cache=cache)
    for name in ("Accept", "NGSILD-Tenant", "Accept-Language", "X-Anything"):
        for value in ("a", "b"):
            answer = asking.get("/d", headers={name: value})
            assert not answer.from_cache
            assert asking.get("/d", headers={name: value}).json()[name] == value
    assert len(server.requests) == 8


def test_ranges_errors_and_conditions_are_not_kept(server, client, cache):
    asking = client(cache=cache)
    asking.get("/ok", headers={"Range": "bytes=0-1"})
    asking.get("/ok", headers={"If-Match": '"1"'})
    with pytest.raises(errors.NotFound):
        asking.get("/nothing-here")
    server.route("POST", "/ok", server._routes["GET", "/ok"])
    asking.post("/ok", json={})
    assert files(cache, "entries") == []


def test_equal_bodies_lie_there_once(server, client, cache):
    asking = client(cache=cache)
    for n in range(4):
        asking.get("/ok", params={"n": n})
    assert len(files(cache, "objects")) == 1
    assert len(files(cache, "entries")) == 4


def test_offline_answers_from_the_cache_alone(server, client, cache):
    client(cache=cache).get("/ok", params={"api": "x"})
    offline = client(cache=cache, offline=True)
    assert offline.get("/ok", params={"api": "x"}).json() == {"ok": True}
    with pytest.raises(errors.OfflineError) as caught:
        offline.get("/ok", params={"api": "y"})
    told = str(caught.value)
    assert f"GET {server.url}/ok?api=y" in told
    assert str(cache.folder) in told
    assert "with offline=False" in told
    with pytest.raises(errors.OfflineError, match="has no cache"):
        client(offline=True).get("/ok")
    with pytest.raises(errors.OfflineError, match="are not kept"):
        offline.delete("/ok")
    assert len(server.requests) == 1


def test_queries_by_post_can_be_asked_again_offline(server, client, cache):
    server.route("POST", "/query", server._routes["GET", "/ok"])
    for _ in range(2):  # a POST is always sent as long as there is a network
        client(cache=cache).post("/query", json={"type": "A"}, idempotent=True)
    assert len(server.requests) == 2
    offline = client(cache=cache, offline=True)
    assert offline.post("/query", json={"type": "A"}, idempotent=True).json() == {"ok": True}
    with pytest.raises(errors.OfflineError):
        offline.post("/query", json={"type": "B"}, idempotent=True)


@pytest.mark.parametrize("damage", ["changed", "cut", "gone", "entry", "entry of another shape"])
def test_damage_is_found_and_mended(server, client, cache, damage):
    client(cache=cache).get("/ok")
    (body,), (entry,) = files(cache, "objects"), files(cache, "entries")
    whole = body.read_bytes()
    if damage == "changed":
        body.write_bytes(whole[:-1] + b"]")
    elif damage == "cut":
        body.write_bytes(whole[:-1])
    elif damage == "gone":
        body.unlink()
    elif damage == "entry":
        entry.write_bytes(entry.read_bytes()[:20])
    else:
        entry.write_text("[1]")
    with pytest.raises(errors.OfflineError):
        client(cache=cache, offline=True).get("/ok")
    if damage != "gone":
        assert not entry.exists() or damage == "gone"
    assert client(cache=cache).get("/ok").json() == {"ok": True}
    assert client(cache=cache, offline=True).get("/ok").json() == {"ok": True}
    assert files(cache, "objects")[0].read_bytes() == whole


def test_a_damaged_body_is_never_confirmed_by_304(server, hostile, client, cache):
    server.route("GET", "/d", data(hostile, ("ETag", '"1"')))
    client(cache=cache).get("/d")
    files(cache, "objects")[0].write_bytes(b"[2]")
    assert client(cache=cache).get("/d").json() == [1]
    assert server.requests[-1].headers.get("If-None-Match") is None


def test_threads_may_share_a_cache(server, hostile, client, tmp_path):
    server.route(
        "GET",
        "/d",
        lambda request: hostile.Reply(body={"n": int(request.query["n"]) % 5, "pad": "x" * 9999}),
    )
    caches = [Cache(tmp_path / "c") for _ in range(3)]
    clients = [client(cache=one) for one in caches]

    def ask(n):
        return clients[n % 3].get("/d", params={"n": n % 20}).json()["n"] == n % 5

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(120)))
    assert len(files(caches[0], "objects")) == 5
    assert len(files(caches[0], "entries")) == 20
    assert not list(caches[0].folder.rglob("*.part"))


def test_one_salt_for_all_who_share_the_folder(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: Cache(tmp_path / "c"), range(16)))
    keys = {one.key("GET", "http://x/", {}, None, "") for one in made}
    assert len(keys) == 1
    again = pickle.loads(pickle.dumps(made[0]))  # noqa: S301
    assert again.key("GET", "http://x/", {}, None, "") in keys
    assert Cache(tmp_path / "other").key("GET", "http://x/", {}, None, "") not in keys


def test_pruning_removes_the_oldest_bodies(server, hostile, client, cache):
    server.route("GET", "/d", lambda request: hostile.Reply(body=request.query["n"].encode() * 100))
    asking = client(cache=cache)
    for n in range(3):
        asking.get("/d", params={"n": n})
        newest = max(files(cache, "objects"), key=lambda path: path.stat().st_mtime_ns)
        assert newest.stat().st_size == 100
    assert cache.prune(250) == 100
    assert cache.prune(250) == 0
    assert len(files(cache, "objects")) == 2
    assert client(cache=cache, offline=True).get("/d", params={"n": 2}).content == b"2" * 100


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"cache folder .* cannot be written"):
        Cache(tmp_path / "file" / "cache")


# --- credentials --------------------------------------------------------------------------------


def test_answers_to_credentials_are_not_kept_unless_asked(server, client, cache, monkeypatch):
    monkeypatch.setenv("TOKEN", "token-abc-123")
    client(cache=cache, auth=BearerToken.from_env("TOKEN")).get("/ok")
    client(cache=cache, headers={"X-Api-Key": "key-abc-123"}).get("/ok")
    client(cache=cache).get("/ok", params={"apikey": "key-abc-123"})
    client(cache=cache).get("/ok", headers={"Authorization": "Bearer token-abc-123"})
    assert files(cache, "entries") == []
    with pytest.raises(errors.OfflineError, match="authorised=True"):
        client(cache=cache, offline=True, auth=BearerToken.from_env("TOKEN")).get("/ok")


def test_kept_answers_are_for_the_same_credentials_only(server, client, tmp_path, monkeypatch):
    cache = Cache(tmp_path / "c", authorised=True)
    monkeypatch.setenv("MINE", "token-abc-123")
    monkeypatch.setenv("THEIRS", "token-xyz-789")
    client(cache=cache, auth=BearerToken.from_env("MINE")).get("/ok")
    client(cache=cache).get("/ok", params={"api_key": "key-abc-123"})
    offline = {"cache": cache, "offline": True}
    assert client(auth=BearerToken.from_env("MINE"), **offline).get("/ok").from_cache
    for other in ({"auth": BearerToken.from_env("THEIRS")}, {}):
        with pytest.raises(errors.OfflineError):
            client(**other, **offline).get("/ok")
    with pytest.raises(errors.OfflineError):
        client(**offline).get("/ok", params={"api_key": "key-abc-124"})
    written = b"".join(path.read_bytes() for path in cache.folder.rglob("*") if path.is_file())
    for secret in (b"token-abc-123", b"key-abc-123"):
        assert secret not in written
    names = "".join(str(path) for path in cache.folder.rglob("*"))
    assert "abc-123" not in names


def test_links_with_credentials_are_not_kept(server, hostile, client, cache):
    server.route(
        "GET",
        "/d",
        lambda request: hostile.Reply(
            body=[], headers=[("Link", '</d?page=2&api_key=key-abc-123>; rel="next"')]
        ),
    )
    client(cache=cache).get("/d")
    assert files(cache, "entries") == []


def test_links_come_back_from_the_cache(server, client, cache):
    client(cache=cache).get("/several-links")
    answer = client(cache=cache, offline=True).get("/several-links")
    assert answer.links("next") == [f"{server.url}/page?at=2"]
    (entry,) = files(cache, "entries")
    assert set(json.loads(entry.read_text())) == {"url", "status", "headers", "sha256", "stored_at"}


def test_what_says_whether_an_answer_is_whole_is_kept_with_it(server, hostile, client, cache):
    told = [
        ("NGSILD-Results-Count", "7"), ("NGSILD-Warning", "199 - source away"),
        ("Content-Range", "date-time 2026-01-01T00:00:00Z-2026-01-02T00:00:00Z/*"),
        ("Next-Page", "urn:x:2"), ("Page-Size", "100"), ("ETag", '"1"'),
    ]  # fmt: skip
    server.route("GET", "/part", lambda request: hostile.Reply(206, [1], told))
    client(cache=cache).get("/part")
    again = client(cache=cache, offline=True).get("/part")
    assert (again.status, again.from_cache) == (206, True)
    assert {name: again.headers[name] for name, _ in told} == dict(told)


def test_that_nothing_is_there_is_kept_for_those_who_expect_it(server, client, cache):
    client(cache=cache).get("/nowhere", expected=(200, 404))
    offline = client(cache=cache, offline=True)
    assert offline.get("/nowhere", expected=(200, 404)).status == 404
    with pytest.raises(errors.OfflineError):
        offline.get("/nowhere")
    with pytest.raises(errors.NotFound):
        client(cache=cache).get("/nowhere")


def test_an_answer_that_quotes_a_credential_in_a_header_is_not_kept(server, hostile, client, cache):
    said = [("NGSILD-Warning", "199 - asked with Bearer S3CRET-token")]
    server.route("GET", "/quoted", lambda request: hostile.Reply(200, [], said))
    client(cache=cache).get("/quoted")
    assert files(cache, "entries") == []
