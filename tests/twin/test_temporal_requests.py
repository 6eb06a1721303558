# ruff: noqa: E501 - a row of the table is a line
"""History by request, a table: each row names the clause of GS CIM 009 V1.8.1 it is from.

Each row is played against a twin that holds the evolutions of `EVOLUTIONS`.
"""

from typing import Any

import pytest

A, B, C = "urn:ngsi-ld:Sensor:A", "urn:ngsi-ld:Sensor:B", "urn:ngsi-ld:Diary:C"
KEYS = {"format": "temporalValues"}
AGGREGATED = {"format": "aggregatedValues"}


def at(day: int) -> str:
    return f"2026-07-{day:02}T00:00:00Z"


def typed(kind: str, text: str) -> dict[str, str]:
    return {"@type": kind, "@value": text}


def reading(value: Any, day: int, **more: Any) -> dict[str, Any]:
    return {"type": "Property", "value": value, "observedAt": at(day), **more}


EVOLUTIONS: list[dict[str, Any]] = [
    {
        "id": A,
        "type": "Sensor",
        "scope": "/nice",
        "t": [reading(value, day) for day, value in enumerate((20, 24, 22, 30), 1)],
        "place": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [7, 43]}},
        "state": [{"type": "VocabProperty", "vocab": "on", "observedAt": at(1)}],
        "title": [{"type": "LanguageProperty", "languageMap": {"fr": "un"}, "observedAt": at(2)}],
    },
    {
        "id": B,
        "type": ["Sensor", "Gauge"],
        "t": [reading(1, 1, datasetId="urn:d:1"), reading(2, 1), reading(3, 5, unitCode="CEL")],
        "text": [reading("b", 1), reading("a", 2), reading("b", 3)],
        "on": [reading(True, 1), reading(False, 2)],
        "list": [reading([1, 2, 3], 1), reading([], 2)],
        "raw": [{"type": "JsonProperty", "json": {"x": [1, None]}, "observedAt": at(1)}],
        "to": [{"type": "Relationship", "object": A, "observedAt": at(1)}],
    },
    {
        "id": C,
        "type": "Diary",
        "day": [reading(typed("Date", "2026-07-02"), 1), reading(typed("Date", "2026-07-01"), 2)],
        "seen": [
            reading(typed("DateTime", "2026-07-01T00:00:00Z"), 1),
            reading(typed("DateTime", "2026-07-01T01:00:00+02:00"), 2),
        ],
        "clock": [reading(typed("Time", "08:30:00Z"), 1), reading(typed("Time", "10:00:00Z"), 2)],
    },
]


def pairs(*values: tuple[Any, int]) -> list[list[Any]]:
    return [[value, at(day)] for value, day in values]


def numbers(*values: tuple[Any, int]) -> dict[str, Any]:
    return {"type": "Property", "values": pairs(*values)}


def period(value: Any, first: int, last: int) -> list[Any]:
    return [value, at(first), at(last)]


ALL_T = {"t": numbers((20, 1), (24, 2), (22, 3), (30, 4))}
FROM_1 = {"timerel": "after", "timeAt": at(1)}

