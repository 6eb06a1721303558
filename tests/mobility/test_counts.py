"""Counts: each row is used or has its reason; clocks, overlaps and stuck counters by hand."""

import json
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ldt_toolbox.errors import MissingColumnError, ParameterError
from ldt_toolbox.mobility.counts import (
    REASONS,
    TRAFFIC_FLOW_OBSERVED,
    Columns,
    Limits,
    clean_counts,
    reject_notes,
)
from ldt_toolbox.models import records
from ldt_toolbox.models.frames import to_frame

PARIS = "Europe/Paris"
MONACO = (7.35, 43.70, 7.50, 43.78)
PLAIN = Columns(
    site="site", start="start", end="end", count="n", speed="v", occupancy="o", lane="lane",
    longitude_deg="lon", latitude_deg="lat",
)  # fmt: skip
GOOD = {
    "site": "Pont Neuf", "start": "2024-07-01T08:00:00+02:00", "end": "2024-07-01T09:00:00+02:00",
    "n": "1 204", "v": 31.5, "o": 0.12, "lane": 1, "lon": 7.4189, "lat": 43.7311,
}  # fmt: skip
FLAWS = {
    "": {},
    "no-site": {"site": None},
    "time": {"start": "1 July"},
    "no-zone": {"start": "2024-07-01T08:00:00", "end": "2024-07-01T09:00:00"},
    "interval": {"end": "2024-07-01T08:00:00+02:00"},
    "no-geometry": {"lat": None},
    "swapped-coordinates": {"lon": 43.7311, "lat": 7.4189},
    "coordinates-out-of-range": {"lon": 374189, "lat": 437311},
    "outside-territory": {"lon": 10.4189},
    "null": {"n": None, "v": None, "o": ""},
    "number": {"n": "1,204"},
    "negative": {"n": -1},
    "capacity": {"n": 3000},
    "speed": {"v": 251},
    "occupancy": {"o": 1.2},
}


def hours(first: str, counts, *, site: str = "a", freq: str = "h") -> pd.DataFrame:
    """Rows of one site, on end."""
    start = pd.date_range(first, periods=len(counts), freq=freq)
    return pd.DataFrame({"site": site, "start": start, "end": start + (start[1] - start[0]),
                         "n": counts})  # fmt: skip


def cleaned(frame, **options):
    return clean_counts(frame, Columns(site="site", start="start", end="end", count="n"), **options)


@pytest.mark.parametrize("flaw", FLAWS)
def test_each_flaw_has_its_reason(flaw) -> None:
    rows = pd.DataFrame([GOOD | FLAWS[flaw], GOOD | {"site": "Port"}])
    counts, rejects = clean_counts(rows, PLAIN, bbox=MONACO)
    assert list(rejects["reason"]) == ([flaw] if flaw else [])
    assert list(rejects["row"]) == ([0] if flaw else [])
    assert counts["count"].tolist() == [1204.0] * (1 if flaw else 2)
    assert set(rejects["reason"]) <= set(REASONS)


def test_one_row_by_hand() -> None:
    counts, _ = clean_counts(pd.DataFrame([GOOD | {"end": "2024-07-01T08:15:00+02:00", "n": 150}]),
                             PLAIN)  # fmt: skip
    row = counts.iloc[0]
    assert (row["start"], row["hours"]) == (pd.Timestamp("2024-07-01T06:00Z"), 0.25)
    assert (row["count"], row["flow_per_h"]) == (150.0, 600.0)
    assert (row["lane"], row["vehicle_type"]) == ("1", "")


def test_a_flow_per_hour_is_no_count() -> None:
    rows = hours("2024-07-01T00:00Z", [600.0, 1200.0], freq="15min")
    columns = Columns(site="site", start="start", end="end", flow_per_h="n")
    counts, _ = clean_counts(rows, columns)
    assert counts["count"].tolist() == [150.0, 300.0]
    assert counts["flow_per_h"].tolist() == [600.0, 1200.0]


def test_units_are_converted() -> None:
    rows = pd.DataFrame([GOOD | {"v": 10.0, "o": 12.0}])
    counts, _ = clean_counts(rows, PLAIN, speed_unit="MTS", occupancy_unit="P1")
    # 12 * 0.01 differs from 0.12 by one rounding
    assert counts["speed_kmh"][0] == pytest.approx(36.0, rel=1e-15)
    assert counts["occupancy"][0] == pytest.approx(0.12, rel=1e-15)


