"""Vector files: read, checked, mended, reprojected, clipped."""

from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
from pyproj import CRS

from ldt_toolbox.errors import CRSError, DataError, MissingFileError
from ldt_toolbox.results import Note
from ldt_toolbox.sources.conform import refuse_other_unit, role_columns
from ldt_toolbox.sources.street_files import read_streets

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from ldt_toolbox.territory import Source
    from ldt_toolbox.use_case import Role

_PARQUET = {".parquet", ".geoparquet"}
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
        Its columns are checked and renamed from the file's; its unit is checked.

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
    if not source.path.exists():
        raise MissingFileError(
            f"{name}: {source.path} does not exist: check `path` in territory.yaml"
        )
    streets = read_streets(source.path, geometry=geometry, name=name)
    frame, told = streets or (_open(source.path, source.layer, name), [])
    if frame.crs is None:
        if not source.crs:
            raise CRSError(
                f"{name} tells no coordinate reference system: "
                f"add `crs: EPSG:...` to the source in territory.yaml"
            )
        frame = frame.set_crs(source.crs)
    if role is not None:
        refuse_other_unit(source, role, name)
        shapes = str(frame.geometry.name)
        frame = gpd.GeoDataFrame(
            role_columns(frame, source, role, name, geometry=shapes, strict=False),
            geometry=shapes,
        )
    frame, notes = cleaned(frame, name=name, crs=crs, geometry=geometry, clip=clip)
    return frame, told + notes


def cleaned(
    frame: gpd.GeoDataFrame,
    *,
    name: str,
    crs: CRS,
    geometry: str,
    clip: "BaseGeometry | None",
) -> tuple[gpd.GeoDataFrame, list[Note]]:
    """Mend, reproject and clip features, wherever they came from.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        As it came, with its CRS.
    name : str
        Role and file or server, for messages.
    crs, geometry, clip
        As for `read_vector`.

    Returns
    -------
    geopandas.GeoDataFrame
        With a fresh index and all columns.
    list of Note
        What was mended or left out.

    Raises
    ------
    DataError
        If nothing is left.
    """
    if frame.geometry.name != "geometry":
        frame = frame.rename_geometry("geometry")
    total = len(frame)
    told = frame.crs.to_string()
    frame = _reproject(frame[~(frame.geometry.isna() | frame.geometry.is_empty)], crs, name)
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
    if geometry == "point" and (frame.geom_type == "MultiPoint").any():
        frame = frame.explode(ignore_index=True)
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
                f"check that it is the right file and that its CRS is really {told}"
            )
        if lost := int((~inside).sum()):
            notes.append(
                _note(name, lost, "outside the boundary, left out", "hors limite, écarté(s)")
            )
        frame = frame[inside]
    return frame.reset_index(drop=True), notes


def _open(path: Path, layer: str, name: str) -> gpd.GeoDataFrame:
    try:
        if path.suffix.lower() in _PARQUET:
            return gpd.read_parquet(path)
        frame = gpd.read_file(path, layer=_layer(path, layer, name))
    except DataError:
        raise
    # pyogrio's errors are RuntimeErrors without a base of their own
    except (RuntimeError, ValueError, OSError) as error:
        raise DataError(
            f"{name} cannot be read as vector data: {error}; give GeoPackage, GeoJSON, Shapefile "
            "or GeoParquet"
        ) from error
    if not isinstance(frame, gpd.GeoDataFrame):
        raise DataError(f"{name} has no geometry (columns: {', '.join(frame.columns)}): give a map")
    return frame


def _layer(path: Path, layer: str, name: str) -> str | None:
    layers = {str(n): kind for n, kind in pyogrio.list_layers(path)}
    if layer:
        if layer not in layers:
            raise DataError(f"{name} has no layer `{layer}`: use one of {', '.join(layers)}")
        return layer
    mapped = [n for n, kind in layers.items() if kind is not None] or list(layers)
    if len(mapped) > 1:
        raise DataError(
            f"{name} holds the layers {', '.join(mapped)}: name one with `layer: ...` in "
            "territory.yaml"
        )
    return mapped[0] if mapped else None


def _reproject(frame: gpd.GeoDataFrame, crs: CRS, name: str) -> gpd.GeoDataFrame:
    if frame.empty:
        return frame.to_crs(crs)
    moved = frame.to_crs(crs)
    lost = ~np.isfinite(moved.geometry.bounds.to_numpy()).all(axis=1)
    if lost.any():
        x, y = frame.geometry.iloc[int(np.argmax(lost))].representative_point().coords[0][:2]
        raise DataError(
            f"{name}: {int(lost.sum())} of {len(frame)} features cannot lie in the CRS that the "
            f"file tells, {frame.crs.to_string()}, for example at {x:.6g}, {y:.6g}: "
            "correct the CRS of the file"
        )
    return moved


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
