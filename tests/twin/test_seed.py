"""What `ldt twin seed` writes: clean, labelled, the same for the same seed, written once."""

import shutil
import warnings
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import yaml
from ldt_toolbox.clients.errors import NotFound, NotImplementedByServer
from ldt_toolbox.clients.imperfect import ImperfectServerWarning
from ldt_toolbox.clients.ngsi_ld import NgsiLd, observations
from ldt_toolbox.errors import WrongUseError
from ldt_toolbox.models.lint import lint
from ldt_toolbox.models.types import catalogue
from ldt_toolbox.sources import load_role
from ldt_toolbox.territory import Territory
from ldt_toolbox.twin import seed_signals as signals
from ldt_toolbox.twin.seed import last_step, play, seed
from ldt_toolbox.twin.seed_places import ROAD_CLASSES, features, places
from ldt_toolbox.twin.seed_sensors import instant, sensors
from ldt_toolbox.use_case import UseCase
from shapely.geometry import Point, shape
from typer.testing import CliRunner

AT = datetime(2025, 7, 15, 22, tzinfo=UTC)
HOURS = np.arange(0, 365 * 24, dtype=np.int64) * 3600 + int(
    datetime(2025, 1, 1, tzinfo=UTC).timestamp()
)
TERRITORIES = ("monaco", "helsinki-centre", "andorra-la-vella", "east-london")


@pytest.fixture(scope="module")
def small():
    """The bundled territory with the fewest features."""
    return Territory.find("east-london")


def iri(kind, attribute):
    return catalogue()[kind].attributes[attribute].iri


@pytest.mark.parametrize("name", TERRITORIES)
def test_entities_are_clean_and_none_is_lost(name):
    territory = Territory.find(name)
    found = places(territory)
    entities = found.entities + [one.entity(AT, step_s=3600) for one in sensors(territory)]
    assert lint(entities) == []
    ids = [entity["id"] for entity in entities]
    assert len(set(ids)) == len(ids)
    roles = [role for role in ("buildings", "streets", "stops", "amenities")
             if role in territory.sources]  # fmt: skip
    features_in_all = sum(len(features(territory, role)) for role in roles)
    assert len(found.entities) + sum(found.left_out.values()) == features_in_all
    kinds = {entity["type"] for entity in entities}
    expected = {"Building", "RoadSegment", "WeatherObserved", "TrafficFlowObserved"}
    expected |= {"GtfsStop", "PointOfInterest"} if "stops" in territory.sources else set()
    expected |= {"WaterObserved"} if "rivers" in territory.sources else set()
    assert kinds == expected


def test_entities_say_what_the_features_say():
    territory = Territory.find("monaco")
    by_id = {entity["id"]: entity for entity in places(territory).entities}
    buildings = features(territory, "buildings").set_index("id")
    known = buildings[buildings["levels"].notna()]
    assert len(known) > 100
    for feature, levels in known["levels"].items():
        entity = by_id[f"urn:ngsi-ld:Building:monaco:{feature}"]
        assert entity["floorsAboveGround"]["value"] == float(levels)
    streets = features(territory, "streets").set_index("id")
    for feature, row in streets.iterrows():
        entity = by_id.get(f"urn:ngsi-ld:RoadSegment:monaco:{feature}")
        assert (entity is not None) == (row["class"].removesuffix("_link") in ROAD_CLASSES)
        if entity:
            assert entity["length"]["value"] * 1000 == pytest.approx(row.geometry.length, abs=0.06)
    assert all(e["dataProvider"]["value"] == "OpenStreetMap contributors" for e in by_id.values())


