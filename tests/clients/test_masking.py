"""Texts, log lines and traces hold no secret."""

import http.client
import json
import logging
import subprocess
import sys

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from ldt_toolbox.clients.auth import BearerToken
from ldt_toolbox.clients.http import HttpClient
from ldt_toolbox.clients.masking import MASK, is_secret_name, mask_text, mask_url, mask_value


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


@pytest.fixture
def traced(monkeypatch):
    """The process as a library leaves it that watches all requests."""
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    # such a library may also have sent the trace elsewhere, where no test listens
    monkeypatch.setattr(http.client, "print", print, raising=False)


@pytest.mark.parametrize("way", ["plain", "proxy", "tls"])
def test_a_trace_of_the_whole_process_shows_no_request_of_ours(
    server, client, traced, capsys, monkeypatch, request, way
):
    monkeypatch.setenv("TWIN_TOKEN", "S3CRET-token")
    options = {"auth": BearerToken.from_env("TWIN_TOKEN"), "headers": {"X-Api-Key": "S3CRET"}}
    url = server.url
    if way == "proxy":
        monkeypatch.setenv("http_proxy", url.replace("//", "//me:S3CRET@"))
        monkeypatch.delenv("no_proxy", raising=False)
        url = "http://localhost.invalid"
        options["auth"] = BearerToken.from_env("TWIN_TOKEN", plain_http=True)
    elif way == "tls":
        url, options["verify"] = request.getfixturevalue("secure")
    for _ in range(2):  # the second time over the connection that is there
        client(url, **options).get("/ok")
    sent = server.requests[-1].headers
    assert sent["Authorization"] == "Bearer S3CRET-token"
    assert ("Proxy-Authorization" in sent) == (way == "proxy")
    assert capsys.readouterr() == ("", "")


def test_the_trace_is_left_to_those_who_want_it(server, traced, capsys):
    requests.get(server.url + "/ok", timeout=5)
    assert "GET /ok" in capsys.readouterr().out


CONFIGURED = """
import json, logging.config, sys
from ldt_toolbox.clients.auth import BearerToken
from ldt_toolbox.clients.http import HttpClient
from uvicorn.config import LOGGING_CONFIG

url, config = sys.argv[1:]
with HttpClient(url, headers={"X-Api-Key": "S3CRET"}) as client:
    client.get("/ok", params={"api_key": "S3CRET", "q": "before"})
    chosen = {"uvicorn": LOGGING_CONFIG}.get(config) or json.loads(config)
    logging.config.dictConfig(chosen)
    client.get("/ok", params={"api_key": "S3CRET", "q": "after"})
"""
CONSOLE = {"version": 1, "handlers": {"h": {"class": "logging.StreamHandler"}}}
ALL = {"level": "DEBUG", "handlers": ["h"]}


@pytest.mark.parametrize(
    ("config", "heard"),
    [
        ({**CONSOLE, "root": ALL, "disable_existing_loggers": False}, True),
        ({**CONSOLE, "root": ALL}, False),  # the loggers that are there fall silent
        ({**CONSOLE, "loggers": {"urllib3": ALL}}, True),
        ({**CONSOLE, "loggers": {"urllib3.connectionpool": ALL}}, True),
        ("uvicorn", False),
    ],
)
def test_masks_outlast_a_new_configuration_of_all_logs(server, config, heard):
    said = config if isinstance(config, str) else json.dumps(config)
    done = subprocess.run(
        [sys.executable, "-c", CONFIGURED, server.url, said],
        check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert len(server.requests) == 2
    assert ("q=after" in done.stderr) == heard
    assert "S3CRET" not in done.stdout + done.stderr


def test_headers_that_nobody_can_read_are_logged_without_what_they_quote(
    server, hostile, client, caplog
):
    lines = (b"HTTP/1.1 200 OK", b"Content-Length: 2", b"you sent Bearer S3CRET", b"", b"{}")
    server.route("GET", "/quoted", lambda request: hostile.Raw([b"\r\n".join(lines)]))
    with caplog.at_level(logging.DEBUG):
        client().get("/quoted")
    assert "Failed to parse headers" in caplog.text
    assert "S3CRET" not in caplog.text


def test_the_client_shows_itself_without_secrets(server, client):
    shown = repr(client(headers={"X-Api-Key": "S3CRET"}))
    assert "S3CRET" not in shown
    assert server.url in shown
    with HttpClient(server.url) as one:
        assert "<Answer 200" in repr(one.get("/ok"))
    assert json.loads(one.get("/ok").content) == {"ok": True}
