"""Maps without a network: images lie where they belong, colours tell the truth, size is bounded."""

import base64
import io
import json
import socket
import time

import geopandas as gpd
import numpy as np
import pytest
import shapely
from affine import Affine
from ldt_toolbox.space.raster import Raster
from ldt_toolbox.widgets import maps
from ldt_toolbox.widgets.maps import CoolingScale, MercatorImage, fitted_map, outline_layer
from PIL import Image
from pyproj import CRS, Transformer

# rasterio 1.4 multiplies affine transforms the old way
pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")

UTM = CRS.from_epsg(32632)
WEST, NORTH, CELL = 372_000.0, 4_845_000.0, 5.0


@pytest.fixture
def offline(monkeypatch):
    monkeypatch.setenv("LDT_OFFLINE", "1")


def template(rows: int, columns: int) -> Raster:
    transform = Affine(CELL, 0, WEST, 0, -CELL, NORTH)
    return Raster(np.zeros((rows, columns), np.float32), transform, UTM)


def pixels(uri: str) -> np.ndarray:
    image = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))
    return np.asarray(image.convert("RGBA"))


def test_painted_cell_lies_at_its_place_on_earth():
    """A single block far from the corner: its centre in the image is its centre on earth."""
    grid = template(300, 400)
    shown = np.ones(grid.shape, bool)
    change = np.zeros(grid.shape, np.float32)
    change[200:220, 300:320] = -1.0
    painter = MercatorImage(grid, shown)
    alpha = pixels(painter.data_uri(change, CoolingScale.up_to(1.0)))[..., 3] > 0
    rows, columns = np.nonzero(alpha)
    (south, west), (north, east) = painter.bounds
    forth = Transformer.from_crs(4326, 3857, always_xy=True)
    (x0, x1), (y0, y1) = forth.transform([west, east], [south, north])
    height, width = alpha.shape
    x = x0 + (columns.mean() + 0.5) * (x1 - x0) / width
    y = y1 - (rows.mean() + 0.5) * (y1 - y0) / height
    wanted = Transformer.from_crs(UTM, 3857, always_xy=True).transform(
        WEST + 310 * CELL, NORTH - 210 * CELL
    )
    # one cell of 5 m is 6.9 m in web Mercator at 43.7 degrees north; nearest neighbour errs by half
    assert np.hypot(x - wanted[0], y - wanted[1]) < 3.5


def test_image_is_cut_to_what_may_be_shown():
    grid = template(300, 400)
    shown = np.zeros(grid.shape, bool)
    shown[100:150, 200:280] = True
    painter = MercatorImage(grid, shown)
    everything = pixels(
        painter.data_uri(np.full(grid.shape, -1, np.float32), CoolingScale.up_to(1.0))
    )
    assert everything.shape[0] < 80
    assert everything.shape[1] < 110
    (south, west), (north, east) = painter.bounds
    back = Transformer.from_crs(UTM, 4326, always_xy=True)
    lon, lat = back.transform(WEST + 240 * CELL, NORTH - 125 * CELL)
    assert south < lat < north
    assert west < lon < east


def test_colours_of_a_scale_mean_what_the_legend_says():
    scale = CoolingScale.up_to(0.17)
    assert scale.edges_k[-1] == 0.2
    values = np.array([0, np.nan, -0.001, -0.2, -5, 0.001, 0.3], np.float32)
    assert scale.codes(values).tolist() == [0, 0, 0, 10, 10, 0, 11]
    edges = np.array(scale.edges_k)
    inside = np.float32(-(edges + np.append(np.diff(edges), 0.1) / 2))
    assert scale.codes(inside).tolist() == list(range(1, 11))
    legend = scale.legend("Change, K", warmer="warmer")
    assert legend.count("<rect") == len(scale.edges_k) + 1
    assert "Change, K" in legend
    assert "−0.004" in legend
    assert "−0,004" in scale.legend("Écart, K", warmer="plus chaud", decimal_mark=",")


