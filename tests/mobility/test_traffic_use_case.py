"""Counts as a role of the use case: usual days, odd hours, forecasts, and what the street emits."""

import shutil

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import yaml
from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.mobility import caveats, steps, traffic_steps
from ldt_toolbox.mobility.counts import clean_counts
from ldt_toolbox.mobility.emission_factors import POLLUTANTS, TIER_1
from ldt_toolbox.mobility.emissions import Fleet
from ldt_toolbox.mobility.traffic_emissions import emissions_of, stated_fleet
from ldt_toolbox.results import Indicator, Results
from ldt_toolbox.sources import load
from ldt_toolbox.territory import Territory, bundled_territories
from monaco import CASE, PLACE, compute, inputs, lonlat, parameters

WEEKS, ZONE = 14, "Europe/Monaco"
DIESEL = ["car-diesel 1"]
BY_HOUR = 300 + 250 * np.sin((np.arange(24) - 7) / 24 * 2 * np.pi)


@pytest.fixture(scope="module")
def cars():
    return steps.streets(inputs(), parameters(), "car")


@pytest.fixture(scope="module")
def streets(cars):
    """Two long streets of one line each, and a place in the middle of either."""
    count = cars.edges.groupby("street")["length_m"].agg(["size", "sum"])
    names = count[count["size"] == 1]["sum"].nlargest(2).index
    rows = cars.edges.set_index("street").loc[names]
    return rows.assign(place=[g.interpolate(0.5, normalized=True) for g in rows.geometry])


def counted(place, site, vehicles, *, first="2025-01-06", speed=None):
    """Rows of a counter on end, an hour each, local time without an offset."""
    start = pd.date_range(first, periods=len(vehicles), freq="h")
    lon, lat = lonlat(place)
    table = pd.DataFrame({
        "site": site, "start": start.strftime("%Y-%m-%dT%H:%M:%S"),
        "end": (start + pd.Timedelta("1h")).strftime("%Y-%m-%dT%H:%M:%S"),
        "count": np.asarray(vehicles, float), "longitude_deg": lon, "latitude_deg": lat,
    })  # fmt: skip
    return table if speed is None else table.assign(speed_kmh=speed)


def weeks(level=1.0):
    """Mean vehicles of each hour: 70 % on Saturdays, half on Sundays."""
    of_day = np.repeat([1, 1, 1, 1, 1, 0.7, 0.5], 24)
    return np.tile(np.tile(BY_HOUR, 7) * of_day, WEEKS) * level


@pytest.fixture(scope="module")
def table(streets):
    """A steady counter with speeds, and one that grows by half each week."""
    rng = np.random.default_rng(5)
    growing = 0.1 * 1.5 ** (np.arange(WEEKS * 168) / 168)
    first, second = streets["place"]
    return pd.concat(
        [counted(first, "steady", rng.poisson(weeks()), speed=35.0),
         counted(second, "growing", np.minimum(rng.poisson(weeks(growing)), 9000))],
        ignore_index=True,
    )  # fmt: skip


def found_in(table, **given):
    return traffic_steps.traffic(inputs(traffic_counts=table), parameters(fleet=DIESEL, **given))


def test_usual_days_by_hand(table):
    found = found_in(table).counters.set_index("site")
    own = table[table["site"] == "steady"]
    days = own["count"].to_numpy().reshape(-1, 7, 24).sum(axis=2)
    assert found.loc["steady", "working_day"] == np.median(days[:, :5])
    assert found.loc["steady", "saturday"] == np.median(days[:, 5])
    assert found.loc["steady", "sunday"] == np.median(days[:, 6])
    assert found.loc["steady", "speed_kmh"] == 35
    assert np.isnan(found.loc["growing", "speed_kmh"])
    assert found.loc["steady", "known_pct"] == pytest.approx(100, abs=0.1)


