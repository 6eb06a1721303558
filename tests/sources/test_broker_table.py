"""Counts from a broker, against the same counts in a file: the same rows, and none is lost."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import requests
import yaml
from ldt_toolbox.errors import DataError, MissingColumnError
from ldt_toolbox.mobility import traffic_steps
from ldt_toolbox.mobility.counts import clean_counts
from ldt_toolbox.sources import Layer, load, load_role
from ldt_toolbox.sources import broker as broker_module
from ldt_toolbox.sources.received import descriptions, kept_in
from ldt_toolbox.territory import Territory
from ldt_toolbox.twin.serve import Twin
from ldt_toolbox.use_case import UseCase
from ldt_toolbox.watch.brokers import interest_of

CASE = UseCase.find("mobility")
ROLE = CASE.roles["traffic_counts"]
START = datetime(2025, 6, 30, 22, tzinfo=UTC)  # midnight in Paris and Monaco
HOURS = 48
SOURCE = """\
  traffic_counts:
    protocol: ngsi-ld
    url: URL
    type: TrafficFlowObserved
    from: 2025-06-30T22:00:00Z
    until: 2025-07-02T22:00:00Z
    columns: {site: id, start: observedAt, count: intensity, speed_kmh: averageVehicleSpeed}
    source: a test
    licence: CC0-1.0
    provenance: observed
