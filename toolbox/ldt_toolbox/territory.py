"""A territory: who it is, where it lies, and where the data of each role comes from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ldt_toolbox.documents import Document, Where, nearest
from ldt_toolbox.errors import WrongUseError
from ldt_toolbox.paths import package_root
from ldt_toolbox.registry import registry

if TYPE_CHECKING:
    from pyproj import CRS
    from shapely.geometry.base import BaseGeometry

PROVENANCE = ("observed", "derived", "synthetic")
_TOP = (
    "id", "names", "country", "codes", "crs", "languages", "timezone", "boundary", "sources",
    "use_cases",
)  # fmt: skip
_CODES = ("lau", "insee", "nuts", "iso3166", "national")
# keys that every source has; those of its protocol come from `sources/protocols.py`
_SOURCE = (
    "protocol", "source", "url", "licence", "attribution", "date", "provenance", "unit", "columns",
    "sha256", "note",
)  # fmt: skip


@dataclass(frozen=True)
class Source:
    """Where the data of one role comes from.

    Attributes
    ----------
    role : str
        The role that it serves.
    use : str
        Entry of the registry, or empty.
    protocol : str
        How it is read: one of `sources/protocols.py`, such as `file` or `ngsi-ld`.
    path : pathlib.Path or None
        The file; for a server, the snapshot that is read in its place.
    source, licence, attribution, date, provenance, unit, url, note : str
        What it is; provenance is `observed`, `derived` or `synthetic`.
    columns : mapping of str to str
        Column that the role names -> column in the file, or attribute of the entity.
    classes : mapping of str to str
        Class value in the file -> class of the toolbox.
    sha256 : str
        Hash of the file or of what the server sent, or empty.
    crs : str
        CRS of a file that does not tell it, or empty.
    settings : mapping
        What its protocol needs beyond that, as the protocol's module checked it.
    line : int or None
        Line of territory.yaml, for messages.
    """

    role: str
    use: str = ""
    protocol: str = ""
    path: Path | None = None
    layer: str = ""
    source: str = ""
    url: str = ""
    licence: str = ""
    attribution: str = ""
    date: str = ""
    provenance: str = ""
    unit: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    classes: Mapping[str, str] = field(default_factory=dict)
    sha256: str = ""
    note: str = ""
    crs: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    line: int | None = None


@dataclass(frozen=True)
class Territory:
    """A commune, an intercommunality, a city: read one with `Territory.find`.

    Attributes
    ----------
    id : str
        Short name in file paths.
    path : pathlib.Path
        Its `territory.yaml`.
    names : mapping of str to str
        Name by language.
    country : str
        ISO 3166-1 alpha-2 code.
    codes : mapping of str to str
        LAU, INSEE, NUTS, ISO 3166 or national code.
    crs : pyproj.CRS
        Projected CRS in which metric work happens.
    languages : tuple of str
        First one leads in reports.
    timezone : str
        IANA name.
    boundary : Source
        File of the boundary.
    sources : mapping of str to Source
        By role.
    parameters : mapping of str to mapping
        Values by use case, then by parameter.
    """

    id: str
    path: Path
    names: Mapping[str, str]
    country: str
    codes: Mapping[str, str]
    crs: "CRS"
    languages: tuple[str, ...]
    timezone: str
    boundary: Source
    sources: Mapping[str, Source]
    parameters: Mapping[str, Mapping[str, Any]]

    @classmethod
    def read(cls, path: str | Path) -> "Territory":
        """Read and check a `territory.yaml`.

        Parameters
        ----------
        path : str or pathlib.Path
            The file, or the folder that holds it.

        Raises
        ------
        MissingFileError
            If there is none.
        DocumentError
            With all problems of the file and their lines.
        """
        path = Path(path)
        return _read(Document(path / "territory.yaml" if path.is_dir() else path))

    @classmethod
    def find(cls, name: str | Path) -> "Territory":
        """Find a bundled territory by id, or read one from a path.

        Raises
        ------
        WrongUseError
            If it is neither; names the nearest bundled one.
        """
        bundled = dict(bundled_territories())
        if str(name) in bundled:
            return cls.read(bundled[str(name)])
        path = Path(name)
        if path.exists() or path.suffix in {".yaml", ".yml"}:
            return cls.read(path)
        raise WrongUseError(
            f"no territory `{name}`: it is neither a bundled one ({', '.join(bundled)}) "
            f"nor a path here; {nearest(str(name), bundled)}"
        )

    @property
    def folder(self) -> Path:
        """Folder against which the paths of its sources are read."""
        return self.path.parent

    def name(self, language: str = "en") -> str:
        """Name in a language, else in its first language."""
        return self.names.get(language) or next(iter(self.names.values()))

    @cached_property
    def boundary_geometry(self) -> "BaseGeometry":
        """Boundary in the territory's CRS.

        Raises
        ------
        DataError
            If the boundary holds no polygon.
        """
        from ldt_toolbox.sources.vector import read_vector  # geopandas takes seconds to import

        frame, _ = read_vector(self.boundary, crs=self.crs, geometry="polygon", clip=None)
        shape: BaseGeometry = frame.geometry.union_all()
        return shape

    @property
    def center_lonlat(self) -> tuple[float, float]:
        """Longitude and latitude of the boundary's centre, EPSG:4326."""
        from pyproj import Transformer

        point = self.boundary_geometry.centroid
        to_lonlat = Transformer.from_crs(self.crs, "EPSG:4326", always_xy=True)
        lon, lat = to_lonlat.transform(point.x, point.y)
        return float(lon), float(lat)


