"""Optional roles of the heat-island use case: weather, residents, land cover, and none at all."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from ldt_toolbox.errors import DataError, MissingRoleError
from ldt_toolbox.heat import outdoor_comfort, steps
from ldt_toolbox.heat.radiant import mean_radiant_temperature
from ldt_toolbox.heat.shadows import shadow_mask, sun_position
from ldt_toolbox.heat.surface_classes import LAND_COVER
from ldt_toolbox.space.paint import block_mean, grid_over, paint
from pythermalcomfort.models import utci as peer_utci
from shapely.geometry import box

from .conftest import CRS

NOON = "2025-07-15T13:00:00+02:00"


def weather(*rows, **changed):
    """A hot day of weather: rows of (time, air temperature), the rest as on a clear noon."""
    frame = pd.DataFrame(rows or [(NOON, 32.0)], columns=["time", "temperature_c"])
    rest = {"relative_humidity_pct": 45.0, "wind_speed_ms": 2.0, "global_radiation_w_m2": 900.0}
    return frame.assign(**rest).assign(**changed)


@pytest.fixture(scope="module")
def streets(bench):
    """Monaco on cells of 10 m, its sky view, and comfort there under any weather."""
    parameters = bench.parameters(cell_size_m=10)
    ground = steps.lay(bench.inputs(bench.bundled), parameters)
    sky = steps.sky(ground)

    def comfort(table, *, provenance="observed", **given):
        place = bench.place({"weather": {"data": table, "provenance": provenance}})
        return outdoor_comfort.comfort(
            sky, bench.inputs(place, "weather"), ground, bench.parameters(cell_size_m=10, **given)
        )

    return ground, sky, comfort


def texts(found, kind):
    return " ".join(note.text["en"] for note in found.notes if note.kind == kind)


def test_shade_feels_cooler_at_noon_by_what_is_measured_elsewhere(bench, streets):
    ground, _, comfort = streets
    found = comfort(weather())
    felt = found.layers["comfort"].values
    lon, lat = bench.bundled.center_lonlat
    sun = sun_position(
        pd.DatetimeIndex([NOON]).tz_convert("Europe/Monaco"), latitude_deg=lat, longitude_deg=lon
    ).iloc[0]
    assert 65 < sun["elevation_deg"] < 70  # 90 - 43.7 + 21.5 at true noon, half an hour later
    shade = ground.covered | shadow_mask(
        ground.surface_m, cell_size_m=ground.fine.cell_size_m,
        elevation_deg=sun["elevation_deg"], azimuth_deg=sun["azimuth_deg"],
    )  # fmt: skip
    open_air = ground.land & (ground.labels < 0)
    shaded = block_mean(np.where(open_air, shade, np.nan), ground.factor)
    in_sun, in_shade = felt[shaded == 0], felt[shaded == 1]
    assert min(in_sun.size, in_shade.size) > 500
    assert np.isfinite(in_sun).all()
    # Field studies of summer noons find UTCI some 4 to 12 K lower in shade than in sun.
    assert 4 < in_sun.mean() - in_shade.mean() < 12
    assert in_shade.max() < in_sun.min()
    whole = np.where(open_air, 1.0, np.nan)
    weight = block_mean(np.nan_to_num(whole), ground.factor)
    known = np.isfinite(felt)
    assert found.indicators["comfort_max"].value == pytest.approx(
        np.average(felt[known], weights=weight[known]), abs=1e-3  # float32 means of means
    )  # fmt: skip


def test_each_cell_is_the_utci_of_its_sky_and_shade(bench, streets):
    """Reading two curves instead of computing each cell departs by less than 0.01 K."""
    ground, sky, _ = streets
    row = weather().iloc[0]
    moment = pd.Timestamp(NOON).tz_convert("Europe/Monaco")
    lon, lat = bench.bundled.center_lonlat
    sun = sun_position(pd.DatetimeIndex([moment]), latitude_deg=lat, longitude_deg=lon).iloc[0]
    felt = outdoor_comfort._utci_map(row, sun, moment.day_of_year, sky, ground)
    cells = np.random.default_rng(3).integers(0, felt.size, 200)
    shade = ground.covered | shadow_mask(
        ground.surface_m, cell_size_m=ground.fine.cell_size_m,
        elevation_deg=sun["elevation_deg"], azimuth_deg=sun["azimuth_deg"],
    )  # fmt: skip
    views = np.where(ground.covered, 0.0, sky).ravel()[cells].astype(np.float64)
    radiant = mean_radiant_temperature(
        32.0, 900.0, 45.0, sun["elevation_deg"], day_of_year=moment.day_of_year,
        shaded=shade.ravel()[cells].astype(float), sky_view_factor=views, wind_speed_ms=2.0,
    )  # fmt: skip
    peer = peer_utci(tdb=32.0, tr=radiant, v=2.0, rh=45.0, round_output=False).utci
    np.testing.assert_allclose(felt.ravel()[cells], peer, atol=0.01)


def test_night_hours_work_and_open_sky_cools(streets):
    ground, sky, comfort = streets
    night = weather(("2025-07-15T02:00:00+02:00", 24.0), global_radiation_w_m2=0.0)
    felt = comfort(night, comfort_hours=[2]).layers["comfort"].values
    values = felt[np.isfinite(felt)]
    # no sun: nothing warmer than the air by more than humidity makes it, nor colder than 6 K
    assert values.max() < 26
    assert values.min() > 18
    views = block_mean(np.where(ground.labels < 0, np.where(ground.covered, 0, sky), np.nan),
                       ground.factor)  # fmt: skip
    known = np.isfinite(felt) & np.isfinite(views)
    assert np.corrcoef(felt[known], views[known])[0, 1] < -0.9


def test_calm_and_storm_count_as_the_limits_of_utci(streets):
    comfort = streets[2]
    for wind, limit in ((0.0, 0.5), (30.0, 17.0)):
        one, other = (comfort(weather(wind_speed_ms=w)).layers["comfort"] for w in (wind, limit))
        np.testing.assert_array_equal(one.values, other.values)
    calm, breeze = (
        comfort(weather(wind_speed_ms=w)).indicators["comfort_max"].value for w in (0.0, 5.0)
    )
    assert calm > breeze


def test_humid_air_beyond_utci_is_a_gap(streets):
    found = streets[2](weather(("2025-07-15T13:00:00Z", 38.0), relative_humidity_pct=95.0),
                       comfort_hours=[15])  # fmt: skip
    assert found.indicators == {}
    assert "UTCI is not defined" in texts(found, "gap")
    humid, dry = (
        streets[2](weather(relative_humidity_pct=h)).indicators["comfort_max"].value
        for h in (70.0, 20.0)
    )
    assert humid > dry + 2


def test_hottest_hour_and_day_win_whatever_offset_they_are_written_in(streets):
    comfort = streets[2]
    several = weather(
        ("2025-07-14T13:00:00+02:00", 27.0),
        ("2025-07-15T11:00:00Z", 34.0),  # 13:00 in Monaco
        ("2025-07-15T10:00:00+02:00", 29.0),
        ("2025-07-15T09:00:00-05:00", 31.0),  # 16:00
        ("2025-07-15T22:00:00+02:00", 40.0),  # not among the chosen hours
    )
    found = comfort(several)
    assert "2025-07-15 13:00" in texts(found, "assumption")
    alone = comfort(weather((NOON, 34.0)))
    np.testing.assert_array_equal(found.layers["comfort"].values, alone.layers["comfort"].values)


def test_no_chosen_hour_or_missing_values_are_a_gap(streets):
    comfort = streets[2]
    for table in (weather(("2025-07-15T03:00:00+02:00", 24.0)), weather((NOON, np.nan))):
        found = comfort(table)
        assert found.layers == {}
        assert "none of the chosen hours" in texts(found, "gap")


@pytest.mark.parametrize(
    ("time", "message"),
    [("yesterday", "`yesterday` in row 1 is no time"),
     ("15/07/2025 13:00", "is no time: write it as 2025-07-15T13:00:00"),
     (2025071513, "is no time"), (None, "is no time"),
     ("2025-07-15T13:00:00", "does not tell its offset from UTC")],
)  # fmt: skip
def test_times_that_cannot_be_read_are_refused(streets, time, message):
    with pytest.raises(DataError, match=message):
        streets[2](weather((time, 30.0)))


@pytest.mark.parametrize(
    ("column", "value"),
    [("temperature_c", 305.0), ("relative_humidity_pct", -9999), ("wind_speed_ms", -1.0),
     ("global_radiation_w_m2", -9999)],
)  # fmt: skip
def test_values_that_no_weather_has_are_refused(streets, column, value):
    with pytest.raises(DataError, match=f"weather: {column} is {value:g} in row 1"):
        streets[2](weather(**{column: value}))


def test_synthetic_weather_makes_synthetic_comfort(streets):
    found = streets[2](weather(), provenance="synthetic")
    assert found.indicators["comfort_max"].provenance == "synthetic"


@pytest.fixture(scope="module")
def census(bench):
    """Three strips over Monaco with residents, and a block in the sea where nobody has a house."""
    shape = bench.bundled.boundary_geometry
    west, south, east, north = shape.bounds
    third = (east - west) / 3
    strips = [
        box(west + i * third, south, west + (i + 1) * third, north).intersection(shape)
        for i in range(3)
    ]
    ground = steps.lay(bench.inputs(bench.bundled), bench.parameters())
    sea = bench.inputs(bench.bundled, "water").frame("water").union_all()
    empty = shape.buffer(30).intersection(sea).difference(shape.buffer(-5))
    empty = empty.difference(ground.buildings.union_all().buffer(20))
    empty = max(shapely.get_parts(empty), key=lambda part: part.area)
    assert empty.intersects(shape)
    return gpd.GeoDataFrame(
        {"population": [10_000, 20_000, 8_000, 500]}, geometry=[*strips, empty], crs=CRS
    )


def test_residents_are_conserved_and_weigh_the_result(bench, census):
    place = bench.place({"population": {"data": census, "provenance": "observed"}})
    result = bench.compute(place, population_total=1000)
    assert result.indicators["people"].value == 38_000
    assert result.weight == {"en": "residents", "fr": "habitants"}
    assert "residents" in result.answer["en"]
    buildings = result.layers["buildings"]
    points = buildings.geometry.representative_point()
    for strip, count in zip(census.geometry[:3], census["population"][:3], strict=True):
        # a house whose point lies on the line between strips would count in both: none does
        assert buildings["residents"][points.within(strip)].sum() == pytest.approx(count, rel=1e-9)
    mean = np.average(buildings["anomaly_k"], weights=buildings["residents"])
    # the layer rounds to 1e-4 K
    assert result.indicators["mean_anomaly"].value == pytest.approx(mean, abs=1e-4)
    told = texts(result, "warning")
    assert "500 residents live in areas without a building" in told
    assert "population_total is not used" in told
    assert result.synthetic == ()


def test_areas_across_the_boundary_are_told(bench, census):
    wide = census.iloc[:3].assign(geometry=census.geometry.iloc[:3].buffer(300))
    place = bench.place({"population": {"data": wide}})
    parameters = bench.parameters()
    inputs = bench.inputs(place, "buildings", "population")
    seen = steps.exposure(inputs, steps.lay(inputs, parameters), parameters)
    assert seen.weight.sum() == pytest.approx(38_000)
    assert any("3 areas with 38000 residents reach beyond" in n.text["en"] for n in seen.notes)


def test_residents_without_any_house_are_refused(bench, census):
    place = bench.place({"population": {"data": census.iloc[3:]}})
    parameters = bench.parameters()
    inputs = bench.inputs(place, "buildings", "population")
    ground = steps.lay(inputs, parameters)
    with pytest.raises(DataError, match="none of its 500 residents"):
        steps.exposure(inputs, ground, parameters)


def test_a_total_is_spread_over_housing(bench):
    parameters = bench.parameters(population_total=38_367)
    inputs = bench.inputs(bench.bundled, "buildings")
    ground = steps.lay(inputs, parameters)
    seen = steps.exposure(inputs, ground, parameters)
    assert seen.people
    assert seen.weight.sum() == pytest.approx(38_367, rel=1e-9)
    lived_in = seen.weight > 0
    floors = ground.buildings["floor_area_m2"].to_numpy()[lived_in]
    # everybody has the same floor
    np.testing.assert_allclose(seen.weight[lived_in] / floors, 38_367 / floors.sum(), rtol=1e-9)
    assert any("spread over housing" in n.text["en"] for n in seen.notes)


WORLD_COVER = {"wood": 10, "park": 20, "grass": 30, "residential": 50, "paved": 51, "sand": 60,
               "water": 80}  # fmt: skip


@pytest.fixture(scope="module")
def land_cover(bench):
    """Polygons of the bundle, and the same as a raster of 10 m with codes, smaller areas on top."""
    frame = bench.inputs(bench.bundled, "land_cover").frame("land_cover")
    by_surface = {LAND_COVER[name]: code for name, code in WORLD_COVER.items()}
    west, south, east, north = bench.bundled.boundary_geometry.buffer(400).bounds
    grid = grid_over((west, south, east, north), crs=bench.bundled.crs, cell_size_m=10)
    codes = np.zeros(grid.shape, np.uint8)
    order = np.argsort(-frame.area.to_numpy(), kind="stable")
    paint(
        ((frame.geometry.iloc[i], by_surface[LAND_COVER[frame["class"].iloc[i]]]) for i in order),
        grid, out=codes,
    )  # fmt: skip
    return frame, codes, grid.transform


def test_land_cover_as_raster_equals_polygons_but_at_edges(bench, land_cover):
    frame, codes, transform = land_cover
    classes = {str(code): name for name, code in WORLD_COVER.items()} | {"0": "residential"}
    # code 0 is what no polygon covers: the raster cannot leave it open
    filled = frame.iloc[:1].assign(
        **{"class": "residential"}, geometry=[box(*bench.bundled.boundary_geometry.bounds)]
    )
    polygons = gpd.GeoDataFrame(pd.concat([frame, filled]), crs=frame.crs)
    parameters = bench.parameters()
    by_raster = steps.lay(
        bench.inputs(bench.place({"land_cover": {"data": (codes, transform), "classes": classes}})),
        parameters,
    )
    by_polygon = steps.lay(
        bench.inputs(bench.place({"land_cover": {"data": polygons[["class", "geometry"]]}})),
        parameters,
    )
    assert by_raster.fine.cell_size_m == 5
    differs = (by_raster.classes != by_polygon.classes) & by_polygon.land
    t = by_raster.fine.transform
    rows, columns = np.nonzero(differs)
    points = shapely.points(t.c + t.a * (columns + 0.5), t.f + t.e * (rows + 0.5))
    edges = shapely.union_all(shapely.boundary(frame.geometry.to_numpy()))
    shapely.prepare(edges)
    # A fine cell reads the class at the centre of its 10 m cell, at most half a diagonal away; the
    # way through GeoJSON moves corners by 1e-7 degrees, a centimetre.
    assert shapely.distance(points, edges).max() <= np.hypot(5, 5) + 0.02
    assert 0 < differs.sum() < 0.1 * by_polygon.land.sum()
    ours, theirs = steps.shares(by_raster), steps.shares(by_polygon)
    share = 100 * differs.sum() / by_polygon.land.sum()
    assert ours["green"] == pytest.approx(theirs["green"], abs=share)


def test_unknown_code_is_named(bench, land_cover):
    _, codes, transform = land_cover
    classes = {str(code): name for name, code in WORLD_COVER.items()}
    spoilt = np.where(codes == 0, 95, codes).astype(np.uint8)
    place = bench.place({"land_cover": {"data": (spoilt, transform), "classes": classes}})
    with pytest.raises(DataError, match="`95`"):
        steps.lay(bench.inputs(place), bench.parameters())
    wrong = classes | {"95": "mangrove"}
    place = bench.place({"land_cover": {"data": (spoilt, transform), "classes": wrong}})
    with pytest.raises(DataError, match="for which no surface is known"):
        steps.lay(bench.inputs(place), bench.parameters())


def test_buildings_and_a_temperature_are_enough(bench, tmp_path):
    place = bench.place(keep=("buildings",))
    result = bench.compute(place, reference_temperature_c=24)
    lost = texts(result, "gap")
    for role in ("land cover", "streets", "trees", "water", "amenities", "terrain", "population",
                 "weather", "stations", "land surface temperature"):  # fmt: skip
        assert f"No {role}:" in lost
    assert result.indicators["green_share"].value is None
    assert result.indicators["tree_share"].value is None
    town = place.boundary_geometry
    roofs = bench.inputs(place, "buildings").frame("buildings").union_all().intersection(town)
    # painting into cells of 5 m rounds the outline of each house, as often out as in
    assert result.indicators["unclassified_share"].value == pytest.approx(
        100 * (1 - roofs.area / town.area), abs=0.5
    )
    assert 0 < result.indicators["mean_anomaly"].value <= 3
    assert len(result.tables["ranked_places"]) == 0
    assert result.indicators["scenario_trees"].value == 0
    assert "-0" not in result.answer["en"]
    assert "nan" not in result.answer["en"].lower()
    assert "None" not in result.answer["en"]
    result.write(tmp_path, bench.case, territory=place.id)


def test_without_any_reference_temperature_the_parameter_is_named(bench):
    place = bench.place(keep=("buildings",))
    with pytest.raises(MissingRoleError, match="reference_temperature_c"):
        bench.compute(place)


@pytest.mark.parametrize("months", [[1.5, *range(2, 13)], [None, *range(2, 13)], [*range(1, 12)]])
def test_monthly_temperatures_must_be_twelve(bench, months):
    table = pd.DataFrame({"month": months, "temperature_c": 20.0})
    place = bench.place({"air_temperature": {"data": table}})
    with pytest.raises(DataError, match="months 1 to 12"):
        steps.climate(bench.inputs(place, "air_temperature"), bench.parameters())


def test_monthly_temperatures_in_kelvin_are_refused(bench):
    table = pd.DataFrame({"month": range(1, 13), "temperature_c": 295.0})
    place = bench.place({"air_temperature": {"data": table, "unit": "KEL"}})
    with pytest.raises(DataError, match="declared in `unit: KEL`"):
        bench.inputs(place, "air_temperature")


def test_synthetic_roles_mark_what_rests_on_them(bench, census):
    trees = gpd.GeoDataFrame(
        geometry=[bench.bundled.boundary_geometry.representative_point()], crs=CRS
    )
    table = pd.DataFrame({"month": range(1, 13), "temperature_c": 20.0})
    place = bench.place({"weather": {"data": weather()}})
    result = bench.compute(place)
    assert result.synthetic == ("comfort",)
    assert result.indicators["comfort_max"].provenance == "synthetic"
    assert result.indicators["mean_anomaly"].provenance == "derived"

    place = bench.place({"trees": {"data": trees}, "air_temperature": {"data": table}})
    result = bench.compute(place)
    assert set(result.synthetic) == set(result.layers) | set(result.tables)
    assert {one.provenance for one in result.indicators.values()} == {"synthetic"}