# clause, what, path, parameters, status, error type or part of the answer
READS: list[tuple[str, str, str, dict[str, Any], int, Any]] = [
    ("4.5.9", "pairs", f"entities/{A}", KEYS, 200, ALL_T | {"id": A, "type": "Sensor", "scope": "/nice"}),
    ("4.5.9", "vocabulary", f"entities/{A}", KEYS, 200, {"state": {"type": "VocabProperty", "vocabs": [[{"vocab": "on"}, at(1)]]}}),
    ("4.5.9", "language map", f"entities/{A}", KEYS, 200, {"title": {"type": "LanguageProperty", "languageMaps": [[{"languageMap": {"fr": "un"}}, at(2)]]}}),
    ("4.15", "language", f"entities/{A}", {**KEYS, "lang": "fr"}, 200, {"title": numbers(("un", 2))}),
    ("4.5.9", "JSON", f"entities/{B}", KEYS, 200, {"raw": {"type": "JsonProperty", "jsons": [[{"json": {"x": [1, None]}}, at(1)]]}}),
    ("4.5.9", "relationship", f"entities/{B}", KEYS, 200, {"to": {"type": "Relationship", "objects": pairs((A, 1))}}),
    ("4.5.9", "datasets", f"entities/{B}", {**KEYS, "attrs": "t"}, 200, {"t": [{**numbers((1, 1)), "datasetId": "urn:d:1"}, numbers((2, 1), (3, 5))]}),
    ("4.5.5", "one dataset", f"entities/{B}", {**KEYS, "datasetId": "urn:d:1"}, 200, {"t": {**numbers((1, 1)), "datasetId": "urn:d:1"}}),
    ("4.5.5", "default dataset", f"entities/{B}", {**KEYS, "datasetId": "@none", "pick": "t"}, 200, {"t": numbers((2, 1), (3, 5))}),
    ("6.3.12", "pairs by options", f"entities/{A}", {"options": "temporalValues"}, 200, ALL_T),
    ("4.21", "pick", f"entities/{A}", {**KEYS, "pick": "t"}, 200, ALL_T),
    ("4.21", "omit", f"entities/{A}", {**KEYS, "omit": "t,title,id"}, 200, {"state": {"type": "VocabProperty", "vocabs": [[{"vocab": "on"}, at(1)]]}}),
    ("4.11", "before excludes", f"entities/{A}", {**KEYS, "pick": "t", "timerel": "before", "timeAt": at(3)}, 200, {"t": numbers((20, 1), (24, 2))}),
    ("4.11", "after includes", f"entities/{A}", {**KEYS, "pick": "t", "timerel": "after", "timeAt": at(3)}, 200, {"t": numbers((22, 3), (30, 4))}),
    ("4.11", "between", f"entities/{A}", {**KEYS, "pick": "t", "timerel": "between", "timeAt": at(2), "endTimeAt": at(4)}, 200, {"t": numbers((24, 2), (22, 3))}),
    ("4.11", "another zone", f"entities/{A}", {**KEYS, "pick": "t", "timerel": "before", "timeAt": "2026-07-02T01:00:00+02:00"}, 200, {"t": numbers((20, 1))}),
    ("5.7.3", "lastN", f"entities/{B}", {**KEYS, "attrs": "t,text", "lastN": "1"}, 200, {"t": [{**numbers((1, 1)), "datasetId": "urn:d:1"}, numbers((3, 5))], "text": numbers(("b", 3))}),
    ("5.7.3", "nothing in the window", f"entities/{A}", {"timerel": "after", "timeAt": at(30)}, 200, {"id": A}),
    ("4.8", "by deletedAt", f"entities/{A}", {"timeproperty": "deletedAt"}, 200, {"id": A}),
    ("5.7.3", "type fits not", f"entities/{A}", {"type": "Gauge"}, 404, "ResourceNotFound"),
    ("5.7.3", "attribute that it never had", f"entities/{A}", {"attrs": "zz"}, 404, "ResourceNotFound"),
    ("5.7.3", "not there", "entities/urn:x:9", {}, 404, "ResourceNotFound"),
    ("5.7.3", "id no URI", "entities/x", {}, 400, "BadRequestData"),
    ("4.5.19", "all methods of numbers", f"entities/{A}", {**AGGREGATED, "pick": "t", "aggrMethods": "totalCount,distinctCount,sum,avg,min,max,sumsq", **FROM_1, "aggrPeriodDuration": "P2D"}, 200, {"t": {"type": "Property", "totalCount": [period(2, 1, 3), period(2, 3, 5)], "distinctCount": [period(2, 1, 3), period(2, 3, 5)], "sum": [period(44, 1, 3), period(52, 3, 5)], "avg": [period(22, 1, 3), period(26, 3, 5)], "min": [period(20, 1, 3), period(22, 3, 5)], "max": [period(24, 1, 3), period(30, 3, 5)], "sumsq": [period(976, 1, 3), period(1384, 3, 5)]}}),
    ("4.5.19", "stddev", f"entities/{A}", {**AGGREGATED, "pick": "t", "aggrMethods": "stddev", **FROM_1, "aggrPeriodDuration": "P2D"}, 200, {"t": {"type": "Property", "stddev": [period(2, 1, 3), period(4, 3, 5)]}}),
    ("4.5.19", "whole window", f"entities/{A}", {**AGGREGATED, "pick": "t", "aggrMethods": "max", "timerel": "between", "timeAt": at(1), "endTimeAt": at(9), "aggrPeriodDuration": "PT0S"}, 200, {"t": {"type": "Property", "max": [period(30, 1, 9)]}}),
    ("4.5.19", "last period ends with the window", f"entities/{A}", {**AGGREGATED, "pick": "t", "aggrMethods": "sum", "timerel": "between", "timeAt": at(1), "endTimeAt": at(4), "aggrPeriodDuration": "P2D"}, 200, {"t": {"type": "Property", "sum": [period(44, 1, 3), period(22, 3, 4)]}}),
    ("4.5.19", "empty periods are left out", f"entities/{B}", {**AGGREGATED, "pick": "t", "datasetId": "@none", "aggrMethods": "sum", **FROM_1, "aggrPeriodDuration": "P2D"}, 200, {"t": {"type": "Property", "sum": [period(2, 1, 3), period(3, 5, 7)]}}),
    ("4.5.19", "months of the calendar", f"entities/{A}", {**AGGREGATED, "pick": "t", "aggrMethods": "totalCount", "timerel": "after", "timeAt": "2026-06-30T00:00:00Z", "aggrPeriodDuration": "P1M"}, 200, {"t": {"type": "Property", "totalCount": [[4, "2026-06-30T00:00:00Z", "2026-07-30T00:00:00Z"]]}}),
    ("4.5.19", "texts", f"entities/{B}", {**AGGREGATED, "pick": "text", "aggrMethods": "min,max,distinctCount,avg", **FROM_1, "aggrPeriodDuration": "P9D"}, 200, {"text": {"type": "Property", "min": [period("a", 1, 10)], "max": [period("b", 1, 10)], "distinctCount": [period(2, 1, 10)]}}),
    ("4.5.19", "truth values", f"entities/{B}", {**AGGREGATED, "pick": "on", "aggrMethods": "sum,avg", **FROM_1, "aggrPeriodDuration": "P9D"}, 200, {"on": {"type": "Property", "sum": [period(1, 1, 10)], "avg": [period(0.5, 1, 10)]}}),
    ("4.5.19", "lists by length", f"entities/{B}", {**AGGREGATED, "pick": "list", "aggrMethods": "sum,max", **FROM_1, "aggrPeriodDuration": "P9D"}, 200, {"list": {"type": "Property", "sum": [period(3, 1, 10)], "max": [period(3, 1, 10)]}}),
    ("4.5.19", "lists have no spread", f"entities/{B}", {**AGGREGATED, "pick": "list", "aggrMethods": "totalCount,stddev,sumsq", **FROM_1, "aggrPeriodDuration": "P9D"}, 200, {"list": {"type": "Property", "totalCount": [period(2, 1, 10)]}}),
    ("4.5.19", "dates", f"entities/{C}", {**AGGREGATED, "pick": "day", "aggrMethods": "min,max,avg,sum", **FROM_1, "aggrPeriodDuration": "P9D"}, 200, {"day": {"type": "Property", "min": [period(typed("Date", "2026-07-01"), 1, 10)], "max": [period(typed("Date", "2026-07-02"), 1, 10)]}}),
    ("4.5.19", "instants, not their texts", f"entities/{C}", {**AGGREGATED, "pick": "seen", "aggrMethods": "min,max", **FROM_1, "aggrPeriodDuration": "P9D"}, 200, {"seen": {"type": "Property", "min": [period(typed("DateTime", "2026-07-01T01:00:00+02:00"), 1, 10)], "max": [period(typed("DateTime", "2026-07-01T00:00:00Z"), 1, 10)]}}),
    ("4.5.19", "times of day have a mean", f"entities/{C}", {**AGGREGATED, "pick": "clock", "aggrMethods": "avg,max", **FROM_1, "aggrPeriodDuration": "P9D"}, 200, {"clock": {"type": "Property", "avg": [period(typed("Time", "09:15:00Z"), 1, 10)], "max": [period(typed("Time", "10:00:00Z"), 1, 10)]}}),
    ("5.7.4", "asked for, without a method that fits", f"entities/{B}", {**AGGREGATED, "pick": "text", "aggrMethods": "avg,sum", **FROM_1}, 400, "InvalidRequest"),
    ("5.7.4", "not asked for, without a method that fits", f"entities/{C}", {**AGGREGATED, "omit": "day,seen", "aggrMethods": "avg", **FROM_1, "aggrPeriodDuration": "P9D"}, 200, {"clock": {"type": "Property", "avg": [period(typed("Time", "09:15:00Z"), 1, 10)]}}),
    ("4.5.19", "relationships are counted", f"entities/{B}", {**AGGREGATED, "pick": "to", "aggrMethods": "totalCount,max", **FROM_1, "aggrPeriodDuration": "P9D"}, 200, {"to": {"type": "Relationship", "totalCount": [period(1, 1, 10)]}}),
    ("4.5.19", "no methods", f"entities/{A}", AGGREGATED, 400, "BadRequestData"),
    ("4.5.19", "unknown method", f"entities/{A}", {**AGGREGATED, "aggrMethods": "median"}, 400, "BadRequestData"),
    ("4.5.19", "no duration", f"entities/{A}", {**AGGREGATED, "aggrMethods": "sum", "aggrPeriodDuration": "1h"}, 400, "BadRequestData"),
    ("4.11", "timeAt without timerel", f"entities/{A}", {"timeAt": at(1)}, 400, "BadRequestData"),
    ("4.11", "unknown timerel", f"entities/{A}", {"timerel": "at", "timeAt": at(1)}, 400, "BadRequestData"),
    ("4.11", "no timeAt", f"entities/{A}", {"timerel": "before"}, 400, "BadRequestData"),
    ("4.11", "timeAt no DateTime", f"entities/{A}", {"timerel": "before", "timeAt": "2026-07-01"}, 400, "BadRequestData"),
    ("4.11", "no endTimeAt", f"entities/{A}", {"timerel": "between", "timeAt": at(1)}, 400, "BadRequestData"),
    ("4.11", "end before start", f"entities/{A}", {"timerel": "between", "timeAt": at(2), "endTimeAt": at(1)}, 400, "BadRequestData"),
    ("4.8", "unknown timeproperty", f"entities/{A}", {"timeproperty": "when"}, 400, "BadRequestData"),
    ("5.7.3", "lastN 0", f"entities/{A}", {"lastN": "0"}, 400, "BadRequestData"),
    ("6.3.7", "unknown format", f"entities/{A}", {"format": "simplified"}, 400, "BadRequestData"),
    ("6.3.12", "two forms", f"entities/{A}", {"options": "temporalValues,aggregatedValues"}, 400, "BadRequestData"),
    ("5.7.4", "no window", "entities", {"type": "Sensor"}, 400, "BadRequestData"),
    ("5.7.4", "too broad", "entities", FROM_1, 400, "BadRequestData"),
    ("5.7.4", "by type", "entities", {"type": "Sensor", **FROM_1}, 200, [A, B]),
    ("4.17", "by all of two types", "entities", {"type": "Sensor;Gauge", **FROM_1}, 200, [B]),
    ("4.17", "by one of two types", "entities", {"type": "Gauge|X", **FROM_1}, 200, [B]),
    ("5.7.4", "by id", "entities", {"type": "Sensor", "id": f"{B},urn:x:1", **FROM_1}, 200, [B]),
    ("5.7.4", "by pattern of ids", "entities", {"type": "Sensor", "idPattern": ".*A$", **FROM_1}, 200, [A]),
    ("5.7.4", "by attribute", "entities", {"attrs": "text", **FROM_1}, 200, [B]),
    ("5.7.4", "attribute has none in the window", "entities", {"attrs": "text", "timerel": "after", "timeAt": at(4)}, 200, []),
    ("5.7.4", "none in the window", "entities", {"type": "Sensor", "timerel": "after", "timeAt": at(5)}, 200, [B]),
    ("4.9", "q in the window", "entities", {"type": "Sensor", "q": "t>25", **FROM_1}, 200, [A]),
    ("4.9", "q outside of the window", "entities", {"type": "Sensor", "q": "t>25", "timerel": "before", "timeAt": at(4)}, 200, []),
    ("4.10", "geo, of a place without time", "entities", {"type": "Sensor", "georel": "near;maxDistance==10", "geometry": "Point", "coordinates": "[7,43]", "geoproperty": "place", **FROM_1}, 200, [A]),
    ("4.19", "scopes", "entities", {"type": "Sensor", "scopeQ": "/nice/#", **FROM_1}, 200, [A]),
    ("6.3.10", "offset", "entities", {"type": "Sensor", "limit": 1, "offset": 1, **FROM_1}, 200, [B]),
    ("5.5.9", "limit too large", "entities", {"type": "Sensor", "limit": 5000, **FROM_1}, 403, "TooManyResults"),
    ("6.3.14", "tenant without data", "entities", {"type": "Sensor", **FROM_1, "tenant": "nobody"}, 404, "NonexistentTenant"),
    ("4.5.23", "join is not done", "entities", {"type": "Sensor", "join": "inline", **FROM_1}, 501, ""),
]  # fmt: skip


