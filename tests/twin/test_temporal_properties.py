"""History against plain Python and pandas: aggregates, windows, and paging over time."""

import math
import statistics
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ldt_toolbox.clients.imperfect import strict
from ldt_toolbox.clients.ngsi_ld import NgsiLd
from ldt_toolbox.clients.ngsi_ld.aggregation import aggregates
from ldt_toolbox.clients.ngsi_ld.temporal import observations
from ldt_toolbox.clients.ngsi_ld.windows import range_of
from ldt_toolbox.twin.limits import Limits
from ldt_toolbox.twin.serve import Twin

START = datetime(2026, 7, 1, tzinfo=UTC)
METHODS = "totalCount,distinctCount,sum,avg,min,max,stddev,sumsq"
MOST = 40


def text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


@pytest.fixture(scope="module")
def small() -> Iterator[Twin]:
    """A twin that sends 40 instances at most in an answer."""
    with Twin(limits=Limits(instances=MOST)) as twin:
        yield twin


def ask(twin: Twin, method: str, path: str, tenant: str, **options: Any) -> requests.Response:
    return requests.request(
        method,
        f"{twin.url}/ngsi-ld/v1/temporal/{path}",
        headers={"NGSILD-Tenant": tenant},
        timeout=20,
        **options,
    )


def put(twin: Twin, tenant: str, own: str, **attributes: list[tuple[float, Any]]) -> None:
    """An evolution; each attribute is pairs of seconds after START and value."""
    instances = {
        name: [
            {"type": "Property", "value": value, "observedAt": text(START + timedelta(seconds=s))}
            for s, value in pairs
        ]
        for name, pairs in attributes.items()
    }
    answer = ask(twin, "POST", "entities", tenant, json={"id": own, "type": "S", **instances})
    assert answer.status_code in (201, 204), answer.text


