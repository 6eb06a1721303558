"""Redirects, and what never travels along with them."""

import pytest
from ldt_toolbox.clients import errors


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
