"""Lint of NGSI-LD entities: each defect named with entity, attribute and remedy."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ldt_toolbox.models import contexts
from ldt_toolbox.models.contexts import Load, Terms
from ldt_toolbox.models.features import unfolded
from ldt_toolbox.models.findings import Finding, is_uri, shown
from ldt_toolbox.models.lint_attributes import AttributeLint
from ldt_toolbox.models.positions import area_of
from ldt_toolbox.models.types import Attribute, Catalogue, EntityType, catalogue

#: Members of an entity that are no attributes (ETSI GS CIM 009, clauses 5.2.2 and 5.2.4).
_MEMBERS = frozenset(
    ("id", "type", "@id", "@type", "@context", "scope", "createdAt", "modifiedAt", "deletedAt",
     "expiresAt")
)  # fmt: skip


def lint(
    entities: Any,
    *,
    bbox: Sequence[float] | None = None,
    context: Any = None,
    models: Catalogue | None = None,
    load: Load = contexts.load,
) -> list[Finding]:
    """Find what is wrong with entities; raises on no JSON.

    Parameters
    ----------
    entities : dict or iterable of dict
        Entities as JSON gives them: normalised, concise or simplified (`keyValues`), or their
        GeoJSON Features.
    bbox : sequence of float, optional
        West, south, east, north of the territory in degrees, EPSG:4326. With it, positions
        outside are found, and swapped ones that are possible elsewhere on Earth.
    context : str, mapping or list, optional
        Context that came beside the entities, in a ``Link`` header, for those that carry none.
    models : Catalogue, optional
        Types to judge by; those of the toolbox if left out.
    load : callable, optional
        Gives context documents by address; offline ones if left out.

    Returns
    -------
    list of Finding
        In the order of the entities; empty if nothing was found. ``pandas.DataFrame(findings)``
        is a table of them.

    Notes
    -----
    Rules of representation are those of ETSI GS CIM 009 V1.8.1, clauses 4.5 and 4.6.

    Examples
    --------
    >>> [one.code for one in lint({"id": "gauge 7", "type": "WaterObserved"})]
    ['no-core-context', 'id-not-uri', 'missing-required', 'missing-required']
    """
    several = isinstance(entities, list | tuple | dict | Iterator)
    listed = unfolded(entities if several else [entities])
    judge = Linter(bbox=bbox, models=models, load=load)
    found: list[Finding] = []
    seen: dict[str, int] = {}
    for place, entity in enumerate(listed):
        found += judge.entity(entity, place=place, context=context, seen=seen)
    return found


class Linter:
    """Judges one entity after the other, for callers that do not have them all at once.

    Parameters
    ----------
    bbox, models, load
        As in `lint`.
    """

    def __init__(
        self,
        *,
        bbox: Sequence[float] | None = None,
        models: Catalogue | None = None,
        load: Load = contexts.load,
    ) -> None:
        self._models = models or catalogue()
        self._by_iri = {kind.iri: kind for kind in self._models.values()}
        self._area = area_of(bbox) if bbox is not None else None
        self._load = load
        self._known: list[tuple[Any, Terms]] = []

    def entity(
        self,
        entity: Any,
        *,
        place: int = 0,
        context: Any = None,
        seen: dict[str, int] | None = None,
    ) -> list[Finding]:
        """Judge an entity.

        Parameters
        ----------
        entity : object
            JSON.
        place : int
            Where it stands in its list.
        context : str, mapping or list, optional
            Context that came beside it.
        seen : dict of str to int, optional
            Ids that came before and their places; this one's is added.
        """
        if not isinstance(entity, dict):
            remedy = "give entities as JSON objects"
            return [Finding(f"[{place}]", "", "not-an-entity", f"{shown(entity)}", remedy)]
        identifier = entity.get("id", entity.get("@id"))
        name = identifier if isinstance(identifier, str) and identifier else f"[{place}]"
        said = entity.get("@context", context)
        found = _context_findings(name, said)
        terms = self._terms(said)
        for url in terms.unresolved:
            message = f"context {shown(url)} is not at hand"
            remedy = "its terms are not judged; give `load` a way to it"
            found.append(Finding(name, "@context", "unknown-context", message, remedy, "note"))
        found += _id_findings(name, identifier, place, {} if seen is None else seen)
        judge = said is not None and not terms.unresolved
        kinds = self._kinds(name, entity, terms, found, judge_terms=judge)
        found += self._attributes(name, entity, terms, kinds, judge_terms=judge)
        return found

    def _terms(self, said: Any) -> Terms:
        """Contexts repeat from entity to entity: work each out once."""
        for known, terms in self._known:
            if known is said or (type(known) is type(said) and known == said):
                return terms
        terms = contexts.terms(said, load=self._load)
        self._known = [(said, terms), *self._known[:7]]
        return terms

    def _kinds(
        self,
        name: str,
        entity: Mapping[str, Any],
        terms: Terms,
        found: list[Finding],
        *,
        judge_terms: bool,
    ) -> list[EntityType]:
        said = entity.get("type", entity.get("@type"))
        written = said if isinstance(said, list) else [said]
        texts = [one for one in written if isinstance(one, str) and one]
        if not texts:
            remedy = "give the name of the type, for example `WeatherObserved`"
            found.append(Finding(name, "type", "no-type", f"type is {shown(said)}", remedy))
        kinds = []
        for text in texts:
            iri = terms.expand(text)
            kind = self._by_iri.get(iri) or self._models.get(text)
            if kind is not None:
                kinds.append(kind)
            if judge_terms and terms.falls_to_default(text):
                found.append(_default_finding(name, "type", text, kind))
            elif kind is None:
                message = f"no model is declared for type {shown(text)}"
                remedy = "declare it (Catalogue.extended), or check the spelling"
                found.append(Finding(name, "type", "unknown-type", message, remedy, "note"))
        return kinds

    def _attributes(
        self,
        name: str,
        entity: Mapping[str, Any],
        terms: Terms,
        kinds: list[EntityType],
        *,
        judge_terms: bool,
    ) -> list[Finding]:
        found: list[Finding] = []
        by_iri = {one.iri: one for kind in kinds for one in kind.attributes.values()}
        by_name = {one.name: one for kind in kinds for one in kind.attributes.values()}
        present: set[str] = set()
        judge = AttributeLint(name, self._area, terms)
        for term, value in entity.items():
            if not isinstance(term, str) or term in _MEMBERS:
                continue
            iri = terms.expand(term)
            declared = by_iri.get(iri) or by_name.get(term)
            present |= {iri, term}
            if judge_terms and terms.falls_to_default(term):
                found.append(_default_finding(name, term, term, declared))
            found += judge.attribute(term, value, declared)
        found += judge.system_times(dict(entity))
        if judge.bare:
            message = f"{len(judge.bare)} attributes are bare values, without unit and time"
            remedy = "ask for the normalised representation; ranges are judged in the model's unit"
            found.append(Finding(name, "", "simplified", message, remedy, "note"))
        for kind in kinds:
            for term in kind.required:
                if term not in present and kind.attributes[term].iri not in present:
                    message = f"{kind.name} requires `{term}`"
                    remedy = f"add it: {kind.attributes[term].help}"
                    found.append(Finding(name, term, "missing-required", message, remedy))
        return found


def _context_findings(name: str, said: Any) -> list[Finding]:
    urls = [said] if isinstance(said, str) else said if isinstance(said, list) else []
    if any(contexts.is_core(url) for url in urls):
        return []
    message = "there is no `@context`" if said is None else f"`@context` is {shown(said)}"
    remedy = f"add {contexts.CORE_URL} as its last entry"
    return [Finding(name, "@context", "no-core-context", message, remedy)]


def _id_findings(name: str, identifier: Any, place: int, seen: dict[str, int]) -> list[Finding]:
    if identifier is None or identifier == "":
        remedy = "give a URI, for example urn:ngsi-ld:Device:7"
        return [Finding(name, "id", "no-id", f"the entity at [{place}] has no id", remedy)]
    found = []
    if not is_uri(identifier):
        message = f"id {shown(identifier)} is no URI"
        remedy = "write urn:ngsi-ld:<type>:<id> without blanks (in a mapping table: `urn`)"
        found.append(Finding(name, "id", "id-not-uri", message, remedy))
    if isinstance(identifier, str):
        if identifier in seen:
            message = f"id {shown(identifier)} stands at [{seen[identifier]}] and at [{place}]"
            remedy = "merge the two, or give each its own id"
            found.append(Finding(name, "id", "duplicate-id", message, remedy))
        seen.setdefault(identifier, place)
    return found


def _default_finding(
    name: str, attribute: str, term: str, declared: Attribute | EntityType | None
) -> Finding:
    message = f"{shown(term)} falls to the default context: nobody says what it means"
    remedy = "add a context that defines it"
    if declared is not None:
        remedy = f"add a context that maps it to {declared.iri}"
    return Finding(name, attribute, "default-context", message, remedy, "warning")