"""
BOX = (2.30, 48.85, 2.31, 48.86)
Place = Callable[..., Territory]


def urn(number: int) -> str:
    return f"urn:ngsi-ld:TrafficFlowObserved:{number}"


def at(hour: int) -> str:
    return (START + timedelta(hours=hour)).isoformat().replace("+00:00", "Z")


def count(number: int, hour: int) -> int:
    return 100 * number + (hour * 7) % 24


def seen(value: Any, hour: int, unit: str = "", **more: Any) -> dict[str, Any]:
    code = {"unitCode": unit} if unit else {}
    return {"type": "Property", "value": value, "observedAt": at(hour)} | code | more


def counter(number: int, lon: float, lat: float) -> dict[str, Any]:
    place = {"type": "Point", "coordinates": [lon, lat]}
    return {
        "id": urn(number), "type": "TrafficFlowObserved",
        "location": {"type": "GeoProperty", "value": place},
        "intensity": seen(count(number, HOURS + 4), HOURS + 4, "C62"),
        "laneId": {"type": "Property", "value": number},
        "dateObservedFrom": {"type": "Property", "value": at(HOURS)},
    }  # fmt: skip


def history(number: int, hours: range) -> dict[str, Any]:
    return {
        "id": urn(number), "type": "TrafficFlowObserved",
        "intensity": [seen(count(number, hour), hour, "C62") for hour in hours],
        "averageVehicleSpeed": [seen(30 + number, hour, "KMH") for hour in hours],
    }  # fmt: skip


def fill(broker: Any, counters: int = 2, *, lon: float = 2.301, lat: float = 48.851) -> None:
    """Counters on a line to the east, an observation an hour, some before and after."""
    for number in range(1, counters + 1):
        broker.put(counter(number, lon + number * 1e-3, lat))
        broker.temporal[urn(number)] = history(number, range(-5, HOURS + 5))


def written(counters: int = 2, *, lon: float = 2.301, lat: float = 48.851) -> pd.DataFrame:
    """The table that says the same."""
    return pd.DataFrame(
        {"site": urn(number), "start": at(hour), "count": count(number, hour),
         "speed_kmh": 30 + number, "longitude_deg": lon + number * 1e-3, "latitude_deg": lat}
        for number in range(1, counters + 1) for hour in range(HOURS)
    )  # fmt: skip


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_module, "RETRIES", 0)


@pytest.fixture
def place(broker: Any, write_square: Callable[..., Path]) -> Place:
    def build(*changes: tuple[str, str]) -> Territory:
        return Territory.read(write_square(SOURCE.replace("URL", broker.server.url), *changes))

    return build


def counts(place: Territory) -> Layer:
    return load_role(ROLE, place)


def cleaned(table: pd.DataFrame) -> Any:
    return clean_counts(
        table, traffic_steps.COLUMNS, zone="Europe/Paris", interval_min=60, bbox=BOX
    )  # fmt: skip


def texts(layer: Layer, kind: str) -> list[str]:
    return [note.text["en"] for note in layer.notes if note.kind == kind]


@pytest.mark.parametrize("keeps", ["oldest", "newest"])
def test_rows_are_those_of_a_file_however_the_broker_pages_and_cuts(
    broker: Any, place: Place, keeps: str
) -> None:
    fill(broker, 3)
    broker.largest_page, broker.cap, broker.says_206, broker.keeps = 2, 7, False, keeps
    layer = counts(place())
    made, told = cleaned(layer.data), cleaned(written(3))
    pd.testing.assert_frame_equal(made.counts, told.counts)
    assert len(made.counts) == 3 * HOURS
    assert made.rejects.empty
    assert texts(layer, "repair") == []
    assert texts(layer, "assumption") == [
        "traffic_counts (127.0.0.1): 144 rows of 3 entities from 2025-06-30T22:00:00Z until "
        "2025-07-02T22:00:00Z. The instant of an observation is taken for `start`."
    ]


def test_a_twin_and_a_file_give_the_same_traffic_and_a_snapshot_repeats_it(tmp_path: Path) -> None:
    """Two counters in Monaco in a twin that runs, bad rows among them, and in a CSV file."""
    monaco, lon, lat = Territory.find("monaco"), 7.418, 43.732
    folder = tmp_path / "place"
    shutil.copytree(monaco.folder, folder)
    bad = {3: -4, 9: "many", 20: 10**6}
    table = written(lon=lon, lat=lat).astype({"count": object})
    for hour, value in bad.items():
        table.loc[hour, "count"] = value
    table.to_csv(folder / "counts.csv", index=False)
    terms = {"source": "a test", "licence": "CC0-1.0", "provenance": "observed"}

    def traffic(**spec: Any) -> tuple[traffic_steps.Traffic, Layer]:
        told = yaml.safe_load(monaco.path.read_text(encoding="utf-8"))
        told["sources"] = {"streets": told["sources"]["streets"], "traffic_counts": spec}
        (folder / "territory.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
        here = Territory.read(folder)
        inputs = load(CASE, here)
        found = traffic_steps.traffic(
            inputs, CASE.validate({"count_interval_min": 60}, territory=here)
        )
        assert found is not None
        return found, inputs.layers["traffic_counts"]

    with Twin() as twin, kept_in(tmp_path / "inputs"):
        for number in (1, 2):
            entity = counter(number, lon + number * 1e-3, lat)
            past = history(number, range(-5, HOURS + 5))
            if number == 1:
                for hour, value in bad.items():
                    past["intensity"][hour + 5]["value"] = value
            for path, one in (("entities", entity), ("temporal/entities", past)):
                answer = requests.post(f"{twin.url}/ngsi-ld/v1/{path}", json=one, timeout=20)
                assert answer.status_code in (201, 204), answer.text
        live = yaml.safe_load(SOURCE.replace("URL", twin.url))["traffic_counts"]
        live |= {key: f"{live[key]:%Y-%m-%dT%H:%M:%SZ}" for key in ("from", "until")}
        asked, layer = traffic(**live)
    shutil.copy(tmp_path / "inputs/traffic_counts.json", folder / "counts.json")
    read, _ = traffic(protocol="file", path="counts.csv", **terms)
    again, frozen = traffic(**live, snapshot="counts.json", sha256=layer.sha256)
    assert sorted(asked.rejects["reason"]) == ["capacity", "negative", "number"]
    assert len(asked.counters) == 2
    assert len(asked.links) >= 1
    for other in (read, again):
        for name in ("counters", "links", "hours", "days", "events", "holes"):
            pd.testing.assert_frame_equal(
                getattr(asked, name), getattr(other, name), check_dtype=other is again, obj=name
            )
        assert asked.rejects[["site", "reason"]].equals(other.rejects[["site", "reason"]])
        assert asked.known_pct == other.known_pct
    pd.testing.assert_frame_equal(frozen.data, layer.data)
    assert (frozen.sha256, frozen.notes) == (layer.sha256, layer.notes)


def test_speeds_are_converted_or_refused_and_never_misread(broker: Any, place: Place) -> None:
    fill(broker, 3)
    for one in broker.temporal[urn(1)]["averageVehicleSpeed"]:
        one.update(value=10, unitCode="MTS")
    for one in broker.temporal[urn(2)]["averageVehicleSpeed"]:
        one["unitCode"] = "CEL"
    for one in broker.temporal[urn(3)]["averageVehicleSpeed"]:
        del one["unitCode"]
    layer = counts(place())
    speeds = layer.data.groupby("site")["speed_kmh"]
    assert speeds.max()[urn(1)] == speeds.min()[urn(1)] == pytest.approx(36)
    assert speeds.count().tolist() == [HOURS, 0, 0]
    assert len(cleaned(layer.data).counts) == 3 * HOURS  # their counts stay
    bare, other = texts(layer, "repair")
    assert f"48 observations without a unit code, left out (first: {urn(3)}" in bare
    assert f"48 observations in a unit that does not convert, left out (first: {urn(2)}" in other
    declared = counts(place(("    source:", "    unit: MTS\n    source:")))
    speeds = declared.data.groupby("site")["speed_kmh"].first()
    assert speeds[urn(3)] == pytest.approx(33 * 3.6)


def test_a_flow_is_no_count(broker: Any, place: Place) -> None:
    fill(broker, 1)
    for one in broker.temporal[urn(1)]["intensity"]:
        one["unitCode"] = "H10"
    with pytest.raises(DataError, match=r"`intensity` .*48 observations in a unit that does not"):
        counts(place())


def test_what_can_be_no_row_is_told_with_its_reason(
    broker: Any, place: Place, tmp_path: Path
) -> None:
    fill(broker, 6)
    series = broker.temporal[urn(1)]["intensity"]
    series.append(seen(7, 3, "C62", datasetId="urn:ngsi-ld:Dataset:other"))
    series.append(seen(count(1, 4), 4, "C62"))
    series.append(seen(1, 5, "C62"))
    put = broker.entities
    put[urn(2)]["location"]["value"]["coordinates"].reverse()
    put[urn(3)]["location"]["value"]["coordinates"] = [652_000, 6_862_000]
    del put[urn(4)]["location"]
    put[urn(5)]["location"]["value"]["coordinates"][0] += 3
    del broker.temporal[urn(6)]
    with kept_in(tmp_path / "inputs"):
        layer = counts(place())
    told = descriptions(tmp_path / "inputs")["traffic_counts"]["rejects"]
    assert sorted((one["reason"], one["station"]) for one in told) == sorted(
        [("swapped-coordinates", urn(2)), ("coordinates-out-of-range", urn(3)),
         ("no-geometry", urn(4)), ("outside-territory", urn(5)), ("dataset", urn(1))]
    )  # fmt: skip
    assert len(texts(layer, "repair")) == 5
    assert texts(layer, "warning") == [
        "traffic_counts (127.0.0.1): 1 entities without an observation that can be used in that "
        f"period (first: {urn(6)})"
    ]
    # what came twice for one instant is a row, and the use case tells it
    made, rejects = cleaned(layer.data)
    assert len(made) == HOURS
    assert len(layer.data) == HOURS + 2
    assert rejects["start"].tolist() == [f"2025-07-01 0{hour}:00:00+00:00" for hour in (2, 3)]
    asked = [r.query["id"].split(",") for r in broker.server.seen("/ngsi-ld/v1/temporal/entities")]
    assert {one for ids in asked for one in ids} == {urn(1), urn(6)}


def test_what_never_changes_comes_from_the_entity_and_the_latest_reading_does_not(
    broker: Any, place: Place
) -> None:
    fill(broker)
    broker.entities[urn(1)]["intensity"] = seen(5, HOURS + 9, "C62")
    lanes = counts(place(("{site: id,", "{site: id, lane: laneId,"))).data
    assert lanes.groupby("site")["lane"].unique().map(list).tolist() == [[1], [2]]
    with pytest.raises(DataError, match=r"no observation of `dateObservedFrom` from 2025-06-30T22"):
        counts(place(("start: observedAt", "start: dateObservedFrom")))
    for number in (1, 2):
        broker.temporal[urn(number)]["dateObservedFrom"] = [
            seen(at(hour - 1), hour) for hour in range(HOURS)
        ]
    told = cleaned(counts(place(("start: observedAt", "start: dateObservedFrom"))).data)
    assert told.counts["start"].min() == START - timedelta(hours=1)
    assert len(told.counts) == 2 * HOURS


def test_a_watch_asks_for_attributes_only(place: Place) -> None:
    """`id` and `observedAt` are none: a subscription that names them is refused by brokers."""
    watched = interest_of(place().sources["traffic_counts"], ROLE).attributes
    assert {"intensity", "averageVehicleSpeed", "location"} <= set(watched)
    assert not {"id", "observedAt"} & set(watched)


def test_positions_may_come_from_attributes(broker: Any, place: Place) -> None:
    fill(broker, 1)
    entity = broker.entities[urn(1)]
    del entity["location"]
    entity["lon"] = {"type": "Property", "value": 2.305}
    entity["lat"] = {"type": "Property", "value": 48.855}
    layer = counts(place(("{site: id,", "{site: id, longitude_deg: lon, latitude_deg: lat,")))
    assert (layer.data[["longitude_deg", "latitude_deg"]] == [2.305, 48.855]).all(axis=None)


@pytest.mark.parametrize(
    ("change", "error", "parts"),
    [
        (("type: Traffic", "type: Trafic"), DataError, ("no entity of type TraficFlowObserved",)),
        (("count: intensity", "count: intensite"), MissingColumnError,
         ("no attribute `intensite`", "laneId", "{count: ...}")),
        (("site: id, ", ""), MissingColumnError, ("no attribute `site`", "{site: ...}")),
        (("2025-0", "2024-0"), DataError,
         ("no observation of `intensity` from 2024-06-30", "choose another period")),
        (("    source:", "    hours: [22, 6]\n    source:"), DataError, ("`hours`", "remove it")),
        (("{site", "{sight: id, site"), MissingColumnError, ("`columns` names sight",)),
    ],
)  # fmt: skip
def test_a_query_that_finds_nothing_is_told(
    broker: Any, place: Place, change: tuple[str, str], error: type[Exception], parts: Any
) -> None:
    fill(broker)
    with pytest.raises(error) as caught:
        counts(place(change))
    for part in ("traffic_counts", *parts):
        assert part in str(caught.value)


def test_an_answer_that_stays_cut_is_no_answer_and_an_imperfect_broker_is_noted(
    broker: Any, place: Place
) -> None:
    fill(broker)
    broker.largest_page, broker.link = 1, "foreign"
    assert any("names another host" in text for text in texts(counts(place()), "warning"))
    broker.temporal[urn(1)]["intensity"] = [seen(n, 3, "C62") for n in range(30)]
    broker.cap = 5
    with pytest.raises(DataError, match=r"traffic_counts .*cuts the answer.*`snapshot:`"):
        counts(place())


def test_a_file_may_hold_text_where_a_speed_is_optional(
    write_square: Callable[..., Path], tmp_path: Path
) -> None:
    """Each such row is told by the use case; the file is not refused for it."""
    table = written(1).astype({"speed_kmh": object})
    table.loc[5, "speed_kmh"] = "out of order"
    table.to_csv(tmp_path / "counts.csv", index=False)
    source = {"protocol": "file", "path": "counts.csv", "source": "a test", "licence": "CC0-1.0",
              "provenance": "observed"}  # fmt: skip
    here = write_square(f"  traffic_counts: {json.dumps(source)}\n")
    made = cleaned(counts(Territory.read(here)).data)
    assert made.rejects["reason"].tolist() == ["number"]
    assert np.isclose(made.counts["speed_kmh"], 31).all()
