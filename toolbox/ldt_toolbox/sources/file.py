"""Files: tables, vector layers and rasters beside territory.yaml."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldt_toolbox.errors import DataError
from ldt_toolbox.sources.protocols import Loaded

if TYPE_CHECKING:
    from ldt_toolbox.documents import Document, Where
    from ldt_toolbox.territory import Source, Territory
    from ldt_toolbox.use_case import Role

KEYS = ("path", "layer", "classes", "crs")
REQUIRED = ("path",)
RASTER_SUFFIXES = {".tif", ".tiff", ".vrt", ".nc", ".asc", ".img", ".jp2"}


def check(doc: "Document", where: "Where") -> Mapping[str, Any]:
    """Note a path that leads nowhere, and a CRS that is none."""
    path = doc.text((*where, "path"))
    if path and not (doc.path.parent / path).exists():
        doc.problem((*where, "path"), f"{where[-1]}: no file {path} beside territory.yaml")
    crs = doc.text((*where, "crs"))
    if crs and not _is_crs(crs):
        doc.problem(
            (*where, "crs"), f"`{crs}` is no coordinate reference system: use e.g. EPSG:4326"
        )
    return {}


def read(source: "Source", role: "Role", territory: "Territory") -> Loaded:
    """Load the file of a role by what it is: a table, a raster or a vector layer.

    Raises
    ------
    DataError, CRSError, MissingFileError, MissingColumnError
        If the file's hash differs from the one that territory.yaml states, or the file does not
        fit the role.
    """
    digest = checked_hash(source)
    is_raster = source.path is not None and source.path.suffix.lower() in RASTER_SUFFIXES
    data: Any
    if role.kind == "table":
        from ldt_toolbox.sources.tables import read_table

        data, notes = read_table(source, role)
    elif is_raster and "raster" in role.kind:
        from ldt_toolbox.sources.grid import read_raster

        bounds = territory.boundary_geometry.buffer(1000 * role.margin_km).bounds
        data, notes = read_raster(source, crs=territory.crs, bounds=bounds, role=role)
    elif "vector" in role.kind and not is_raster:
        from ldt_toolbox.sources.vector import read_vector

        data, notes = read_vector(
            source, crs=territory.crs, geometry=role.geometry,
            clip=territory.boundary_geometry.buffer(1000 * role.margin_km), role=role,
        )  # fmt: skip
    else:
        raise DataError(f"{role.id} must be {role.kind}, but {source.path} is not")
    return Loaded(data, digest, tuple(notes))


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal text; of a folder (such as a .gdb), of all its files."""
    if path.is_dir():
        inside = sorted(p for p in path.rglob("*") if p.is_file())
        told = "".join(f"{p.relative_to(path).as_posix()} {file_sha256(p)}\n" for p in inside)
        return hashlib.sha256(told.encode()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checked_hash(source: "Source") -> str:
    """Hash of a source's file; empty if there is none, which the reader tells better.

    Raises
    ------
    DataError
        If territory.yaml states another one.
    """
    if source.path is None or not source.path.exists():
        return ""
    digest = file_sha256(source.path)
    if source.sha256 and digest != source.sha256:
        raise DataError(
            f"{source.role}: {source.path.name} has the hash {digest[:12]}..., "
            f"territory.yaml states {source.sha256[:12]}...: the file was changed; "
            "restore it, or remove `sha256` if the change is meant"
        )
    return digest


def _is_crs(text: str) -> bool:
    from pyproj import CRS
    from pyproj.exceptions import CRSError as PyprojCRSError

    try:
        CRS.from_user_input(text)
    except PyprojCRSError:
        return False
    return True