def test_the_night_of_25_hours_in_local_time() -> None:
    wall = [f"2024-10-27T{h}:00" for h in ("01", "02", "02", "03")]
    ends = [f"2024-10-27T{h}:00" for h in ("02", "03", "03", "04")]
    rows = pd.DataFrame({"site": "a", "start": wall, "end": ends, "n": [1, 2, 3, 4]})
    counts, rejects = cleaned(rows, zone=PARIS, ambiguous="order")
    assert rejects.empty
    assert counts["start"].dt.hour.tolist() == [23, 0, 1, 2]
    assert (counts["hours"] == 1).all()
    assert (counts["start"][1:].to_numpy() == counts["end"][:-1].to_numpy()).all()
    _, refused = cleaned(rows, zone=PARIS)
    assert refused["reason"].tolist() == ["double-hour"] * 2
    _, alone = cleaned(rows.drop(index=2), zone=PARIS, ambiguous="order")
    assert alone["reason"].tolist() == ["double-hour"]


def test_the_hour_that_spring_leaves_out() -> None:
    wall = [f"2024-03-31T{h}:00" for h in ("01", "02", "03")]
    ends = [f"2024-03-31T{h}:00" for h in ("02", "03", "04")]
    rows = pd.DataFrame({"site": "a", "start": wall, "end": ends, "n": [1, 2, 3]})
    counts, rejects = cleaned(rows, zone=PARIS)
    assert rejects[["row", "reason"]].values.tolist() == [[1, "skipped-hour"]]
    assert counts["hours"].tolist() == [1.0, 1.0]
    assert counts["end"][0] == counts["start"][1]


@settings(max_examples=30, deadline=None)
@given(
    st.datetimes(pd.Timestamp("2024-01-01"), pd.Timestamp("2026-12-31")),
    st.integers(1, 96),
    st.sampled_from([15, 30, 60]),
    st.sampled_from([PARIS, "Europe/Helsinki", "America/Sao_Paulo", "Australia/Sydney"]),
    st.booleans(),
)
def test_local_times_are_what_they_were(first, length, step_min, zone, autumn) -> None:
    if autumn:  # through the night in which Europe sets its clocks back
        first = pd.Timestamp("2024-10-26T20:00")
    first = pd.Timestamp(first, tz="UTC").floor(f"{step_min}min")
    utc = pd.date_range(first, periods=length, freq=f"{step_min}min")
    start, end = utc.tz_convert(zone), (utc + pd.Timedelta(minutes=step_min)).tz_convert(zone)
    rows = pd.DataFrame({
        "site": "a", "start": start.strftime("%d.%m.%Y %H:%M"),
        "end": end.strftime("%d.%m.%Y %H:%M"), "n": np.arange(length) + 1000,
    })  # fmt: skip
    counts, rejects = cleaned(rows, zone=zone, time_format="%d.%m.%Y %H:%M", ambiguous="order")
    # an end of the series within the double hour leaves local times that come once only
    twice = rows["start"].duplicated(keep=False)
    for row in rejects["row"]:
        assert not twice[row]
        assert rejects["reason"].tolist() == ["double-hour"] * len(rejects)
    assert (counts["start"].to_numpy() == utc[counts["row"]].to_numpy()).all()
    assert (counts["hours"] == step_min / 60).all()


def test_eight_hours_of_the_clock_may_be_nine() -> None:
    rows = pd.DataFrame({"site": ["a"], "start": ["2024-10-27T02:30"], "end": ["2024-10-27T10:30"],
                         "n": [1]})  # fmt: skip
    assert cleaned(rows, zone=PARIS, ambiguous="first")[0]["hours"].tolist() == [9.0]
    assert cleaned(rows, zone=PARIS, ambiguous="second")[0]["hours"].tolist() == [8.0]


def test_a_day_of_autumn_has_25_hours() -> None:
    rows = pd.DataFrame({"site": ["a"], "start": ["27/10/2024"], "end": ["28/10/2024"], "n": [9]})
    counts, _ = cleaned(rows, zone=PARIS, time_format="%d/%m/%Y")
    assert counts["hours"].tolist() == [25.0]


def test_hours_win_over_their_daily_total_and_doubles_are_told_apart() -> None:
    rows = hours("2024-07-01T00:00Z", [float(n) for n in range(1, 25)])
    day = {"site": "a", "start": rows["start"][0], "end": rows["end"][23], "n": 300.0}
    again = rows.iloc[5].to_dict()
    rows = pd.DataFrame([day, *rows.to_dict("records"), again, again | {"n": 7.5}])
    counts, rejects = cleaned(rows)
    assert counts["count"].sum() == 300.0
    assert dict(zip(rejects["row"], rejects["reason"], strict=True)) == {
        0: "overlap", 25: "repeated", 26: "conflict",
    }  # fmt: skip


