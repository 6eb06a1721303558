"""Write Carlisle as a territory for the flood use case, from a package that is fetched by hash.

    python scripts/carlisle_territory.py FOLDER
    LDT_CHECKPOINTS=FOLDER ldt run flood-risk --territory FOLDER/territory.yaml

The terrain (5 m), rain and three rivers come from the sample of the wheel hipims 2.1.0, which tells
neither their origin nor their licence: use them for tests and benchmarks, do not publish them. The
event resembles the flood of December 2015; that, the places where the rivers enter and the widths
over which they do are INFERRED from the terrain, not told by the sample. Rain is in mm/h there, as
the package's own reader divides it; the mean of its stations is taken, unreadable values left out.
"""

import argparse
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import yaml
from pinned_packages import Package, fetch

PACKAGE = Package(
    "hipims", "2.1.0", "1455d06211ed01ef03c97599ea24a96f00ebc5bf8a5e2cda951f8f804f246764", "wheel"
)
SAMPLE = "hipims/sample/input/"
CRS = "EPSG:27700"
# Lowest ground 150 to 250 m inside the rim where each river comes in (at the rim itself water
# would leave again over the open edge), and a width that gives discharges
# of the order that was reported for the flood; both inferred.
SITES = {
    "Eden": (342798.5, 557699.5, 200.0),
    "Caldew": (339513.5, 552974.5, 40.0),
    "Petteril": (343413.5, 551544.5, 25.0),
}
HOURS = 28  # all of the rain (26.75 h), peaks of Caldew and Petteril, nearly that of the Eden
EVENT = "resembles the flood of December 2015: that it is that flood is inferred, not told"
NAMED = {
    "source": "sample of the package hipims 2.1.0; origin not stated",
    "licence": "not stated",
    "date": "2015-12",
    "provenance": "derived",
}


def prepare(wheel: Path, folder: Path) -> Path:
    """Write territory.yaml and its layers; return the folder.

    Parameters
    ----------
    wheel : pathlib.Path
        The pinned wheel.
    folder : pathlib.Path
        Made if it is not there.
    """
    raw = folder / "raw"
    with zipfile.ZipFile(wheel) as archive:
        members = [m for m in archive.namelist() if m.startswith(SAMPLE) and not m.endswith("/")]
        archive.extractall(raw, members)
    sample = raw / SAMPLE
    (sample / "DEM.tif").replace(folder / "terrain.tif")
    outline = gpd.read_file(sample / "outline.shp").to_crs(CRS)
    outline.geometry = outline.geometry.make_valid()
    outline[["geometry"]].to_parquet(folder / "boundary.parquet")
    schools = gpd.read_file(f"zip://{sample / 'Schools.zip'}").to_crs(CRS)
    if not schools.geom_type.isin(["Polygon", "MultiPolygon"]).all():
        schools.geometry = schools.geometry.buffer(15, cap_style="square")
    schools[["geometry"]].assign(use="school").to_parquet(folder / "buildings.parquet")
    _rain(sample / "rainfall_source.txt").to_csv(folder / "rain.csv", index=False)
    _inflows(sample / "Q_source.xlsx").to_csv(folder / "inflows.csv", index=False)
    sources = {
        role: NAMED | {"protocol": "file", "path": name} | more
        for role, name, more in (
            ("terrain", "terrain.tif", {"unit": "m"}),
            ("buildings", "buildings.parquet", {}),
            ("rain_event", "rain.csv", {"note": EVENT}),
            ("inflows", "inflows.csv", {"note": f"{EVENT}; so are the places and widths of entry"}),
        )
    }
    told = {
        "id": "carlisle", "names": {"en": "Carlisle", "fr": "Carlisle"}, "country": "GB",
        "codes": {"national": "E07000028"}, "crs": CRS, "languages": ["en"],
        "timezone": "Europe/London",
        "boundary": NAMED | {"protocol": "file", "path": "boundary.parquet"},
        "sources": sources,
        "use_cases": {
            "flood-risk": {
                "return_periods_years": [], "rain_mm": [], "simulation_h": HOURS,
                "snapshot_min": 60,
            }
        },
    }  # fmt: skip
    (folder / "territory.yaml").write_text(yaml.safe_dump(told, sort_keys=False), encoding="utf-8")
    return folder


def _rain(path: Path) -> pd.DataFrame:
    rows = pd.read_csv(path, sep="\t", header=0, dtype=str).apply(pd.to_numeric, errors="coerce")
    rows = rows[rows.iloc[:, 0].notna()]
    return pd.DataFrame(
        {"time_min": rows.iloc[:, 0] / 60, "rain_mm_h": rows.iloc[:, 1:].mean(axis=1)}
    )


def _inflows(path: Path) -> pd.DataFrame:
    parts = []
    for site, (x, y, width) in SITES.items():
        sheet = pd.read_excel(path, sheet_name=site)
        parts.append(
            pd.DataFrame(
                {
                    "site": site, "x": x, "y": y, "width_m": width,
                    "time_min": sheet["Time"] / 60,
                    "discharge_m3_s": np.hypot(sheet["qx"], sheet["qy"]) * width,
                }
            )
        )  # fmt: skip
    return pd.concat(parts)


def main() -> None:
    """Fetch the wheel and write the territory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    print(prepare(fetch(PACKAGE, folder / "wheels"), folder) / "territory.yaml")


if __name__ == "__main__":
    main()
