"""Whatever comes is used or rejected with a reason, and what is used is right."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from ldt_toolbox.sources.series import (
    REASONS,
    Observed,
    accepted,
    few_note,
    reject_notes,
    station_means,
)

START, END = datetime(2025, 7, 1, tzinfo=UTC), datetime(2025, 7, 3, tzinfo=UTC)
Good = tuple[pd.DataFrame, list[Any]]


def clean(observed: Sequence[Observed], **options: Any) -> Good:
    told = {"start": START, "end": END, "unit": "CEL", "low": -90.0, "high": 60.0} | options
    return accepted(observed, **told)


def one(value: Any = 20.0, time: str = "2025-07-01T12:00:00Z", **changes: Any) -> Observed:
    return Observed("a", "", time, value, "CEL")._replace(**changes)


TIMES = st.one_of(
    st.integers(-72, 72).map(lambda hour: (START + timedelta(hours=hour)).isoformat()),
    st.sampled_from(["", "yesterday", "2025-07-01", "2025-07-01T12:00:00+02:00", "2025-13-01T0"]),
)
VALUES = st.one_of(
    st.floats(), st.integers(-200, 200), st.none(), st.booleans(), st.text(max_size=5),
    st.lists(st.integers(), max_size=2), st.just({"@value": 20}),
)  # fmt: skip
OBSERVED = st.builds(
    Observed,
    st.sampled_from("abc"),
    st.sampled_from(["", "", "urn:d"]),
    TIMES,
    VALUES,
    st.sampled_from(["CEL", "CEL", "KEL", "FAH", "", "°C", "MTR"]),
)


@given(st.lists(OBSERVED, max_size=40))
def test_everything_is_used_or_rejected_and_nothing_used_is_wrong(came: list[Observed]) -> None:
    good, rejects = clean(came)
    assert len(good) + len(rejects) == len(came)
    assert {reject.reason for reject in rejects} <= set(REASONS)
    assert np.isfinite(good["value"]).all()
    assert good["value"].between(-90, 60).all()
    assert ((good["time"] >= START) & (good["time"] < END)).all()
    assert not good.duplicated(["station", "time"]).any()
    told = sum(int(note.text["en"].split(": ", 1)[1].split()[0])
               for note in reject_notes(rejects, "x"))  # fmt: skip
    assert told == len(rejects)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (one(None), "null"),
        (one("warm"), "number"),
        (one(float("nan")), "null"),
        (one(float("inf")), "number"),
        (one(True), "number"),
        (one([20.0]), "number"),
        (one({"@value": 20.0}), "number"),
        (one(-9999), "range"),
        (one(60.1), "range"),
        (one(unit_code="MTR"), "unit"),
        (one(unit_code="°C"), "unit"),
        (one(unit_code=""), "no-unit"),
        (one(dataset="urn:d"), "dataset"),
        (one(time=""), "time"),
        (one(time="last night"), "time"),
        (one(time="2025-07-03T00:00:00Z"), "window"),
        (one(time="2025-07-01T01:59:59+02:00"), "window"),
    ],
)
def test_each_reason_is_found(bad: Observed, reason: str) -> None:
    good, rejects = clean([bad])
    assert good.empty
    assert [reject.reason for reject in rejects] == [reason]


@pytest.mark.parametrize(
    "fine",
    [
        one("20.0"),
        one(20),
        one(68.0, unit_code="FAH"),
        one(293.15, unit_code="KEL"),
        one(time="2025-07-01T00:00:00Z"),
        one(time="2025-07-02T23:59:59.999Z"),
        one(time="2025-07-01T02:00:00+02:00"),
    ],
)
def test_what_is_right_in_another_form_is_used(fine: Observed) -> None:
    good, rejects = clean([fine])
    assert rejects == []
    # the way there is one multiplication and one sum in double precision
    assert good["value"].tolist() == pytest.approx([20.0], abs=1e-9)


def test_a_declared_unit_stands_for_a_missing_code_only() -> None:
    good, rejects = clean([one(68.0, unit_code=""), one(20.0, station="b")], declared_unit="FAH")
    assert good["value"].tolist() == pytest.approx([20.0, 20.0], abs=1e-9)
    assert rejects == []


def test_the_same_instant_in_two_zones_is_one_instant() -> None:
    good, rejects = clean([one(20.0), one(21.0, time="2025-07-01T14:00:00+02:00")])
    assert good["value"].tolist() == [20.0]
    assert [(reject.reason, reject.value) for reject in rejects] == [("repeated", "21.0")]


@given(
    st.lists(st.integers(-400, 1600), min_size=1, max_size=48),
    st.sampled_from([(), (22, 6), (6, 22), (0, 24), (13, 14)]),
)
def test_means_are_those_of_exact_arithmetic(quarters: list[int], hours: tuple[int, ...]) -> None:
    """Stockholm in July: two hours ahead."""
    came = [
        one(quarter / 40, time=(START + timedelta(hours=hour)).isoformat())
        for hour, quarter in enumerate(quarters)
    ]
    good, _ = clean(came)
    means = station_means(good, hours=hours, zone="Europe/Stockholm")
    first, last = hours or (0, 24)
    counted = [
        Fraction(quarter, 40)
        for hour, quarter in enumerate(quarters)
        if ((hour + 2) % 24 - first) % 24 < ((last - first) % 24 or 24)
    ]
    if not counted:
        assert means.empty
        return
    assert means["count"].tolist() == [len(counted)]
    # 48 values up to 40: rounding stays far below 1e-12
    assert means["mean"].tolist() == pytest.approx([float(sum(counted) / len(counted))], abs=1e-12)


def test_stations_with_half_of_the_observations_are_not_named() -> None:
    assert few_note(pd.Series([48, 24], index=["a", "b"]), "x") == []
    [note] = few_note(pd.Series([48, 23, 0], index=["a", "b", "c"]), "x")
    assert "b (23), c (0)" in note.text["en"]
    assert "b (23), c (0)" in note.text["fr"]
