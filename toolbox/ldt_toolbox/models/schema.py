"""JSON Schema 2020-12 of the entity types, made from their declarations."""

from typing import Any

from ldt_toolbox.models.times import DATE_PATTERN, DATE_TIME_PATTERN
from ldt_toolbox.models.types import ANY_UNIT, Attribute, EntityType
from ldt_toolbox.models.units import COUNT

DIALECT = "https://json-schema.org/draft/2020-12/schema"
#: Start of an absolute URI (RFC 3986, section 3.1): a scheme, a colon, no blank after it.
URI_PATTERN = r"^[A-Za-z][A-Za-z0-9+.\-]*:[^\s]+$"
#: GeoJSON geometries that NGSI-LD has: all but GeometryCollection (clause 4.6.3).
GEOMETRIES = (
    "Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon",
)  # fmt: skip

_URI = {"type": "string", "pattern": URI_PATTERN}
_DATE_TIME = {"type": "string", "pattern": DATE_TIME_PATTERN}
_VALUES: dict[str, dict[str, Any]] = {
    "number": {"type": "number"},
    "text": {"type": "string"},
    "boolean": {"type": "boolean"},
    "date-time": _DATE_TIME,
    "date": {"type": "string", "pattern": DATE_PATTERN},
    "period": {"type": "string", "pattern": r"^(\d{4}-\d{2}-\d{2}|P\d|PT\d)"},
    "uri": _URI,
    "object": {"type": "object"},
    "list": {"type": ["array", "string", "object"]},
    "any": {},
}


def normalised(kind: EntityType) -> dict[str, Any]:
    """Schema of an entity in NGSI-LD's normalised representation (clause 4.5.1).

    Parameters
    ----------
    kind : EntityType
        Type to describe.

    Returns
    -------
    dict
        JSON Schema 2020-12. A value may be one attribute instance or a list of instances with
        their `datasetId`. Ranges hold in the unit of the model, which `unitCode` must name.
    """
    attributes = {name: _instances(_instance(one)) for name, one in kind.attributes.items()}
    return _schema(kind, "normalised", attributes)


def key_values(kind: EntityType) -> dict[str, Any]:
    """Schema of an entity in the simplified representation, `keyValues` (clause 4.5.4).

    Parameters
    ----------
    kind : EntityType
        Type to describe.

    Returns
    -------
    dict
        JSON Schema 2020-12. Units are lost in this representation: ranges are those of the
        model's unit.
    """
    attributes = {name: _bare(one) for name, one in kind.attributes.items()}
    return _schema(kind, "key-values", attributes)


def _schema(kind: EntityType, form: str, attributes: dict[str, Any]) -> dict[str, Any]:
    return {
        "$schema": DIALECT,
        "$id": f"urn:ldt-toolbox:schema:{kind.name}:{form}:{kind.version}",
        "title": f"{kind.name}, {form}",
        "description": kind.help,
        "type": "object",
        "required": ["id", "type", *kind.required],
        "properties": {
            "id": _URI,
            "type": {
                "anyOf": [
                    {"const": kind.name},
                    {"const": kind.iri},
                    {"type": "array", "contains": {"enum": [kind.name, kind.iri]}},
                ]
            },
            "@context": {"type": ["string", "array", "object"]},
            **attributes,
        },
    }


def _instances(instance: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [instance, {"type": "array", "minItems": 1, "items": instance}]}


def _instance(one: Attribute) -> dict[str, Any]:
    key = {
        "Property": "value",
        "GeoProperty": "value",
        "Relationship": "object",
        "LanguageProperty": "languageMap",
    }[one.kind]
    required = ["type", key]
    properties: dict[str, Any] = {
        "type": {"const": one.kind},
        key: _simple(one),
        "observedAt": _DATE_TIME,
        "datasetId": _URI,
    }
    if one.unit == ANY_UNIT:
        properties["unitCode"] = {"type": "string", "minLength": 2, "maxLength": 3}
    elif one.unit:
        properties["unitCode"] = {"const": one.unit}
    if one.unit not in ("", COUNT, ANY_UNIT):
        required.append("unitCode")
    return {
        "type": "object",
        "description": one.help,
        "required": required,
        "properties": properties,
    }


def _bare(one: Attribute) -> dict[str, Any]:
    """In the simplified representation a LanguageProperty keeps its `languageMap`."""
    if one.kind != "LanguageProperty":
        return _simple(one)
    return {
        "type": "object",
        "required": ["languageMap"],
        "properties": {"languageMap": _simple(one)},
    }


def _simple(one: Attribute) -> dict[str, Any]:
    if one.kind == "Relationship":
        many = {"type": "array", "minItems": 1, "items": _URI}
        return {"anyOf": [_URI, many]} if one.many else dict(_URI)
    if one.kind == "GeoProperty":
        return {
            "type": "object",
            "required": ["type"],
            "properties": {"type": {"enum": list(GEOMETRIES)}},
        }
    if one.kind == "LanguageProperty":
        texts = {"type": ["string", "array"]}
        return {"type": "object", "minProperties": 1, "additionalProperties": texts}
    schema = dict(_VALUES[one.value])
    if one.minimum is not None:
        schema["minimum"] = one.minimum
    if one.maximum is not None:
        schema["maximum"] = one.maximum
    if one.choices:
        schema["enum"] = list(one.choices)
    return schema
