"""JSON-LD contexts of the entity types, resolved without a network."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ldt_toolbox.documents import Document
from ldt_toolbox.errors import WrongUseError
from ldt_toolbox.models.types import Catalogue, EntityType, catalogue, shared_terms

CORE_URL = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.8.jsonld"
DEFAULT_VOCABULARY = "https://uri.etsi.org/ngsi-ld/default-context/"

_CORE = re.compile(
    r"https?://(?:uri\.etsi\.org|easy-global-market\.github\.io)/"
    r"(?:[\w.-]+/)*ngsi-ld-core-context(?:-v1\.\d+)?\.jsonld"
)
_SUBJECT = re.compile(
    r"https://(?:raw\.githubusercontent\.com/smart-data-models|smart-data-models\.github\.io)/"
    r"(?P<subject>dataModel\.[\w-]+)/(?:[\w.-]+/)?context\.jsonld"
)
#: Contexts inside contexts are followed this deep; JSON-LD leaves the limit to the processor.
_DEEPEST = 10

Load = Callable[[str], Mapping[str, Any]]


class ContextError(WrongUseError, LookupError):
    """A context cannot be had without a network."""


@cache
def _core() -> Mapping[str, Any]:
    said = Document(Path(__file__).parent / "core-context.yaml").data
    terms: dict[str, Any] = {term: f"ngsi-ld:{term}" for term in said["plain"]}
    terms |= {term: f"ngsi-ld:{name}" for term, name in said["renamed"].items()}
    terms |= {term: f"geojson:{term}" for term in said["geojson_plain"]}
    terms |= said["other"]
    for term in said["date_time"]:
        terms[term] = {"@id": f"ngsi-ld:{term}", "@type": "DateTime"}
    typed = {"id": "@id", "vocab": "@vocab", "json": "@json"}
    for group, kind in typed.items():
        for term, name in said[group].items():
            terms[term] = {"@id": f"ngsi-ld:{name}", "@type": kind}
    for group in ("language", "index", "list"):
        for term, name in said[group].items():
            terms[term] = {"@id": f"ngsi-ld:{name}", "@container": f"@{group}"}
    for container in ("list", "set"):
        for term in said[f"geojson_{container}"]:
            terms[term] = {"@id": f"geojson:{term}", "@container": f"@{container}"}
    head = {
        "@version": 1.1, "@protected": True, "ngsi-ld": said["ngsi_ld"],
        "geojson": said["geojson"], "id": "@id", "type": "@type",
    }  # fmt: skip
    # the standard gives these two no namespace, so that they fall to the vocabulary
    own = {"attributeCount": "attributeCount", "attributeDetails": "attributeDetails"}
    return {**head, **dict(sorted((terms | own).items())), "@vocab": said["vocabulary"]}


def core() -> dict[str, Any]:
    """Return the NGSI-LD core context, version 1.8.

    Returns
    -------
    dict
        Document with one key, ``@context``.

    Notes
    -----
    The term map is that of ETSI GS CIM 009 V1.8.1, Annex B.
    """
    return {"@context": dict(_core())}


def is_core(url: object) -> bool:
    """Whether an address is that of the NGSI-LD core context, of any version.

    Examples
    --------
    >>> is_core("https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.6.jsonld")
    True
    """
    return isinstance(url, str) and _CORE.fullmatch(url) is not None


def subject_url(subject: str) -> str:
    """Address at which the Smart Data Models programme publishes the context of a subject."""
    return f"https://raw.githubusercontent.com/smart-data-models/{subject}/master/context.jsonld"


def subject_context(subject: str, *, models: Catalogue | None = None) -> dict[str, Any]:
    """Make the context of a subject from its declarations.

    Parameters
    ----------
    subject : str
        For example ``dataModel.Weather`` or ``ldt-toolbox``.
    models : Catalogue, optional
        Types to read; those of the toolbox if left out.

    Returns
    -------
    dict
        Document with one key, ``@context``; terms in alphabetical order. Terms of the core
        context are left to it. Upstream contexts hold more terms: those of the types that the
        toolbox does not declare.

    Raises
    ------
    ContextError
        If no type of the subject is declared.
    """
    subjects = (models or catalogue()).subjects()
    if subject not in subjects:
        raise ContextError(
            f"context of {subject!r} is not at hand: use one of {', '.join(sorted(subjects))}"
        )
    terms = dict(shared_terms())
    for kind in subjects[subject]:
        terms |= type_terms(kind)
    return {"@context": {term: terms[term] for term in sorted(terms) if term not in _core()}}


def type_terms(kind: EntityType) -> dict[str, str]:
    """Terms of one type and their IRIs, without those of the core context."""
    terms = {kind.name: kind.iri, **kind.also}
    terms |= {name: one.iri for name, one in kind.attributes.items()}
    return {term: iri for term, iri in terms.items() if term not in _core()}


def context_of(type_name: str, *, models: Catalogue | None = None) -> list[Any]:
    """Return what an entity of a type carries as ``@context``.

    Parameters
    ----------
    type_name : str
        For example ``WeatherObserved``.
    models : Catalogue, optional
        Types to read; those of the toolbox if left out.

    Returns
    -------
    list
        The published address (Smart Data Models) or the terms themselves (own types, which no
        host serves), then the core context.
    """
    kind = (models or catalogue())[type_name]
    if kind.subject.startswith("dataModel."):
        return [subject_url(kind.subject), CORE_URL]
    return [dict(sorted(type_terms(kind).items())), CORE_URL]


def load(url: str) -> dict[str, Any]:
    """Return a context document without a network.

    Parameters
    ----------
    url : str
        Address of the NGSI-LD core context or of a subject of the Smart Data Models programme.

    Returns
    -------
    dict
        Document with one key, ``@context``. Every version of the core context is answered with
        that of 1.8; a subject with the terms that the toolbox declares.

    Raises
    ------
    ContextError
        If the toolbox does not have it.
    """
    if is_core(url):
        return core()
    match = _SUBJECT.fullmatch(url) if isinstance(url, str) else None
    if match and match["subject"] in catalogue().subjects():
        return subject_context(match["subject"])
    raise ContextError(
        f"context {url!r:.200} is not at hand offline: give its content as a dictionary in "
        "`@context`, or a `load` function that knows it"
    )


@dataclass(frozen=True)
class Terms:
    """A context, worked out.

    Attributes
    ----------
    iris : mapping of str to str
        IRI (or JSON-LD keyword) by term.
    vocabulary : str
        What a term that is not listed is put behind.
    unresolved : tuple of str
        Addresses of contexts that could not be had: what they define is not known.
    """

    iris: Mapping[str, str]
    vocabulary: str
    unresolved: tuple[str, ...]

    def expand(self, term: str) -> str:
        """Return the IRI of a term, as JSON-LD 1.1 expands it (IRI expansion, section 5.2.2)."""
        if term in self.iris:
            return self.iris[term]
        if term.startswith("@"):
            return term
        prefix, colon, rest = term.partition(":")
        if colon:
            known = prefix in self.iris and not rest.startswith("//")
            return self.iris[prefix] + rest if known else term
        return self.vocabulary + term

    def compact(self, iri: str) -> str:
        """Return the shortest term of an IRI, or the IRI itself."""
        found = sorted((len(term), term) for term, one in self.iris.items() if one == iri)
        if found:
            return found[0][1]
        return iri.removeprefix(self.vocabulary) if self.vocabulary else iri

    def falls_to_default(self, term: str) -> bool:
        """Whether nothing defines the term, so that it lands in NGSI-LD's default context."""
        return self.expand(term).startswith(DEFAULT_VOCABULARY)