def test_profiles_are_shares_of_the_day_and_of_a_usual_day(table):
    found = found_in(table[table["site"] == "steady"])
    hours = found.hours
    assert hours["time_h"].tolist() == list(range(24))
    for kind in ("working_pct", "saturday_pct", "sunday_pct"):
        assert hours[kind].sum() == pytest.approx(100, abs=0.2)
        np.testing.assert_allclose(hours[kind], 100 * BY_HOUR / BY_HOUR.sum(), atol=0.3)
    days = found.days.set_index("period")["of_usual_pct"]
    assert days["saturday"] == pytest.approx(70, abs=1)
    assert days["sunday"] == pytest.approx(50, abs=1)
    assert days["wednesday"] == pytest.approx(100, abs=1)
    assert {"january", "march"} <= set(days.index)
    assert "august" not in days.index


def test_the_forecast_beats_last_week_where_weeks_repeat_and_says_so_where_it_does_not(table):
    found = found_in(table)
    told = found.counters.set_index("site")
    assert told.loc["steady", "forecast"] == "level"
    assert told.loc["steady", "error_pct"] < 90
    assert told.loc["growing", "forecast"] == "naive"
    assert told.loc["growing", "error_pct"] >= 100
    week = table.loc[table["site"] == "steady", "count"].to_numpy()[-168:].sum()
    assert told.loc["steady", "next_week"] == pytest.approx(week, rel=0.02)
    assert [skill.beats_naive for skill in found.skills] == [False, True]  # by name
    short = found_in(table[table["site"] == "steady"].head(300))
    assert short.counters["forecast"].tolist() == [""]
    assert short.counters[["error_pct", "next_week"]].isna().all().all()


def test_a_street_emits_its_length_times_flow_times_factor(table, streets, cars):
    found = found_in(table)
    day = found.counters.set_index("site")["working_day"]
    links = found.links.set_index("street").loc[streets.index]
    own = TIER_1["car-diesel"]
    for (_, link), site in zip(links.iterrows(), ("steady", "growing"), strict=True):
        km = link["length_m"] / 1000 * day[site]
        factor = {name: float(own.curves[name].at(30)) for name in POLLUTANTS}
        assert link["co2_kg"] == pytest.approx(km * factor["co2"] / 1000, rel=1e-3)
        assert link["nox_g"] == pytest.approx(km * factor["nox"], rel=1e-3)
        pm = km * (factor["pm25"] + own.wear_pm25_g_per_km)
        assert link["pm25_g"] == pytest.approx(pm, rel=1e-2)
    np.testing.assert_allclose(links["length_m"], streets["length_m"], atol=0.06)
    assert links["speed_assumed"].tolist() == [False, True]
    # without a measured speed the street's own stands
    edge = cars.edges[cars.edges["street"] == streets.index[1]].iloc[0]
    free = 3.6 * edge["length_m"] / np.nanmin([edge["forward_s"], edge["backward_s"]])
    assert links["speed_kmh"].iloc[1] == pytest.approx(free, abs=0.06)


def test_two_counters_on_one_street_do_not_double_its_traffic(streets, cars):
    place = streets["place"].iloc[0]
    points = gpd.GeoDataFrame(
        {"working_day": [1000.0, 3000.0, 500.0], "speed_kmh": [20.0, np.nan, np.nan]},
        geometry=[place, place, place.buffer(1e5).centroid.buffer(1).centroid], crs=PLACE.crs,
    )  # fmt: skip
    points.loc[2, "geometry"] = gpd.points_from_xy([place.x + 5e4], [place.y])[0]
    links = emissions_of(points, cars, Fleet({"car-petrol": 1.0}, "made up for a test"))
    assert links[["vehicles", "counters", "speed_kmh"]].to_numpy().tolist() == [[2000, 2, 20]]


def test_two_directions_of_one_counter_are_added_up_and_two_counters_are_said_to_be_averaged(table):
    own = table[table["site"] == "steady"].head(400)
    ways = pd.concat([own.assign(lane="in"), own.assign(lane="out")])
    once, both = found_in(own), found_in(ways)
    assert both.counters["working_day"].tolist() == [2 * once.counters["working_day"].iloc[0]]
    assert both.links["co2_kg"].iloc[0] == pytest.approx(2 * once.links["co2_kg"].iloc[0], abs=2e-3)
    apart = found_in(pd.concat([own, own.assign(site="other")]))
    assert apart.links["co2_kg"].tolist() == once.links["co2_kg"].tolist()
    assert any("their mean counts" in note.text["en"] for note in apart.notes)
    assert not any("their mean counts" in note.text["en"] for note in both.notes)


