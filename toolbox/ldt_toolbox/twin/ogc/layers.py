"""Vector layers of runs as collections of features, and the files of runs.

A folder of results holds `<territory>/<use case>/<run id>/`, as `ldt run` writes it. What a
request names is looked up among the files that are there: no path is ever made of it. Files may go
while they are listed, as `ldt watch` replaces its run: they are then not there, and no fault.
"""

import contextlib
import json
import logging
import math
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldt_toolbox.twin.ogc.collection import Found, Wanted
from ldt_toolbox.twin.ogc.filtering import Record
from ldt_toolbox.twin.ogc.reference import CRS84, Box, uri_of
from ldt_toolbox.twin.problems import ProblemError
from ldt_toolbox.twin.store import OutOfTimeError

if TYPE_CHECKING:
    import geopandas as gpd

_LOG = logging.getLogger(__name__)
_LAYERS_KEPT = 4
_MOST_FEATURES = 500_000
_STARTED = re.compile(r"\d{8}T\d{6}Z")
_JSON_TYPES = {"b": "boolean", "i": "integer", "u": "integer", "f": "number"}


@dataclass(frozen=True)
class RunFolder:
    """A finished run on disk.

    Attributes
    ----------
    territory, use_case, run : str
        Names of the folders.
    folder : pathlib.Path
        Where it is.
    """

    territory: str
    use_case: str
    run: str
    folder: Path

    @property
    def path(self) -> str:
        """Its address below the root of the twin."""
        return f"/runs/{self.territory}/{self.use_case}/{self.run}"

    def files(self) -> dict[str, Path]:
        """Regular files by their name in the run; links and hidden files are left out."""
        found = {}
        for path in _listed(self.folder, "**/*"):
            name = path.relative_to(self.folder).as_posix()
            hidden = any(part.startswith(".") for part in name.split("/"))
            if not hidden and path.is_file() and not path.is_symlink():
                found[name] = path
        return found


def _listed(folder: Path, pattern: str) -> list[Path]:
    with contextlib.suppress(FileNotFoundError):
        return sorted(folder.glob(pattern))
    return []


def run_folders(root: Path | None) -> Iterator[RunFolder]:
    """Finished runs in a folder of results, by name."""
    if root is None or not root.is_dir():
        return
    for marker in _listed(root, "*/*/*/indicators.json"):
        folder = marker.parent
        territory, use_case, run = names = folder.relative_to(root).parts
        plain = all(re.fullmatch(r"[\w-]+", name, re.ASCII) for name in names)
        if plain and not any(part.is_symlink() for part in (folder, *folder.parents[:2])):
            yield RunFolder(territory, use_case, run, folder)


@dataclass(frozen=True)
class _Layer:
    """A layer in memory: its records, boxes and CRS."""

    frame: "gpd.GeoDataFrame"
    properties: list[dict[str, Any]]
    crs: str


class LayerBook:
    """Reads layers and keeps the last ones.

    Parameters
    ----------
    root : pathlib.Path or None
        Folder of results.
    within_s : float
        Time of one query, in seconds.
    """

    def __init__(self, root: Path | None, *, within_s: float) -> None:
        self.root, self.within_s = root, within_s
        self._kept: OrderedDict[tuple[Path, float], _Layer] = OrderedDict()
        self._lock = threading.Lock()

    def collections(self) -> "list[LayerCollection]":
        """Every vector layer of every run that can be read."""
        return [
            LayerCollection(self, run, path)
            for run in run_folders(self.root)
            for path in _listed(run.folder, "layers/*.parquet")
            if re.fullmatch(r"[\w-]+", path.stem, re.ASCII)
            and not path.is_symlink()
            and _head_of(path) is not None
        ]

    def layer(self, path: Path) -> _Layer:
        """Layer of a file.

        Raises
        ------
        ProblemError
            404 if it is not there any more, 413 if it is too large.
        """
        with self._lock:
            try:
                key = (path, path.stat().st_mtime)
                if key not in self._kept:
                    self._kept[key] = _read(path)
            except FileNotFoundError:
                raise _gone(path) from None
            while len(self._kept) > _LAYERS_KEPT:
                self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]


def _gone(path: Path) -> ProblemError:
    return ProblemError("", f"layer {path.stem} is not there any more: ask again", status=404)


@dataclass(frozen=True)
class _Head:
    """What a file says of itself: count of features, CRS, bounding box in CRS84."""

    count: int
    crs: str
    extent: Box | None


def _head_of(path: Path) -> _Head | None:
    try:
        return _head(path, path.stat().st_mtime)
    except FileNotFoundError:
        return None


@lru_cache(maxsize=4096)
def _head(path: Path, _: float) -> _Head | None:
    """Head of a GeoParquet file, or None if it is none."""
    import pyarrow.parquet as pq
    from pyproj import CRS, Transformer

    try:
        metadata = pq.read_metadata(path)
        geo = json.loads(metadata.metadata[b"geo"])
        column = geo["columns"][geo["primary_column"]]
        crs = CRS.from_user_input(column["crs"] if column.get("crs") else "OGC:CRS84")
        transformer = Transformer.from_crs(crs, "OGC:CRS84", always_xy=True)
        bounds = column.get("bbox", ())
        box: Box | None = None
        if len(bounds) == 4 and all(math.isfinite(each) for each in bounds):
            left, low, right, top = bounds
            box = transformer.transform_bounds(left, low, right, top, densify_pts=21)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        _LOG.warning("%s is no layer that can be served: %s", path.name, error)
        return None
    return _Head(metadata.num_rows, uri_of(crs) or CRS84, box)


