"""Street lines as they come, with OpenStreetMap's tags in every spelling, in one plain table."""

import ast
import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from ldt_toolbox.errors import CRSError, DataError, MissingColumnError

BOTH, FORWARD, BACKWARD, REVERSIBLE = 0, 1, -1, 2
_DIRECTIONS = {
    "no": BOTH, "false": BOTH, "0": BOTH, "": BOTH, "alternating": BOTH,
    "yes": FORWARD, "true": FORWARD, "1": FORWARD,
    "-1": BACKWARD, "reverse": BACKWARD,
    "reversible": REVERSIBLE,
}  # fmt: skip
_NOT = ("", "no", "false", "0")
_ONE_WAY_BY_NATURE = ("motorway", "motorway_link")
_MPH_KMH = 1.609344
TAGS = ("foot", "bicycle", "vehicle", "motor_vehicle", "access", "cycleway", "surface")
SIDES = ("cycleway:both", "cycleway:left", "cycleway:right")
# What makes exceptions of `access=no`, which means nobody but those that one of these lets in.
EXCEPTIONS = ("foot", "bicycle", "vehicle", "motor_vehicle")
_NO_LANE = ("None", "", "no", "none")
_SHIELDS = ("separate", "track", "lane")


def first_of(value: object) -> object:
    """First of several values, also of a list written as text (``"['a', 'b']"``); None if none."""
    if isinstance(value, str) and value.startswith("["):
        try:
            value = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            return value
    if isinstance(value, list | tuple | np.ndarray):
        value = value[0] if len(value) else None
    return None if value is None or value is pd.NA or value != value else value


def _text(value: object) -> str | None:
    value = first_of(value)
    return None if value is None else str(value).split(";")[0].strip()


def _several(value: object) -> bool:
    if isinstance(value, str):
        return value.startswith("[")
    return isinstance(value, list | tuple | np.ndarray) and len(value) > 1


def speed_kmh(value: object) -> float:
    """Read a ``maxspeed``: "50", "30 mph", "walk" (7); anything else is NaN.

    Source: OpenStreetMap wiki, Key:maxspeed.
    """
    text = (_text(value) or "").lower()
    if text == "walk":
        return 7.0
    number, _, unit = text.partition(" ")
    try:
        return float(number) * (_MPH_KMH if unit.strip() == "mph" else 1.0)
    except ValueError:
        return np.nan


def _number(value: object) -> float:
    try:
        return float(_text(value) or "nan")
    except ValueError:
        return np.nan


def standard_streets(
    streets: gpd.GeoDataFrame,
) -> tuple[gpd.GeoDataFrame, list[tuple[str, int, float]]]:
    """Bring street lines with any of OpenStreetMap's tags into one table.

    Parameters
    ----------
    streets : geopandas.GeoDataFrame
        Lines in a projected CRS in metres with `class` (the value of OSM's ``highway``). Used where
        present: `id`, `name`, `lanes`, `oneway`, `oneway:bicycle`, `junction`, `tunnel`, `bridge`,
        `layer`, `maxspeed`, the `TAGS` and the `SIDES`. Values may be lists or lists written as
        text: the first counts. ``access=no`` is not taken at its word where none of the columns
        is there that make exceptions of it (OSMnx keeps `access` without `foot`: the main street
        for people on foot is often such a one).

    Returns
    -------
    geopandas.GeoDataFrame
        A row a line: `id`, `class`, `name`, `lanes`, `direction` and `direction_bike` (along the
        line: `BOTH`, `FORWARD`, `BACKWARD`, `REVERSIBLE`), `level`, `tunnel`, `bridge`,
        `maxspeed_kmh`, the `TAGS` (missing: None), geometry. `cycleway` is what riders have in
        every direction that is open to them, of the `SIDES` too: a lane on one side of a street
        of both ways is none; where `bicycle` is ``use_sidepath`` it is ``separate``.
    list of tuple of (str, int, float)
        What was noticed or left out: what, how many, metres.

    Raises
    ------
    CRSError
        If the CRS is missing or not in metres.
    MissingColumnError
        If there is no `class`.
    """
    if streets.crs is None or not streets.crs.is_projected:
        raise CRSError(
            f"the streets' CRS is {streets.crs}: reproject them to the territory's CRS in metres"
        )
    if "class" not in streets:
        raise MissingColumnError("the streets have no column 'class': give OSM's highway value")
    notes: list[tuple[str, int, float]] = []
    table = gpd.GeoDataFrame(streets).explode(index_parts=False)
    shape = np.asarray(table.geometry.array, dtype=object)
    usable = (shapely.get_type_id(shape) == 1) & (shapely.length(shape) > 0)
    notes.append(("rows without a line, left out", int((~usable).sum()), 0.0))
    table, shape = table[usable], shape[usable]
    length = shapely.length(shape)

    def column(name: str) -> list[Any]:
        return table[name].tolist() if name in table else [None] * len(table)

    def note(what: str, which: Any) -> None:
        which = np.asarray(which, bool)
        notes.append((what, int(which.sum()), float(length[which].sum())))

    several = np.zeros(len(table), bool)
    for name in ("class", "oneway", "lanes", "maxspeed", "tunnel", "bridge"):
        several |= [_several(v) for v in column(name)]
    note("several values in a tag, the first taken", several)
    kind = [_text(v) or "unknown" for v in column("class")]
    one_way = [(_text(v) or "").lower() for v in column("oneway")]
    note("one-way tag not understood, taken as both ways", [v not in _DIRECTIONS for v in one_way])
    direction = np.array([_DIRECTIONS.get(v, BOTH) for v in one_way], np.int8)
    untold = np.array([v == "" for v in one_way])
    implied = untold & (
        np.isin(kind, _ONE_WAY_BY_NATURE)
        | np.isin([_text(v) or "" for v in column("junction")], ("roundabout", "circular"))
    )
    direction[implied] = FORWARD
    note("one-way by nature (motorway, roundabout)", implied)
    note("reversible lanes, closed to bikes and cars", direction == REVERSIBLE)
    contraflow = np.array([_text(v) == "no" for v in column("oneway:bicycle")], bool)
    for name in ("cycleway", *SIDES):
        contraflow |= [(_text(v) or "").startswith("opposite") for v in column(name)]
    contraflow &= np.isin(direction, (FORWARD, BACKWARD))
    note("one-way streets open to bikes in both directions", contraflow)
    tunnel = np.array([(_text(v) or "").lower() not in _NOT for v in column("tunnel")], bool)
    bridge = np.array([(_text(v) or "").lower() not in _NOT for v in column("bridge")], bool)
    layer = np.nan_to_num([_number(v) for v in column("layer")]).astype(np.int64)
    level = np.where(layer != 0, layer, bridge.astype(np.int64) - tunnel)
    direction_bike = np.where(contraflow, BOTH, direction).astype(np.int8)
    tags = {tag: np.array([_text(v) for v in column(tag)], dtype=object) for tag in TAGS}
    sides = np.array([[_text(v) for v in column(name)] for name in SIDES], dtype=object)
    tags["cycleway"] = _lanes(tags["cycleway"], sides, direction_bike)
    tags["cycleway"][tags["bicycle"] == "use_sidepath"] = "separate"
    doubtful = tags["access"] == "no"
    if any(name in table for name in EXCEPTIONS):
        doubtful[:] = False
    tags["access"][doubtful] = None
    note("access=no without the tags that make exceptions of it, not followed", doubtful)
    ids = column("id") if "id" in table else [str(i) for i in table.index]
    out = {
        "id": [str(i) for i in ids],
        "class": kind,
        "name": [_text(v) for v in column("name")],
        "lanes": np.array([_number(v) for v in column("lanes")]),
        "direction": direction,
        "direction_bike": direction_bike,
        "level": level,
        "tunnel": tunnel,
        "bridge": bridge,
        "maxspeed_kmh": np.array([speed_kmh(v) for v in column("maxspeed")]),
    }
    return gpd.GeoDataFrame(out | tags, geometry=shape, crs=streets.crs), notes


