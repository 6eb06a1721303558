"""Batches, pages, tenants, hosted contexts and selections over HTTP."""

from typing import Any

import requests
from ldt_toolbox.clients.ngsi_ld import NgsiLd

LINK = '<{}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'


def thing(name: str, value: Any = 0, **more: Any) -> dict[str, Any]:
    return {"id": f"urn:x:{name}", "type": "T", "v": {"type": "Property", "value": value}, **more}


def batch(ask: Any, operation: str, *items: Any, **params: Any) -> requests.Response:
    return ask("POST", f"entityOperations/{operation}", json=list(items), params=params)


def test_batch_create_says_what_is_new_and_what_failed(ask) -> None:
    """5.6.7, 6.14."""
    assert batch(ask, "create", thing("1"), thing("2")).json() == ["urn:x:1", "urn:x:2"]
    answer = batch(ask, "create", thing("2"), thing("3"), {"id": "urn:x:4"})
    assert answer.status_code == 207
    result = answer.json()
    assert result["success"] == ["urn:x:3"]
    kinds = {e["entityId"]: e["error"]["type"].rpartition("/")[2] for e in result["errors"]}
    assert kinds == {"urn:x:2": "AlreadyExists", "urn:x:4": "BadRequestData"}


def test_batch_upsert_replaces_or_updates(ask) -> None:
    """5.6.8, 6.15."""
    answer = batch(ask, "upsert", thing("1", a={"value": 1}), thing("2"))
    assert (answer.status_code, answer.json()) == (201, ["urn:x:1", "urn:x:2"])
    assert batch(ask, "upsert", thing("1", 5), options="update").status_code == 204
    assert ask.get("urn:x:1", format="simplified") == {
        "id": "urn:x:1", "type": "T", "v": 5, "a": 1,
    }  # fmt: skip
    assert batch(ask, "upsert", thing("1", 6)).status_code == 204
    assert ask.get("urn:x:1", format="simplified") == {"id": "urn:x:1", "type": "T", "v": 6}


def test_batch_update_merge_and_delete(ask) -> None:
    """5.6.9, 5.6.20, 5.6.10."""
    ask.put(thing("1", {"m": 1, "n": 2}))
    assert batch(ask, "update", thing("1", 9, w={"value": 1}), options="noOverwrite").ok
    assert ask.get("urn:x:1", format="simplified")["v"] == {"m": 1, "n": 2}
    assert ask.get("urn:x:1", format="simplified")["w"] == 1
    answer = batch(ask, "merge", thing("1", {"m": "urn:ngsi-ld:null"}), thing("9"))
    assert answer.status_code == 207
    assert answer.json()["success"] == ["urn:x:1"]
    assert answer.json()["errors"][0]["error"]["type"].endswith("ResourceNotFound")
    assert ask.get("urn:x:1", format="simplified")["v"] == {"n": 2}
    answer = batch(ask, "delete", "urn:x:1", "urn:x:9")
    assert answer.status_code == 207
    assert batch(ask, "delete").status_code == 400


def test_pages_come_whole_and_once(ask) -> None:
    """5.5.9, 6.3.10, 6.3.13: by the toolbox's own client, which follows the links."""
    ask.put(*(thing(str(n), n) for n in range(95)))
    client = NgsiLd(ask.twin.ngsi_ld, tenant=ask.tenant)
    found = [e["id"] for e in client.entities.iterate(type="T", page_size=10)]
    assert found == [f"urn:x:{n}" for n in range(95)]
    assert client.entities.count(type="T", q="v>=90") == 5
    answer = ask("GET", "entities", params={"type": "T", "limit": 10, "offset": 10})
    assert {"next", "prev"} <= set(answer.links)


def test_tenants_do_not_see_each_other(ask) -> None:
    """4.14, 6.3.14."""
    ask.put(thing("1"))
    ask.tenant, first = f"{ask.tenant}-other", ask.tenant
    ask.put(thing("2"))
    assert ask.ids(type="T") == ["2"]
    assert ask("DELETE", "entities/urn:x:1").status_code == 404
    assert ask("GET", "types").json()["typeList"] == ["T"]
    ask.tenant = first
    assert ask.ids(type="T") == ["1"]