def test_bicycles_and_people_on_foot_emit_nothing(table):
    own = table[table["site"] == "steady"].head(400)
    kinds = pd.concat([own.assign(vehicle_type=kind) for kind in ("car", "bicycle", "Piéton")])
    found, cars = found_in(kinds), found_in(own.assign(vehicle_type="car"))
    pd.testing.assert_frame_equal(found.counters, cars.counters)
    pd.testing.assert_frame_equal(found.links, cars.links)
    assert any("800 rows count bicycles" in note.text["en"] for note in found.notes)
    with pytest.raises(DataError, match="400 are of bicycles"):
        found_in(own.assign(vehicle_type="bicycle"))


def test_rows_that_cannot_be_are_told_one_by_one_and_holes_and_odd_hours_too(table):
    own = table[table["site"] == "steady"].reset_index(drop=True).astype({"count": object})
    own.loc[10, "count"] = -4
    own.loc[20, "count"] = "many"
    own.loc[30, "latitude_deg"] = 48.0
    noon = 24 * 9 + 12  # a Wednesday
    own.loc[noon, "count"] = 4000
    own = own.drop(index=range(500, 512))
    own = pd.concat([own, own.iloc[[40]]], ignore_index=True)
    found = found_in(own)
    told = found.rejects.set_index("row")["reason"].to_dict()
    spring = own.index[own["start"] == "2025-03-30T02:00:00"][0] + 1
    assert told == {
        11: "negative", 21: "number", 31: "outside-territory", spring: "skipped-hour",
        len(own): "repeated",
    }  # fmt: skip
    assert found.holes["hours"].tolist()[0] == 12
    worst = found.events.iloc[found.events["z"].abs().argmax()]
    assert worst["label"] == "high"
    assert worst["start"] == "2025-01-15T12:00+01:00"
    assert any("-4" in note.text["en"] for note in found.notes if note.kind == "repair")
    assert found.known_pct < 100


def test_holidays_are_sundays(table):
    own = table[table["site"] == "steady"].copy()
    day = own["start"].str.startswith("2025-01-27")  # Sainte Dévote, a Monday
    own.loc[day, "count"] = np.round(0.5 * BY_HOUR)
    plain, told = found_in(own), found_in(own, holidays=["2025-01-27"])
    odd = [f.events["start"].str.startswith("2025-01-27").sum() for f in (plain, told)]
    assert odd[0] > 0 == odd[1]
    with pytest.raises(ParameterError, match="write dates as"):
        found_in(own, holidays=["27/1/2025"])


def test_the_fleet_is_stated_or_refused():
    told = stated_fleet(parameters())
    assert sum(told.shares.values()) == pytest.approx(1)
    assert "assumption" in told.source
    for wrong, words in ((["tram 1"], "classes are car-petrol"), (["car-petrol"], "'car-petrol'"),
                         (["car-petrol 0.5"], r"add up to 0\.5")):  # fmt: skip
        with pytest.raises(ParameterError, match=words):
            stated_fleet(parameters(fleet=wrong))
    with pytest.raises(ParameterError, match="without a source"):
        stated_fleet(parameters(fleet_source=" "))


def test_intervals_without_an_end_need_their_length(table):
    own = table[table["site"] == "steady"].head(400)
    starts = own.drop(columns="end")
    told = found_in(starts, count_interval_min=60)
    pd.testing.assert_frame_equal(told.counters, found_in(own).counters)
    with pytest.raises(DataError, match="of 400 rows 400 cannot be"):
        found_in(starts)