def _lanes(
    whole: NDArray[np.object_], sides: NDArray[np.object_], direction_bike: NDArray[np.int8]
) -> NDArray[np.object_]:
    """What riders have in every direction that is open to them; None where it is nothing."""
    found = np.where(np.isin(whole.astype(str), _NO_LANE), sides[0], whole)
    found[np.isin(found.astype(str), _NO_LANE)] = None
    for row in np.flatnonzero(pd.isna(found)):
        lanes = [side for side in sides[1:, row] if str(side) not in _NO_LANE]
        if len(lanes) >= (2 if direction_bike[row] == BOTH else 1):
            # of two kinds the one that shields less
            found[row] = max(lanes, key=lambda v: _SHIELDS.index(v) if v in _SHIELDS else 9)
    return found


def read_node_link(source: Path | dict[str, Any], *, crs: Any = None) -> gpd.GeoDataFrame:
    """Read a street graph in node-link JSON, as OSMnx and networkx write it.

    A street stored once in each direction gives two one-way lines here; `build_network` makes one
    of them that is open both ways.

    Parameters
    ----------
    source : pathlib.Path or dict
        The file or its content: `nodes` with `id`, `x`, `y`; `links` (or `edges`) with `source`,
        `target`, tags, and WKT in `geometry` (straight from node to node where it is missing).
    crs : anything pyproj takes, optional
        By default the one that the graph names.

    Returns
    -------
    geopandas.GeoDataFrame
        For `build_network`, in the graph's CRS; tags as they are, `highway` renamed to `class`.

    Raises
    ------
    DataError
        If nodes or links are missing, or a link names a node that is not there.
    """
    graph = source if isinstance(source, dict) else json.loads(Path(source).read_text("utf-8"))
    links = graph.get("links", graph.get("edges"))
    if not links or "nodes" not in graph:
        raise DataError(
            f"the graph {_name(source)} has no nodes or no links: is it node-link JSON?"
        )
    named = crs if crs is not None else graph.get("graph", {}).get("crs")
    if named is None:
        raise CRSError(f"the graph {_name(source)} names no CRS: give crs=")
    places = {n["id"]: (float(n["x"]), float(n["y"])) for n in graph["nodes"]}
    rows = []
    for i, link in enumerate(links):
        ends = [places[n] for n in (link["source"], link["target"]) if n in places]
        if len(ends) < 2:
            raise DataError(
                f"link {i} from {link['source']} to {link['target']} names a node that is not "
                f"among the {len(places)} nodes of {_name(source)}"
            )
        shape = link.get("geometry")
        line = shapely.from_wkt(shape) if isinstance(shape, str) else shapely.LineString(ends)
        name = f"{link['source']}-{link['target']}-{link.get('key', 0)}"
        tags = {k: v for k, v in link.items() if k not in ("geometry", "highway", "id")}
        # a link is one direction of a street; the other one, if open, is a link of its own
        rows.append(
            tags | {"id": name, "class": link.get("highway"), "oneway": "yes", "geometry": line}
        )
    return gpd.GeoDataFrame(rows, geometry="geometry", crs=CRS.from_user_input(named))


def _name(source: Path | dict[str, Any]) -> str:
    return "given" if isinstance(source, dict) else str(source)
