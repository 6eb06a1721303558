"""A use case: one manifest that says what it needs, what can be tuned and what it yields."""

import importlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldt_toolbox.documents import Document, nearest
from ldt_toolbox.entity_key import EntityKey, read_entity_key
from ldt_toolbox.errors import LDTError, ParameterError, WrongUseError
from ldt_toolbox.parameters import Parameter, Parameters, read_parameters
from ldt_toolbox.paths import data_root
from ldt_toolbox.territory import Territory

if TYPE_CHECKING:
    from ldt_toolbox.results import Results
    from ldt_toolbox.sources import Inputs

LANGUAGES = ("en", "fr")
GEOMETRIES = ("polygon", "line", "point")
KINDS = ("vector", "raster", "vector or raster", "table", "feed")
MIM8_TAGS = ("raw", "transformed", "model_input", "model_output")
PROVENANCE = ("observed", "derived", "synthetic")
MAP_STYLES = ("sequential", "sequential_reversed", "diverging", "classes", "depth")
FILM_STYLES = ("depth",)
SEARCH_VARIABLE = "LDT_USE_CASES"

Text = Mapping[str, str]


@dataclass(frozen=True)
class Column:
    """A column that a role's table has."""

    name: str
    required: bool
    unit: str
    help: Text


@dataclass(frozen=True)
class Role:
    """What a use case needs, told without naming a source.

    Attributes
    ----------
    id : str
        Name of the role; a territory's sources use it as key.
    kind : str
        One of `vector`, `raster`, `vector or raster`, `table`, `feed` (a timetable).
    geometry : str
        `polygon`, `line`, `point` or empty.
    required : bool
        Whether the use case is blocked without it.
    unit : str
        Unit of the values (UN/CEFACT code), or empty.
    columns : mapping of str to Column
        Columns of its table.
    accepts : tuple of str
        Protocols and registry entries that can serve it.
    max_resolution_m : float or None
        Coarsest cell that still makes sense.
    margin_km : float
        How far beyond the boundary data are wanted.
    categorical : bool
        Whether a raster holds codes, which are never averaged.
    help, without : mapping of str to str
        What it is; what is lost without it, by language.
    may_be_empty : bool
        Whether a raster without a value inside the territory tells something, as a map of depths
        does where nothing floods; else it is taken for the wrong file.
    """

    id: str
    kind: str
    geometry: str
    required: bool
    unit: str
    columns: Mapping[str, Column]
    accepts: tuple[str, ...]
    max_resolution_m: float | None
    margin_km: float
    categorical: bool
    help: Text
    without: Text
    may_be_empty: bool = False


@dataclass(frozen=True)
class Output:
    """A layer, table or indicator that a run yields."""

    id: str
    unit: str
    mim8: str
    optional: bool
    title: Text
    help: Text
    spec: Mapping[str, Any]
    entity: EntityKey | None = None


@dataclass(frozen=True)
class UseCase:
    """A use case as its manifest tells it. Get one with `UseCase.find` or `UseCase.read`."""

    id: str
    version: str
    path: Path
    title: Text
    question: Text
    purpose: Mapping[str, Any]
    compute_name: str
    notebook: Path
    roles: Mapping[str, Role]
    parameters: Mapping[str, Parameter]
    layers: Mapping[str, Output]
    tables: Mapping[str, Output]
    indicators: Mapping[str, Output]
    animations: Mapping[str, Output]
    resources: Mapping[str, float]
    evidence: tuple[Mapping[str, Any], ...]
    method: tuple[Text, ...]
    limits: tuple[Text, ...]

    @classmethod
    def read(cls, path: Path) -> "UseCase":
        """Read and check a manifest.

        Parameters
        ----------
        path : pathlib.Path
            `use-case.yaml`, or the folder that holds it.

        Raises
        ------
        MissingFileError
            If there is none.
        DocumentError
            With all problems of the file and their lines.
        """
        path = path / "use-case.yaml" if path.is_dir() else path
        return _read(Document(path))

    @classmethod
    def find(cls, name: str, *, near: Path | None = None) -> "UseCase":
        """Find a use case by id, or read it from a path.

        Parameters
        ----------
        name : str
            An id such as `heat-islands`, or the path of a manifest or its folder.
        near : pathlib.Path, optional
            A territory's folder whose own `use-cases/` is searched first.

        Raises
        ------
        WrongUseError
            If no use case has this id; names the nearest one.
        """
        if "/" in name or name.endswith(".yaml") or os.sep in name:
            return cls.read(Path(name))
        known = dict(use_case_folders(near=near))
        if name not in known:
            raise WrongUseError(f"no use case is called `{name}`: {nearest(name, known)}")
        return cls.read(known[name])

    def validate(
        self, given: Mapping[str, Any] | None = None, *, territory: Territory | None = None
    ) -> Parameters:
        """Build the validated parameters object.

        Parameters
        ----------
        given : mapping of str to object, optional
            Values by parameter name; text is converted to the parameter's type.
        territory : Territory, optional
            Its own values for this use case stand where none is given.

        Returns
        -------
        ldt_toolbox.parameters.Parameters
            All parameters, each as attribute; `origin` tells where each value is from.

        Raises
        ------
        ParameterError
            With every unknown name (and the nearest valid one) and every value out of range.
        """
        own = territory.parameters.get(self.id, {}) if territory else {}
        if territory and self.id not in territory.parameters:
            _refuse_misspelt(self.id, territory)
        return Parameters.build(self.id, self.parameters, given=given or {}, territory=own)

    def validate_cell(self, namespace: Mapping[str, Any], *, territory: Territory) -> Parameters:
        """Validate the values of a notebook's parameter cell.

        A value that equals the manifest's default counts as not given, so that the
        territory's own value stands; set ``territory_values = False`` in the cell to take
        every value as it is written.

        Parameters
        ----------
        namespace : mapping
            The notebook's `globals()`.
        territory : Territory
            The place of the run.
        """
        changed = {
            name: namespace[name]
            for name, parameter in self.parameters.items()
            if name in namespace and namespace[name] != parameter.default
        }
        if namespace.get("territory_values", True):
            return self.validate(changed, territory=territory)
        own = territory.parameters.get(self.id, {})
        kept = {name: value for name, value in own.items() if changed.get(name) == value}
        given = {name: value for name, value in changed.items() if name not in kept}
        return Parameters.build(self.id, self.parameters, given=given, territory=kept)

    @property
    def compute(self) -> "Callable[[Inputs, Parameters], Results]":
        """The function that the manifest names."""
        module, _, function = self.compute_name.partition(":")
        try:
            found: Callable[[Inputs, Parameters], Results] = getattr(
                importlib.import_module(module), function
            )
        except (ImportError, AttributeError) as error:
            raise LDTError(
                f"{self.path} names the compute function `{self.compute_name}`, "
                f"which cannot be imported ({error}): install its package or correct `compute`"
            ) from error
        return found