def test_a_hosted_context_gives_names(ask) -> None:
    """5.13: what is hosted can be used in a Link at once; a deleted one cannot."""
    document = {"@context": {"v": "https://example.org/v", "T": "https://example.org/T"}}
    path = ask("POST", "jsonldContexts", json=document).headers["Location"]
    link = {"Link": LINK.format(ask.twin.url + path)}
    assert ask("POST", "entities", json=thing("1"), headers=link).status_code == 201
    assert ask("GET", "entities/urn:x:1", headers=link).json() == thing("1")
    plain = ask("GET", "entities/urn:x:1").json()
    assert plain["type"] == "https://example.org/T"
    assert "https://example.org/v" in plain
    own = path.rpartition("/")[2]
    assert ask("GET", f"jsonldContexts/{own}").json() == document
    details = ask("GET", f"jsonldContexts/{own}", params={"details": "true"}).json()
    assert (details["localId"], details["kind"]) == (own, "Hosted")
    assert ask("DELETE", f"jsonldContexts/{own}").status_code == 204
    ask.problem(ask("GET", "entities/urn:x:1", headers=link), 503, "LdContextNotAvailable")


def test_types_and_scopes_are_selected_by_their_languages(ask) -> None:
    """4.17, 4.19."""
    ask.put(
        {**thing("1"), "type": ["A", "B"], "scope": ["/nice/port", "/fr"]},
        {**thing("2"), "type": "A", "scope": "/nice/port/quay"},
        {**thing("3"), "type": "C", "scope": "/nice"},
    )
    cases = {"A": ["1", "2"], "A;B": ["1"], "A,C": ["1", "2", "3"], "(A;B)|C": ["1", "3"], "X": []}
    assert {each: ask.ids(type=each) for each in cases} == cases
    scopes = {
        "/nice/port": ["1"], "/nice/#": ["1", "2", "3"], "/nice/+": ["1"], "/+/port/#": ["1", "2"],
        "/nice/port;/fr": ["1"], "/nice,/fr": ["1", "3"], "/#": ["1", "2", "3"],
    }  # fmt: skip
    assert {each: ask.ids(type="A,C", scopeQ=each) for each in scopes} == scopes
    assert ask.ids(type="A,C", idPattern="x:[23]$") == ["2", "3"]


def test_a_post_query_takes_several_selectors(ask) -> None:
    """5.2.23, 5.2.33, 6.23."""
    ask.put(thing("1", 1), {**thing("2", 2), "type": "U"}, thing("3", 3))
    selectors = [{"type": "T", "id": "urn:x:3"}, {"type": "U"}]
    query = {"type": "Query", "entities": selectors, "q": "v>1", "pick": ["id"]}
    answer = ask("POST", "entityOperations/query", json=query)
    assert answer.json() == [{"id": "urn:x:2"}, {"id": "urn:x:3"}]


def test_selectors_are_alternatives_in_whatever_number(ask) -> None:
    """5.2.33: those that differ in their ids only, that name no id, and that name no type."""
    ask.put(*(thing(str(n), n) for n in range(6)), {**thing("6", 6), "type": "U"})

    def found(*selectors: dict[str, Any], q: str = "v>=0") -> str:
        query = {"type": "Query", "entities": list(selectors), "q": q}
        answer = ask("POST", "entityOperations/query", json=query, params={"options": "keyValues"})
        return "".join(str(each["v"]) for each in answer.json())

    one = [{"type": "T", "id": f"urn:x:{n}"} for n in (1, 3, 5, 6, 9)]
    assert found(*one) == "135"
    assert found(*one, q="v>1") == "35"
    assert found(*one, {"type": "U"}) == "1356"
    assert found(*one, {"type": "T"}) == found({"type": "T"}, *one) == "012345"
    assert found(*one, {"type": "*"}) == "0123456"
    assert found({"type": "U", "id": "urn:x:1"}, {"type": "T,U", "id": "urn:x:6"}) == "6"
    assert found(*one, {"type": "T", "idPattern": "[24]$"}) == "12345"


def test_queries_follow_relationships(ask) -> None:
    """4.9, examples 13 and 14."""
    rel = {"type": "Relationship", "object": "urn:x:2"}
    ask.put(thing("1", s=rel), {**thing("2", 40), "type": "Device"})
    assert ask.ids(q="s{v}==40") == ["1"]
    assert ask.ids(q="s{Device:v}==40") == ["1"]
    assert ask.ids(q="s{T:v}==40") == []


def test_names_in_values_are_expanded_when_asked(ask) -> None:
    """4.9, example 12."""
    ask.put(thing("1", g={"type": "VocabProperty", "vocab": "Male"}))
    assert ask.ids(q="g==Male", expandValues="g") == ["1"]
    assert ask.ids(q='g=="https://uri.etsi.org/ngsi-ld/default-context/Male"') == ["1"]
    assert ask.ids(q="g==Male") == []