def test_sensors_are_labelled_and_stand_where_they_should():
    territory = Territory.find("andorra-la-vella")
    found = sensors(territory, count=4, seed=9)
    assert [one.kind for one in found] == [
        *["WeatherObserved"] * 4, "WaterObserved", *["TrafficFlowObserved"] * 4
    ]  # fmt: skip
    inside = territory.boundary_geometry
    from pyproj import Transformer

    turn = Transformer.from_crs("EPSG:4326", territory.crs, always_xy=True).transform
    rivers = features(territory, "rivers").geometry.union_all()
    for one in found:
        entity = one.entity(AT, step_s=3600)
        assert entity["dataProvider"]["value"] == f"synthetic:{one.method}@9"
        assert "(synthetic)" in entity["name"]["value"]
        point = Point(turn(*shape(entity["location"]["value"]).coords[0]))
        assert point.distance(inside) < 0.5  # coordinates have six decimals: 0.1 m
        if one.kind == "WaterObserved":
            assert point.distance(rivers) < 0.5
    streets = {entity["id"] for entity in places(territory).entities}
    assert all(one.links["refRoadSegment"] in streets for one in found[5:])


def test_same_seed_same_readings_other_seed_others(small):
    def made(number):
        return [one.entity(AT, step_s=3600) for one in sensors(small, seed=number)]

    assert made(1) == made(1)
    assert made(1) != made(2)
    assert {e["id"] for e in made(1)}.isdisjoint(e["id"] for e in made(2))


def test_reading_of_an_instant_does_not_depend_on_the_window(small):
    times = [AT - timedelta(hours=back) for back in range(48)]
    for one in sensors(small, count=2):
        whole = one.evolution(times, step_s=3600)
        alone = one.evolution(times[17:18], step_s=3600)
        for name in one.units:
            assert alone[name][0] == whole[name][17]


def test_noise_is_uniform_and_streams_differ():
    index = np.arange(100_000)
    first, second = signals.uniform(1, index), signals.uniform(2, index)
    # of 100,000 draws the mean has a standard error of 0.0009, the correlation one of 0.0032
    assert abs(first.mean() - 0.5) < 0.004
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.013
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 0.013
    assert ((first > 0) & (first < 1)).all()
    counts = np.bincount((first * 100).astype(int), minlength=100)
    # chi-squared with 99 degrees of freedom is below 160 in 99.99 % of the cases
    assert (((counts - 1000) ** 2) / 1000).sum() < 160


def test_temperature_follows_the_sun_the_month_and_the_town():
    normals = [float(month) for month in range(1, 13)]
    told = {"normals_c": normals, "lon": 0.0, "seed": 3, "name": "a"}
    plain = signals.temperature_c(HOURS, excess_k=0.0, **told)
    warm = signals.temperature_c(HOURS, excess_k=2.0, **told)
    by_hour = plain.reshape(-1, 24).mean(axis=0)
    assert by_hour.argmax() == 15
    # a cosine of 4.5 K; a year of the small noise leaves 0.02 K
    assert np.ptp(by_hour) == pytest.approx(9.0, abs=0.15)
    more = (warm - plain).reshape(-1, 24)
    assert more[:, 3].max() == pytest.approx(2.0, abs=0.11)  # both are rounded to 0.1
    assert abs(more[:, 15]).max() == 0
    middle_of_july = np.array([int(6.5 * signals._MONTH_S)])
    assert signals.month_mean(middle_of_july, normals)[0] == pytest.approx(7.0, abs=1e-3)


def test_humidity_falls_when_the_air_warms():
    normals = [15.0] * 12
    air = signals.temperature_c(HOURS, normals_c=normals, lon=0.0, excess_k=0, seed=1, name="a")
    damp = signals.humidity_percent(HOURS, air, normals_c=normals, seed=1)
    assert damp.min() >= 5
    assert damp.max() <= 100
    assert np.corrcoef(air, damp)[0, 1] < -0.7


def test_gauge_has_low_water_and_waves_that_rise_faster_than_they_ebb():
    height = signals.stage_m(HOURS, seed=1, name="g")
    assert height.min() >= 0.3
    assert height.max() > 1.0
    step = np.diff(height)
    assert step.max() > 2 * -step.min()
    # a wave on 15 % of the days for some hours each: the river is low most of the time
    assert np.median(height) < 0.55