def _refuse_misspelt(name: str, territory: Territory) -> None:
    """Values under a name that is nearly this use case would be ignored without a word."""
    known = dict(use_case_folders(near=territory.folder))
    for other in territory.parameters:
        if other not in known and nearest(other, [name]).startswith("did you mean"):
            raise ParameterError(
                f"{territory.path} sets parameters of `{other}`, which is no use case: "
                f"{nearest(other, [name])}"
            )


def use_case_folders(*, near: Path | None = None) -> Iterator[tuple[str, Path]]:
    """Use cases in the territory's own repository, in $LDT_USE_CASES and in the toolbox.

    Yields
    ------
    (str, pathlib.Path)
        Folder name, which is the id, and folder. The first of a name wins.
    """
    places = [Path(p) for p in os.environ.get(SEARCH_VARIABLE, "").split(os.pathsep) if p]
    if near is not None:
        places.insert(0, near / "use-cases")
    seen = set()
    for place in [*places, data_root() / "use-cases"]:
        for manifest in sorted(place.glob("*/use-case.yaml")):
            name = manifest.parent.name
            if name not in seen:
                seen.add(name)
                yield name, manifest.parent


_TOP = (
    "schema_version", "id", "version", "title", "question", "purpose", "compute", "notebook",
    "roles", "parameters", "outputs", "resources", "evidence", "method", "limits",
)  # fmt: skip
_ROLE = (
    "kind", "geometry", "required", "unit", "columns", "accepts", "max_resolution_m", "help",
    "without", "margin_km", "categorical", "may_be_empty",
)  # fmt: skip


def _read(doc: Document) -> UseCase:
    top = doc.mapping((), known=_TOP, required=[k for k in _TOP if k != "schema_version"])
    if doc.at(("schema_version",)) not in (None, 1):
        doc.problem(("schema_version",), "only schema_version 1 is known: update the toolbox")
    name = doc.text(("id",), pattern=r"[a-z0-9][a-z0-9-]*", example="heat-islands")
    if name and doc.path.name == "use-case.yaml" and doc.path.resolve().parent.name != name:
        doc.problem(("id",), f"id `{name}` differs from its folder `{doc.path.parent.name}`")
    doc.text(("compute",), pattern=r"\w+(\.\w+)*:\w+", example="my_package.my_module:compute")
    doc.text(("version",), pattern=r"\d+\.\d+\.\d+", example="1.0.0")
    notebook = doc.path.parent / (doc.text(("notebook",)) or "notebook.ipynb")
    if not notebook.is_file():
        doc.problem(("notebook",), f"there is no {notebook.name} beside {doc.path.name}: write it")
    roles = {role: _read_role(doc, role) for role in doc.mapping(("roles",))}
    parameters = read_parameters(doc)
    groups = ("layers", "tables", "indicators", "animations")
    doc.mapping(("outputs",), known=groups, required=["indicators"])
    outputs = {
        group: {key: _read_output(doc, group, key) for key in doc.mapping(("outputs", group))}
        for group in groups
    }
    resources = doc.mapping(
        ("resources",), known=("memory_gb", "minutes"), required=("memory_gb", "minutes")
    )
    for need in resources:
        doc.number(("resources", need), above=0)
    texts = {
        field: tuple(
            doc.texts((field, i), languages=LANGUAGES) for i in range(len(doc.items((field,))))
        )
        for field in ("method", "limits")
    }
    evidence = [
        doc.mapping(("evidence", i), required=("where", "what"))
        for i in range(len(doc.items(("evidence",))))
    ]
    doc.mapping(("purpose",))
    title = doc.texts(("title",), languages=LANGUAGES)
    question = doc.texts(("question",), languages=LANGUAGES)
    doc.finish()
    return UseCase(
        id=name,
        version=str(top["version"]),
        path=doc.path,
        title=title,
        question=question,
        purpose=top["purpose"],
        compute_name=top["compute"],
        notebook=notebook,
        roles=roles,
        parameters=parameters,
        layers=outputs["layers"],
        tables=outputs["tables"],
        indicators=outputs["indicators"],
        animations=outputs["animations"],
        resources=resources,
        evidence=tuple(evidence),
        method=texts["method"],
        limits=texts["limits"],
    )