@pytest.fixture
def history(ask: Any) -> Any:
    for each in EVOLUTIONS:
        answer = ask("POST", "temporal/entities", json=each)
        assert answer.status_code == 201, answer.text
        assert answer.headers["Location"] == f"/ngsi-ld/v1/temporal/entities/{each['id']}"
    return ask


@pytest.mark.parametrize(
    ("path", "params", "status", "wanted"),
    [row[2:] for row in READS],
    ids=[f"{row[0]} {row[1]}" for row in READS],
)
def test_read(history: Any, path: str, params: Any, status: int, wanted: Any) -> None:
    params = dict(params)
    headers = {"NGSILD-Tenant": params.pop("tenant")} if "tenant" in params else {}
    answer = history("GET", f"temporal/{path}", params=params, headers=headers)
    if isinstance(wanted, str):
        history.problem(answer, status, wanted)
        return
    assert answer.status_code == status, answer.text
    if isinstance(wanted, list):
        assert [each["id"] for each in answer.json()] == wanted
    else:
        assert answer.json() | wanted == answer.json()


def test_pick_leaves_nothing_else(history: Any) -> None:
    params = {**KEYS, "pick": "t"}
    assert history("GET", f"temporal/entities/{A}", params=params).json() == ALL_T


def test_a_query_by_body_finds_the_same(history: Any) -> None:
    body = {
        "type": "Query",
        "entities": [{"type": "Sensor"}],
        "q": "t>25",
        "temporalQ": {"timerel": "between", "timeAt": at(2), "endTimeAt": at(9), "lastN": 1},
    }
    answer = history("POST", "temporal/entityOperations/query", params=KEYS, json=body)
    assert answer.status_code == 200, answer.text
    [found] = answer.json()
    assert found["t"] == numbers((30, 4))
    del body["temporalQ"]
    answer = history("POST", "temporal/entityOperations/query", json=body)
    history.problem(answer, 400, "BadRequestData")


