"""Nothing of a whole result tells about fewer than eleven residents, whatever the town."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from ldt_toolbox.errors import DataError
from ldt_toolbox.mobility import homes, story
from ldt_toolbox.mobility.gtfs.read import read_feed
from ldt_toolbox.mobility.network import build_network
from ldt_toolbox.mobility.steps import Places
from ldt_toolbox.results import Indicator, Results
from monaco import CASE, PLACE, bundled, inputs, parameters, use_case
from small_feed import DAY, busy, changed, write_folder

FEWEST = 11
CELLS = ("access", "scenario_change", "transit_access", "scenario_transit_change")
# Shares that count residents; a column of another name fails the test until it is placed.
HEADCOUNTS = {
    "classes": {"walk_pct", "bike_pct", "calm_bike_pct"},
    "stops_by_mode": {"covered_pct"},
    "frequency": {"covered_pct"},
    "critical_streets": {"cut_off_pct"},
    "scenarios": {"better_pct", "worse_pct", "share_all_pp", "stop_pp"},
}
MEANS = {
    "scenarios": {"near_pp", "transit_pp"},  # over all residents
    "scenario_places": {"near_pp"},  # over those of a cell that is shown
    "lorenz": {"people_pct", "near_pct", "jobs_pct"},  # over tenths of all residents
}
INDICATORS = {"share_all_near", "share_all_near_bike", "share_all_near_calm", "stop_coverage",
              "frequent_coverage", "unattached_share", "scenario_share",
              "scenario_worse"}  # fmt: skip
OTHER_INDICATORS = {"minutes_all_median", "calm_street_share", "reach_median", "reach_gini",
                    "income_gap", "workplaces_median", "transit_reach", "transit_gain",
                    "transit_uncertain", "departures", "service_km", "scenario_near",
                    "scenario_transit", "network_km", "traffic_working_day", "traffic_known",
                    "traffic_forecast_error", "traffic_co2", "traffic_nox"}  # fmt: skip
ORIGIN = np.floor(shapely.get_coordinates(PLACE.boundary_geometry.representative_point())[0])
SIDE = 5  # streets each way, 130 m apart, so that squares of 100 m cut through the blocks


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """A grid of streets with houses, shops, a bus of three stops, somewhere in Monaco."""
    rng = np.random.default_rng(4)
    at = 130.0 * np.arange(SIDE)
    ends = [((x, 0.0), (x, at[-1])) for x in at] + [((0.0, y), (at[-1], y)) for y in at]
    lines = [shapely.LineString(np.add(end, ORIGIN)) for end in ends]
    columns = bundled().frame("streets").columns.drop("geometry")
    streets = gpd.GeoDataFrame(
        dict.fromkeys(columns)
        | {"class": "residential", "name": [f"Street {k}" for k in range(len(lines))]},
        geometry=lines, crs=PLACE.crs,
    )  # fmt: skip
    corner = ORIGIN + rng.uniform(0, at[-1], (70, 2))
    corner = corner[np.unique(np.floor(corner / 15), axis=0, return_index=True)[1]]
    houses = gpd.GeoDataFrame(
        {"use": "house", "levels": 1.0},
        geometry=shapely.box(*corner.T, *(corner + 9).T), index=range(len(corner)), crs=PLACE.crs,
    )  # fmt: skip
    spots = gpd.GeoDataFrame(
        {"class": ["school", "pharmacy", "supermarket", "library"], "name": list("abcd")},
        geometry=shapely.points(ORIGIN + rng.uniform(0, at[-1], (4, 2))), crs=PLACE.crs,
    )  # fmt: skip
    stops = gpd.GeoSeries(shapely.points(ORIGIN + np.outer([0, 260, 520], [1, 1])), crs=PLACE.crs)
    degrees = shapely.get_coordinates(stops.to_crs("EPSG:4326").to_numpy())
    rows = [f"s{k + 1},Stop,{y},{x},0," for k, (x, y) in enumerate(degrees)]
    head = "stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station"
    files = changed(("shapes.txt", "", None), ("trips.txt", "line", ""))
    files["stops.txt"] = "\n".join([head, *rows]) + "\n"
    feed = busy(read_feed(write_folder(files, tmp_path_factory.mktemp("feed"))))
    return {"streets": streets, "buildings": houses, "amenities": spots, "gtfs": feed}


def result_of(town, people, **given):
    """Results where so many residents live in each house, known house by house."""
    area = town["buildings"][["geometry"]].assign(population=people.astype(float))
    area["income"] = np.arange(len(area)) % 7 * 1000.0
    here = inputs(without=("land_cover", "stops", "routes"), **town, population=area)
    told = {
        "service_date": str(DAY), "departure_step_min": 60, "transit_minutes": 10,
        "near_minutes": 4, "close_streets": ["Street 2"], "isochrone_from": centre(),
        "bootstrap_draws": 50, "stop_distance_m": 150, "join_distance_m": 40,
    }  # fmt: skip
    return use_case.compute(here, parameters(**told | given))


def centre():
    point = gpd.GeoSeries([shapely.Point(ORIGIN + 260)], crs=PLACE.crs).to_crs("EPSG:4326")[0]
    return [point.x, point.y]


def living(town, people, shapes):
    """How many live in each shape."""
    doors = town["buildings"].geometry.representative_point().to_numpy()
    inside = shapely.contains(np.asarray(shapes)[:, None], doors[None, :])
    return inside @ people


def check_cells(layer, town, people, fewest):
    """Shown cells have enough residents, hidden ones no value, and hide each other."""
    hidden = layer["suppressed"].to_numpy(bool)
    values = layer.columns.drop(["suppressed", "geometry"])
    inside = living(town, people, layer.geometry)
    assert (inside[~hidden] >= fewest).all()
    assert layer.loc[hidden, values].isna().all().all()
    if hidden.any() and not hidden.all():
        assert hidden.sum() > 1
        assert inside[hidden].sum() >= fewest
    if "weight" in values:
        np.testing.assert_allclose(layer.loc[~hidden, "weight"], inside[~hidden], atol=0.06)


def counts_enough(pct, total, fewest, *, rest):
    """A share counts nobody or enough, and so does what it leaves over."""
    if pct is None or np.isnan(pct):
        return True
    people = abs(pct) / 100 * total
    sides = (people, total - people) if rest else (people,)
    return all(side < 1e-6 * total or side >= fewest - 1e-6 * total for side in sides)


def check(result, town, people, fewest=FEWEST):
    total = people.sum()
    weights = {key for key, one in result.layers.items() if "weight" in one}
    assert weights <= {"access", "scenario_change"}  # squares of one size only
    for key, layer in result.layers.items():
        assert (key in CELLS) == ("suppressed" in layer)
        if key in CELLS:
            check_cells(layer, town, people, fewest)
    for key, table in result.tables.items():
        shares = {c for c in table if c.endswith(("_pct", "_pp"))}
        assert shares <= HEADCOUNTS.get(key, set()) | MEANS.get(key, set()), key
        for column in shares & HEADCOUNTS.get(key, set()):
            whole = column.endswith("_pct")
            wrong = [
                v for v in table[column] if not counts_enough(v, total, fewest, rest=whole)
            ]  # fmt: skip
            assert not wrong, (key, column, wrong)
        if "weight" in table:
            assert (table["weight"] >= fewest - 0.05).all()
    assert ("lorenz" in result.tables) == (total >= 10 * fewest)
    assert set(result.indicators) <= INDICATORS | OTHER_INDICATORS
    for key in INDICATORS & set(result.indicators):
        rest = not key.startswith("scenario_share")
        assert counts_enough(result.indicators[key].value, total, fewest, rest=rest), key


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(15))
def test_nothing_tells_about_few(town, tmp_path_factory, seed):
    """Houses with nobody, few or many, in all mixtures."""
    rng = np.random.default_rng(seed)
    most = rng.choice([3, 12, 60], len(town["buildings"]), p=rng.dirichlet([1, 1, 1]))
    people = rng.integers(0, most + 1) * (rng.random(len(most)) < rng.random())
    people[0] += FEWEST
    result = result_of(town, people)
    check(result, town, people)
    folder = tmp_path_factory.mktemp("run")
    result.write(folder, CASE, territory=PLACE.id)
    kept = Results.read(folder)
    check(kept, town, people)
    assert set(kept.layers) == set(result.layers)
    told = json.loads((folder / "indicators.json").read_text(encoding="utf-8"))
    assert {one["id"] for one in told["indicators"]} == set(result.indicators)


@pytest.mark.slow
def test_layers_of_houses_and_streets_know_nothing_of_people(town):
    rng = np.random.default_rng(1)
    one, other = (rng.integers(0, 40, len(town["buildings"])) for _ in range(2))
    first, second = (result_of(town, people) for people in (one, other))
    for key in set(first.layers) - set(CELLS):
        pd.testing.assert_frame_equal(first.layers[key], second.layers[key])
    assert set(first.layers) - set(CELLS) >= {"buildings", "isochrones", "bike_stress", "stops"}


def test_without_a_threshold_everything_is_told(town):
    people = np.random.default_rng(2).integers(0, 9, len(town["buildings"]))
    people[:4] = 1
    told, kept = (result_of(town, people, fewest_people=k) for k in (0, FEWEST))
    assert not told.layers["access"]["suppressed"].any()
    assert kept.layers["access"]["suppressed"].sum() > 3
    assert told.indicators["unattached_share"].value is not None
    gone = [
        (key, column)
        for key, columns in HEADCOUNTS.items()
        for column in columns
        if (kept.tables[key][column].isna() & told.tables[key][column].notna()).any()
    ]
    assert gone
    assert any("fewer than 11 residents" in note.text["en"] for note in kept.notes)


def test_a_town_of_few_is_not_told_of_at_all(town):
    people = np.zeros(len(town["buildings"]), int)
    people[3] = 7
    with pytest.raises(DataError, match="7 residents in all"):
        result_of(town, people)


def test_the_answer_says_nothing_in_place_of_a_hidden_share(town):
    people = np.full(len(town["buildings"]), 20)
    result = result_of(town, people)
    told = parameters()
    here = Places(
        homes.of_buildings(town["buildings"]), None, ("health",), None, None, False
    )  # fmt: skip
    hidden = ("share_all_near", "minutes_all_median", "stop_coverage", "transit_reach")
    for key in hidden:
        result.indicators[key] = Indicator(None)
    for text in story.answer({"en": "Town"}, here, result, told).values():
        assert "None" not in text
        assert "nan" not in text
    assert "too few residents" in story.answer({"en": "Town"}, here, result, told)["en"]


def test_notes_name_no_few_residents_either(town):
    """Five people in an area without a house, sixty in another."""
    people = np.full(len(town["buildings"]), 20.0)
    area = town["buildings"][["geometry"]].assign(population=people)
    for lost, told in ((5.0, "Fewer than 11 residents"), (60.0, "60 residents")):
        empty = gpd.GeoDataFrame(
            {"population": [lost]},
            geometry=[shapely.box(*ORIGIN - 40, *ORIGIN - 30)],
            crs=PLACE.crs,
        )
        areas = pd.concat([area, empty], ignore_index=True)
        for here in (
            homes.of_buildings(town["buildings"], population=areas, fewest=FEWEST),
            homes.of_streets(
                build_network(town["streets"]), population=areas.iloc[-1:], fewest=FEWEST
            ),
        ):
            said = [n.text["en"] for n in here.notes if "are not counted" in n.text["en"]]
            assert [text.split(" live in")[0] for text in said] == [told]


def test_the_notebook_shows_squares_only_as_the_layers_do():
    """Squares of few residents are in tables of the steps; no cell shows one of them."""
    import nbformat

    for cell in nbformat.read(CASE.notebook, as_version=4).cells:
        if cell.cell_type == "code":
            for word in (".squares", "weight", "homes.places"):
                assert word not in cell.source, cell.source
