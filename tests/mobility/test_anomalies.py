"""Anomalies: planted ones are found, a steady road has none."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ldt_toolbox.errors import ParameterError
from ldt_toolbox.mobility.anomalies import anomaly_events, label_anomalies

WEEK = 168
SHAPE = 300 + 250 * np.sin(np.arange(WEEK) * 2 * np.pi / 24 - 2)


def series(values, *, first="2024-01-01", site="a") -> pd.DataFrame:
    start = pd.date_range(first, periods=len(values), freq="h", tz="UTC", unit="us")
    return pd.DataFrame({"site": site, "start": start, "count": np.asarray(values, float)})


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 1e5), st.integers(1, 6))
def test_a_constant_series_has_none(value, weeks) -> None:
    labels = label_anomalies(series([value] * (weeks * WEEK)))["label"]
    assert set(labels) == ({"usual"} if weeks >= 4 else {"unknown"})


def test_a_seasonal_series_has_none() -> None:
    assert set(label_anomalies(series(np.tile(SHAPE, 6)))["label"]) == {"usual"}


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.tuples(st.integers(0, 10 * WEEK - 1), st.booleans()), min_size=1, max_size=12,
             unique_by=lambda one: one[0] % WEEK),
)  # fmt: skip
def test_planted_ones_are_found_and_nearly_no_others(seed, planted) -> None:
    count = np.random.default_rng(seed).poisson(np.tile(SHAPE, 10)).astype(float)
    for place, up in planted:
        # 20 standard deviations, so that a chance deviation of some of the 10 weeks hides none
        count[place] += 20 * np.sqrt(SHAPE[place % WEEK]) * (1 if up else -1)
    count = np.maximum(count, 0)
    found = label_anomalies(series(count))
    # a quieter hour has no 20 standard deviations to lose, and the scale of ten weeks may be twice
    # the true one
    sure = [(p, up) for p, up in planted if up or SHAPE[p % WEEK] > 400]
    assert all(found["label"][p] == ("high" if up else "none" if count[p] == 0 else "low")
               for p, up in sure)  # fmt: skip
    others = found["label"].drop([p for p, _ in planted])
    # a Poisson count passes 5 standard deviations less than once in 10^5 hours
    assert (others != "usual").sum() <= 2


def test_half_the_weeks_may_be_wrong() -> None:
    count = np.tile(SHAPE, 9)
    count[: 4 * WEEK] *= 3
    found = label_anomalies(series(count))
    assert (found["usual"] == np.tile(SHAPE, 9)).all()


def test_silence_and_gaps_are_told_apart() -> None:
    count = np.tile(SHAPE, 6)
    count[200:205] = 0
    count[300] = np.nan
    found = label_anomalies(series(count))
    busy = SHAPE[200 - WEEK : 205 - WEEK] > 25
    assert (found["label"][200:205][busy] == "none").all()
    assert found["label"][300] == "unknown"


def test_a_holiday_is_a_sunday() -> None:
    count = np.tile(np.r_[np.full(6 * 24, 900.0), np.full(24, 200.0)], 6)
    feast = dt.date(2024, 1, 17)
    count[16 * 24 : 17 * 24] = 200.0
    assert (label_anomalies(series(count))["label"] == "low").sum() == 24
    assert set(label_anomalies(series(count), holidays=[feast])["label"]) == {"usual"}


def test_the_hour_of_the_week_is_local() -> None:
    # the same local week before and after the change of clocks
    local = pd.date_range("2024-03-11", "2024-04-22", freq="h", tz="Europe/Paris")
    count = 100.0 + 40 * local.hour
    table = pd.DataFrame({"site": "a", "start": local.tz_convert("UTC"), "count": count})
    assert set(label_anomalies(table, zone="Europe/Paris")["label"]) == {"usual"}
    assert (label_anomalies(table)["label"] != "usual").any()


def test_events_by_hand() -> None:
    count = np.full(6 * WEEK, 400.0)
    count[[50, 51, 60]] = 900.0
    count[52] = 0.0
    events = anomaly_events(label_anomalies(series(count)))
    assert events["label"].tolist() == ["high", "none", "high"]
    assert events["steps"].tolist() == [2, 1, 1]
    assert events["difference"].tolist() == [1000.0, -400.0, 500.0]
    assert events["z"].tolist() == [25.0, -20.0, 25.0]
    assert events["end"][0] - events["start"][0] == pd.Timedelta("2h")
    assert anomaly_events(label_anomalies(series([1.0] * WEEK))).empty
    with pytest.raises(ParameterError, match="above 0"):
        label_anomalies(series([1.0]), z_limit=0)
