"""Temporal answers cut with status 200 in any of the ways in which servers limit rows."""

import warnings
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ldt_toolbox.clients.imperfect import CutAnswerWarning
from ldt_toolbox.clients.ngsi_ld import observations
from ldt_toolbox.clients.ngsi_ld.evolution import merged
from ldt_toolbox.clients.ngsi_ld.windows import Gatherer, Limit, Part, Window

BEGIN = datetime(2026, 7, 1, tzinfo=UTC)


def at(minute: int) -> str:
    return (BEGIN + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Silent:
    """A server with a limit of which it says nothing.

    `each` counts the instances of each attribute, `time` those of the answer in the order of time,
    `rows` those of the answer attribute after attribute, as `LIMIT` does without an order.
    """

    def __init__(self, series, *, kind, cap, keeps):
        self.rows = [(name, minute) for name, minutes in series.items() for minute in minutes]
        self.kind, self.cap, self.keeps = kind, cap, keeps
        self.asked = 0

    def ask(self, window: Window, latest: int | None) -> Part:
        self.asked += 1
        low = window.start or datetime.min.replace(tzinfo=UTC)
        high = window.end or datetime.max.replace(tzinfo=UTC)
        inside = [
            (name, minute)
            for name, minute in self.rows
            if low <= BEGIN + timedelta(minutes=minute) < high
        ]
        if latest is not None:
            inside = [row for name in dict(inside) for row in self.of(name, inside)[-latest:]]
        blocks: dict = {}
        for name, minute in self.cut(inside):
            blocks.setdefault(name, []).append(
                {"type": "Property", "value": minute, "observedAt": at(minute)}
            )
        return Part([{"id": "urn:x:a", "type": "Station", **blocks}])

    @staticmethod
    def of(name, rows):
        return [row for row in rows if row[0] == name]

    def cut(self, rows):
        if self.kind == "each":
            return [row for name in dict(rows) for row in self.kept(self.of(name, rows))]
        if self.kind == "time":
            return sorted(self.kept(sorted(rows, key=lambda row: row[1])))
        whole, left = [], self.cap
        for name in dict(rows):
            own = self.of(name, rows)
            own = (own[:left] if self.keeps == "oldest" else own[-left:]) if left else []
            whole += own
            left -= len(own)
        return whole

    def kept(self, rows):
        return rows[: self.cap] if self.keeps == "oldest" else rows[-self.cap :]


def gathered(server, window, last_n=None, limit=None):
    """What is there in the end, by attribute, and whether the client told of a cut."""
    gatherer = Gatherer(
        server.ask,
        limit or Limit(),
        timeproperty="observedAt",
        filtered=False,
        probe=True,
    )
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", CutAnswerWarning)
        parts = gatherer.gather(window, server.ask(window, last_n), last_n)
    whole = merged((each for part in parts for each in part.entities), timeproperty="observedAt")
    found: dict = {}
    for observation in observations(whole):
        found.setdefault(observation.attribute, []).append(observation.value)
    return found, bool(told)


minutes = st.lists(st.integers(0, 300), min_size=1, max_size=25, unique=True).map(sorted)
several = st.dictionaries(st.sampled_from("abcd"), minutes, min_size=1, max_size=4)
limits = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["each", "time", "rows"]),
        "cap": st.integers(4, 60),  # fewer than the series there are, and lastN=1 tells nothing
        "keeps": st.sampled_from(["oldest", "newest"]),
    }
)
windows = st.sampled_from(
    [
        Window(),
        Window(BEGIN),
        Window(None, BEGIN + timedelta(minutes=301)),
        Window(BEGIN - timedelta(days=1), BEGIN + timedelta(days=1)),
    ]
)


NEWEST = {"kind": "time", "cap": 4, "keeps": "newest"}


