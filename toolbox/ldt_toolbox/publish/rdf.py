"""A small RDF model with two writers, JSON-LD and Turtle, that say the same."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PREFIXES: Mapping[str, str] = {
    "as": "https://www.w3.org/ns/activitystreams#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcatap": "http://data.europa.eu/r5r/",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "geo": "http://www.opengis.net/ont/geosparql#",
    "ldes": "https://w3id.org/ldes#",
    "ldt": "urn:ldt-toolbox:model:",
    "ngsi-ld": "https://uri.etsi.org/ngsi-ld/",
    "prov": "http://www.w3.org/ns/prov#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "sdm": "https://smartdatamodels.org/",
    "spdx": "http://spdx.org/rdf/terms#",
    "tree": "https://w3id.org/tree#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_LOCAL = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_NO_IRI = re.compile(r'[\x00-\x20<>"{}|^`\\]')
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


@dataclass(frozen=True)
class Iri:
    """Reference to a resource: absolute, or relative to the document; a CURIE is written out."""

    value: str


@dataclass(frozen=True)
class Literal:
    """Text with a language or a datatype (full IRI); plain text without either."""

    text: str
    datatype: str = ""
    language: str = ""


@dataclass
class Node:
    """A resource and what is said of it.

    Attributes
    ----------
    id : str
        IRI, absolute or relative to the document; empty for a blank node.
    types : tuple of str
        CURIEs or IRIs.
    said : dict of str to list
        Values by property (CURIE or IRI).
    """

    id: str = ""
    types: tuple[str, ...] = ()
    said: dict[str, list["Iri | Literal | Node"]] = field(default_factory=dict)

    def add(self, name: str, *values: "Iri | Literal | Node | None") -> "Node":
        """Say something; None is left out."""
        there = [value for value in values if value is not None]
        if there:
            self.said.setdefault(name, []).extend(there)
        return self


def expanded(name: str) -> str:
    """IRI of a CURIE; anything else is one already.

    Examples
    --------
    >>> expanded("dct:title"), expanded("urn:ngsi-ld:A:1")
    ('http://purl.org/dc/terms/title', 'urn:ngsi-ld:A:1')
    """
    prefix, colon, rest = name.partition(":")
    return PREFIXES[prefix] + rest if colon and prefix in PREFIXES else name


def typed(text: str, datatype: str) -> Literal:
    """Literal of a datatype given as CURIE."""
    return Literal(text, expanded(datatype))


def texts(by_language: Mapping[str, str]) -> list[Literal]:
    """Literals of a text in several languages."""
    return [Literal(text, language=language) for language, text in by_language.items() if text]


def number(value: float) -> Literal:
    """Literal of a number."""
    if isinstance(value, bool):
        return typed(str(value).lower(), "xsd:boolean")
    if isinstance(value, int):
        return typed(str(value), "xsd:integer")
    return typed(repr(float(value)), "xsd:double")


def to_jsonld(nodes: Sequence[Node]) -> str:
    """Write nodes as JSON-LD with the prefixes that they use."""
    graph = [_json_node(node) for node in nodes]
    context = {prefix: PREFIXES[prefix] for prefix in _used(nodes)}
    document = {"@context": context, "@graph": graph}
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def to_turtle(nodes: Sequence[Node]) -> str:
    """Write nodes as Turtle (RDF 1.1)."""
    head = [f"@prefix {prefix}: <{PREFIXES[prefix]}> ." for prefix in _used(nodes)]
    blocks = [f"{_iri(node.id)}{_turtle_said(node, 1)} ." for node in nodes]
    return "\n".join(head) + "\n\n" + "\n\n".join(blocks) + "\n"


def _used(nodes: Iterable[Node]) -> list[str]:
    found: set[str] = {"rdf"}
    for node in nodes:
        for iri in _iris(node):
            found |= {
                prefix
                for prefix, start in PREFIXES.items()
                if iri.startswith((start, f"{prefix}:"))
            }
    return sorted(found)


def _iris(node: Node) -> Iterable[str]:
    yield from node.types
    for name, values in node.said.items():
        yield name
        for value in values:
            if isinstance(value, Node):
                yield from _iris(value)
            elif isinstance(value, Literal):
                yield value.datatype
            else:
                yield value.value


def _json_node(node: Node) -> dict[str, Any]:
    made: dict[str, Any] = {"@id": _valid(node.id)} if node.id else {}
    if node.types:
        made["@type"] = [expanded(kind) for kind in node.types]
    for name, values in node.said.items():
        listed = [_json_value(value) for value in values]
        made[_curie(name)] = listed[0] if len(listed) == 1 else listed
    return made


def _json_value(value: Iri | Literal | Node) -> Any:
    if isinstance(value, Node):
        return _json_node(value)
    if isinstance(value, Iri):
        return {"@id": _valid(expanded(value.value))}
    if value.language:
        return {"@value": value.text, "@language": value.language}
    return {"@value": value.text, "@type": value.datatype} if value.datatype else value.text


def _turtle_said(node: Node, depth: int) -> str:
    lines = []
    if node.types:
        lines.append("a " + ", ".join(_curie_or_iri(kind) for kind in node.types))
    for name, values in node.said.items():
        lines.append(
            f"{_curie_or_iri(name)} " + ", ".join(_turtle_value(value, depth) for value in values)
        )
    pad = "  " * depth
    return f"\n{pad}" + f" ;\n{pad}".join(lines)


def _turtle_value(value: Iri | Literal | Node, depth: int) -> str:
    if isinstance(value, Node):
        if value.id:
            raise ValueError(f"{value.id} has a name: write it as a node of its own")
        return f"[{_turtle_said(value, depth + 1)}\n{'  ' * depth}]"
    if isinstance(value, Iri):
        return _curie_or_iri(value.value)
    quoted = '"' + "".join(_escaped(sign) for sign in value.text) + '"'
    if value.language:
        return f"{quoted}@{value.language}"
    return f"{quoted}^^{_curie_or_iri(value.datatype)}" if value.datatype else quoted


def _escaped(sign: str) -> str:
    if sign in _ESCAPES:
        return _ESCAPES[sign]
    return f"\\u{ord(sign):04X}" if ord(sign) < 0x20 else sign


def _curie(name: str) -> str:
    iri = expanded(name)
    for prefix, start in PREFIXES.items():
        if iri.startswith(start) and _LOCAL.fullmatch(iri[len(start) :]):
            return f"{prefix}:{iri[len(start) :]}"
    return iri


def _curie_or_iri(name: str) -> str:
    short = _curie(name)
    return short if short != expanded(name) else _iri(short)


def _iri(iri: str) -> str:
    return f"<{_valid(iri)}>"


def _valid(iri: str) -> str:
    """Write signs that no IRI holds (RDF 1.1 Turtle, IRIREF) as %XX."""
    return _NO_IRI.sub(lambda found: f"%{ord(found[0]):02X}", iri)
