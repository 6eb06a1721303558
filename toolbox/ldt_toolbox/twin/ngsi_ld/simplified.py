"""Simplified entities that come in with a merge (6.5.3.4, `format=simplified`)."""

from collections.abc import Mapping
from typing import Any

from ldt_toolbox.twin.query.boxes import GEOMETRY_TYPES
from ldt_toolbox.twin.store import VALUE_KEY, Doc

_OWN = ("languageMap", "vocab", "json", "object", "valueList", "objectList", "dataset")


def attributes_of(
    fragment: Mapping[str, Any], before: Doc | None, expand: Any, *, lang: str = ""
) -> dict[str, Any]:
    """Write simplified attributes as concise ones, of the types that they have already.

    Parameters
    ----------
    fragment : mapping
        JSON that came in.
    before : dict or None
        Document that it goes to.
    expand : callable
        IRI of a name.
    lang : str
        Language of texts that go to a LanguageProperty.
    """
    kept = {"id", "type", "scope", "@context", "@id", "@type"}
    out: dict[str, Any] = {}
    for name, value in fragment.items():
        there = before["attrs"].get(expand(name), ()) if before and name not in kept else ()
        kind = there[0]["type"] if there else ""
        out[name] = value if name in kept else _attribute(value, kind, lang)
    return out


def _attribute(value: Any, kind: str, lang: str) -> Any:
    if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in _OWN:
        return value
    if isinstance(value, dict) and value.get("type") in GEOMETRY_TYPES:
        return {"type": "GeoProperty", "value": value}
    if kind == "LanguageProperty" and not isinstance(value, dict):
        return {"type": kind, "languageMap": {lang or "@none": value}}
    if kind and kind != "GeoProperty":
        return {"type": kind, VALUE_KEY[kind]: value}
    return {"type": "Property", "value": value}