def test_equal_counts_are_stuck_only_where_traffic_cannot_do_that() -> None:
    busy = hours("2024-07-01T00:00Z", [500, 611, 611, 611, 611, 611, 611, 702])
    # the law's bound: (1 / sqrt(2 pi 611)) ** 5 = 1.1e-9 is above the limit, ** 6 below
    assert cleaned(busy.iloc[:-2])[1].empty
    busy = hours("2024-07-01T00:00Z", [500, *[611] * 7, 702])
    assert cleaned(busy)[1]["row"].tolist() == list(range(1, 8))
    assert cleaned(hours("2024-07-01T00:00Z", [1] * 8))[1].empty, "a quiet street does that"
    night = hours("2024-07-01T00:00Z", [0] * 47 + [3])
    assert cleaned(night)[1].empty
    dead = hours("2024-07-01T00:00Z", [0] * 48 + [3])
    assert cleaned(dead)[1]["reason"].tolist() == ["stuck"] * 48


def test_a_minute_may_hold_more_than_its_share_of_capacity() -> None:
    rows = hours("2024-07-01T00:00Z", [70, 60, 75], freq="min")
    # one lane: 40 a minute and 5 standard deviations, 71.6
    _, rejects = cleaned(rows, limits=Limits(lanes=1))
    assert rejects[["row", "reason"]].values.tolist() == [[2, "capacity"]]


def test_entities_with_an_interval_as_they_come() -> None:
    def entity(number, **attributes):
        made = {name: {"type": "Property", "value": value} for name, value in attributes.items()}
        return {"id": f"urn:ngsi-ld:TrafficFlowObserved:{number}", "type": "TrafficFlowObserved",
                "location": {"type": "GeoProperty", "value": {
                    "type": "LineString", "coordinates": [[7.41, 43.73], [7.42, 43.74]]}},
                **made}  # fmt: skip

    frame = to_frame([
        entity(1, dateObserved="2024-07-01T06:00:00Z/2024-07-01T07:00:00Z", intensity=197,
               laneId=1, averageVehicleSpeed=52.6, occupancy=0.76, vehicleType="car"),
        entity(2, dateObserved="2024-07-01T06:00:00Z", dateObservedFrom="2024-07-01T06:00:00Z",
               dateObservedTo="2024-07-01T06:15:00Z", intensity=10, vehicleType="bicycle"),
        entity(3, dateObserved="2024-07-01T06:00:00Z", intensity=10),
    ])  # fmt: skip
    counts, rejects = clean_counts(frame, TRAFFIC_FLOW_OBSERVED, bbox=MONACO)
    assert counts["flow_per_h"].tolist() == [197.0, 40.0]
    assert counts["vehicle_type"].tolist() == ["car", "bicycle"]
    assert counts["longitude_deg"].between(7.41, 7.42).all()
    assert rejects["reason"].tolist() == ["interval"]


def test_the_dirty_daily_file() -> None:
    found, _ = records.read(Path(__file__).parents[1] / "models" / "counters.jsonl")
    columns = Columns(site="counter", period="period", count="count", lane="lane",
                      vehicle_type="mode", longitude_deg="lon", latitude_deg="lat")  # fmt: skip
    counts, rejects = clean_counts(pd.DataFrame([dict(one) for one in found]), columns, bbox=MONACO)
    assert len(counts) + len(rejects) == len(found) >= 6
    reasons = dict(zip(rejects["site"], rejects["reason"], strict=True))
    assert reasons["Port 3"] == "null"
    assert reasons["Pont Neuf/01"] == "repeated"
    assert reasons["Larvotto"] == "outside-territory"
    assert reasons["Casino"] == "swapped-coordinates"
    assert counts.set_index("site")["count"]["Pont Neuf/01"] == 1204


CELL = st.sampled_from([*FLAWS])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(CELL, st.integers(0, 3), st.integers(-2, 5), st.integers(0, 9)), max_size=25
    ),
    st.sampled_from(["refuse", "first", "order"]),
)
def test_what_goes_in_comes_out_once(parts, ambiguous) -> None:
    rows = []
    for flaw, site, quarter, count in parts:
        start = pd.Timestamp("2024-10-27T00:30", tz="UTC") + quarter * pd.Timedelta("15min")
        made = GOOD | {
            "site": f"s{site}", "n": count, "start": start.tz_convert(PARIS).isoformat(),
            "end": (start + pd.Timedelta("30min")).tz_convert(PARIS).isoformat(),
        }  # fmt: skip
        if count % 2:  # as a local time, perhaps in the double hour
            made |= {"start": made["start"][:19], "end": made["end"][:19]}
        rows.append(made | FLAWS[flaw])
    frame = pd.DataFrame(rows, columns=list(GOOD))
    before = frame.copy(deep=True)
    counts, rejects = clean_counts(frame, PLAIN, bbox=MONACO, zone=PARIS, ambiguous=ambiguous)
    pd.testing.assert_frame_equal(frame, before)
    assert sorted([*counts["row"], *rejects["row"]]) == list(range(len(frame)))
    assert set(rejects["reason"]) <= set(REASONS)
    for _, own in counts.groupby(["site", "lane", "vehicle_type"]):
        assert (own["start"].to_numpy()[1:] >= own["end"].to_numpy()[:-1]).all(), "no overlap"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 6)), max_size=7))
