"""The bundled territories are what their descriptions say, byte for byte and number for number."""

import hashlib
from importlib.resources import files
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
import yaml

PACKAGE = Path(str(files("ldt_toolbox")))
TERRITORIES = PACKAGE / "territories"
NORMALS = PACKAGE / "sources" / "data"
IDS = ["andorra-la-vella", "east-london", "helsinki-centre", "monaco"]
EPSG = {"andorra-la-vella": 32631, "east-london": 32631, "helsinki-centre": 3879, "monaco": 32632}

# rows of every layer; where a number is not that of the origin, SOURCE.md says why
ROWS = {
    "monaco": {
        "boundary": 1,
        "buildings": 1285,  # 1286 objects, one of them a museum of two sites, no building itself
        "land_cover": 341,
        "streets": 2807,
        "trees": 557,
        "water": 70,
        "rivers": 3,
        "amenities": 1090,
        "stops": 245,
        "routes": 47,
    },
    "helsinki-centre": {
        "boundary": 1,
        # 536 objects: 36 points, 1 entrance and 54 outlines cut by the extract's edge are no areas
        "buildings": 445,
        "land_cover": 406,
        "streets": 2302,
        "trees": 649,
        "water": 7,
        "amenities": 1572,
        "stops": 155,
        "routes": 89,
    },
    "andorra-la-vella": {"boundary": 1, "buildings": 731, "streets": 1483, "rivers": 13},
    "east-london": {"boundary": 1, "buildings": 831, "streets": 148, "rivers": 7},
}
# buildings with a height, with levels; in Helsinki 17 and 170 before the edge's outlines went
KNOWN_HEIGHTS = {
    "monaco": (39, 463),
    "helsinki-centre": (16, 148),
    "andorra-la-vella": (198, 155),
    "east-london": (0, 0),
}
COLUMNS = {
    "boundary": ["id", "name"],
    "buildings": ["id", "height_m", "levels", "use", "name"],
    "land_cover": ["id", "class", "tag", "name"],
    "streets": [
        "id", "class", "name", "width_m", "lanes", "oneway", "tunnel", "bridge", "layer",
        "access", "foot", "bicycle", "vehicle", "motor_vehicle", "oneway:bicycle", "cycleway",
        "cycleway:both", "cycleway:left", "cycleway:right", "maxspeed", "surface",
    ],
    "trees": ["id", "height_m", "crown_diameter_m"],
    "water": ["id", "class"],
    "rivers": ["id", "class", "name", "tunnel"],
    "amenities": ["id", "class", "group", "name"],
    "stops": ["id", "name", "mode"],
    "routes": ["id", "ref", "name", "mode", "stops"],
}  # fmt: skip
# tags of streets, and how many pieces have one; the graphs tell speed limits only
TAGS = COLUMNS["streets"][9:]
TAGGED = {
    "monaco": [85, 123, 121, 0, 33, 0, 0, 3, 9, 2, 284, 884],
    "helsinki-centre": [143, 191, 477, 26, 29, 3, 5, 0, 0, 16, 763, 1599],
    "andorra-la-vella": [290],
    "east-london": [38],
}
GEOMETRY = {
    "boundary": "Polygon",
    "buildings": "Polygon",
    "land_cover": "Polygon",
    "water": "Polygon",
    "streets": "LineString",
    "rivers": "LineString",
    "trees": "Point",
    "amenities": "Point",
    "stops": "Point",
}
VOCABULARY = {
    ("land_cover", "class"): {
        "park",
        "grass",
        "garden",
        "wood",
        "scrub",
        "sand",
        "bare_rock",
        "farmland",
        "sports_artificial",
        "sports_grass",
        "cemetery",
        "paved",
        "residential",
        "commercial",
        "industrial",
        "railway",
        "construction",
        "harbour",
        "water",
    },
    ("water", "class"): {"sea", "pool", "river", "canal", "pond", "fountain"},
    ("rivers", "class"): {"river", "stream", "canal"},
    ("amenities", "group"): {"education", "health", "food", "culture", "sport", "public", "other"},
    ("stops", "mode"): {"bus", "tram", "rail", "metro", "ferry"},
    ("routes", "mode"): {"bus", "tram", "rail", "metro", "ferry"},
}
LAYERS = [(territory, layer) for territory in IDS for layer in ROWS[territory]]
SHAPES = [(territory, layer) for territory, layer in LAYERS if layer != "routes"]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def describe(territory: str) -> dict:
    text = (TERRITORIES / territory / "territory.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


def read(territory: str, layer: str) -> gpd.GeoDataFrame | pd.DataFrame:
    path = TERRITORIES / territory / "data" / f"{layer}.parquet"
    return pd.read_parquet(path) if layer == "routes" else gpd.read_parquet(path)


def test_the_four_territories_are_there() -> None:
    assert sorted(p.parent.name for p in TERRITORIES.glob("*/territory.yaml")) == IDS
    assert len(LAYERS) == 27


@pytest.mark.parametrize("territory", IDS)
def test_files_named_in_the_description_exist_with_their_hash(territory: str) -> None:
    description = describe(territory)
    assert description["id"] == territory
    assert description["crs"] == f"EPSG:{EPSG[territory]}"
    layers = [description["boundary"], *description["sources"].values()]
    named = [layer for layer in layers if "path" in layer]
    assert description["sources"]["air_temperature"]["use"] == "cru-normals"
    folder = TERRITORIES / territory
    for layer in named:
        assert sha256(folder / layer["path"]) == layer["sha256"], layer["path"]
        assert layer["provenance"] in {"observed", "derived", "synthetic"}
        assert layer["licence"]
        assert layer["source"]
        assert layer["date"]
    # nothing lies in the folder that the description does not name
    present = {p.relative_to(folder).as_posix() for p in (folder / "data").iterdir()}
    assert present == {layer["path"] for layer in named}
    terrain = {"terrain"} if territory in {"andorra-la-vella", "east-london"} else set()
    assert {Path(p).stem for p in present} == set(ROWS[territory]) | terrain


@pytest.mark.parametrize("territory", IDS)
def test_source_file_names_origin_licence_and_gaps(territory: str) -> None:
    text = (TERRITORIES / territory / "SOURCE.md").read_text(encoding="utf-8")
    for needed in ("SHA-256", "ODbL", "OpenStreetMap contributors", "## Known gaps"):
        assert needed in text
    for layer in set(ROWS[territory]) - {"boundary", "stops", "routes"}:
        assert f"| {layer} | {ROWS[territory][layer]} |" in text


def test_all_bundles_together_stay_small() -> None:
    sizes = [p.stat().st_size for p in TERRITORIES.rglob("*") if p.is_file()]
    assert len(sizes) >= 38
    assert sum(sizes) < 4_000_000


@pytest.mark.parametrize(("root", "count"), [(TERRITORIES, 37), (NORMALS, 2)])
def test_manifest_lists_every_file_and_no_other(root: Path, count: int) -> None:
    lines = (root / "MANIFEST.sha256").read_text(encoding="utf-8").splitlines()
    listed = dict(reversed(line.split("  ", 1)) for line in lines)
    assert len(listed) == len(lines) == count
    assert {name: sha256(root / name) for name in listed} == listed
    folders = [root / name for name in IDS] if root == TERRITORIES else [root]
    present = {p.relative_to(root).as_posix() for f in folders for p in f.rglob("*") if p.is_file()}
    assert present - {"MANIFEST.sha256"} == set(listed)


@pytest.mark.parametrize(("territory", "layer"), LAYERS)
def test_rows_columns_and_vocabulary(territory: str, layer: str) -> None:
    table = read(territory, layer)
    assert len(table) == ROWS[territory][layer]
    columns = COLUMNS[layer]
    if layer == "streets" and len(TAGGED[territory]) == 1:
        columns = [*columns[:9], "maxspeed"]
    assert [c for c in table.columns if c != "geometry"] == columns
    assert table["id"].is_unique
    assert table["id"].map(type).eq(str).all()
    assert table["id"].is_monotonic_increasing
    for (name, column), allowed in VOCABULARY.items():
        if name == layer:
            assert set(table[column]) <= allowed
    if layer == "streets":
        assert set(table.dtypes[["oneway", "tunnel", "bridge"]].astype(str)) == {"bool"}
        assert "['" not in "".join(table["class"])  # no list written as text is left
    for column in set(table.columns) & {"height_m", "levels", "width_m", "lanes"}:
        assert table[column].dtype == np.float64
        assert not (table[column] <= 0).any() or column == "levels"


@pytest.mark.parametrize(("territory", "layer"), SHAPES)
def test_geometry_is_valid_projected_and_rounded(territory: str, layer: str) -> None:
    table = read(territory, layer)
    assert table.crs.to_epsg() == EPSG[territory]
    assert table.crs.is_projected
    assert table.geometry.notna().all()
    assert not table.geometry.is_empty.any()
    assert table.geometry.is_valid.all()
    kinds = set(table.geom_type.str.removeprefix("Multi"))
    assert kinds == {GEOMETRY[layer]}
    xy = shapely.get_coordinates(table.geometry.to_numpy())
    # 1e-6 m: a double holds a northing of 7e6 m to 1e-9 m
    assert np.abs(xy - np.round(xy, 2)).max() < 1e-6
    if GEOMETRY[layer] == "LineString":
        assert set(table.geom_type) == {"LineString"}


@pytest.mark.parametrize(("territory", "layer"), SHAPES)
def test_layers_lie_at_the_boundary(territory: str, layer: str) -> None:
    boundary = read(territory, "boundary").geometry.union_all()
    # buildings that touch the clip are kept whole, the sea is drawn 300 m wide and fills bays
    reach = {"buildings": 400.0, "water": 301.0}.get(layer, 101.0)
    near = boundary.buffer(reach)
    if layer == "water":
        near = near.union(boundary.convex_hull.buffer(1))
    outside = read(territory, layer).union_all().difference(near)
    # 0.01 m grid along some kilometres of clip line leaves slivers, never square metres
    assert outside.area < 1
    assert outside.length < 1


@pytest.mark.parametrize("territory", IDS)
def test_known_heights_are_counted_and_plausible(territory: str) -> None:
    buildings = read(territory, "buildings")
    counted = (int(buildings["height_m"].notna().sum()), int(buildings["levels"].notna().sum()))
    assert counted == KNOWN_HEIGHTS[territory]
    # the highest building of the four places, Tour Odeon in Monaco, measures 170 m
    assert not (buildings["height_m"] > 170).any()
    assert not (buildings["levels"] > 49).any()


def test_areas_are_those_of_the_places() -> None:
    area = {t: read(t, "boundary").area.sum() / 1e6 for t in IDS}
    # Monaco's statistics give 2.08 km2 without the land won since 2016
    assert area["monaco"] == pytest.approx(2.086, abs=0.001)
    assert area["helsinki-centre"] == pytest.approx(1.687, abs=0.001)
    assert area["andorra-la-vella"] == pytest.approx(1.272, abs=0.001)
    assert area["east-london"] == pytest.approx(1.567, abs=0.001)


def test_sea_lies_beside_the_land_and_not_on_it() -> None:
    sea = read("monaco", "water").set_index("class").loc["sea", "geometry"]
    land = read("monaco", "boundary").geometry.union_all()
    assert sea.intersection(land).area < 100  # two roundings along 15 km of coast
    assert sea.area == pytest.approx(1.467e6, rel=0.001)
    # Port Hercule and the open sea are water, the Rock and the Casino are not
    places = gpd.GeoSeries.from_xy(
        [7.4245, 7.4300, 7.4200, 7.4282], [43.7350, 43.7300, 43.7314, 43.7391], crs=4326
    ).to_crs(EPSG["monaco"])
    assert places.within(sea).tolist() == [True, True, False, False]

    sea = read("helsinki-centre", "water").set_index("class").loc["sea", "geometry"]
    assert sea.area == pytest.approx(1.045e5, rel=0.001)
    # Kaisaniemi bay is water; the station and the botanical garden are not
    places = gpd.GeoSeries.from_xy(
        [24.9440, 24.9414, 24.9466], [60.1772, 60.1719, 60.1753], crs=4326
    ).to_crs(EPSG["helsinki-centre"])
    assert places.within(sea).tolist() == [True, False, False]


def test_buildings_stand_on_land() -> None:
    for territory, share in (("monaco", 0.01), ("helsinki-centre", 0.01)):
        sea = read(territory, "water").set_index("class").loc["sea", "geometry"]
        buildings = read(territory, "buildings")
        # houses on piers and a restaurant ship reach over the water
        assert buildings.intersection(sea).area.sum() < share * buildings.area.sum()


@pytest.mark.parametrize("territory", ["monaco", "helsinki-centre"])
def test_routes_call_at_stops_of_the_layer(territory: str) -> None:
    stops = set(read(territory, "stops")["id"])
    calls = read(territory, "routes")["stops"].str.split(";")
    assert calls.map(len).min() >= 2
    assert set(calls.explode()) <= stops


@pytest.mark.parametrize("territory", IDS)
def test_tags_of_streets_are_text_as_it_was_written(territory: str) -> None:
    streets = read(territory, "streets")
    tags = [tag for tag in TAGS if tag in streets]
    assert [int(streets[tag].notna().sum()) for tag in tags] == TAGGED[territory]
    for tag in tags:
        assert isinstance(streets[tag].dtype, pd.StringDtype)
        assert not streets[tag].isin(["", "None", "nan"]).any()
        assert not streets[tag].str.startswith("[").any()  # no list written as text
    speeds = set(streets["maxspeed"].dropna())
    units = {"mph"} if territory == "east-london" else set()
    assert {speed.partition(" ")[2] for speed in speeds} - {""} == units
    assert all(5 <= int(speed.split()[0]) <= 70 for speed in speeds)


def test_tags_of_well_known_streets() -> None:
    monaco = read("monaco", "streets").set_index("name")
    assert set(monaco.loc[["Avenue Princesse Grace"], "cycleway:left"].dropna()) == {"lane"}
    assert set(monaco.loc[["Entrée du Sporting"], "access"]) == {"private"}
    helsinki = read("helsinki-centre", "streets")
    assert "paved;cobblestone" in set(helsinki["surface"])  # several values stay
    assert (helsinki["bicycle"] == "use_sidepath").sum() > 100
    # the main street for people on foot is access=no in a graph that lacks foot=yes
    assert "access" not in read("andorra-la-vella", "streets")


def test_streets_of_the_graphs_are_kept_once() -> None:
    for territory, doubled_m in (("andorra-la-vella", 1200), ("east-london", 1)):
        streets = read(territory, "streets")
        assert not streets.geometry.normalize().duplicated().any()
        assert streets.length.sum() - streets.union_all().length < doubled_m


@pytest.mark.parametrize(
    ("territory", "shape", "cell_m", "missing", "low", "high", "covered"),
    [
        ("andorra-la-vella", (35, 53), 24.54, 86, 1007, 1282, 0.84),
        ("east-london", (53, 48), 23.705, 232, -4, 27, 0.76),
    ],
)
def test_terrain(
    territory: str, shape: tuple, cell_m: float, missing: int, low: int, high: int, covered: float
) -> None:
    with rasterio.open(TERRITORIES / territory / "data" / "terrain.tif") as source:
        assert source.crs.to_epsg() == EPSG[territory]
        assert source.dtypes == ("int16",)
        assert source.nodata == -32768
        assert source.units == ("m",)
        assert source.compression.name == "deflate"
        assert source.shape == shape
        assert source.res == pytest.approx((cell_m, cell_m), abs=0.001)
        heights = source.read(1, masked=True)
        transform = source.transform
    assert int(heights.mask.sum()) == missing
    assert (int(heights.min()), int(heights.max())) == (low, high)
    rows, columns = np.nonzero(~heights.mask)
    west, east = (transform.c + transform.a * c for c in (columns, columns + 1))
    north, south = (transform.f + transform.e * r for r in (rows, rows + 1))
    valid = shapely.union_all(shapely.box(west, south, east, north))
    boundary = read(territory, "boundary").geometry.union_all()
    # the share that the description's note gives, rounded to whole percents
    assert valid.intersection(boundary).area / boundary.area == pytest.approx(covered, abs=0.005)


def test_temperature_normals_of_europe() -> None:
    path = NORMALS / "cru_ts4.06_normals_1991_2020.parquet"
    assert path.stat().st_size < 400_000
    cells = pd.read_parquet(path)
    months = [f"t{m:02d}" for m in range(1, 13)]
    assert list(cells.columns) == ["lon", "lat", *months]
    assert len(cells) == 5802
    assert not cells.isna().to_numpy().any()
    assert not cells.duplicated(["lon", "lat"]).any()
    assert cells["lon"].between(-25, 45).all()
    assert cells["lat"].between(34, 72).all()
    # centres of a half-degree grid
    assert set(np.unique(np.abs(cells[["lon", "lat"]].to_numpy() % 0.5))) == {0.25}


@pytest.mark.parametrize(
    ("lon", "lat", "july", "january"),
    [
        # published normals of Helsinki-Kaisaniemi 1991-2020: 18.1 and -3.1 on the shore
        (24.94, 60.17, (16.5, 18.5), (-6, -3)),
        # Monaco's cell reaches into the hills, so it is cooler than the 24 of the shore
        (7.42, 43.74, (21, 24), (6, 10)),
        # Andorra's cell is the Pyrenees at about 1800 m
        (1.53, 42.51, (15, 19), (-2, 3)),
        # London-Heathrow 1991-2020: 19.0 and 5.7; this cell lies in the countryside
        (0.06, 51.56, (17, 19), (4, 6)),
    ],
)
def test_temperature_normals_are_plausible(
    lon: float, lat: float, july: tuple, january: tuple
) -> None:
    cells = pd.read_parquet(NORMALS / "cru_ts4.06_normals_1991_2020.parquet")
    distance = (cells["lon"] - lon) ** 2 * np.cos(np.radians(lat)) ** 2 + (cells["lat"] - lat) ** 2
    nearest = cells.loc[distance.idxmin()]
    assert july[0] <= nearest["t07"] <= july[1]
    assert january[0] <= nearest["t01"] <= january[1]