def _read_role(doc: Document, role: str) -> Role:
    where = ("roles", role)
    spec = doc.mapping(where, known=_ROLE, required=("kind", "help", "accepts"))
    doc.choice((*where, "kind"), KINDS)
    geometry = doc.choice((*where, "geometry"), GEOMETRIES)
    required = doc.flag((*where, "required"), default=True)
    if required is False and "without" not in spec:
        doc.problem(where, f"role {role} is optional: say in `without` what is lost without it")
    columns = {}
    for column in doc.mapping((*where, "columns")):
        place = (*where, "columns", column)
        doc.mapping(place, known=("required", "unit", "help"), required=("help",))
        columns[column] = Column(
            column,
            doc.flag((*place, "required"), default=False),
            doc.text((*place, "unit")),
            doc.texts((*place, "help"), languages=LANGUAGES),
        )
    return Role(
        id=role,
        kind=str(spec.get("kind", "")),
        geometry=geometry,
        required=required,
        unit=str(spec.get("unit", "")),
        columns=columns,
        accepts=tuple(str(way) for way in doc.items((*where, "accepts"))),
        max_resolution_m=doc.number((*where, "max_resolution_m"), above=0),
        margin_km=doc.number((*where, "margin_km")) or 0.0,
        categorical=doc.flag((*where, "categorical"), default=False),
        help=doc.texts((*where, "help"), languages=LANGUAGES),
        without=doc.texts((*where, "without"), languages=LANGUAGES) if "without" in spec else {},
        may_be_empty=doc.flag((*where, "may_be_empty"), default=False),
    )


def _read_output(doc: Document, group: str, key: str) -> Output:
    where = ("outputs", group, key)
    known = {
        "layers": ("kind", "unit", "column", "mim8", "provenance", "map", "classes", "hillshade",
                   "title", "help", "optional", "entity"),
        "animations": ("unit", "mim8", "map", "hillshade", "title", "help", "optional"),
        "tables": ("title", "help", "columns", "optional", "entity"),
        "indicators": ("unit", "mim8", "headline", "validates", "iso37101", "label", "help",
                       "optional", "entity"),
    }[group]  # fmt: skip
    titled = "label" if group == "indicators" else "title"
    needed = [titled, "help"] + ([] if group == "tables" else ["unit", "mim8"])
    spec = doc.mapping(where, known=known, required=needed)
    if group != "tables":
        doc.choice((*where, "mim8"), MIM8_TAGS)
    if group == "layers":
        doc.choice((*where, "kind"), ("raster", "vector"))
        doc.choice((*where, "provenance"), PROVENANCE)
    if group in ("layers", "animations"):
        doc.choice((*where, "map"), MAP_STYLES if group == "layers" else FILM_STYLES)
        _check_hillshade(doc, where)
    entity = None
    if "entity" in spec:
        entity = read_entity_key(doc, (*where, "entity"), group, kind=str(spec.get("kind", "")))
    return Output(
        id=key,
        unit=str(spec.get("unit", "")),
        mim8=str(spec.get("mim8", "")),
        optional=doc.flag((*where, "optional"), default=False),
        title=doc.texts((*where, titled), languages=LANGUAGES),
        help=doc.texts((*where, "help"), languages=LANGUAGES),
        spec=spec,
        entity=entity,
    )


def _check_hillshade(doc: Document, where: tuple[str, ...]) -> None:
    """A map stands on the shaded relief of a raster that the run yields as well."""
    terrain = doc.text((*where, "hillshade"))
    layers = doc.at(("outputs", "layers")) or {}
    rasters = [key for key, spec in layers.items() if (spec or {}).get("kind") == "raster"]
    if terrain and terrain not in rasters:
        doc.problem(
            (*where, "hillshade"),
            f"`{terrain}` is no raster among outputs.layers: {nearest(terrain, rasters)}",
        )
