"""Properties of the whole mobility computation on the real Monaco."""

import json
from fnmatch import fnmatch
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import shapely
from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.mobility import caveats, scenario, scenario_streets, squares, steps, story, summary
from ldt_toolbox.mobility.attach import with_line
from ldt_toolbox.mobility.equity import lorenz
from ldt_toolbox.mobility.network import build_network
from ldt_toolbox.results import Indicator, Results
from ldt_toolbox.sources import load
from ldt_toolbox.territory import Territory
from monaco import CASE, Town, compute, inputs, lonlat, parameters, replace
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from street_traps import bundled


@pytest.fixture(scope="module")
def town():
    return Town()


@pytest.fixture(scope="module")
def result():
    return compute()


def outcome(town, plan):
    return scenario.with_measure(plan, town.walk, town.site, town.places, None, town.parameters)


def test_minutes_are_those_of_dijkstra_on_the_same_arcs(town):
    graph = town.site.graph
    arcs = csr_array((graph.cost, graph.head, graph.start), shape=(graph.nodes, graph.nodes))
    homes = np.flatnonzero(town.site.home >= 0)[::40]
    cost = dijkstra(arcs, indices=town.site.home[homes])
    for name in town.places.classes:
        goals = town.site.spot[(town.places.spots["class"] == name).to_numpy()]
        # costs are sums in another order: the last bits may differ
        np.testing.assert_allclose(
            town.time[name].to_numpy()[homes], cost[:, goals[goals >= 0]].min(axis=1) / 60,
            rtol=1e-12,
        )  # fmt: skip


def test_half_the_speed_doubles_every_walk(town):
    slow = Town(walking_speed_m_s=town.parameters.walking_speed_m_s / 2)
    reached = np.isfinite(slow.time.to_numpy())
    assert reached.mean() > 0.98
    np.testing.assert_allclose(
        slow.time.to_numpy()[reached], 2 * town.time.to_numpy()[reached], rtol=1e-12
    )


def test_every_home_is_in_one_square(town):
    for cell_m in (100.0, 250.0):
        table = squares.squares(town.places, cell_m=cell_m)
        assert table["weight"].sum() == pytest.approx(town.places.homes.weight.sum(), rel=1e-12)
        of_home = table.attrs["of_home"]
        assert (of_home[table["home"]] == np.arange(len(table))).all()
        assert ((of_home < 0) == (town.places.homes.weight == 0)).all()


def test_squares_average_back_to_the_whole(town):
    frame = squares.cells(town.places, town.time, minutes_limit=15, fewest=11)
    mean = np.average(frame["share_all_pct"], weights=frame["weight"])
    near = (town.time.to_numpy() <= 15).all(axis=1)
    # squares are rounded to 0.01 %, weights to 0.1 m2
    assert mean == pytest.approx(steps.share_pct(town.places.homes.weight, near), abs=0.01)


def test_nobody_is_quicker_when_a_street_is_closed_nor_slower_when_a_path_opens(town):
    ids = scenario_streets.named_streets(town.walk, ["Boulevard d'Italie"])
    closed = outcome(town, scenario.Plan(closed=tuple(ids)))
    known = np.isfinite(town.time.to_numpy())
    worse = closed.time.to_numpy()[known] - town.time.to_numpy()[known]
    assert (worse >= -1e-9).all()
    assert (worse > 1).any()
    far = town.time["culture"].replace(np.inf, 0).to_numpy().argmax()
    spots = town.places.spots.loc[town.places.spots["class"] == "culture"].geometry
    home = town.places.homes.places.geometry.iloc[far].representative_point()
    ends = [home, spots.iloc[int(spots.distance(home).argmin())]]
    at = [np.hypot(*(town.walk.node_xy - [end.x, end.y]).T).argmin() for end in ends]
    opened = outcome(town, scenario.Plan(path=shapely.LineString(town.walk.node_xy[at])))
    gain = town.time.to_numpy()[known] - opened.time.to_numpy()[known]
    assert (gain >= -1e-9).all()
    assert gain.max() > 0.1


def test_a_path_of_one_street_is_its_shortcut(town):
    """From end to end the new path takes its length over the walking speed, or less."""
    ends = town.walk.node_xy[[10, 2000]]
    line = shapely.LineString(ends)
    network = with_line(town.walk, line)
    graph = network.graph()
    arcs = csr_array((graph.cost, graph.head, graph.start), shape=(graph.nodes, graph.nodes))
    seconds = dijkstra(arcs, indices=10)[2000]
    assert seconds <= line.length / town.parameters.walking_speed_m_s * (1 + 1e-9)


def test_no_measure_changes_nothing(town):
    today = outcome(town, scenario.Plan())
    plan = scenario.Plan()
    table, then = scenario.compare(
        today, plan.measures, town.walk, town.site, town.places, None, town.parameters
    )
    assert then is today
    assert (table[["share_all_pp", "extra_min", "near_pp", "stop_pp"]].to_numpy() == 0).all()


