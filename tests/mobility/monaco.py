"""Monaco for the tests of the mobility use case: roles changed in memory, parameters given."""

from dataclasses import replace
from functools import cache

import geopandas as gpd
import numpy as np
import shapely
from ldt_toolbox.mobility import steps, use_case
from ldt_toolbox.sources import Inputs, Layer, load
from ldt_toolbox.territory import Source, Territory
from ldt_toolbox.use_case import UseCase

CASE = UseCase.find("mobility")
PLACE = Territory.find("monaco")


@cache
def bundled():
    return load(CASE, PLACE)


def inputs(*, without=(), provenance="observed", **layers):
    """The bundled roles, some left out, others put in their place."""
    kept = {role: one for role, one in bundled().layers.items() if role not in without}
    for role, data in layers.items():
        source = Source(role=role, provenance=provenance, source="made by a test")
        kept[role] = Layer(role, data, source, "")
    missing = {role: one for role, one in CASE.roles.items() if role not in kept}
    return Inputs(PLACE, kept, missing)


def parameters(**given):
    return CASE.validate(given, territory=PLACE)


class Town:
    """The steps on foot up to the access of every home."""

    def __init__(self, here=None, **given):
        self.inputs = inputs() if here is None else here
        self.parameters = parameters(**given)
        self.walk = steps.streets(self.inputs, self.parameters)
        self.places = steps.places(self.inputs, self.walk, self.parameters)
        self.site = steps.join(self.walk, self.places, self.parameters)
        self.time = steps.minutes(self.site, self.places)


def compute(here=None, **given):
    """Results, held against the manifest."""
    result = use_case.compute(inputs() if here is None else here, parameters(**given))
    result.check(CASE)
    return result


def squares_of_people(people, *, side_m=200.0, income=None):
    """Square areas over Monaco with the same number of residents each."""
    west, south, east, north = PLACE.boundary_geometry.bounds
    x, y = np.meshgrid(np.arange(west, east, side_m), np.arange(south, north, side_m))
    boxes = shapely.box(x.ravel(), y.ravel(), x.ravel() + side_m, y.ravel() + side_m)
    buildings = bundled().frame("buildings").geometry.representative_point()
    lived_in = shapely.STRtree(buildings.to_numpy()).query(boxes, predicate="contains")[0]
    boxes = boxes[np.unique(lived_in)]
    frame = gpd.GeoDataFrame({"population": float(people)}, index=range(len(boxes)),
                             geometry=boxes, crs=PLACE.crs)  # fmt: skip
    return frame if income is None else frame.assign(income=income(frame))


def lonlat(point):
    """Longitude and latitude of a point in the territory's CRS."""
    moved = gpd.GeoSeries([point], crs=PLACE.crs).to_crs("EPSG:4326").iloc[0]
    return [moved.x, moved.y]


__all__ = ["CASE", "PLACE", "Town", "compute", "inputs", "lonlat", "parameters", "replace"]