def test_pages_of_evolutions_are_counted_and_linked(history: Any) -> None:
    params = {"type": "Sensor", "limit": 1, "count": "true", **FROM_1}
    answer = history("GET", "temporal/entities", params=params)
    assert answer.headers["NGSILD-Results-Count"] == "2"
    assert 'rel="next"' in answer.headers["Link"]
    assert "offset=1" in answer.headers["Link"]


def test_normalized_instances_have_ids_and_times_if_asked(history: Any) -> None:
    plain = history("GET", f"temporal/entities/{B}").json()["t"]
    assert sorted(each["value"] for each in plain) == [1, 2, 3]
    assert all(each["instanceId"].startswith("urn:ngsi-ld:Instance:") for each in plain)
    assert len({each["instanceId"] for each in plain}) == 3
    assert "createdAt" not in plain[0]
    system = history("GET", f"temporal/entities/{B}", params={"options": "sysAttrs"}).json()
    assert {"createdAt", "modifiedAt"} <= system["t"][0].keys() & system.keys()


def test_history_grows_and_shrinks(history: Any) -> None:
    path = f"temporal/entities/{A}"
    answer = history("POST", f"{path}/attrs", json={"t": [reading(5, 6)], "u": reading(7, 6)})
    assert answer.status_code == 204, answer.text
    assert history("POST", "temporal/entities", json={**EVOLUTIONS[0], "t": []}).status_code == 204
    found = history("GET", path, params={"pick": "t,u", "timerel": "after", "timeAt": at(6)}).json()
    assert [each["value"] for each in found["t"]] == [5]
    own = found["t"][0]["instanceId"]
    answer = history("PATCH", f"{path}/attrs/t/{own}", json={"value": 6, "unitCode": "CEL"})
    assert answer.status_code == 204, answer.text
    answer = history("PATCH", f"{path}/attrs/t/{own}", json={"t": [{"observedAt": at(7)}]})
    assert answer.status_code == 204, answer.text
    found = history("GET", path, params={"pick": "t", "timerel": "after", "timeAt": at(6)}).json()
    wanted = reading(6, 7, unitCode="CEL", instanceId=own)
    assert found["t"] == [wanted]
    assert history("DELETE", f"{path}/attrs/t/{own}").status_code == 204
    history.problem(history("DELETE", f"{path}/attrs/t/{own}"), 404, "ResourceNotFound")
    history.problem(history("PATCH", f"{path}/attrs/u/{own}", json={}), 404, "ResourceNotFound")
    assert history("GET", path, params={**KEYS, "pick": "t"}).json() == ALL_T
    assert history("DELETE", f"{path}/attrs/t").status_code == 204
    history.problem(history("DELETE", f"{path}/attrs/t"), 404, "ResourceNotFound")
    assert history("DELETE", path).status_code == 204
    history.problem(history("GET", path), 404, "ResourceNotFound")
    history.problem(history("POST", f"{path}/attrs", json={}), 404, "ResourceNotFound")