def test_a_stop_more_takes_nobody_away(town):
    few = replace(town.places, stops=town.places.stops.iloc[:1].reset_index(drop=True))
    site = steps.join(town.walk, few, town.parameters)

    def with_plan(plan):
        return scenario.with_measure(plan, town.walk, site, few, None, town.parameters)

    before = with_plan(scenario.Plan())
    far = np.flatnonzero(~before.near_stop & (site.home >= 0))[0]
    middle = town.places.homes.places.geometry.iloc[far].representative_point()
    after = with_plan(scenario.Plan(stop=tuple(lonlat(middle))))
    assert (after.near_stop | ~before.near_stop).all()
    gained = after.near_stop & ~before.near_stop
    assert gained[far]
    away = town.places.homes.places.geometry[gained].distance(middle)
    # nobody within 500 m of street is farther than 500 m as the crow flies
    assert away.max() <= town.parameters.stop_distance_m + 0.1


def test_critical_streets_agree_with_the_scenario_that_closes_them(town):
    ranked = scenario_streets.critical_streets(
        town.site, town.places, town.time, count=4, fewest=11
    )
    assert ranked["extra_min"].is_monotonic_decreasing
    today = outcome(town, scenario.Plan())
    for _, row in ranked.iterrows():
        ids = scenario_streets.named_streets(town.walk, [row["street"]])
        plan = scenario.Plan(closed=tuple(ids))
        table, _ = scenario.compare(
            today, plan.measures, town.walk, town.site, town.places, None, town.parameters
        )
        # the same closure by another path of the program: costs are summed in another order
        assert table["extra_min"].iloc[0] == pytest.approx(row["extra_min"], abs=1e-9)


def test_areas_under_water_close_what_they_touch(town):
    edge = town.walk.edges.iloc[100]
    spot = edge.geometry.interpolate(0.5, normalized=True).buffer(3)
    area = town.walk.edges.iloc[[]][["geometry"]].copy()
    area.loc[0, "geometry"] = spot
    found = scenario_streets.streets_under(town.walk, area.set_crs(town.walk.edges.crs))
    assert edge["street"] in found
    touched = town.walk.edges[town.walk.edges.intersects(spot)]
    assert set(found) == set(touched["street"])


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"close_streets": ["Boulevard d'Itali"]}, "did you mean `?Boulevard d'Italie"),
        ({"open_path": [7.4, 43.7]}, "two points"),
        ({"new_stop": [7.4]}, "two numbers"),
        ({"new_headway": ["1"]}, "route and the minutes"),
        ({"amenity_classes": ["educatoin"]}, "no class educatoin"),
        ({"isochrone_from": [2.35, 48.85]}, "nearest street is"),
    ],
)
def test_wrong_parameters_are_named_with_what_would_be_right(town, given, says):
    told = parameters(**given)

    def use():
        steps.centre(town.site, steps.places(town.inputs, town.walk, told), told)
        scenario.plan(town.inputs, town.walk, None, told)

    with pytest.raises((ParameterError, DataError), match=says):
        use()


def test_tables_and_indicators_say_the_same(result):
    classes = result.tables["classes"].set_index("class")
    assert result.indicators["share_all_near"].value == classes.loc["all", "walk_pct"]
    assert (classes["walk_pct"] >= classes.loc["all", "walk_pct"] - 1e-9).all()
    assert (classes["bike_pct"] >= classes["calm_bike_pct"]).all()
    modes = result.tables["stops_by_mode"].set_index("mode")
    assert result.indicators["stop_coverage"].value == pytest.approx(
        modes.loc["all", "covered_pct"]
    )
    assert modes["covered_pct"].max() == modes.loc["all", "covered_pct"]
    assert modes.loc[modes.index != "all", "stops"].sum() == modes.loc["all", "stops"]


def test_without_a_timetable_it_says_that_schedules_are_missing(result):
    assert not {"transit_access", "stops"} & set(result.layers)
    assert not {"routes", "frequency", "gtfs_notices"} & set(result.tables)
    gaps = " ".join(note.text["en"] for note in result.notes if note.kind == "gap")
    assert "schedules are missing" in gaps
    assert "Schedules are missing" in result.answer["en"]
    assert "horaires manquent" in result.answer["fr"]


@pytest.mark.slow
def test_same_seed_same_bytes(result, tmp_path):
    again = compute()
    for folder, one in (("a", result), ("b", again)):
        one.write(tmp_path / folder, CASE, territory="monaco")
    first = {p.relative_to(tmp_path / "a"): p for p in (tmp_path / "a").rglob("*.*")}
    assert len(first) == len(result.layers) + len(result.tables) + 1
    for name, path in first.items():
        assert path.read_bytes() == (tmp_path / "b" / name).read_bytes(), name


