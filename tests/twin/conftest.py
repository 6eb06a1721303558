"""A running twin, spoken to over HTTP."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from ldt_toolbox.twin.serve import Twin


@dataclass
class Speaker:
    """Sends requests to a twin; paths are those below /ngsi-ld/v1."""

    twin: Twin
    tenant: str = ""

    def __call__(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = options.pop("headers", {})
        if self.tenant:
            headers = {"NGSILD-Tenant": self.tenant, **headers}
        return requests.request(
            method, f"{self.twin.url}/ngsi-ld/v1/{path}", headers=headers, timeout=20, **options
        )

    def put(self, *entities: dict[str, Any]) -> None:
        answer = self("POST", "entityOperations/upsert", json=list(entities))
        assert answer.status_code in (201, 204), answer.text

    def ids(self, **params: Any) -> list[str]:
        answer = self("GET", "entities", params={"limit": 1000, **params})
        assert answer.status_code == 200, answer.text
        return [entity["id"].rpartition(":")[2] for entity in answer.json()]

    def problem(self, answer: requests.Response, status: int, kind: str = "") -> dict[str, Any]:
        """The problem document of an answer, checked against clause 6.3.2 and RFC 9457."""
        assert answer.status_code == status, answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"
        document: dict[str, Any] = answer.json()
        wanted = f"https://uri.etsi.org/ngsi-ld/errors/{kind}" if kind else "about:blank"
        assert document["type"] == wanted, document
        assert document["status"] == status
        assert document["title"]
        assert document["detail"]
        return document

    def get(self, entity_id: str, **params: Any) -> Any:
        answer = self("GET", f"entities/{entity_id}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="session")
def running() -> Iterator[Twin]:
    """One twin for all tests; each works in a tenant of its own."""
    with Twin() as twin:
        yield twin


@pytest.fixture
def ask(running: Twin, request: pytest.FixtureRequest) -> Speaker:
    return Speaker(running, f"t{abs(hash(request.node.nodeid))}")