def test_traffic_keeps_the_hours_of_the_place_and_is_poisson():
    monday = int(datetime(2025, 6, 2, tzinfo=ZoneInfo("Europe/Paris")).timestamp())
    local = np.arange(1, 24 * 7 * 50 + 1, dtype=np.int64) * 3600 + monday + 2 * 3600
    seen = signals.vehicles(
        local - 2 * 3600, local, busiest_per_h=1000.0, step_s=3600, seed=1, name="c"
    ).reshape(-1, 7, 24)  # fmt: skip
    workdays, free = seen[:, :5].reshape(-1, 24), seen[:, 5:].reshape(-1, 24)
    assert workdays.mean(axis=0).argmax() == 8
    # 250 draws with a mean of 1000: standard error 2, and 10 % on the variance
    assert workdays[:, 8].mean() == pytest.approx(1000, abs=8)
    assert workdays[:, 8].var() == pytest.approx(1000, rel=0.4)
    assert free.sum(axis=1).mean() < 0.75 * workdays.sum(axis=1).mean()


def test_written_twice_nothing_changes_and_the_history_is_whole(running, small):
    with NgsiLd(running.ngsi_ld, tenant="seeded") as client:
        first = seed(small, client, count=2, days=2, until=AT)
        again = seed(small, client, count=2, days=2, until=AT)
        assert first.outcome.ok
        assert again.outcome.ok
        assert len(first.outcome.created) == len(again.outcome.unchanged)
        assert not again.outcome.created
        assert not again.outcome.updated
        assert first.readings + first.there == 5 * 49
        assert (again.readings, again.there) == (0, 5 * 49)
        times = [AT - timedelta(hours=back) for back in range(48, -1, -1)]
        for one in first.sensors:
            name = next(iter(one.units))
            [evolution] = client.temporal.query(
                type=catalogue()[one.kind].iri, id=[one.id], attrs=[iri(one.kind, name)],
                start=times[0], end=AT + timedelta(seconds=1),
            )  # fmt: skip
            told = [(each.time, each.value) for each in observations(evolution)]
            wanted = one.evolution(times, step_s=3600)[name]
            assert sorted(told) == [(each["observedAt"], each["value"]) for each in wanted]


