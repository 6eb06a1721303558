"""Street lines drawn by hand in metres, with the traps of real data."""

import geopandas as gpd
from ldt_toolbox.territory import bundled_territories
from shapely import LineString

CRS = "EPSG:32632"


def streets(*rows, **columns):
    """Frame of (class, coordinates, tags) rows; columns as given by each row."""
    table = [
        {"id": f"s{i}", "class": kind, "geometry": LineString(xy), **(tags[0] if tags else {})}
        for i, (kind, xy, *tags) in enumerate(rows)
    ]
    return gpd.GeoDataFrame(table, geometry="geometry", crs=columns.get("crs", CRS))


def bundled(name):
    """Streets of a bundled territory."""
    folder = next(folder for territory, folder in bundled_territories() if territory == name)
    return gpd.read_parquet(folder / "data" / "streets.parquet")


def ways(network, street):
    """Which ways a street is open: (along its line, against it), for every edge of it."""
    rows = network.edges[network.edges["street"] == street]
    return [(f > 0, b > 0) for f, b in rows[["forward_s", "backward_s"]].to_numpy().tolist()]


def count(network, what):
    """Count of the report's lines that begin like this."""
    report = network.report
    return int(report.loc[report["what"].str.startswith(what), "count"].sum())
