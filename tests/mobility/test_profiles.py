"""Steps, totals and profiles of counts: nothing lost, nothing made up, days of 23 and 25 hours."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.mobility.count_steps import gaps, site_totals, to_steps
from ldt_toolbox.mobility.geh import geh, share_within
from ldt_toolbox.mobility.profiles import (
    daily_profile,
    daily_totals,
    known_share,
    weekly_profile,
    yearly_profile,
)

PARIS = "Europe/Paris"
ZERO = pd.Timestamp("2024-07-01T00:00Z").as_unit("us")


def counted(spans, *, site="a", lane="", kind="", zero=ZERO) -> pd.DataFrame:
    """Counts of one series: (first minute, last minute, vehicles, speed)."""
    rows = [
        {"site": site, "lane": lane, "vehicle_type": kind, "count": float(n), "speed_kmh": v,
         "start": zero + pd.Timedelta(minutes=a), "end": zero + pd.Timedelta(minutes=b)}
        for a, b, n, v in spans
    ]  # fmt: skip
    return pd.DataFrame(rows).astype({"speed_kmh": float})


def hourly(first, values, *, site="a") -> pd.DataFrame:
    start = pd.date_range(first, periods=len(values), freq="h", tz="UTC", unit="us")
    return pd.DataFrame({"site": site, "start": start, "hours": 1.0,
                         "count": np.asarray(values, float)})  # fmt: skip


def test_quarters_make_hours_and_a_missing_quarter_none() -> None:
    spans = [(15 * k, 15 * k + 15, 10 + k, 30.0) for k in range(12) if k != 5]
    steps, coarse = to_steps(counted(spans))
    assert coarse.empty
    assert steps["count"].tolist()[::2] == [10 + 11 + 12 + 13, 18 + 19 + 20 + 21]
    assert np.isnan(steps["count"][1])
    assert steps["known_share"].tolist() == [1.0, 0.75, 1.0]
    most, _ = to_steps(counted(spans), min_share=0.75)
    assert most["count"][1] == pytest.approx((14 + 16 + 17) / 0.75, rel=1e-12)


def test_speed_is_the_mean_of_vehicles_not_of_rows() -> None:
    steps, _ = to_steps(counted([(0, 30, 90, 30.0), (30, 60, 10, 50.0)]))
    assert steps["speed_kmh"].tolist() == [pytest.approx(32.0, rel=1e-12)]


def test_a_daily_total_is_not_spread_over_hours() -> None:
    steps, coarse = to_steps(pd.concat([counted([(0, 60, 5, None), (60, 1500, 700, None)])]))
    assert steps["count"].tolist() == [5.0]
    assert coarse["count"].tolist() == [700.0]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 60), st.integers(0, 500)), min_size=1),
    st.sampled_from([15, 20, 30, 60]),
    st.sampled_from(["UTC", PARIS, "Asia/Kolkata"]),
)
def test_no_vehicle_is_lost_or_made(parts, step_min, zone) -> None:
    spans, minute = [], 0
    for hole, length, vehicles in parts:
        spans.append((minute + hole, minute + hole + length, vehicles, None))
        minute += hole + length
    counts = counted(spans)
    steps, coarse = to_steps(counts, step_min=step_min, zone=zone, min_share=1e-6)
    found = (steps["count"] * steps["known_share"]).sum() + coarse["count"].sum()
    # sums of up to some hundred products in double precision
    assert found == pytest.approx(counts["count"].sum(), rel=1e-9, abs=1e-9)
    local = steps["start"].dt.tz_convert(zone)
    assert (local.dt.minute % step_min == 0).all()
    assert (steps["start"].diff().dropna() == pd.Timedelta(minutes=step_min)).all(), "no hole"


def test_gaps_are_the_longest_first() -> None:
    spans = [(0, 60, 1, None), (90, 120, 1, None), (120, 180, 1, None), (300, 360, 1, None)]
    both = pd.concat([counted(spans), counted(spans[2:], site="b")])
    found = gaps(both)
    assert found["hours"].tolist() == [2.0, 2.0, 0.5]
    assert found["site"].tolist() == ["a", "b", "a"]


def test_lanes_add_up_and_totals_do_not_count_twice() -> None:
    def lane(name, n, kind="", v=50.0):
        return counted([(0, 60, n, v), (60, 120, n, v)], lane=name, kind=kind)

    table = pd.concat([lane("1", 100), lane("2", 30, v=20.0)])
    total = site_totals(to_steps(table)[0])
    assert total["count"].tolist() == [130.0] * 2
    assert total["speed_kmh"][0] == pytest.approx((100 * 50 + 30 * 20) / 130, rel=1e-12)
    types = pd.concat([lane("1", 100), lane("1", 90, "car"), lane("1", 10, "lorry")])
    assert site_totals(to_steps(types)[0])["count"].tolist() == [100.0] * 2
    whole = pd.concat([lane("", 140), lane("1", 100), lane("2", 30)])
    assert site_totals(to_steps(whole)[0])["count"].tolist() == [140.0] * 2
    broken = site_totals(to_steps(pd.concat([lane("1", 100), lane("2", 30).iloc[:1]]))[0])
    assert broken["count"].tolist()[0] == 130.0
    assert np.isnan(broken["count"][1]), "half a road is no total"


def test_a_day_by_hand() -> None:
    # Monday to Sunday in local time, each hour h of day d is 100 d + h
    values = [100 * (k // 24) + k % 24 for k in range(24 * 7)]
    steps = hourly("2024-06-30T22:00", values)
    found = daily_profile(steps, zone=PARIS).set_index(["day_type", "time_h"])
    assert found["median"]["working", 8.0] == 208
    assert found["q10"]["working", 8.0] == pytest.approx(8 + 40, rel=1e-12)
    assert found["median"]["saturday", 8.0] == 508
    assert found["n"]["working", 8.0] == 5
    free = daily_profile(steps, zone=PARIS, holidays=[dt.date(2024, 7, 5)])
    free = free.set_index(["day_type", "time_h"])
    assert free["median"]["sunday", 8.0] == (408 + 608) / 2
    assert free["n"]["working", 8.0] == 4
    week = weekly_profile(steps, zone=PARIS)
    assert week["median"].tolist() == values
    assert week["time_h"].tolist() == [k % 24 for k in range(24 * 7)]


def test_unknown_hours_count_for_nothing() -> None:
    steps = hourly("2024-07-01T00:00", [10.0] * 24 * 3)
    steps.loc[[8, 30], "count"] = np.nan
    found = daily_profile(steps).set_index("time_h")
    assert (found["n"][8.0], found["n"][6.0], found["n"][7.0]) == (2, 2, 3)
    assert (found["median"] == 10).all()
    share = known_share(steps).iloc[0]
    assert (share["hours"], share["known_h"]) == (72, 70)
    assert share["last"] == pd.Timestamp("2024-07-04T00:00Z")


@pytest.mark.parametrize(("day", "hours"), [("2024-03-31", 23), ("2024-10-27", 25)])
def test_days_of_summer_time(day, hours) -> None:
    first = pd.Timestamp(day, tz=PARIS).tz_convert("UTC").tz_localize(None)
    totals = daily_totals(hourly(first, [10.0] * hours), zone=PARIS)
    assert totals[["total", "known_share"]].values.tolist() == [[10.0 * hours, 1.0]]
    short = daily_totals(hourly(first, [10.0] * (hours - 1)), zone=PARIS)
    assert short["total"].isna().all()


def test_a_year_is_the_median_of_its_complete_days() -> None:
    steps = hourly("2024-01-01T00:00", [1.0 + (k // 24) % 3 for k in range(24 * 60)])
    steps.loc[5, "count"] = np.nan
    found = yearly_profile(steps)
    assert found["month"].tolist() == [1, 2]
    assert found["n"].tolist() == [30, 29]
    assert found["median"].tolist() == [48.0, 48.0]


def test_quantiles_are_shares() -> None:
    with pytest.raises(ParameterError, match="between 0 and 1"):
        daily_profile(hourly("2024-01-01", [1.0]), quantiles=[50])
    with pytest.raises(ParameterError, match="divisor of 60"):
        to_steps(counted([(0, 60, 1, None)]), step_min=45)


def test_geh_by_hand() -> None:
    assert geh(110, 90) == pytest.approx(2.0, rel=1e-15)  # sqrt(2 * 400 / 200)
    assert geh([0, 50], [0, 50]).tolist() == [0.0, 0.0]
    assert share_within([110, 300, np.nan], [90, 100, 5]) == 0.5
    assert np.isnan(share_within([np.nan], [1]))
    with pytest.raises(DataError, match="negative"):
        geh(-1, 5)


@given(st.floats(0, 1e5), st.floats(0, 1e5), st.floats(1, 100))
def test_geh_is_symmetric_and_grows_with_the_root_of_scale(a, b, k) -> None:
    assert geh(a, b) == geh(b, a)
    assert float(geh(k * a, k * b)) == pytest.approx(np.sqrt(k) * float(geh(a, b)), rel=1e-6)