def test_datasets_are_deleted_one_by_one_or_all(history: Any) -> None:
    path = f"temporal/entities/{B}/attrs/t"
    assert history("DELETE", path, params={"datasetId": "urn:d:1"}).status_code == 204
    left = history("GET", f"temporal/entities/{B}", params=KEYS).json()
    assert left["t"] == numbers((2, 1), (3, 5))
    assert history("DELETE", path, params={"deleteAll": "true"}).status_code == 204
    assert "t" not in history("GET", f"temporal/entities/{B}").json()


def test_each_write_of_an_entity_is_kept(ask: Any) -> None:
    entity = {"id": A, "type": "Sensor", "t": reading(1, 1), "n": {"type": "Property", "value": 1}}
    assert ask("POST", "entities", json=entity).status_code == 201
    path = f"entities/{A}"
    assert ask("PATCH", f"{path}/attrs/t", json=reading(2, 2)).status_code == 204
    ask.put({**entity, "t": reading(3, 3)})
    assert ask("PATCH", path, json={"t": reading(4, 4)}).status_code == 204
    assert ask("DELETE", f"{path}/attrs/n").status_code == 204
    seen = ask("GET", f"temporal/{path}", params=KEYS).json()
    assert seen["t"] == numbers((1, 1), (2, 2), (3, 3), (4, 4))
    assert "n" not in seen, "what has no observedAt is not in the history by it"
    by = {**KEYS, "timeproperty": "modifiedAt"}
    names = [value for value, _ in ask("GET", f"temporal/{path}", params=by).json()["n"]["values"]]
    assert names[0] == 1
    assert names[-1] == "urn:ngsi-ld:null"
    assert ask("DELETE", path).status_code == 204
    gone = ask("GET", f"temporal/{path}", params={"timeproperty": "deletedAt"}).json()
    assert gone["deletedAt"] == gone["t"][-1]["deletedAt"]
    assert gone["t"][-1]["value"] == "urn:ngsi-ld:null"