def test_counts_are_read_with_the_hour_that_they_are_of(running, small, tmp_path):
    """As the mobility use case reads them from a broker, by the history of the interval."""
    folder = shutil.copytree(small.folder, tmp_path / "town")
    told = yaml.safe_load((folder / "territory.yaml").read_text(encoding="utf-8"))
    told["sources"] = {
        "traffic_counts": {
            "protocol": "ngsi-ld", "url": running.ngsi_ld, "tenant": "counted",
            "type": catalogue()["TrafficFlowObserved"].iri,
            "from": instant(AT - timedelta(days=1)), "until": instant(AT + timedelta(seconds=1)),
            "columns": {
                name: "id" if attribute == "id" else iri("TrafficFlowObserved", attribute)
                for name, attribute in {
                    "site": "id", "start": "dateObservedFrom", "end": "dateObservedTo",
                    "count": "intensity", "speed_kmh": "averageVehicleSpeed",
                }.items()
            },
            "source": "a test", "licence": "CC0-1.0", "provenance": "synthetic",
        }
    }  # fmt: skip
    (folder / "territory.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
    with NgsiLd(running.ngsi_ld, tenant="counted") as client:
        done = seed(small, client, count=2, days=1, until=AT)
    counters = [one for one in done.sensors if one.kind == "TrafficFlowObserved"]
    rows = load_role(
        UseCase.find("mobility").roles["traffic_counts"], Territory.read(folder)
    ).data.sort_values(["site", "start"])
    assert len(rows) == 2 * 25
    for one in counters:
        mine = rows[rows["site"] == one.id]
        times = [AT - timedelta(hours=back) for back in range(24, -1, -1)]
        assert mine["start"].tolist() == [instant(at - timedelta(hours=1)) for at in times]
        assert mine["end"].tolist() == [instant(at) for at in times]
        seen = one.evolution(times, step_s=3600)["intensity"]
        assert mine["count"].tolist() == [each["value"] for each in seen]


def test_later_seed_adds_only_what_is_new(running, small):
    with NgsiLd(running.ngsi_ld, tenant="later") as client:
        seed(small, client, count=1, days=1, until=AT)
        more = seed(small, client, count=1, days=1, until=AT + timedelta(hours=3))
    assert len(more.outcome.updated) == len(more.sensors) == 3
    # three new hours for each; the last one came with the entity
    assert more.readings == 3 * 2


@pytest.mark.parametrize("error", [NotImplementedByServer, NotFound])
def test_broker_without_history_gets_the_entities(running, small, monkeypatch, error):
    def refuse(*_, **__):
        raise error("temporal/entities: 501 Not Implemented")

    with NgsiLd(running.ngsi_ld, tenant=f"no-{error.__name__.lower()}") as client:
        monkeypatch.setattr(client.temporal, "query", refuse)
        monkeypatch.setattr(client.temporal, "create", refuse)
        done = seed(small, client, count=1, days=1, until=AT)
    assert len(done.outcome.created) == 982
    assert str(done).startswith("982 created; the broker keeps no history: temporal/entities")


def test_play_is_faster_than_time_and_keeps_pace(running, small):
    now, slept = [0.0], []

    def pause(seconds):
        slept.append(seconds)
        now[0] += seconds

    with NgsiLd(running.ngsi_ld, tenant="played") as client:
        chosen = sensors(small, count=1)
        steps = list(
            play(
                client,
                chosen,
                start=AT,
                end=AT + timedelta(hours=4),
                speed=7200,
                pause=pause,
                clock=lambda: now[0],
            )
        )
        assert steps == [AT + timedelta(hours=hour) for hour in range(5)]
        assert slept == [0.5] * 4
        [station] = client.entities.query(type=catalogue()["WeatherObserved"].iri)
        wanted = chosen[0].entity(steps[-1], step_s=3600)["temperature"]
        assert station[iri("WeatherObserved", "temperature")] == wanted
    with pytest.raises(WrongUseError, match="above 0"):
        next(play(client, chosen, start=AT, speed=0))


def test_time_without_zone_and_negative_numbers_are_refused(small):
    with pytest.raises(WrongUseError, match="no time zone"):
        last_step(datetime(2025, 7, 15), 3600)
    with NgsiLd("http://127.0.0.1:9") as client, pytest.raises(WrongUseError, match="days = -1"):
        seed(small, client, days=-1)
    assert instant(last_step(datetime(2025, 7, 15, 1, 59, tzinfo=UTC), 3600)) == (
        "2025-07-15T01:00:00Z"
    )


def test_command_says_what_it_did(running):
    from ldt_toolbox.twin.command import app

    arguments = [
        "seed", "east-london", "--to", running.ngsi_ld, "--tenant", "command", "--sensors", "1",
        "--days", "0.25", "--until", "2025-07-15T00:00:00Z",
    ]  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("error", ImperfectServerWarning)
        first = CliRunner().invoke(app, arguments)
        played = CliRunner().invoke(app, [*arguments, "--replay", "360000"])
    assert first.exit_code == 0, first.output
    assert "982 created; 18 readings written, 3 were there" in first.stdout
    assert "readings of 2025-07-15T00:00:00Z" in played.stdout
    assert played.stdout.count("readings of") == 6
    wrong = CliRunner().invoke(app, [*arguments[:-1], "yesterday"])
    assert "yesterday is no time" in str(wrong.exception)
