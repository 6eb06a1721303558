"""Make the reference territory Coquimbo and La Serena: a real timetable, streets and residents.

``python scripts/reference_coquimbo.py FOLDER`` fetches the pinned AequilibraE package, of which
nothing is installed or run, and writes a territory into the folder: streets of OpenStreetMap,
residents by zone, and the GTFS feed of one operator. It is fetched by reference because the
package states no licence for the residents and the timetable.
"""

import argparse
import sys
import zipfile
from pathlib import Path

import geopandas as gpd
import pandas as pd
from pinned_packages import Package, fetch, unpack

AEQUILIBRAE = Package(
    "aequilibrae",
    "1.7.2",
    "ff7f9ceb18f13838a6289b78b7ff3d78b252cbcc412b48fe9f69152948445d01",
    "wheel",
    platform="manylinux_2_28_x86_64",
)
PROJECT = "aequilibrae/reference_files/coquimbo.zip"
CRS = "EPSG:32719"
TERRITORY = """\
# Coquimbo and La Serena, Chile: made by scripts/reference_coquimbo.py, not part of the package.
id: coquimbo-la-serena
names: {en: Coquimbo and La Serena, fr: Coquimbo et La Serena, es: Coquimbo y La Serena}
country: CL
codes: {iso3166: CL-CO}
crs: EPSG:32719
languages: [es, en]
timezone: America/Santiago
boundary:
  protocol: file
  path: data/boundary.parquet
  source: sample project of AequilibraE
  licence: not stated
  provenance: derived  # union of the zones
sources:
  streets:
    protocol: file
    path: data/streets.parquet
    source: OpenStreetMap contributors
    url: https://www.openstreetmap.org
    licence: ODbL-1.0
    provenance: observed
    note: streets for cars and buses only; footpaths and stairs are missing
  population:
    protocol: file
    path: data/population.parquet
    source: sample project of AequilibraE
    licence: not stated
    provenance: derived
    note: residents of 133 zones; the package does not tell from where
  gtfs:
    protocol: gtfs
    path: data/gtfs.zip
    source: LISERCO, transporteinforma.cl
    licence: not stated
    date: 2015-12-29/2019-12-29
    provenance: observed
    note: one operator with one route; the other buses of the town are missing
"""


def build(folder: Path, downloads: Path) -> Path:
    """Write the territory and return its folder.

    Parameters
    ----------
    folder : pathlib.Path
        Gets ``territory.yaml`` and ``data/``.
    downloads : pathlib.Path
        Where the package is kept.
    """
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    project = unpack(fetch(AEQUILIBRAE, downloads), PROJECT, downloads)
    with zipfile.ZipFile(project) as files:
        (data / "gtfs.zip").write_bytes(files.read("gtfs_coquimbo.zip"))
        database = Path(files.extract("project_database.sqlite", downloads))
    zones = gpd.read_file(database, layer="zones").to_crs(CRS)
    zones[["zone_id", "population", "geometry"]].to_parquet(data / "population.parquet")
    boundary = gpd.GeoDataFrame({"id": ["coquimbo"]}, geometry=[zones.union_all()], crs=CRS)
    boundary.to_parquet(data / "boundary.parquet")
    streets(gpd.read_file(database, layer="links")).to_crs(CRS).to_parquet(data / "streets.parquet")
    (folder / "territory.yaml").write_text(TERRITORY, encoding="utf-8")
    return folder


def streets(links: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Links of the model as streets: lanes of both ways together, connectors of zones left out."""
    kept = links[links["link_type"] != "centroid_connector"]
    lanes = kept[["lanes_ab", "lanes_ba"]].sum(axis=1, min_count=1)
    speed = kept[["speed_ab", "speed_ba"]].max(axis=1)
    way = kept["osm_id"].astype("Int64").astype(str)
    frame = pd.DataFrame(
        {
            "id": "w" + way + "-" + kept["link_id"].astype(str),
            "class": kept["link_type"],
            "name": kept["name"],
            "oneway": kept["direction"].map({0: "no", 1: "yes", -1: "-1"}),
            "lanes": lanes.where(lanes > 0),
            "maxspeed": speed.map("{:g}".format).where(speed.notna()),
        }
    )  # fmt: skip
    return gpd.GeoDataFrame(frame, geometry=kept.geometry, crs=links.crs)


def main() -> int:
    """Write the territory into the folder that is named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--downloads", type=Path, default=Path.home() / ".cache" / "ldt-toolbox")
    arguments = parser.parse_args()
    print(build(arguments.folder, arguments.downloads / "reference" / "wheels"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
