"""Vector files: read, checked, mended, reprojected, clipped."""

from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely
from pyogrio.errors import DataSourceError
from pyproj import CRS

from ldt_toolbox.errors import CRSError, DataError, MissingColumnError, MissingFileError
from ldt_toolbox.results import Note

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from ldt_toolbox.territory import Source
    from ldt_toolbox.use_case import Role

_DIMENSION = {"point": 0, "line": 1, "polygon": 2}


def read_vector(
    source: "Source",
    *,
    crs: CRS,
    geometry: str,
    clip: "BaseGeometry | None",
    role: "Role | None" = None,
) -> tuple[gpd.GeoDataFrame, list[Note]]:
    """Read a vector file into the territory's CRS.

    Parameters
    ----------
    source : Source
        File, columns and CRS.
    crs : pyproj.CRS
        CRS of the answer.
    geometry : str
        `polygon`, `line`, `point` or empty for any.
    clip : shapely geometry or None
        Features that do not touch it are left out; geometries are not cut.
    role : Role, optional
        Its columns are checked and renamed from the file's.

    Returns
    -------
    geopandas.GeoDataFrame
        With a fresh index; the columns of the role, renamed.
    list of Note
        What was mended or left out.

    Raises
    ------
    MissingFileError, CRSError, MissingColumnError, DataError
        Naming the role, the file and what to do.
    """
    if source.path is None:
        raise DataError(f"{source.role}: the source names no file: add `path`")
    name = f"{source.role} ({source.path.name})"
    frame = _open(source.path, source.layer, name)
    if frame.crs is None:
        if not source.crs:
            raise CRSError(
                f"{name} tells no coordinate reference system: "
                f"add `crs: EPSG:...` to the source in territory.yaml"
            )
        frame = frame.set_crs(source.crs)
    if role is not None:
        frame = _columns(frame, source, role, name)
    total = len(frame)
    frame = frame[~(frame.geometry.isna() | frame.geometry.is_empty)].to_crs(crs)
    notes: list[Note] = []
    if lost := total - len(frame):
        notes.append(_note(name, lost, "without geometry, left out", "sans géométrie, écarté(s)"))
    frame, mended = _mend(frame, geometry)
    if mended:
        notes.append(
            _note(
                name, mended, "with self-intersecting or otherwise invalid polygons, mended",
                "à polygone auto-sécant ou invalide, réparé(s)",
            )
        )  # fmt: skip
    if geometry:
        wanted = shapely.get_dimensions(frame.geometry.to_numpy()) == _DIMENSION[geometry]
        if lost := int((~wanted).sum()):
            notes.append(
                _note(name, lost, f"that are no {geometry}, left out", "d'un autre type, écarté(s)")
            )
        frame = frame[wanted]
    if frame.empty:
        raise DataError(
            f"{name} holds no {geometry or 'feature'} that can be used (of {total} read): "
            "check the file and its layer"
        )
    if clip is not None:
        inside = frame.intersects(clip)
        if not inside.any():
            raise DataError(
                f"{name}: none of its {len(frame)} features touches the territory's boundary: "
                f"check the CRS of the file ({frame.crs.to_string()} after reprojection)"
            )
        if lost := int((~inside).sum()):
            notes.append(
                _note(name, lost, "outside the boundary, left out", "hors limite, écarté(s)")
            )
        frame = frame[inside]
    return frame.reset_index(drop=True), notes


def _open(path: Path, layer: str, name: str) -> gpd.GeoDataFrame:
    if not path.exists():
        raise MissingFileError(f"{name}: {path} does not exist: check `path` in territory.yaml")
    try:
        if path.suffix == ".parquet":
            return gpd.read_parquet(path)
        return gpd.read_file(path, layer=layer or None)
    except (DataSourceError, ValueError, OSError) as error:
        raise DataError(f"{name} cannot be read as vector data: {error}") from error


def _columns(
    frame: gpd.GeoDataFrame, source: "Source", role: "Role", name: str
) -> gpd.GeoDataFrame:
    renames = {}
    for column in role.columns.values():
        given = source.columns.get(column.name, column.name)
        if given in frame.columns:
            renames[given] = column.name
        elif column.required or column.name in source.columns:
            have = ", ".join(c for c in frame.columns if c != frame.geometry.name)
            raise MissingColumnError(
                f"{name} has no column `{given}` (it has: {have}): "
                f"name the right one with `columns: {{{column.name}: ...}}` in territory.yaml"
            )
    if unknown := set(source.columns) - set(role.columns):
        raise MissingColumnError(
            f"{name}: `columns` names {', '.join(sorted(unknown))}, which the role does not have "
            f"(it has {', '.join(role.columns)})"
        )
    frame = frame.rename(columns=renames)
    return frame.rename_geometry("geometry") if frame.geometry.name != "geometry" else frame


def _mend(frame: gpd.GeoDataFrame, geometry: str) -> tuple[gpd.GeoDataFrame, int]:
    shapes = shapely.force_2d(frame.geometry.to_numpy())
    bad = ~shapely.is_valid(shapes)
    count = int(bad.sum())
    if count:
        shapes[bad] = shapely.make_valid(shapes[bad])
        if geometry == "polygon":
            # make_valid may leave a bundle of polygons and stray lines: keep the area
            bundles = bad & (shapely.get_type_id(shapes) == 7)
            for i in np.flatnonzero(bundles):
                parts = shapely.get_parts(shapes[i])
                shapes[i] = shapely.union_all(parts[shapely.get_dimensions(parts) == 2])
    return frame.set_geometry(np.asarray(shapes), crs=frame.crs), count


def _note(name: str, count: int, en: str, fr: str) -> Note:
    return Note(
        "repair",
        {"en": f"{name}: {count} feature(s) {en}", "fr": f"{name} : {count} objet(s) {fr}"},
    )
