"""Stations over HTTP from a broker that pages and cuts, against files with the same numbers."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any

import geopandas as gpd
import pytest
import yaml
from ldt_toolbox.errors import DataError, MissingColumnError, MissingFileError
from ldt_toolbox.sources import Layer, load, load_role
from ldt_toolbox.sources import broker as broker_module
from ldt_toolbox.sources.received import descriptions, kept_in
from ldt_toolbox.territory import Territory
from ldt_toolbox.use_case import UseCase
from shapely.geometry import Point

ROLE = UseCase.find("heat-islands").roles["stations"]
START = datetime(2025, 7, 1, tzinfo=UTC)
HOURS = 48
LON, LAT = 2.30, 48.85
SOURCE = """\
  stations:
    protocol: ngsi-ld
    url: URL
    type: WeatherObserved
    from: 2025-07-01T00:00:00Z
    until: 2025-07-03T00:00:00Z
    columns: {temperature_c: temperature}
    source: a test
    licence: CC0-1.0
    provenance: observed
"""
Place = Callable[..., Territory]


def urn(number: int) -> str:
    return f"urn:ngsi-ld:WeatherObserved:{number}"


def value(number: int, hour: int) -> float:
    """Quarters of a degree: their sums are exact in binary, whatever the order."""
    return 20 + number + ((hour * 7 + number) % 24) / 4


def instance(number: int, hour: int, **changes: Any) -> dict[str, Any]:
    at = (START + timedelta(hours=hour)).isoformat().replace("+00:00", "Z")
    made = {"type": "Property", "value": value(number, hour), "unitCode": "CEL", "observedAt": at}
    return made | changes


def fill(broker: Any, count: int = 5, *, lon: float = LON, lat: float = LAT) -> None:
    """Stations on a line to the north-east, an observation an hour, some before and after."""
    for number in range(1, count + 1):
        place = {"type": "Point", "coordinates": [lon + number * 1e-3, lat + number * 1e-3]}
        entity = {"id": urn(number), "type": "WeatherObserved"}
        name = {"type": "Property", "value": f"Station {number}"}
        broker.put(
            {**entity, "name": name, "location": {"type": "GeoProperty", "value": place},
             "temperature": instance(number, HOURS - 1)}
        )  # fmt: skip
        hours = range(-12, HOURS + 12)
        broker.temporal[urn(number)] = entity | {
            "temperature": [instance(number, hour) for hour in hours]
        }


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_module, "RETRIES", 0)


@pytest.fixture
def place(broker: Any, write_square: Callable[..., Path]) -> Place:
    def build(*changes: tuple[str, str], source: str = SOURCE) -> Territory:
        return Territory.read(write_square(source.replace("URL", broker.server.url), *changes))

    return build


def stations(place: Territory) -> Layer:
    return load_role(ROLE, place)


def means(layer: Layer) -> dict[str, float]:
    return dict(zip(layer.data["id"], layer.data["temperature_c"], strict=True))


def texts(layer: Layer, kind: str) -> list[str]:
    return [note.text["en"] for note in layer.notes if note.kind == kind]


EXPECTED = {urn(n): fmean(value(n, hour) for hour in range(HOURS)) for n in range(1, 6)}


@pytest.mark.parametrize("keeps", ["oldest", "newest"])
@pytest.mark.parametrize("says_206", [True, False])
def test_every_observation_counts_however_the_broker_pages_and_cuts(
    broker: Any, place: Place, says_206: bool, keeps: str
) -> None:
    fill(broker)
    broker.largest_page, broker.cap, broker.says_206, broker.keeps = 2, 7, says_206, keeps
    layer = stations(place())
    assert means(layer) == EXPECTED
    assert layer.data.crs.to_epsg() == 2154
    asked = broker.server.seen("/ngsi-ld/v1/entities")
    assert len({request.query.get("offset", "0") for request in asked}) == 3
    windows = {r.query["timeAt"] for r in broker.server.seen("/ngsi-ld/v1/temporal/entities")}
    assert len(windows) > HOURS / 7
    assert texts(layer, "assumption") == [
        "stations (127.0.0.1): `temperature` is the mean of 240 observations of 5 stations "
        "from 2025-07-01T00:00:00Z until 2025-07-03T00:00:00Z."
    ]
    assert texts(layer, "repair") == []


def test_a_file_with_the_same_numbers_gives_the_same_frame(
    broker: Any, place: Place, tmp_path: Path
) -> None:
    fill(broker)
    live = stations(place()).data
    numbers = range(1, 6)
    gpd.GeoDataFrame(
        {"name": [f"Station {n}" for n in numbers], "temperature_c": list(EXPECTED.values())},
        geometry=[Point(LON + n * 1e-3, LAT + n * 1e-3) for n in numbers], crs=4326,
    ).to_parquet(tmp_path / "stations.parquet")  # fmt: skip
    by_file = "\n  stations: {protocol: file, path: stations.parquet, source: a test, " \
              "licence: CC0-1.0, provenance: observed}\n"  # fmt: skip
    read = stations(place(source=by_file)).data
    assert live["temperature_c"].tolist() == read["temperature_c"].tolist()
    assert live["name"].tolist() == read["name"].tolist()
    assert live.geometry.to_wkb().tolist() == read.geometry.to_wkb().tolist()


def test_hours_are_those_of_the_place(broker: Any, place: Place) -> None:
    fill(broker)
    layer = stations(place(("    source:", "    hours: [22, 6]\n    source:")))
    # Paris is two hours ahead of UTC in July: 22 to 6 there is 20 to 4 in UTC
    night = [hour for hour in range(HOURS) if hour % 24 >= 20 or hour % 24 < 4]
    assert means(layer) == {urn(n): fmean(value(n, h) for h in night) for n in range(1, 6)}
    assert "80 observations of 5 stations" in texts(layer, "assumption")[0]
    assert texts(layer, "assumption")[0].endswith("hours 22 to 6 local time.")


def test_units_are_converted_and_never_guessed(broker: Any, place: Place) -> None:
    fill(broker, 3)
    for hour, one in enumerate(broker.temporal[urn(1)]["temperature"]):
        one.update(value=one["value"] + 273.15, unitCode="KEL")
        broker.temporal[urn(2)]["temperature"][hour].pop("unitCode")
        broker.temporal[urn(3)]["temperature"][hour]["unitCode"] = "°C"
    layer = stations(place())
    # adding and taking away 273.15 rounds at the thirteenth digit
    assert means(layer)[urn(1)] == pytest.approx(EXPECTED[urn(1)], abs=1e-9)
    assert layer.data["temperature_c"].isna().tolist() == [False, True, True]
    bare, symbol = texts(layer, "repair")
    assert "48 observations without a unit code, left out (first: " + urn(2) in bare
    assert "48 observations in a unit that does not convert" in symbol
    declared = stations(place(("    source:", "    unit: CEL\n    source:")))
    assert means(declared)[urn(2)] == EXPECTED[urn(2)]


def test_rejects_are_told_one_by_one_and_none_is_lost(
    broker: Any, place: Place, tmp_path: Path
) -> None:
    fill(broker)
    series = broker.temporal[urn(1)]["temperature"]
    first = 12  # index of the first hour of the period
    series[first]["value"] = None
    series[first + 1]["value"] = "out of order"
    series[first + 2]["value"] = -9999
    series[first + 3]["value"] = True
    series.append(instance(1, 5))
    series.append(instance(1, 6, value=1.0))
    series.append(instance(1, 7, value=99.0, datasetId="urn:ngsi-ld:Dataset:indoor"))
    put = broker.entities
    put[urn(2)]["location"]["value"]["coordinates"].reverse()
    put[urn(3)]["location"]["value"]["coordinates"] = [652_000, 6_862_000]
    del put[urn(4)]["location"]
    put[urn(5)]["location"]["value"]["coordinates"][0] += 3
    with kept_in(tmp_path / "inputs"):
        layer = stations(place())
    left = [value(1, hour) for hour in range(4, HOURS)]
    assert means(layer) == {urn(1): fmean(left)}
    told = descriptions(tmp_path / "inputs")["stations"]["rejects"]
    reasons = [(reject["reason"], reject["station"]) for reject in told]
    assert sorted(reasons) == sorted(
        [("swapped-coordinates", urn(2)), ("coordinates-out-of-range", urn(3)),
         ("no-geometry", urn(4)), ("dataset", urn(1)), ("null", urn(1)), ("number", urn(1)),
         ("number", urn(1)), ("range", urn(1)), ("repeated", urn(1)), ("repeated", urn(1))]
    )  # fmt: skip
    repairs = texts(layer, "repair")
    assert len(repairs) == 9  # eight reasons, and one station outside the boundary
    assert "1 feature(s) outside the boundary, left out" in repairs[3]
    assert f"(first: {urn(1)}, 2025-07-01T02:00:00Z, -9999)" in repairs[7]


def test_a_station_without_or_with_few_observations_is_told(broker: Any, place: Place) -> None:
    fill(broker, 3)
    del broker.temporal[urn(2)]
    del broker.temporal[urn(3)]["temperature"][20:]
    layer = stations(place())
    assert layer.data["temperature_c"].isna().tolist() == [False, True, False]
    assert texts(layer, "warning") == [
        "stations (127.0.0.1): less than half as many observations as the fullest station (48): "
        "Station 2 (0), Station 3 (8). Their means stand for other hours."
    ]


def test_only_stations_near_the_place_are_asked_for_their_history(
    broker: Any, place: Place
) -> None:
    fill(broker, 120)
    stations(place())
    asked = [r.query["id"].split(",") for r in broker.server.seen("/ngsi-ld/v1/temporal/entities")]
    near = {one for ids in asked for one in ids}
    assert urn(1) in near
    assert urn(100) not in near  # more than ten kilometres away


def test_a_snapshot_repeats_the_run_without_the_broker(
    broker: Any, place: Place, tmp_path: Path
) -> None:
    fill(broker)
    with kept_in(tmp_path / "inputs"):
        live = stations(place())
    told = json.loads((tmp_path / "inputs/stations.received.json").read_text(encoding="utf-8"))
    assert told["endpoint"] == broker.server.url
    assert told["query"] == {
        "type": "WeatherObserved", "from": "2025-07-01T00:00:00Z",
        "until": "2025-07-03T00:00:00Z", "columns": {"temperature_c": "temperature"},
    }  # fmt: skip
    assert told["sha256"] == live.sha256
    at = datetime.fromisoformat(told["accessed"])
    assert abs((datetime.now(UTC) - at).total_seconds()) < 60
    broker.server.requests.clear()
    frozen = f"    snapshot: inputs/stations.json\n    sha256: {live.sha256}\n    source:"
    again = stations(place(("    source:", frozen)))
    assert broker.server.requests == []
    assert again.data.to_json() == live.data.to_json()
    assert (again.sha256, again.notes) == (live.sha256, live.notes)
    assert again.received.accessed == told["accessed"]


def test_the_hash_is_that_of_the_content_not_of_its_order(broker: Any, place: Place) -> None:
    fill(broker)
    first = stations(place())
    broker.entities = dict(reversed(broker.entities.items()))
    broker.temporal = dict(reversed(broker.temporal.items()))
    broker.largest_page, broker.cap = 2, 9
    broker.entities[urn(1)]["temperature"] = instance(1, HOURS + 5)  # a reading after the period
    frozen = place(("    source:", f"    sha256: {first.sha256}\n    source:"))
    assert stations(frozen).sha256 == first.sha256
    broker.temporal[urn(3)]["temperature"][30]["value"] += 0.25
    with pytest.raises(DataError, match=r"stations: the answer of http.* broker's data changed"):
        stations(frozen)


def test_credentials_come_from_the_environment_and_are_kept_nowhere(
    broker: Any, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(broker)
    secret = "s3cr3t-of-a-broker"  # noqa: S105
    guarded = place(
        ("    source:", "    tenant: nice\n    auth: {token_env: A_TOKEN}\n    source:")
    )
    with pytest.raises(DataError, match=r"stations .*environment variable A_TOKEN is not set"):
        stations(guarded)
    monkeypatch.setenv("A_TOKEN", secret)
    with kept_in(tmp_path / "inputs"):
        layer = stations(guarded)
    sent = broker.server.requests
    assert {r.headers["Authorization"] for r in sent} == {f"Bearer {secret}"}
    assert {r.headers["NGSILD-Tenant"] for r in sent} == {"nice"}
    kept = [path.read_bytes() for path in (tmp_path / "inputs").iterdir()]
    assert len(kept) == 2
    assert not any(secret.encode() in one or b"A_TOKEN" in one for one in kept)
    assert secret not in repr(layer)


def test_a_token_is_fetched_with_client_credentials(
    broker: Any, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(broker, 1)
    granted = {"access_token": "t0ken", "token_type": "Bearer", "expires_in": 300}
    broker.server.route("POST", "/token", lambda _: broker.reply(200, granted))
    monkeypatch.setenv("AN_ID", "twin")
    monkeypatch.setenv("A_KEY", "k3y")
    auth = (
        f"{{token_url: {broker.server.url}/token, client_id_env: AN_ID, client_secret_env: A_KEY}}"
    )
    layer = stations(place(("    source:", f"    auth: {auth}\n    source:")))
    assert len(layer.data) == 1
    asked = [r for r in broker.server.requests if r.path != "/token"]
    assert {r.headers["Authorization"] for r in asked} == {"Bearer t0ken"}
    assert broker.server.seen("/token")


def test_an_imperfect_broker_is_noted(broker: Any, place: Place) -> None:
    fill(broker)
    broker.largest_page, broker.link = 2, "foreign"
    layer = stations(place())
    assert means(layer) == EXPECTED
    assert any("names another host" in text for text in texts(layer, "warning"))


def test_an_answer_that_stays_cut_is_no_answer(broker: Any, place: Place) -> None:
    fill(broker, 1)
    same = [instance(1, 3, value=20 + n / 4) for n in range(30)]
    broker.temporal[urn(1)]["temperature"] = same
    broker.cap = 5
    with pytest.raises(DataError, match=r"stations .*cuts the answer.*`snapshot:`"):
        stations(place())


def test_a_broker_that_is_not_there_is_told(broker: Any, place: Place) -> None:
    gone = place((f"{broker.server.url}", "http://127.0.0.1:9"))
    with pytest.raises(DataError) as caught:
        stations(gone)
    for part in ("stations (127.0.0.1)", "http://127.0.0.1:9", "`url`", "`snapshot:`"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("change", "error", "parts"),
    [
        (("type: WeatherObserved", "type: Wheather"), DataError,
         ("no entity of type Wheather", "check `type`, `tenant`")),
        (("temperature_c: temperature", "temperature_c: temprature"), MissingColumnError,
         ("no attribute `temprature`", "location, name, temperature", "{temperature_c: ...}")),
        (("2025-07-0", "2024-07-0"), DataError,
         ("no observation of `temperature` from 2024-07-01", "choose another period")),
        (("temperature_c: temperature", "temperature_c: temperature, name: nom"),
         MissingColumnError, ("no column `nom`", "`columns: {name: ...}`")),
    ],
)  # fmt: skip
def test_a_query_that_finds_nothing_is_told(
    broker: Any, place: Place, change: tuple[str, str], error: type[Exception], parts: Any
) -> None:
    fill(broker)
    with pytest.raises(error) as caught:
        stations(place(change))
    for part in ("stations (127.0.0.1)", *parts):
        assert part in str(caught.value)


def test_a_broker_without_any_usable_observation_or_place_is_told(
    broker: Any, place: Place
) -> None:
    fill(broker, 2)
    for number in (1, 2):
        for one in broker.temporal[urn(number)]["temperature"]:
            one.pop("unitCode")
    with pytest.raises(DataError, match=r"96 observations without a unit code.*`unit: \.\.\.`"):
        stations(place())
    for entity in broker.entities.values():
        del entity["location"]
    with pytest.raises(DataError, match="no entity at a place that can be used: 2 entities"):
        stations(place())


def test_a_broker_that_keeps_no_history_is_told(broker: Any, place: Place) -> None:
    fill(broker)
    broker.missing = frozenset({"temporal"})
    with pytest.raises(DataError, match=r"stations .*temporal evolution"):
        stations(place())


def test_other_files_are_no_snapshot(broker: Any, place: Place, tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text("[]", encoding="utf-8")
    frozen = place(("    source:", "    snapshot: s.json\n    source:"))
    with pytest.raises(DataError, match=r"s\.json is no snapshot .*inputs/stations\.json of a run"):
        stations(frozen)
    (tmp_path / "s.json").unlink()
    with pytest.raises(MissingFileError, match=r"s\.json cannot be read"):
        stations(frozen)


def test_heat_islands_come_out_the_same_from_a_broker_and_from_a_file(
    broker: Any, tmp_path: Path
) -> None:
    """Monaco with five stations: layers and tables byte for byte, indicators text for text."""
    case, monaco = UseCase.find("heat-islands"), Territory.find("monaco")
    lon, lat = 7.418, 43.732
    fill(broker, lon=lon, lat=lat)
    broker.largest_page, broker.cap, broker.says_206 = 2, 7, False
    shutil.copytree(monaco.folder, tmp_path / "place")
    numbers = range(1, 6)
    gpd.GeoDataFrame(
        {"name": [f"Station {n}" for n in numbers], "temperature_c": list(EXPECTED.values())},
        geometry=[Point(lon + n * 1e-3, lat + n * 1e-3) for n in numbers],
        crs=4326,
    ).to_file(tmp_path / "place/stations.geojson", COORDINATE_PRECISION=15)
    terms = {"source": "a test", "licence": "CC0-1.0", "provenance": "observed"}
    live = yaml.safe_load(SOURCE.replace("URL", broker.server.url))["stations"]
    live |= {key: f"{live[key]:%Y-%m-%dT%H:%M:%SZ}" for key in ("from", "until")}
    results = {}
    for way, spec in {
        "file": terms | {"protocol": "file", "path": "stations.geojson"},
        "broker": live,
    }.items():
        told = yaml.safe_load((monaco.path).read_text(encoding="utf-8"))
        told["sources"]["stations"] = spec
        (tmp_path / "place/territory.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
        place = Territory.read(tmp_path / "place")
        parameters = case.validate({"cell_size_m": 20, "monte_carlo_draws": 0}, territory=place)
        results[way] = case.compute(load(case, place), parameters)
        results[way].write(tmp_path / way, case, territory=place.id)
    written = {
        way: {
            path.relative_to(tmp_path / way).as_posix(): path.read_bytes()
            for path in sorted((tmp_path / way).rglob("*"))
            if path.is_file()
        }
        for way in results
    }
    documents = {way: json.loads(files.pop("indicators.json")) for way, files in written.items()}
    assert len(written["file"]) >= 10
    assert any(name.endswith("stations.csv") for name in written["file"])
    assert written["broker"] == written["file"]
    notes = {way: document.pop("notes") for way, document in documents.items()}
    assert json.dumps(documents["broker"]) == json.dumps(documents["file"])
    ids = {one["id"] for one in documents["broker"]["indicators"]}
    assert {"station_bias", "station_rmse"} <= ids
    # the broker's result says in one more note what its temperatures are the mean of
    more = [note for note in notes["broker"] if note not in notes["file"]]
    assert [note["kind"] for note in more] == ["assumption"]
    assert [note for note in notes["broker"] if note not in more] == notes["file"]
