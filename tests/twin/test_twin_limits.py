# ruff: noqa: E501 - a row of a table is a line
"""What no request can do: take the twin down, hold it up, or get behind its file."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import requests
from ldt_toolbox.twin.limits import Limits
from ldt_toolbox.twin.serve import Twin
from ldt_toolbox.twin.store import OutOfTimeError, Store

SMALL = Limits(
    body_bytes=20_000, depth=10, vertices=50, batch=5, url=2_000, query_s=0.2, largest_page=100
)
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def narrow() -> Iterator[Twin]:
    """A twin with small limits, which are tested as such: the numbers are the operator's."""
    with Twin(limits=SMALL) as twin:
        yield twin


def thing(name: str = "1", **attributes: Any) -> dict[str, Any]:
    return {"id": f"urn:x:{name}", "type": "T", **attributes}


def nested(depth: int) -> Any:
    """JSON in which `depth` objects and lists are open at once."""
    return json.loads("[" * depth + "1" + "]" * depth)


def line(positions: int) -> dict[str, Any]:
    points = [[n / 1000, 0] for n in range(positions)]
    return {"type": "GeoProperty", "value": {"type": "LineString", "coordinates": points}}


def post(twin: Twin, path: str, body: Any, **options: Any) -> requests.Response:
    return requests.post(f"{twin.url}/ngsi-ld/v1/{path}", json=body, timeout=10, **options)


@pytest.mark.parametrize(
    ("path", "fits", "exceeds", "status", "kind"),
    [
        ("entities", thing("b", v="x" * 10_000), thing("c", v="x" * 20_000), 413, "about:blank"),
        # the value lies within the entity and the attribute: ten in all
        ("entities", thing("d", v={"value": nested(8)}), thing("e", v={"value": nested(9)}), 400, "BadRequestData"),
        ("entities", thing("f", location=line(50)), thing("g", location=line(51)), 400, "BadRequestData"),
        ("entityOperations/upsert", [thing(f"h{n}") for n in range(5)], [thing(f"i{n}") for n in range(6)], 413, "about:blank"),
    ],
    ids=["body", "depth", "vertices", "batch"],
)  # fmt: skip
def test_limits_hold_on_both_sides(narrow, path, fits, exceeds, status, kind) -> None:
    assert post(narrow, path, fits).status_code == 201
    answer = post(narrow, path, exceeds)
    assert answer.status_code == status, answer.text
    assert answer.json()["type"].endswith(kind)
    refused = (exceeds if isinstance(exceeds, list) else [exceeds])[0]["id"]
    assert requests.get(f"{narrow.url}/ngsi-ld/v1/entities/{refused}", timeout=5).status_code == 404


def test_a_body_without_a_length_is_cut_off_too(narrow) -> None:
    """Chunked: what is announced nowhere is counted as it comes."""

    def endless() -> Iterator[bytes]:
        yield b"["
        while True:
            yield b'{"a": 1},' * 1000

    url = f"{narrow.url}/ngsi-ld/v1/entityOperations/upsert"
    try:
        status = requests.post(url, data=endless(), headers=JSON, timeout=10).status_code
    except requests.ConnectionError:
        status = 413  # the twin answers and hangs up while the client still sends
    assert status == 413
    assert requests.get(f"{narrow.url}/ngsi-ld/v1/types", timeout=5).ok


def test_geometry_of_a_query_is_bounded_too(narrow) -> None:
    coordinates = line(51)["value"]["coordinates"]
    query = {
        "type": "Query",
        "geoQ": {"georel": "intersects", "geometry": "LineString", "coordinates": coordinates},
    }
    answer = post(narrow, "entityOperations/query", query)
    assert answer.status_code == 400
    assert "50" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["entityOperations/query", "temporal/entityOperations/query"])
def test_a_query_that_needs_no_token_is_smaller_than_a_write(path: str) -> None:
    with Twin(limits=Limits(query_bytes=1_000), token="a-token-of-this-test") as twin:  # noqa: S106
        for ids, status in ((20, 200), (100, 413)):
            query = {"type": "Query", "entities": [{"type": "T", "id": ["urn:x:1234"] * ids}]}
            query["temporalQ"] = {"timerel": "after", "timeAt": "2026-01-01T00:00:00Z"}
            assert post(twin, path, query).status_code == status
        headers = {"Authorization": f"Bearer {twin.token}"}
        assert post(twin, "entities", thing(v="x" * 2_000), headers=headers).status_code == 201


def test_an_address_that_is_too_long(narrow) -> None:
    url = f"{narrow.url}/ngsi-ld/v1/entities?type=T&q={'a' * 2_000}"
    assert requests.get(url, timeout=5).status_code == 414


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 50_000, "[" * 5_000 + "]" * 5_000])
def test_nesting_without_end_is_no_crash(running, text: str) -> None:
    url = f"{running.url}/ngsi-ld/v1/entities"
    answer = requests.post(url, data=text, headers=JSON, timeout=10)
    assert answer.status_code == 400, answer.text


def test_a_query_that_takes_too_long_is_stopped() -> None:
    """A condition that no index answers, on 20,000 entities, in a twentieth of a second."""
    with Twin(limits=Limits(query_s=0.05)) as twin:
        for first in range(0, 20_000, 5_000):
            many = [thing(str(n), a={"value": {"b": n}}) for n in range(first, first + 5_000)]
            assert post(twin, "entityOperations/upsert", many).status_code == 201
        start = time.monotonic()
        params = {"type": "T", "q": "a[b]<0", "count": "true"}
        answer = requests.get(f"{twin.url}/ngsi-ld/v1/entities", params=params, timeout=20)
        assert answer.status_code == 403, answer.text[:200]
        assert answer.json()["type"].endswith("TooComplexQuery")
        # far less than reading all of them, far more than the limit: other programs run, too
        assert time.monotonic() - start < 2


