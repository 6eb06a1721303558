"""Evolutions of TrafficFlowObserved become rows of counts."""

import dataclasses

import pytest
from ldt_toolbox.errors import MissingColumnError
from ldt_toolbox.mobility.count_evolution import evolution_rows
from ldt_toolbox.mobility.counts import TRAFFIC_FLOW_OBSERVED, clean_counts
from ldt_toolbox.models.frames import temporal_frame

POINT = {"type": "Point", "coordinates": [7.42, 43.73]}


def at(hour: int) -> str:
    return f"2024-07-01T{hour:02d}:00:00Z"


def counter(name, hours, *, location=POINT, **attributes):
    found = {
        "intensity": [[100 + h, at(h)] for h in hours],
        "averageVehicleSpeed": [[40.5, at(h)] for h in hours],
    } | attributes  # fmt: skip
    entity = {key: {"type": "Property", "values": pairs} for key, pairs in found.items()}
    entity["location"] = {"type": "GeoProperty", "values": [[location, at(0)]]}
    return {"id": f"urn:ngsi-ld:TrafficFlowObserved:{name}", "type": "TrafficFlowObserved"} | entity


BY_INSTANT = dataclasses.replace(TRAFFIC_FLOW_OBSERVED, start="observedAt", end="", period="")


def test_attributes_of_an_instant_stand_beside_each_other() -> None:
    frame = temporal_frame([counter("a", range(5)), counter("b", [2])])
    rows = evolution_rows(frame)
    counts, rejects = clean_counts(rows, BY_INSTANT, interval_min=60)
    assert rejects.empty
    assert counts["count"].tolist() == [100, 101, 102, 103, 104, 102]
    assert (counts["speed_kmh"] == 40.5).all()
    assert (counts["longitude_deg"] == 7.42).all()
    assert counts["start"][2].isoformat() == "2024-07-01T02:00:00+00:00"


def test_intervals_that_the_entity_tells_are_used() -> None:
    spans = {
        "dateObservedFrom": [[at(h), at(h + 1)] for h in (3, 4)],
        "dateObservedTo": [[at(h + 1), at(h + 1)] for h in (3, 4)],
    }
    frame = temporal_frame(counter("a", [4, 5], **spans))
    counts, rejects = clean_counts(evolution_rows(frame), TRAFFIC_FLOW_OBSERVED)
    assert rejects.empty
    assert counts["start"].dt.hour.tolist() == [3, 4]
    assert counts["hours"].tolist() == [1.0, 1.0]


def test_what_came_twice_is_a_row_that_is_rejected() -> None:
    twice = {"intensity": [[7, at(1)], [7, at(1)], [9, at(1)], [8, at(2)], [None, at(3)]],
             "averageVehicleSpeed": []}  # fmt: skip
    rows = evolution_rows(temporal_frame(counter("a", [], **twice)))
    counts, rejects = clean_counts(rows, BY_INSTANT, interval_min=60)
    assert counts["count"].tolist() == [7.0, 8.0]
    assert sorted(rejects["reason"]) == ["conflict", "null", "repeated"]


def test_a_counter_without_a_place() -> None:
    frame = temporal_frame(counter("a", [1], location={"type": "Point"}))
    _, rejects = clean_counts(evolution_rows(frame), BY_INSTANT, interval_min=60)
    assert rejects["reason"].tolist() == ["no-geometry"]


def test_another_table_is_refused() -> None:
    frame = temporal_frame(counter("a", [1]))
    with pytest.raises(MissingColumnError, match="temporal_frame"):
        evolution_rows(frame.drop(columns="attribute"))
