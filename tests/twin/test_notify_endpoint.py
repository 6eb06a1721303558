"""Delivery of one notification, beside what other code does to the process."""

import http.client

import pytest
from ldt_toolbox.clients.ngsi_ld.receiver import Receiver
from ldt_toolbox.twin.notify.endpoint import Endpoint, post


def test_a_trace_of_the_process_prints_no_secret_of_a_receiver(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    monkeypatch.setattr(http.client, "print", lambda *words: said.append(str(words)), raising=False)
    with Receiver() as receiver:
        told = receiver.endpoint()
        headers = tuple((one["key"], one["value"]) for one in told["receiverInfo"])
        target = Endpoint(told["uri"], headers=(*headers, ("X-Other", "tell-nobody")))
        post(target, b'{"data": []}', {"Content-Type": "application/json"}, receivers=())
    shown = "".join(said) + "".join(capsys.readouterr())
    assert "tell-nobody" not in shown
    assert shown == ""