@pytest.mark.parametrize("strongest", [1e-9, 0.004, 0.1, 0.3, 0.95, 1.0, 7.3])
def test_scale_reaches_the_strongest_cooling_and_not_far_beyond(strongest):
    top = CoolingScale.up_to(strongest).edges_k[-1]
    assert top >= min(strongest, top)
    assert strongest <= top * (1 + 1e-6)
    assert top <= max(2 * strongest, 1e-3)


def test_colours_differ_in_lightness_so_that_no_hue_is_needed():
    """Safe for colour-blind readers and in grey print: lightness falls step by step."""
    lightness = []
    for colour in CoolingScale.up_to(1.0).colours:
        r, g, b = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
        lightness.append(0.2126 * r + 0.7152 * g + 0.0722 * b)
    assert (np.diff(lightness) < -0.02).all()


def test_outlines_stay_small_enough_for_a_notebook():
    x, y = np.meshgrid(np.arange(60) * 30.0, np.arange(60) * 30.0)
    shapes = shapely.buffer(shapely.points(WEST + x.ravel(), NORTH + y.ravel()), 10, quad_segs=16)
    frame = gpd.GeoDataFrame(geometry=shapes, crs=UTM)
    layer = outline_layer(frame, name="b", colour="#000", maximum_bytes=100_000)
    assert len(json.dumps(layer.data)) < 110_000
    coordinates = layer.data["features"][0]["geometry"]["coordinates"]
    assert len(coordinates) > 500
    # metre-true: the first outline lies where its circle does, within the simplification
    ring = np.array(coordinates[0][0])
    forth = Transformer.from_crs(4326, UTM, always_xy=True)
    east, north = forth.transform(ring[:, 0], ring[:, 1])
    circle = min(shapes, key=lambda s: s.distance(shapely.Point(east[0], north[0])))
    assert shapely.hausdorff_distance(shapely.Polygon(np.c_[east, north]), circle) < 10


def test_small_layer_keeps_every_polygon():
    frame = gpd.GeoDataFrame(
        geometry=[shapely.box(WEST, NORTH, WEST + 9, NORTH + 9), shapely.Polygon()], crs=UTM
    )
    layer = outline_layer(frame, name="b", colour="#000")
    assert len(layer.data["features"][0]["geometry"]["coordinates"]) == 1


def test_map_without_network_has_no_tiles_and_holds_its_bounds(offline):
    bounds = ((43.72, 7.40), (43.75, 7.44))
    drawn = fitted_map(bounds, width_px=700, height_px=480)
    assert drawn.layers == ()
    assert tuple(drawn.center) == pytest.approx((43.735, 7.42))
    world_px = 256 * 2**drawn.zoom
    assert (7.44 - 7.40) / 360 * world_px <= 700
    assert (7.44 - 7.40) / 360 * world_px > 200


def test_map_with_a_network_names_the_source_of_its_tiles(monkeypatch):
    monkeypatch.setattr(maps, "network_reachable", lambda: True)
    tiles = fitted_map(((43.72, 7.40), (43.75, 7.44))).layers[0]
    assert "OpenStreetMap" in tiles.attribution


def test_probe_says_no_without_a_network_and_in_time(monkeypatch):
    monkeypatch.delenv("LDT_OFFLINE", raising=False)

    def hang(*_args, **_options):
        time.sleep(0.6)
        raise OSError("no route")

    monkeypatch.setattr(socket, "create_connection", hang)
    start = time.monotonic()
    assert maps.network_reachable(timeout_s=0.2) is False
    assert time.monotonic() - start < 0.5
    monkeypatch.setattr(socket, "create_connection", lambda *_a, **_o: socket.socket())
    assert maps.network_reachable() is True


def test_probe_is_not_asked_when_offline_is_wanted(offline, monkeypatch):
    monkeypatch.setattr(socket, "create_connection", lambda *_a, **_o: pytest.fail("asked"))
    assert maps.network_reachable() is False