def _read(path: Path) -> _Layer:
    import geopandas as gpd

    head = _head_of(path)
    if head is None:
        raise _gone(path)
    if head.count > _MOST_FEATURES:
        detail = f"the layer has more than {_MOST_FEATURES} features: take the file"
        raise ProblemError("", detail, status=413)
    frame = gpd.read_parquet(path)
    uri = uri_of(frame.crs)
    if uri is None and frame.crs is not None:
        frame, uri = frame.to_crs("OGC:CRS84"), CRS84
    plain = frame.drop(columns=frame.geometry.name)
    properties = [
        {str(name): _json(value) for name, value in row.items()} for row in plain.to_dict("records")
    ]
    return _Layer(frame, properties, uri or CRS84)


def _json(value: Any) -> Any:
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list | tuple):
        return [_json(each) for each in value]
    if isinstance(value, dict):
        return {str(name): _json(each) for name, each in value.items()}
    if hasattr(value, "isoformat"):
        text = str(value.isoformat())
        return None if text == "NaT" else text
    return None if str(value) == "<NA>" else str(value)


@dataclass(frozen=True)
class LayerCollection:
    """A vector layer of a run.

    Attributes
    ----------
    book : LayerBook
        Keeps what was read.
    run : RunFolder
        The run.
    path : pathlib.Path
        GeoParquet file.
    """

    book: LayerBook
    run: RunFolder
    path: Path

    @property
    def id(self) -> str:
        """Territory, use case, run and layer, with dots between."""
        return ".".join((self.run.territory, self.run.use_case, self.run.run, self.path.stem))

    @property
    def title(self) -> str:
        """Layer, territory and when it was made."""
        return f"{self.path.stem} ({self.run.use_case}, {self.run.territory}, {self.run.run[:8]})"

    @property
    def description(self) -> str:
        """Where it is from."""
        return (
            f"Layer {self.path.stem} of run {self.run.run} of use case {self.run.use_case} "
            f"on territory {self.run.territory}"
        )

    @property
    def storage_crs(self) -> str:
        """CRS of the file."""
        head = _head_of(self.path)
        return head.crs if head else CRS84

    @property
    def links(self) -> Sequence[Mapping[str, str]]:
        """The file itself and the report of the run."""
        return (
            {"href": f"{self.run.path}/layers/{self.path.name}", "rel": "enclosure",
             "type": "application/vnd.apache.parquet", "title": "GeoParquet"},
            {"href": f"{self.run.path}/report.html", "rel": "describedby",
             "type": "text/html", "title": "Report of the run"},
        )  # fmt: skip

    def count(self) -> int:
        """How many features there are."""
        head = _head_of(self.path)
        return head.count if head else 0

    def extent(self) -> Box | None:
        """Bounding box in CRS84."""
        head = _head_of(self.path)
        return head.extent if head else None

    def queryables(self) -> Mapping[str, Mapping[str, Any]]:
        """Type of each column."""
        frame = self.book.layer(self.path).frame
        found: dict[str, dict[str, Any]] = {}
        for name in frame.columns:
            if name != frame.geometry.name:
                kind = getattr(frame[name].dtype, "kind", "O")
                text = kind in ("O", "U", "T") or str(frame[name].dtype) in ("str", "string")
                json_type = _JSON_TYPES.get(kind, "string" if text or kind == "M" else "")
                found[str(name)] = {"type": json_type} if json_type else {}
        return found

    def has(self, name: str) -> bool:
        """Whether it has this column."""
        return name in self.queryables()

    def find(self, wanted: Wanted, *, limit: int, offset: int) -> Found:
        """Find features in the order of the file."""
        import shapely

        layer = self.book.layer(self.path)
        rows: Sequence[int] = range(len(layer.properties))
        if wanted.boxes:
            shapes = [shapely.box(*box) for box in wanted.boxes]
            found = layer.frame.sindex.query(shapes, predicate="intersects")[1]
            rows = sorted({int(row) for row in found})
        if wanted.period is None and not wanted.equal and wanted.filter is None:
            page = rows[offset : offset + limit]
            return Found([self._record(layer, row) for row in page], len(rows))
        until = time.monotonic() + self.book.within_s
        fitting = []
        for row in rows:
            if time.monotonic() > until:
                raise OutOfTimeError(f"a query took longer than {self.book.within_s:g} s")
            if wanted.meets(self._record(layer, row)):
                fitting.append(row)
        page = fitting[offset : offset + limit]
        return Found([self._record(layer, row) for row in page], len(fitting))

    def get(self, feature_id: str) -> Record | None:
        """One feature by its row, counted from 0."""
        layer = self.book.layer(self.path)
        if not re.fullmatch(r"0|[1-9]\d{0,8}", feature_id, re.ASCII):
            return None
        row = int(feature_id)
        return self._record(layer, row) if row < len(layer.properties) else None

    @cached_property
    def _time(self) -> tuple[str, str] | None:
        """Start of the run, by its name, else by its record."""
        named = _STARTED.match(self.run.run)
        if named:
            at = datetime.strptime(named[0], "%Y%m%dT%H%M%S%z").isoformat()
        else:
            at = _recorded_start(self.run.folder / "ro-crate-metadata.json")
        return (at, at) if at else None

    def _record(self, layer: _Layer, row: int) -> Record:
        geometry = layer.frame.geometry.iloc[row]
        return Record(str(row), layer.properties[row], geometry, self._time)


def _recorded_start(record: Path) -> str:
    """Start of a run as its record tells it; empty if it does not."""
    try:
        graph = json.loads(record.read_text(encoding="utf-8"))["@graph"]
        found = [node["startTime"] for node in graph if node.get("@type") == "CreateAction"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""
    return str(found[0]) if found else ""