@settings(max_examples=300)
@given(several, limits, windows)
def test_no_cut_goes_unnoticed_however_the_server_limits(series, limit, window):
    found, told = gathered(Silent(series, **limit), window)
    if limit["kind"] == "time" and limit["keeps"] == "newest" and found != series and not told:
        # docs/ngsi-ld.md, Limits: the oldest of an attribute in the middle, never the latest
        assert {name: values[-1] for name, values in found.items()} == {
            name: values[-1] for name, values in series.items()
        }
        assert all(set(values) <= set(series[name]) for name, values in found.items())
        return
    assert told or found == series


def test_an_instance_behind_the_only_one_that_came_is_found():
    series = {"a": [9], "b": [8, 9, 13], "c": [8], "d": [10]}
    assert gathered(Silent(series, **NEWEST), Window(BEGIN))[0] == series


@pytest.mark.parametrize("keeps", ["oldest", "newest"])
@pytest.mark.parametrize("kind", ["each", "time", "rows"])
def test_what_was_cut_comes_whole(kind, keeps):
    series = {name: list(range(number)) for name, number in (("a", 90), ("b", 60), ("c", 7))}
    server = Silent(series, kind=kind, cap=50, keeps=keeps)
    assert gathered(server, Window(BEGIN, BEGIN + timedelta(hours=2))) == (series, False)
    assert server.asked < 60


@pytest.mark.parametrize("keeps", ["oldest", "newest"])
@pytest.mark.parametrize("kind", ["each", "rows"])
def test_the_latest_of_each_come_whole(kind, keeps):
    series = {name: list(range(number)) for name, number in (("a", 90), ("b", 60), ("c", 7))}
    server = Silent(series, kind=kind, cap=50, keeps=keeps)
    found, told = gathered(server, Window(), last_n=40)
    assert not told
    assert {name: each[-40:] for name, each in found.items()} == {
        name: each[-40:] for name, each in series.items()
    }


@pytest.mark.parametrize("keeps", ["oldest", "newest"])
@pytest.mark.parametrize("last_n", [2, 20, 25])
def test_whole_attributes_that_are_left_out_beside_the_latest_of_others_come_too(keeps, last_n):
    series = {name: list(range(number)) for name, number in (("a", 90), ("b", 60), ("c", 27))}
    server = Silent(series, kind="rows", cap=last_n + last_n // 2, keeps=keeps)
    found, told = gathered(server, Window(BEGIN, BEGIN + timedelta(hours=2)), last_n=last_n)
    assert not told
    assert {name: each[-last_n:] for name, each in found.items()} == {
        name: each[-last_n:] for name, each in series.items()
    }


def test_the_latest_of_each_cost_one_look_and_later_none():
    server = Silent({"a": range(90), "b": range(60)}, kind="each", cap=10**9, keeps="oldest")
    limit = Limit()
    assert gathered(server, Window(), last_n=5, limit=limit)[0]["b"] == [55, 56, 57, 58, 59]
    assert server.asked == 2
    gathered(server, Window(), last_n=4, limit=limit)
    assert server.asked == 3


def test_a_server_that_ignores_last_n_is_looked_beyond_too():
    class Deaf(Silent):
        def ask(self, window, latest):
            return super().ask(window, None)

    series = {name: list(range(number)) for name, number in (("a", 90), ("b", 60))}
    server = Deaf(series, kind="each", cap=50, keeps="oldest")
    assert gathered(server, Window(BEGIN, BEGIN + timedelta(days=1))) == (series, False)


def test_observations_that_arrive_meanwhile_are_no_limit_of_the_server():
    """A sensor that never rests: the client asks on, and learns no limit that is none."""

    class Alive(Silent):
        def ask(self, window, latest):
            self.rows.append(("a", len(self.rows)))
            return super().ask(window, latest)

    server = Alive({"a": range(90)}, kind="each", cap=10**9, keeps="oldest")
    limit = Limit()
    found, told = gathered(server, Window(BEGIN), limit=limit)
    assert not told
    assert found["a"][:90] == list(range(90))
    assert found["a"] == list(range(len(found["a"])))
    assert limit.cut_series is None
    assert server.asked < 20