VALUES = st.one_of(
    st.integers(-1000, 1000), st.floats(-1e6, 1e6, allow_nan=False), st.just(0), st.just(0.1)
)
SERIES = st.lists(st.tuples(st.integers(0, 400_000), VALUES), min_size=1, max_size=30)
numbered = iter(range(10**9))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(SERIES, st.sampled_from(["PT1H", "PT17M", "P1D", "PT100S", "PT0S"]))
def test_aggregates_are_those_of_pandas(
    running: Twin, series: list[tuple[int, float]], period: str
) -> None:
    tenant = f"aggregates{next(numbered)}"
    put(running, tenant, "urn:x:1", t=series)
    answer = ask(
        running, "GET", "entities/urn:x:1", tenant,
        params={
            "format": "aggregatedValues", "aggrMethods": METHODS, "aggrPeriodDuration": period,
            "timerel": "between", "timeAt": text(START),
            "endTimeAt": text(START + timedelta(seconds=300_000)),
        },
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    kept = [(s, v) for s, v in series if s < 300_000]
    found = {(each.method, each.start): each.value for each in aggregates(answer.json())}
    whole = period == "PT0S"
    step_s = 300_000 if whole else pd.Timedelta(period).total_seconds()
    frame = pd.DataFrame(kept, columns=["s", "value"])
    wanted = {}
    for number, group in frame.groupby(frame["s"] // step_s)["value"]:
        at = text(START + timedelta(seconds=float(number) * step_s))
        values = [float(v) for v in group]
        wanted |= {
            ("totalCount", at): len(values),
            ("distinctCount", at): len(set(values)),
            ("sum", at): math.fsum(values),
            ("avg", at): math.fsum(values) / len(values),
            ("min", at): min(values),
            ("max", at): max(values),
            ("stddev", at): statistics.pstdev(values),
            ("sumsq", at): math.fsum(v * v for v in values),
        }
    assert found.keys() == wanted.keys()
    for key, value in wanted.items():
        # both sum without rounding on the way; what is left is that of the mean, squared
        assert found[key] == pytest.approx(value, rel=1e-9, abs=1e-6), key


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(SERIES, st.integers(0, 400_000), st.integers(1, 400_000), st.integers(1, 5))
def test_windows_are_those_of_a_list(
    running: Twin, series: list[tuple[int, float]], first: int, length: int, last: int
) -> None:
    tenant = f"windows{next(numbered)}"
    put(running, tenant, "urn:x:1", t=series)
    start, end = START + timedelta(seconds=first), START + timedelta(seconds=first + length)
    bounds = {"timeAt": text(start), "endTimeAt": text(end)}
    for relation, kept in (
        ("between", [p for p in series if first <= p[0] < first + length]),
        ("after", [p for p in series if p[0] >= first]),
        ("before", [p for p in series if p[0] < first]),
    ):
        params = {"timerel": relation, **bounds, "options": "temporalValues"}
        answer = ask(running, "GET", "entities/urn:x:1", tenant, params=params).json()
        in_order = [[v, text(START + timedelta(seconds=s))] for s, v in sorted(kept, key=_first)]
        assert answer.get("t", {}).get("values", []) == in_order
        answer = ask(
            running, "GET", "entities/urn:x:1", tenant, params={**params, "lastN": last}
        ).json()
        assert answer.get("t", {}).get("values", []) == in_order[-last:]


def _first(pair: tuple[int, Any]) -> int:
    return pair[0]


def walk(twin: Twin, tenant: str, path: str, **params: Any) -> tuple[list[Any], int]:
    """All pairs of attribute t, from part to part by Content-Range; and the number of parts."""
    found: list[Any] = []
    at, parts = text(START), 0
    while True:
        parts += 1
        given = {"timerel": "after", "timeAt": at, "format": "temporalValues", **params}
        answer = ask(twin, "GET", path, tenant, params=given)
        body = answer.json()
        for entity in body if isinstance(body, list) else [body]:
            for name in ("t", "u"):
                pairs = entity.get(name, {}).get("values", [])
                found += [(entity["id"], name, value, when) for value, when in pairs]
        if answer.status_code == 200:
            return found, parts
        assert answer.status_code == 206
        unit, _, extent = answer.headers["Content-Range"].partition(" ")
        assert unit == "date-time"
        assert extent.endswith("/*")
        told = range_of(answer.headers["Content-Range"])
        assert told is not None
        assert text(told[0]) == at
        at = text(told[1] + timedelta(microseconds=1))


def test_all_instances_come_in_parts(small: Twin) -> None:
    tenant = "parts"
    for own in ("urn:x:1", "urn:x:2"):
        put(
            small, tenant, own,
            t=[(60 * n, n) for n in range(100)],
            u=[(60 * n + n % 7, -n) for n in range(90)],
        )  # fmt: skip
    one, parts = walk(small, tenant, "entities/urn:x:1")
    assert len(one) == len(set(one)) == 190
    assert parts in (5, 6), "190 instances, 40 at a time, or 39 so as not to part an instant"
    both, _ = walk(small, tenant, "entities", type="S")
    assert len(both) == len(set(both)) == 380


def test_instances_of_one_instant_stay_together(small: Twin) -> None:
    tenant = "instant"
    put(small, tenant, "urn:x:1", t=[(0, n) for n in range(3 * MOST)], u=[(1, 1), (2, 2)])
    found, parts = walk(small, tenant, "entities/urn:x:1")
    assert len(found) == len(set(found)) == 3 * MOST + 2
    assert parts == 2


def test_the_latest_are_cut_from_the_other_side(small: Twin) -> None:
    tenant = "latest"
    put(small, tenant, "urn:x:1", t=[(n, n) for n in range(100)], u=[(n, n) for n in range(100)])
    params = {"lastN": 30, "format": "temporalValues"}
    answer = ask(small, "GET", "entities/urn:x:1", tenant, params=params)
    assert answer.status_code == 206
    newest, oldest = (text(START + timedelta(seconds=s)) for s in (99, 80))
    assert answer.headers["Content-Range"] == f"date-time {newest}-{oldest}/30"
    assert [value for value, _ in answer.json()["u"]["values"]] == list(range(80, 100))


def test_our_client_gets_all_of_it_without_a_complaint(small: Twin) -> None:
    with NgsiLd(small.ngsi_ld, tenant="client") as client, strict():
        for own in ("urn:x:1", "urn:x:2", "urn:x:3"):
            instances = [
                {"type": "Property", "value": n, "observedAt": text(START + timedelta(minutes=n))}
                for n in range(130)
            ]
            client.temporal.create({"id": own, "type": "S", "t": instances})
        window = {"start": START, "end": START + timedelta(days=1)}
        for form in ("normalized", "temporalValues"):
            entity = client.temporal.get("urn:x:1", form=form, **window)
            assert [each.value for each in observations(entity)] == list(range(130))
            found = client.temporal.query(type="S", form=form, page_size=2, **window)
            assert [len(list(observations(each))) for each in found] == [130] * 3
        latest = client.temporal.get("urn:x:1", last_n=3)
        assert [each.value for each in observations(latest)] == [127, 128, 129]
        [first, *_] = client.temporal.aggregate(methods="avg", period="PT1H", type="S", **window)
        assert [each.value for each in aggregates(first)][:2] == [29.5, 89.5]
        own = client.temporal.get("urn:x:2", end=START + timedelta(minutes=1))["t"][0]
        client.temporal.append("urn:x:2", {"v": {"type": "Property", "value": 1}})
        client.temporal.update_instance("urn:x:2", "t", own["instanceId"], {"value": -5})
        changed = client.temporal.get("urn:x:2", end=START + timedelta(minutes=1))
        assert [each.value for each in observations(changed)] == [-5]
        client.temporal.delete("urn:x:2", attribute="t", instance_id=own["instanceId"])
        client.temporal.delete("urn:x:2", attribute="t")
        client.temporal.delete("urn:x:2")
        kept = client.temporal.query(type="S", **window)
        assert [each["id"] for each in kept] == ["urn:x:1", "urn:x:3"]