@pytest.mark.slow
@pytest.mark.parametrize("territory", ["helsinki-centre", "andorra-la-vella"])
def test_other_territories_give_what_the_manifest_promises(territory):
    place = Territory.find(territory)
    found = CASE.compute(load(CASE, place), CASE.validate(territory=place))
    found.check(CASE)
    expected = json.loads((CASE.path.parent / "expected.json").read_text(encoding="utf-8"))
    for key, one in expected["indicators"].items():
        if territory in one["values"] and one["values"][territory] is not None:
            value = found.indicators[key].value
            assert value == pytest.approx(one["values"][territory], abs=one["tolerance"]), key


@pytest.mark.slow
def test_synthetic_streets_mark_everything():
    streets = inputs().frame("streets")
    marked = compute(inputs(streets=streets, provenance="synthetic"))
    assert set(marked.synthetic) == set(marked.layers) | set(marked.tables)
    assert {one.provenance for one in marked.indicators.values()} == {"synthetic"}


def test_quantiles_count_the_weight():
    values, weight = np.array([3.0, 1.0, 2.0, np.inf]), np.array([1.0, 2.0, 0.0, 1.0])
    assert summary.weighted_quantile(values, weight, 0.5) == 1.0
    assert summary.weighted_quantile(values, weight, 0.75) == 3.0
    assert summary.weighted_quantile(values, weight, 1.0) == np.inf
    assert summary.weighted_quantile(values, np.zeros(4), 0.5) is None
    assert summary.spread("x", np.zeros(4), weight)["gini"] is not None
    assert pd.isna(summary.spread("x", np.zeros(4), weight)["gini"])


def test_lorenz_curve_of_the_results_is_that_of_all_homes(town, result):
    table = result.tables["lorenz"]
    share, held = lorenz(
        summary.reached_weight(town.site, town.places, limit_min=15), town.places.homes.weight
    )
    expected = 100 * np.interp(np.linspace(0, 1, 11), share, held)
    np.testing.assert_allclose(table["near_pct"], expected, atol=0.006)
    assert (np.diff(table["jobs_pct"]) >= 0).all()
    assert table["near_pct"].iloc[[0, -1]].tolist() == [0, 100]


def test_places_that_the_scenario_changes_most_are_those_of_the_map(result):
    change, table = result.layers["scenario_change"], result.tables["scenario_places"]
    told = change.loc[~change["suppressed"], "extra_min"].abs().sort_values(ascending=False)
    assert table["extra_min"].abs().tolist() == told.head(len(table)).tolist()
    assert len(table) == 15
    assert (table["street"] != "").all()


def test_every_repair_on_foot_and_by_bike_is_told_in_both_languages(result):
    assert set(result.tables["network"]["mode"]) == {"walk", "bike"}
    columns = CASE.tables["network"].spec["columns"]
    for name in ("monaco", "helsinki-centre", "andorra-la-vella", "east-london"):
        for mode in ("walk", "bike"):
            report = build_network(bundled(name), mode=mode).report
            for column in ("step", "what"):
                known = list(columns[column]["values"])
                for text in report[column].unique():
                    assert any(fnmatch(text, key) for key in known), (mode, text)


def test_tags_that_the_streets_lack_are_told_and_no_others(town):
    def told(streets):
        notes = caveats.notes(inputs(streets=streets), town.places, town.parameters)
        return [note.text["en"] for note in notes if "no tag" in note.text["en"]]

    streets = inputs().frame("streets")
    assert told(streets) == []
    assert told(streets.drop(columns="maxspeed").assign(access=None)) == [
        "The streets have no tag access, maxspeed: who may use them, speed limits are taken from "
        "their class."
    ]
    # as OSMnx writes them
    kept = ["id", "class", "name", "lanes", "oneway", "access", "maxspeed", "geometry"]
    assert told(streets[kept]) == [
        "The streets have no tag foot, cycleway: who may use them, cycle lanes are taken from "
        "their class."
    ]


def test_a_new_stop_is_on_the_map_of_works(town):
    lon, lat = 7.42, 43.735
    drawn = scenario.works(scenario.Plan(stop=(lon, lat)), town.walk)
    assert drawn[["what", "name"]].to_numpy().tolist() == [[2, "new stop"]]
    place = drawn.to_crs("EPSG:4326").geometry.iloc[0].centroid
    assert (place.x, place.y) == pytest.approx((lon, lat), abs=1e-7)
    assert not len(scenario.works(scenario.Plan(), town.walk))


def test_a_headway_without_a_timetable_is_not_ignored(town):
    with pytest.raises(ParameterError, match="without a timetable"):
        scenario.plan(inputs(), town.walk, None, parameters(new_headway=["1", "10"]))


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (100, "100 %"), (99.87, "99.9 %"), (99.98, "99.98 %"), (99.4, "99 %"),
        (0.04, "0.04 %"), (0, "0 %"),
    ],
)  # fmt: skip
def test_the_answer_never_says_all_of_nearly_all(share, told):
    result = Results(indicators={"stop_coverage": Indicator(share)})
    here = SimpleNamespace(homes=SimpleNamespace(unit={"en": "residents", "fr": "habitants"}))
    said = [one["en"] for one in story._nearby(here, result, parameters())]
    assert said == [f"{told} have a stop of public transport nearby."]
