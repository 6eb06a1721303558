"""Layers of lines: a street network is drawn, and nothing is asked of polygons it lacks."""

import geopandas as gpd
import shapely
from ldt_toolbox.report.features import polygon_paths
from ldt_toolbox.report.figures import map_figure
from ldt_toolbox.use_case import Output

OUTPUT = Output(
    "stress", "class", "model_output", False, {"en": "Stress"}, {"en": "how calm"},
    {"kind": "vector", "column": "level", "map": "sequential"},
)  # fmt: skip


def test_shapes_without_any_polygon_give_no_path():
    paths, owner = polygon_paths([shapely.LineString([(0, 0), (1, 1)]), shapely.Point(0, 0)])
    assert paths == []
    assert len(owner) == 0


def test_every_part_of_a_line_is_drawn_in_the_colour_of_its_row():
    lines = [
        shapely.MultiLineString([[(0, 0), (900, 0)], [(0, 100), (900, 100)]]),
        shapely.LineString([(0, 500), (900, 900)]),
    ]
    layer = gpd.GeoDataFrame({"level": [1, 4]}, geometry=lines, crs="EPSG:32632")
    axes = map_figure(layer, OUTPUT).axes[0]
    drawn = [c for c in axes.collections if len(c.get_paths()) == 3]
    assert len(drawn) == 1
    first, second, third = (tuple(colour) for colour in drawn[0].get_colors())
    assert first == second != third
