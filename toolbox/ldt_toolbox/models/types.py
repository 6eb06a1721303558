"""Entity types: declared once in YAML, read by contexts, schemas, lint and mappings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from ldt_toolbox.documents import Document, Where, nearest
from ldt_toolbox.errors import WrongUseError
from ldt_toolbox.units import UNITS

KINDS = ("Property", "Relationship", "GeoProperty", "LanguageProperty")
VALUES = (
    "number", "text", "boolean", "date-time", "date", "period", "uri", "object", "list", "any",
)  # fmt: skip
#: Unit of an attribute whose unit each entity chooses.
ANY_UNIT = "*"

_FOLDER = Path(__file__).parent / "declarations"
_TYPE_KEYS = ("version", "help", "required", "without", "attributes", "also")
_ATTRIBUTE_KEYS = (
    "kind", "iri", "value", "unit", "min", "max", "choices", "difference", "many", "to", "help",
)  # fmt: skip


@dataclass(frozen=True)
class Attribute:
    """One attribute of an entity type.

    Attributes
    ----------
    name : str
        Term, as in a compacted entity.
    kind : str
        `Property`, `Relationship`, `GeoProperty` or `LanguageProperty`.
    iri : str
        What the term expands to.
    value : str
        What a Property holds: one of `VALUES`; `period` is an instant or an ISO 8601 interval.
        Empty for other kinds.
    unit : str
        UN/CEFACT code in which `minimum` and `maximum` are; `*` if each entity chooses, empty if
        the number has none.
    minimum, maximum : float or None
        Inclusive range of what can be.
    choices : tuple
        Values allowed; empty if any is.
    difference : bool
        Whether the number is a difference, which converts without the offset of a scale.
    many : bool
        Whether a Relationship may name several objects.
    target : str
        Type that a Relationship points to; empty if the model does not say.
    required : bool
        Whether every entity of the type has it.
    help : str
        Meaning.
    """

    name: str
    kind: str
    iri: str
    value: str
    unit: str
    minimum: float | None
    maximum: float | None
    choices: tuple[Any, ...]
    difference: bool
    many: bool
    target: str
    required: bool
    help: str

    @property
    def range_text(self) -> str:
        """`-90 to 60 CEL`, `at least 0` or an empty text."""
        unit = f" {self.unit}" if self.unit not in ("", ANY_UNIT) else ""
        if self.minimum is not None and self.maximum is not None:
            return f"{self.minimum:.12g} to {self.maximum:.12g}{unit}"
        if self.minimum is not None:
            return f"at least {self.minimum:.12g}{unit}"
        return "" if self.maximum is None else f"at most {self.maximum:.12g}{unit}"


@dataclass(frozen=True)
class EntityType:
    """One entity type.

    Attributes
    ----------
    name, iri : str
        Term and what it expands to.
    subject : str
        Subject of the Smart Data Models programme, for example ``dataModel.Weather``, or
        ``ldt-toolbox``.
    version : str
        Version of the upstream schema, or of the toolbox's own.
    help : str
        Meaning.
    attributes : mapping of str to Attribute
        By term.
    also : mapping of str to str
        Further terms that the type has upstream, and their IRIs; nothing else is known of them.
    """

    name: str
    iri: str
    subject: str
    version: str
    help: str
    attributes: Mapping[str, Attribute]
    also: Mapping[str, str]

    @property
    def required(self) -> tuple[str, ...]:
        """Attributes that every entity has, in the order of the declaration."""
        return tuple(name for name, one in self.attributes.items() if one.required)


class Catalogue(Mapping[str, EntityType]):
    """Entity types by name.

    Parameters
    ----------
    types : sequence of EntityType
        A later one replaces an earlier one of its name.
    """

    def __init__(self, types: Sequence[EntityType]) -> None:
        self._types = {one.name: one for one in types}

    def __getitem__(self, name: str) -> EntityType:
        if name not in self._types:
            raise WrongUseError(f"no entity type {name!r}: {nearest(name, self._types)}")
        return self._types[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Return the type, or the default if there is none."""
        return self._types.get(name, default)

    def __contains__(self, name: object) -> bool:
        return name in self._types

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)

    def subjects(self) -> dict[str, list[EntityType]]:
        """Types by subject, both in alphabetical order."""
        found: dict[str, list[EntityType]] = {}
        for one in sorted(self._types.values(), key=lambda kind: (kind.subject, kind.name)):
            found.setdefault(one.subject, []).append(one)
        return found

    def extended(self, path: str | Path) -> "Catalogue":
        """Return these types and those of one's own declaration.

        Parameters
        ----------
        path : str or pathlib.Path
            YAML in the form of the files in ``models/declarations``.

        Raises
        ------
        DocumentError
            With every problem of the file and its line.
        """
        return Catalogue([*self._types.values(), *read(Path(path))])


