"""What a notebook would store: displays, errors with their variables, nothing secret."""

import base64

import pytest
from traitlets.config import Config

TOKEN = "notebook-token-0123456789"  # noqa: S105
SECRET = "notebook-s3cret"  # noqa: S105
BASIC = base64.b64encode(f"town:{SECRET}".encode()).decode()

SET_UP = """
from ldt_toolbox.clients.auth import BearerToken, ClientCredentials
from ldt_toolbox.clients.http import HttpClient
from ldt_toolbox.clients.ngsi_ld import NgsiLd
bearer = BearerToken.from_env("NB_TOKEN")
named = {"client_id_env": "NB_ID", "client_secret_env": "NB_SECRET"}
credentials = ClientCredentials(URL + "/token", **named)
refused = ClientCredentials(URL + "/refuse", **named)
odd = ClientCredentials(URL + "/odd", **named)
blank = BearerToken.from_env("NB_BLANK")
brokers = [NgsiLd(URL, auth=auth) for auth in (bearer, credentials, refused)]
"""
CELLS = [
    "bearer", "credentials", "brokers", "brokers[0].entities", "vars(brokers[0]._http)",
    "brokers[0].entities.get('urn:x:1')", "brokers[1].entities.get('urn:x:1')",
    "brokers[2].entities.get('urn:x:1')", "brokers[1].entities.query(type='A')",
    "brokers[1].batch.upsert([{'id': 'urn:x:1'}])", "brokers[0].temporal.get('urn:x:1')",
    "brokers[1].subscriptions.list()", "HttpClient(URL, auth=bearer, retries=0).get('/cut')",
    "HttpClient(URL, auth=bearer).get('/redirect?to=/loop')",
    "HttpClient(URL, auth=credentials, retries=0).get('/reset', params={'a': 1})",
    "HttpClient('http://broker.example', auth=bearer).get('/ok')",
    "HttpClient(URL, auth=odd).get('/ok')", "HttpClient(URL, auth=blank).get('/ok')",
]  # fmt: skip


@pytest.fixture
def shell(monkeypatch):
    interactive = pytest.importorskip("IPython.core.interactiveshell")
    config = Config()
    config.HistoryManager.enabled = False
    running = interactive.InteractiveShell.instance(config=config)
    yield running
    interactive.InteractiveShell.clear_instance()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("mode", ["Context", "Verbose"])
def test_no_output_of_a_cell_holds_a_secret(server, hostile, shell, monkeypatch, mode) -> None:
    from IPython.utils.capture import capture_output

    for name, value in (
        ("NB_TOKEN", TOKEN),
        ("NB_ID", "town"),
        ("NB_SECRET", SECRET),
        ("NB_BLANK", f"{TOKEN} x"),
    ):
        monkeypatch.setenv(name, value)

    def quote(request):
        said = f"{request.headers.get('Authorization')} {request.target}"
        return hostile.Reply(400, {"title": said, "detail": said}, [("X-Said", said)])

    server.route("POST", "/token", lambda r: hostile.Reply(
        body={"access_token": TOKEN, "token_type": "bearer", "expires_in": 300}
    ))  # fmt: skip
    server.route("POST", "/refuse", quote)
    server.route("POST", "/odd", lambda r: hostile.Reply(
        body={"access_token": TOKEN, "token_type": "mac"}
    ))  # fmt: skip
    for path in ("entities", "entities/urn:x:1", "entityOperations/upsert", "subscriptions",
                 "temporal/entities/urn:x:1"):  # fmt: skip
        server.route("*", f"/ngsi-ld/v1/{path}", quote)
    shell.run_line_magic("xmode", mode)
    outputs = []
    for cell in (f"URL = {server.url!r}", SET_UP, *CELLS):
        with capture_output() as output:
            shell.run_cell(cell, store_history=False)
        outputs.append(f"{output.stdout}{output.stderr}{output.outputs}")
    whole = "\n".join(outputs)
    # all but the five displays and the batch, which gives its errors back
    assert len([text for text in outputs if "Traceback" in text]) == len(CELLS) - 6
    sent = {request.headers.get("Authorization") for request in server.requests}
    assert {f"Bearer {TOKEN}", f"Basic {BASIC}"} <= sent
    for text in (TOKEN, SECRET, BASIC):
        assert text not in whole, whole[max(0, whole.find(text) - 600) :][:700]