def terms(context: Any, *, load: Load = load) -> Terms:
    """Work out what a ``@context`` defines; the core context comes last and wins.

    Parameters
    ----------
    context : str, mapping, list or None
        Value of ``@context``.
    load : callable
        Takes an address and returns a context document; raises `LookupError` or `OSError` if it
        cannot. `ldt_toolbox.models.contexts.load` if left out.

    Returns
    -------
    Terms
        Clause 5.5.7 of ETSI GS CIM 009: the core context is always processed as the last one.
    """
    iris: dict[str, str] = {}
    unresolved: list[str] = []
    _gather(context, load, iris, unresolved, 0)
    vocabulary = _define(_core(), iris)
    return Terms(iris, vocabulary or DEFAULT_VOCABULARY, tuple(unresolved))


def _gather(
    context: Any, load: Load, iris: dict[str, str], unresolved: list[str], depth: int
) -> None:
    if isinstance(context, list):
        for one in context:
            if not isinstance(one, list):
                _gather(one, load, iris, unresolved, depth)
    elif isinstance(context, str):
        if is_core(context):
            return
        try:
            document = load(context) if depth < _DEEPEST else {}
            inner = document["@context"]
        except (LookupError, OSError, TypeError, AttributeError):
            unresolved.append(context)
            return
        _gather(inner, load, iris, unresolved, depth + 1)
    elif isinstance(context, Mapping):
        _define(context, iris)


def _define(context: Mapping[Any, Any], iris: dict[str, str]) -> str:
    """Add the terms of one context; returns its vocabulary."""
    written: dict[str, str] = {}
    for term, value in context.items():
        if isinstance(value, Mapping):
            value = value.get("@id", term if ":" in str(term) else None)
        if isinstance(value, str) and not str(term).startswith("@"):
            written[str(term)] = value
        elif value is None:
            iris.pop(str(term), None)
    vocabulary = context.get("@vocab")
    vocabulary = vocabulary if isinstance(vocabulary, str) else ""
    for term in written:
        iris[term] = _resolve(written[term], written, iris, vocabulary)
    return vocabulary


def _resolve(
    value: str, written: Mapping[str, str], iris: Mapping[str, str], vocabulary: str
) -> str:
    """Follow prefixes and aliases to an absolute IRI; a circle ends where it began."""
    followed: set[str] = set()
    while not value.startswith("@"):
        prefix, colon, rest = value.partition(":")
        if colon and rest.startswith("//"):
            break
        if not colon and value not in written:
            return iris.get(value, vocabulary + value)
        if prefix in followed or prefix not in written:
            known = iris[prefix] + rest if colon and prefix in iris else value
            return known if colon else vocabulary + known
        followed.add(prefix)
        value = written[prefix] + rest
    return value