@cache
def catalogue() -> Catalogue:
    """Return the types that come with the toolbox."""
    paths = sorted(path for path in _FOLDER.glob("*.yaml") if path.stem != "shared")
    return Catalogue([one for path in paths for one in read(path)])


@cache
def _shared() -> tuple[Mapping[str, Attribute], Mapping[str, str]]:
    doc = Document(_FOLDER / "shared.yaml")
    base = doc.text(("base",))
    attributes = {
        term: _attribute(doc, ("attributes", term), base, required=False)
        for term in doc.mapping(("attributes",))
    }
    doc.finish()
    return attributes, {str(term): base + str(term) for term in doc.items(("also",))}


def shared_terms() -> dict[str, str]:
    """Terms that all subjects share, with their IRIs."""
    attributes, also = _shared()
    return {**{term: one.iri for term, one in attributes.items()}, **also}


def read(path: Path) -> list[EntityType]:
    """Read one declaration.

    Parameters
    ----------
    path : pathlib.Path
        YAML with `subject`, `base` (start of the IRIs) and `types`.

    Raises
    ------
    DocumentError
        With every problem of the file and its line.
    """
    doc = Document(path)
    doc.mapping((), known=("subject", "base", "types"), required=("subject", "base", "types"))
    found = [_entity_type(doc, name) for name in doc.mapping(("types",))]
    doc.finish()
    return found


def _entity_type(doc: Document, name: str) -> EntityType:
    where: Where = ("types", name)
    body = doc.mapping(where, known=_TYPE_KEYS)
    base = doc.text(("base",))
    required = [str(term) for term in doc.items((*where, "required"))]
    without = [str(term) for term in doc.items((*where, "without"))]
    attributes = {
        term: _attribute(doc, (*where, "attributes", term), base, required=term in required)
        for term in (doc.mapping((*where, "attributes")) if body.get("attributes") else ())
    }
    for term, one in _shared()[0].items():
        if term not in attributes and term not in without:
            attributes[term] = replace(one, required=term in required)
    for term in required:
        if term not in attributes:
            message = f"{name} requires `{term}`, which it does not declare: declare it"
            doc.problem((*where, "required"), message)
    return EntityType(
        name,
        base + name,
        doc.text(("subject",)),
        doc.text((*where, "version")),
        doc.text((*where, "help")),
        attributes,
        {str(term): base + str(term) for term in doc.items((*where, "also"))},
    )


def _attribute(doc: Document, where: Where, base: str, *, required: bool) -> Attribute:
    one = doc.mapping(where, known=_ATTRIBUTE_KEYS)
    term = str(where[-1])
    kind = doc.choice((*where, "kind"), KINDS) or "Property"
    unit = doc.choice((*where, "unit"), (*UNITS, ANY_UNIT))
    value = doc.choice((*where, "value"), VALUES) or ("number" if unit else "text")
    return Attribute(
        term,
        kind,
        doc.text((*where, "iri")) or base + term,
        value if kind == "Property" else "",
        unit,
        doc.number((*where, "min")),
        doc.number((*where, "max")),
        tuple(doc.items((*where, "choices"))),
        doc.flag((*where, "difference"), default=False),
        doc.flag((*where, "many"), default=False),
        doc.text((*where, "to")),
        required,
        str(one.get("help", "")),
    )
