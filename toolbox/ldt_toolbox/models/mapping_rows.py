"""Rows of a mapping table, read against the model of their type."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ldt_toolbox.documents import nearest
from ldt_toolbox.errors import Problem
from ldt_toolbox.models import quality, rules
from ldt_toolbox.models.findings import is_uri
from ldt_toolbox.models.quality import Quality
from ldt_toolbox.models.rule_steps import Lookups, RuleError
from ldt_toolbox.models.rules import Rule
from ldt_toolbox.models.types import Attribute, EntityType

#: What a row may fill of an attribute beside its value.
PARTS = ("observedAt", "unitCode", "datasetId")
#: Target that stands for every number of the entity.
EVERY = "*"


@dataclass(frozen=True)
class Row:
    """One row of a mapping table, checked against the model.

    Attributes
    ----------
    line : int
        Line in the file.
    sources : tuple of str
        Fields of the source; empty for a constant.
    attribute : str
        ``id``, a term of the model, or ``*`` for every number.
    part : str
        What it fills: `observedAt`, `unitCode`, `datasetId`, a language behind ``@``, or empty
        for the value itself.
    model : Attribute or None
        What the model says; None for ``id``, ``*`` and terms of the table's own.
    iri : str
        What the term means.
    rule : Rule
    quality : Quality
    feature : str
        Name for people.
    """

    line: int
    sources: tuple[str, ...]
    attribute: str
    part: str
    model: Attribute | None
    iri: str
    rule: Rule
    quality: Quality
    feature: str

    @property
    def fields(self) -> tuple[str, ...]:
        """Every source field that the row reads."""
        return (*self.sources, *(self.quality.unique_with or ()))

    @property
    def target(self) -> str:
        """Attribute and part, as the messages name them."""
        if not self.part:
            return self.attribute
        return (
            self.attribute + self.part if self.part[0] == "@" else f"{self.attribute}.{self.part}"
        )


def read_row(
    kind: EntityType, line: int, written: Mapping[str, str], lookups: Lookups | None
) -> Row:
    """Read one row against the model of its type.

    Parameters
    ----------
    kind : EntityType
        Type that the target names.
    line : int
        Line in the file.
    written : mapping of str to str
        Text by column.
    lookups : mapping of str to mapping, or None
        Tables for the rule ``lookup NAME``.

    Raises
    ------
    WrongUseError
        If target, IRI, rule or quality control do not fit.
    """
    target = written["target"].partition(".")[2]
    attribute, _, part = target.partition(".")
    if "@" in attribute:
        attribute, _, language = attribute.partition("@")
        part = "@" + language
    if part and part[0] != "@" and part not in PARTS:
        raise RuleError(f"target {written['target']!r}: {nearest(part, PARTS)}")
    model = kind.attributes.get(attribute)
    iri = written["iri"] or (model.iri if model else "")
    if attribute == EVERY and part != "observedAt":
        raise RuleError("target `*` takes one part: write `*.observedAt`")
    if attribute not in ("id", EVERY):
        _check_term(kind, attribute, part, model, written["iri"])
    sources = tuple(filter(None, (one.strip() for one in written["source"].split(";"))))
    rule = rules.parse(written["rule"], sources=len(sources), lookups=lookups)
    feature = written["feature"] or (model.help if model else "")
    control = quality.parse(written["quality"])
    return Row(line, sources, attribute, part, model, iri, rule, control, feature)


def _check_term(kind: EntityType, term: str, part: str, model: Attribute | None, iri: str) -> None:
    if not term:
        raise RuleError(f"target names no attribute of {kind.name}: write {kind.name}.attribute")
    if model is None and not is_uri(iri or kind.also.get(term, "")):
        hint = nearest(term, list(kind.attributes))
        raise RuleError(f"{kind.name} has no `{term}`: {hint} Or give its IRI in column `iri`")
    if model is not None and iri and iri != model.iri:
        raise RuleError(f"`{term}` of {kind.name} is {model.iri}, not {iri!r}: correct the IRI")
    languages = model is not None and model.kind == "LanguageProperty"
    if languages != part.startswith("@"):
        example = f"`{term}@fr`" if languages else f"`{term}`"
        raise RuleError(f"target `{term}{part}` of {kind.name}: write {example}")


def table_problems(kind: EntityType, rows: Sequence[Row]) -> list[Problem]:
    """What is wrong with rows that are right one by one: doubles and gaps."""
    problems = []
    seen: dict[str, int] = {}
    for row in rows:
        if row.target in seen:
            message = f"`{row.target}` stands at line {seen[row.target]}, too: keep one"
            problems.append(Problem(row.line, message))
        seen.setdefault(row.target, row.line)
    if "id" not in seen:
        message = f"no row for {kind.name}.id: add one, for example with `urn {kind.name}`"
        problems.append(Problem(None, message))
    given = {row.attribute for row in rows}
    gaps = [term for term in kind.required if term not in given]
    text = "{} requires `{}`: add a row for it"
    return problems + [Problem(None, text.format(kind.name, term)) for term in gaps]
