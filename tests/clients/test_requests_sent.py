"""What is sent: addresses, headers, bodies, proxies, certificates."""

import pytest
from ldt_toolbox.clients import errors
from ldt_toolbox.errors import WrongUseError


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
def test_headers_that_cannot_be_sent_are_named_without_value(client, value, no_cause):
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


def test_a_private_authority_is_trusted_when_named(client, secure):
    url, authority = secure
    assert client(url, verify=authority).get("/ok").json() == {"ok": True}
    with pytest.raises(errors.ConnectionFailed, match="name its bundle with verify="):
        client(url).get("/ok")