def test_as_many_rows_stay_as_can(parts) -> None:
    zero = pd.Timestamp("2024-01-01", tz="UTC")
    pairs = list(dict.fromkeys((a, a + b) for a, b in parts))
    rows = pd.DataFrame({
        "site": "a", "start": [zero + pd.Timedelta(hours=a) for a, _ in pairs],
        "end": [zero + pd.Timedelta(hours=b) for _, b in pairs], "n": range(len(pairs)),
    })  # fmt: skip
    counts, _ = cleaned(rows)
    best = 0
    for chosen in range(1 << len(pairs)):
        own = sorted(pair for place, pair in enumerate(pairs) if chosen >> place & 1)
        if all(one[1] <= two[0] for one, two in pairwise(own)):
            best = max(best, len(own))
    assert len(counts) == best


def test_positions_in_another_crs_and_none() -> None:
    shapes = gpd.GeoSeries.from_xy([7.4189, 7.42], [43.7311, 43.73], crs="EPSG:4326").to_crs(2154)
    rows = gpd.GeoDataFrame(hours("2024-07-01T00:00Z", [1, 2, 3]),
                            geometry=[*shapes, None], crs=2154)  # fmt: skip
    columns = Columns(site="site", start="start", end="end", count="n", geometry="geometry")
    counts, rejects = clean_counts(rows, columns, bbox=MONACO)
    # a reprojection to and fro moves a point by far less than a metre (1e-5 degrees)
    np.testing.assert_allclose(counts["longitude_deg"], [7.4189, 7.42], atol=1e-8)
    assert rejects[["row", "reason"]].values.tolist() == [[2, "no-geometry"]]
    assert len(clean_counts(rows.iloc[:0], columns)[0]) == 0


def test_notes_name_each_reason_once() -> None:
    rows = pd.DataFrame([GOOD | FLAWS[flaw] for flaw in ("negative", "speed", "negative", "")])
    notes = reject_notes(clean_counts(rows, PLAIN).rejects, "counts of the town")
    assert [note.kind for note in notes] == ["repair"] * 2
    assert "2 rows with a negative value" in notes[0].text["en"]
    assert "row 0, Pont Neuf" in notes[0].text["en"]
    assert "vitesse impossible" in notes[1].text["fr"]
    assert reject_notes(clean_counts(rows[3:], PLAIN).rejects, "x") == []


def test_wrong_questions() -> None:
    rows = hours("2024-07-01T00:00Z", [1, 2])
    with pytest.raises(MissingColumnError, match=r"value.*name it in Columns"):
        clean_counts(rows, Columns(site="site", start="start", count="intensity"))
    with pytest.raises(ParameterError, match="IANA"):
        cleaned(rows, zone="Paris")
    with pytest.raises(ParameterError, match="ambiguous"):
        cleaned(rows, ambiguous="guess")
    empty, rejects = cleaned(rows.iloc[:0])
    assert len(empty) == len(rejects) == 0


def test_a_start_alone_needs_the_length_of_the_interval() -> None:
    rows = hours("2024-07-01T00:00Z", [1, 2]).drop(columns="end")
    columns = Columns(site="site", start="start", count="n")
    assert clean_counts(rows, columns)[1]["reason"].tolist() == ["interval"] * 2
    assert clean_counts(rows, columns, interval_min=60)[0]["hours"].tolist() == [1.0, 1.0]


def test_json_of_a_real_broker_is_not_needed_to_read_numbers() -> None:
    rows = pd.DataFrame([GOOD | {"n": value, "site": f"s{place}"} for place, value in enumerate(
        [json.loads("12"), "12,0", " 1 2 ", "12_0", "nan", "inf", True, np.int64(12), "1e1"])]
    )  # fmt: skip
    counts, rejects = clean_counts(rows, PLAIN, decimal=",")
    assert counts["count"].tolist() == [12, 12, 12, 12, 10]
    assert rejects["reason"].tolist() == ["number"] * 4