def bundled_territories() -> Iterator[tuple[str, Path]]:
    """Ids and folders of the territories that ship with the toolbox."""
    for path in sorted((package_root() / "territories").glob("*/territory.yaml")):
        yield path.parent.name, path.parent


def _read(doc: Document) -> Territory:
    top = doc.mapping(
        (), known=_TOP,
        required=("id", "names", "country", "codes", "crs", "languages", "boundary", "sources"),
    )  # fmt: skip
    name = doc.text(("id",), pattern=r"[a-z0-9][a-z0-9-]*", example="saint-etienne")
    names = doc.texts(("names",))
    doc.text(("country",), pattern=r"[A-Z]{2}", example="FR")
    codes = doc.mapping(("codes",), known=_CODES)
    languages = [
        doc.text(("languages", i), pattern=r"[a-z]{2,3}(-\w+)*", example="fr")
        for i in range(len(doc.items(("languages",))))
    ]
    timezone = doc.text(("timezone",)) or "UTC"
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        doc.problem(("timezone",), f"no time zone `{timezone}`: use one such as Europe/Paris")
    crs = _read_crs(doc)
    boundary = _read_source(doc, "boundary", ("boundary",))
    sources = {}
    known_roles = registry().roles
    for role in doc.mapping(("sources",)):
        hint = nearest(role, known_roles)
        if role not in known_roles and hint.startswith("did you mean"):
            doc.problem(("sources", role), f"unknown role `{role}`: {hint}")
        sources[role] = _read_source(doc, role, ("sources", role))
    parameters = {
        case: dict(doc.mapping(("use_cases", case))) for case in doc.mapping(("use_cases",))
    }
    doc.finish()
    assert crs is not None  # noqa: S101 - finish() has raised if it is
    return Territory(
        id=name,
        path=doc.path,
        names=names,
        country=top["country"],
        codes={kind: doc.text(("codes", kind)) for kind in codes},
        crs=crs,
        languages=tuple(languages),
        timezone=timezone,
        boundary=boundary,
        sources=sources,
        parameters=parameters,
    )