def test_where_no_street_is_for_cars_counters_are_told_and_emissions_are_not(table):
    paths = inputs().frame("streets").assign(**{"class": "footway"})
    own = table[table["site"] == "steady"].head(400)
    here = inputs(traffic_counts=own, streets=paths)
    found = traffic_steps.traffic(here, parameters(fleet=DIESEL))
    assert len(found.counters) == 1
    assert found.links.empty
    assert any("1 of 1 counters lie farther" in note.text["en"] for note in found.notes)


def test_counts_of_whole_days_cannot_be_spread(streets):
    days = counted(streets["place"].iloc[0], "a", [5000.0] * 3)
    days["end"] = (pd.to_datetime(days["start"]) + pd.Timedelta("1D")).dt.strftime("%Y-%m-%dT%H:%M")
    with pytest.raises(DataError, match="longer than an hour"):
        found_in(days.iloc[[0]])


def test_results_of_counts_and_their_mark_where_they_are_made_up(table):
    found = found_in(table)
    result = Results(indicators={"reach_median": Indicator(1.0), "stop_coverage": Indicator(2.0)})
    traffic_steps.add(result, found)
    assert result.indicators["traffic_co2"].value == pytest.approx(found.links["co2_kg"].sum())
    fake = inputs(traffic_counts=table, provenance="synthetic")
    caveats.mark_synthetic(fake, result)
    assert set(result.synthetic) == {"counters", "emissions", *result.tables}
    of = {key: one.provenance for key, one in result.indicators.items()}
    assert of.pop("reach_median") != "synthetic"
    assert of.pop("stop_coverage") != "synthetic"
    assert set(of.values()) == {"synthetic"}


@pytest.mark.slow
def test_the_whole_use_case_tells_of_traffic(table, tmp_path):
    result = compute(inputs(traffic_counts=table), fleet=DIESEL, fleet_source="a count in a test")
    assert {"counters", "emissions"} <= set(result.layers)
    assert "vehicles pass on a usual working day" in result.answer["en"]
    assert "beats last week's values at 1 of 2 counters" in result.answer["en"]
    assert any("a count in a test" in note.text["fr"] for note in result.notes)
    result.write(tmp_path, CASE, territory=PLACE.id)
    assert set(Results.read(tmp_path).tables) >= {"traffic_hours", "traffic_rejects"}
    without = compute()
    assert not {"counters", "emissions"} & set(without.layers)
    assert any("No traffic counts" in note.text["en"] for note in without.notes)


def test_a_csv_file_of_a_spreadsheet_is_read(table, tmp_path):
    """Semicolons, decimal commas and a cell that is no number, as a source of territory.yaml."""
    folder = tmp_path / "monaco"
    shutil.copytree(dict(bundled_territories())["monaco"], folder)
    own = table.head(400).astype({"count": object})
    own.loc[7, "count"] = "défaut"
    own.to_csv(folder / "data" / "counts.csv", sep=";", decimal=",", index=False)
    told = yaml.safe_load((folder / "territory.yaml").read_text(encoding="utf-8"))
    told["sources"]["traffic_counts"] = {
        "protocol": "file", "path": "data/counts.csv", "source": "a test", "date": "2025-01-01",
        "licence": "CC0-1.0", "provenance": "observed",
    }  # fmt: skip
    (folder / "territory.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
    place = Territory.read(folder)
    found = traffic_steps.traffic(load(CASE, place), CASE.validate(territory=place))
    assert found.rejects[["row", "reason"]].to_numpy().tolist() == [[8, "number"]]
    assert len(found.counters) == 1
    assert found.counters["speed_kmh"].tolist() == [35]


def test_what_was_cleaned_elsewhere_is_read_again(table, tmp_path):
    """Counters of a broker: cleaned once, kept as Parquet, named as the role's source."""
    own = table.head(400)
    cleaned = clean_counts(own, traffic_steps.COLUMNS, zone=ZONE)
    cleaned.counts.to_parquet(tmp_path / "counts.parquet")
    found = found_in(pd.read_parquet(tmp_path / "counts.parquet"))
    pd.testing.assert_frame_equal(found.counters, found_in(own).counters)
    assert found.rejects.empty