def test_a_write_that_is_refused_leaves_no_history(ask: Any) -> None:
    entity = {"id": A, "type": "Sensor", "t": reading(1, 1)}
    assert ask("POST", "entities", json=entity).status_code == 201
    assert ask("POST", "entities", json={**entity, "t": reading(2, 2)}).status_code == 409
    assert ask("GET", f"temporal/entities/{A}", params=KEYS).json()["t"] == numbers((1, 1))


def test_the_table_is_read_whole() -> None:
    assert len(READS) > 60
    assert len({(row[0], row[1]) for row in READS}) == len(READS)


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("timeproperty is a list", {"timeproperty": ["observedAt"]}),
    ("timerel is an object", {"timerel": {}}),
    ("timeAt is a number", {"timerel": "after", "timeAt": 5}),
    ("lastN is true", {"lastN": True}),
    ("lastN is a fraction", {"lastN": 1.5}),
]


@pytest.mark.parametrize("when", [row[1] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_wrong_body_is_told(history: Any, when: dict[str, Any]) -> None:
    body = {"type": "Query", "entities": [{"type": "Sensor"}], "temporalQ": {**FROM_1, **when}}
    answer = history("POST", "temporal/entityOperations/query", json=body)
    history.problem(answer, 400, "BadRequestData")


@pytest.mark.parametrize("period", ["P9999Y", "P99999M", "P999999W", "P9999999D", "PT9999999999S"])
def test_periods_beyond_the_calendar_end_with_it(history: Any, period: str) -> None:
    params = {**AGGREGATED, "pick": "t", "aggrMethods": "sum", "aggrPeriodDuration": period}
    answer = history("GET", f"temporal/entities/{A}", params={**params, **FROM_1})
    [[value, start, end]] = answer.json()["t"]["sum"]
    assert (value, start) == (96, at(1))
    assert end > at(4)


def test_too_many_periods_are_refused(history: Any) -> None:
    params = {**AGGREGATED, "aggrMethods": "sum", "aggrPeriodDuration": "PT0.000001S"}
    answer = history("GET", f"temporal/entities/{A}", params={**params, **FROM_1})
    history.problem(answer, 403, "TooComplexQuery")