HOSTILE = [
    "x' OR '1'='1",
    "x'; DROP TABLE entity; --",
    'x"); DELETE FROM entity; --',
    "x' UNION SELECT body FROM context --",
    "../../../../etc/passwd",
    "..%2F..%2Fetc%2Fpasswd",
    "%00",
    "a\x00b",
    "{seq}",
    "?1",
    "%s%n{0}",
    "\u202e\ud7ff\U0001f4a5",
    "$(id)`id`",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_texts_of_a_request_are_never_sql_or_paths(ask, text: str) -> None:
    """As ids, names, values, scopes, tenants, addresses: refused, or taken for what they are."""
    ask.put(thing("keep", v={"value": 1}), thing("2", v={"value": text}))
    folder = Path(ask.twin.store.path).parent
    files = sorted(each.name for each in folder.iterdir())
    encoded = quote(text, safe="")
    answers = [
        ask("GET", f"entities/urn:x:{encoded}"),
        ask("DELETE", f"entities/urn:x:{encoded}"),
        ask("DELETE", f"entities/urn:x:keep/attrs/{encoded}"),
        ask("GET", f"types/{encoded}"),
        ask("GET", f"attributes/{encoded}"),
        ask("GET", f"jsonldContexts/{encoded}"),
        ask("DELETE", f"jsonldContexts/{encoded}"),
        ask("GET", f"subscriptions/urn:x:{encoded}"),
        ask("GET", f"temporal/entities/urn:x:{encoded}"),
        ask("POST", "entities", json={"id": f"urn:x:{text}", "type": "T"}),
        ask("POST", "entities", json={"id": "urn:x:3", "type": text}),
        ask("POST", "entities", json=thing("4", **{text: {"value": 1}})),
        ask("POST", "entities", json={**thing("5"), "scope": f"/{text}"}),
        *(
            ask("GET", "entities", params={"type": "T", name: text})
            for name in ("q", "scopeQ", "attrs", "pick", "omit", "id", "idPattern", "georel",
                         "geoproperty", "datasetId", "lang", "limit", "offset", "options")
        ),
        ask("GET", "entities", params={"type": text}),
    ]  # fmt: skip
    assert max(answer.status_code for answer in answers) < 500, [a.text for a in answers]
    quoted = json.dumps(text, ensure_ascii=False)
    if text.isprintable() and '"' not in text:
        assert ask.ids(type="T", q=f"v=={quoted}") == ["2"]
    assert ask.get("urn:x:2", format="simplified")["v"] == text
    assert ask.get("urn:x:keep", format="simplified")["v"] == 1
    assert sorted(each.name for each in folder.iterdir()) == files


def test_a_tenant_is_a_name_and_no_path(ask) -> None:
    ask.put(thing("1"))
    first = ask.tenant
    for name in ("../other", "x' OR 1=1 --", "..", "a/b", "%2e%2e"):
        ask.tenant = name
        ask.problem(ask("GET", "entities/urn:x:1"), 404, "NonexistentTenant")
        assert ask("POST", "entities", json=thing("1")).status_code == 201
        assert ask.ids(type="T") == ["1"]
    ask.tenant = first
    assert ask.ids(type="T") == ["1"]
    assert [each.name for each in Path(ask.twin.store.path).parent.glob("*.sqlite")] == [
        "twin.sqlite"
    ]


@pytest.mark.parametrize(
    "sent",
    [b"GARBAGE\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x00" * 100, b"POST /ngsi-ld/v1/entities HT"],
)
def test_what_is_no_http_harms_nobody(running, sent: bytes) -> None:
    address = urlsplit(running.url)
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.sendall(sent)
    assert requests.get(f"{running.url}/ngsi-ld/v1/types", timeout=5).ok


def test_twenty_clients_at_once_see_no_error(ask) -> None:
    """Reads, writes, queries and batches mixed; what is read is always a whole write."""
    ask.put(*(thing(str(n), a={"value": 0}, b={"value": 0}) for n in range(20)))

    def work(client: int) -> set[int]:
        seen = set()
        for number in range(12):
            pair = {"a": {"value": number}, "b": {"value": number}}
            match (client + number) % 4:
                case 0:
                    answer = ask("PATCH", f"entities/urn:x:{client}", json=pair)
                case 1:
                    both = [thing(str(n), **pair) for n in (client, (client + 7) % 20)]
                    answer = ask("POST", "entityOperations/upsert", json=both)
                case 2:
                    answer = ask("GET", "entities", params={"type": "T", "q": "a>=0", "limit": 20})
                    found = answer.json()
                    assert len(found) == 20
                    assert all(each["a"]["value"] == each["b"]["value"] for each in found)
                case 3:
                    answer = ask("GET", f"entities/urn:x:{client}")
            seen.add(answer.status_code)
        return seen

    with ThreadPoolExecutor(20) as pool:
        assert set().union(*pool.map(work, range(20))) == {200, 204}


def test_reads_that_take_long_do_not_keep_others_waiting() -> None:
    """Four reads without an end take more turns than there are: a short one comes in between."""
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    ended = threading.Event()

    def long(store: Store) -> str:
        try:
            store.read(lambda connection: connection.execute(endless).fetchone(), within_s=5)
        except OutOfTimeError as error:
            ended.set()
            return str(error)
        return ""

    with Store() as store, ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(long, store) for _ in range(4)]
        time.sleep(0.2)
        assert store.read(lambda connection: connection.execute("SELECT 1").fetchone()) == (1,)
        assert not ended.is_set()
        assert all("longer than 5 s" in job.result(60) for job in jobs)
        # and all turns were given back
        for _ in range(5):
            assert store.get("", "urn:x:1") is None