def _read_crs(doc: Document) -> "CRS | None":
    from pyproj import CRS  # a fifteenth of a second, and `--help` never needs it
    from pyproj.exceptions import CRSError as PyprojCRSError

    text = doc.text(("crs",), example="EPSG:2154")
    if not text:
        return None
    try:
        crs = CRS.from_user_input(text)
    except PyprojCRSError:
        doc.problem(("crs",), f"`{text}` is no coordinate reference system: use e.g. EPSG:2154")
        return None
    operation = crs.coordinate_operation
    if operation is not None and "Pseudo Mercator" in operation.method_name:
        doc.problem(
            ("crs",),
            f"`{text}` ({crs.name}) is for web maps and stretches distances, in Paris by "
            "half; use the national grid, for example EPSG:2154 in France",
        )
        return None
    if not crs.is_projected:
        doc.problem(
            ("crs",),
            f"`{text}` ({crs.name}) is not projected, but metres are needed: "
            "use the national grid, for example EPSG:2154 in France",
        )
        return None
    unit = crs.axis_info[0].unit_name
    if unit not in {"metre", "meter"}:
        doc.problem(("crs",), f"`{text}` measures in {unit}, but metres are needed")
    return crs


def _read_source(doc: Document, role: str, where: Where) -> Source:
    spec = doc.mapping(where)
    line = doc.line(where)
    if "use" in spec:
        doc.mapping(where, known=("use", "note"))
        entry = str(spec["use"])
        entries = registry().sources
        if entry not in entries:
            doc.problem((*where, "use"), f"no source `{entry}`: {nearest(entry, entries)}")
            return Source(role=role, use=entry, columns={}, classes={}, line=line)
        known = entries[entry]
        if role not in known["roles"]:
            doc.problem(
                (*where, "use"),
                f"source `{entry}` serves {', '.join(known['roles'])}, not {role}",
            )
        return Source(
            role=role, use=entry, protocol="bundled", source=known["source"], url=known["url"],
            licence=known["licence"], attribution=known.get("attribution", ""),
            date=known["date"], provenance=known["provenance"], unit=known["unit"],
            columns={}, classes={}, note=known.get("note", ""), line=line,
        )  # fmt: skip
    from ldt_toolbox.sources.protocols import PROTOCOLS, way  # it builds on this module

    # what cuts the territory out must be there without a network
    valid = PROTOCOLS if role != "boundary" else ("file",)
    protocol = doc.choice((*where, "protocol"), valid)
    asked = way(protocol if protocol in valid else "file")
    doc.mapping(
        where,
        known=(*_SOURCE, *asked.KEYS),
        required=("protocol", *asked.REQUIRED, "source", "licence"),
    )
    provenance = doc.choice((*where, "provenance"), PROVENANCE)
    if spec and not provenance:
        doc.problem(where, f"{role} lacks `provenance`: say observed, derived or synthetic")
    settings = asked.check(doc, where)
    path = doc.text((*where, "path")) or doc.text((*where, "snapshot"))
    columns = doc.mapping((*where, "columns"))
    classes = doc.mapping((*where, "classes"))
    return Source(
        role=role,
        protocol=str(spec.get("protocol", "")),
        path=doc.path.parent / path if path else None,
        layer=doc.text((*where, "layer")),
        source=doc.text((*where, "source")),
        url=doc.text((*where, "url")),
        licence=doc.text((*where, "licence")),
        attribution=doc.text((*where, "attribution")),
        date=doc.text((*where, "date")) or str(settings.get("period", "")),
        provenance=provenance,
        unit=doc.text((*where, "unit")),
        columns={name: doc.text((*where, "columns", name)) for name in columns},
        classes={value: doc.text((*where, "classes", value)) for value in classes},
        sha256=doc.text((*where, "sha256"), pattern="[0-9a-f]{64}"),
        note=doc.text((*where, "note")),
        crs=doc.text((*where, "crs")),
        settings=settings,
        line=line,
    )
