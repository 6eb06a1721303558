"""Client credentials against a token server of another maker: oidc-provider (npm), certified by
the OpenID Foundation. It runs as a program of its own."""

import time
from collections import Counter

import pytest
import requests
from ldt_toolbox.clients.auth import ClientCredentials
from ldt_toolbox.clients.errors import AuthError

pytestmark = pytest.mark.reference
NAME, SECRET = "town:heat", "client-s3cret/+&=%7E"


@pytest.fixture(scope="session")
def provider(programs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("oidc")
    return programs.from_npm("oidc-provider@9.13.3", "oidc.mjs", folder)


@pytest.fixture
def issuer(programs, provider, monkeypatch):
    """Address of a server whose tokens live for four seconds."""
    monkeypatch.setenv("TWIN_ID", NAME)
    monkeypatch.setenv("TWIN_SECRET", SECRET)
    with programs.running(provider, NAME, SECRET, "4") as port:
        yield f"http://127.0.0.1:{port}"


def credentials(issuer, **options):
    named = {"client_id_env": "TWIN_ID", "client_secret_env": "TWIN_SECRET"}
    return ClientCredentials(f"{issuer}/token", **named, **options)


@pytest.fixture
def guarded(server, hostile, issuer):
    """Answers of a resource that asks the token server what each token is worth."""
    pair = (requests.utils.quote(NAME, safe=""), requests.utils.quote(SECRET, safe=""))
    seen = Counter()

    def handler(request):
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        asked = requests.post(
            f"{issuer}/token/introspection", {"token": token}, auth=pair, timeout=10
        )
        told = asked.json()
        seen[token if told["active"] else "rejected"] += 1
        return hostile.Reply(200 if told["active"] else 401, {"scope": told.get("scope")})

    server.route("GET", "/guarded", handler)
    return seen


def test_tokens_are_renewed_before_they_end(client, issuer, guarded):
    asking = client(auth=credentials(issuer, scope="read"))
    until = time.monotonic() + 5
    while time.monotonic() < until:
        assert asking.get("/guarded").json() == {"scope": "read"}
        time.sleep(0.1)
    assert guarded["rejected"] == 0
    assert 2 <= len(guarded) <= 4, "each token is used for half of its four seconds"


def test_a_token_that_ended_is_replaced_when_it_is_rejected(client, issuer, guarded):
    asking = client(auth=credentials(issuer, clock=lambda: 0.0))
    assert asking.get("/guarded").status == 200
    time.sleep(4.5)
    assert asking.get("/guarded").status == 200
    assert guarded["rejected"] == 1
    assert len(guarded) == 3


def test_a_wrong_secret_is_told_as_the_server_tells_it(client, issuer, guarded, monkeypatch):
    monkeypatch.setenv("TWIN_SECRET", "wrong-s3cret")
    with pytest.raises(AuthError, match="invalid_client") as caught:
        client(auth=credentials(issuer)).get("/guarded")
    assert "s3cret" not in str(caught.value)
    assert not guarded
