"""Lint of the attributes of an entity, whatever representation they came in."""

from typing import Any

from ldt_toolbox.models import positions, times, units
from ldt_toolbox.models.contexts import Terms
from ldt_toolbox.models.findings import Finding, as_number, is_uri, shown
from ldt_toolbox.models.positions import Area
from ldt_toolbox.models.schema import GEOMETRIES
from ldt_toolbox.models.types import ANY_UNIT, Attribute

#: What holds the content of an attribute, by kind (ETSI GS CIM 009, clause 4.5).
CONTENT = {
    "Property": "value",
    "GeoProperty": "value",
    "Relationship": "object",
    "LanguageProperty": "languageMap",
    "VocabProperty": "vocab",
    "JsonProperty": "json",
    "ListProperty": "valueList",
    "ListRelationship": "objectList",
}
#: Kinds that may stand where a model says another: the same thing, said more exactly.
_FINER = {
    "Property": ("VocabProperty", "JsonProperty", "ListProperty"),
    "Relationship": ("ListRelationship",),
}
_SERIES = ("values", "objects", "languageMaps", "vocabs", "jsons", "valueLists", "objectLists",
           "objectsLists")  # fmt: skip
#: Members that a notification adds to tell what was there before (clause 5.2.14).
PREVIOUS = ("previousValue", "previousObject", "previousLanguageMap", "previousVocab",
            "previousJson", "previousValueList", "previousObjectList")  # fmt: skip
_RESERVED = frozenset(
    (*CONTENT.values(), *_SERIES, *PREVIOUS, "type", "@type", "@id", "id", "@value", "@context",
     "unitCode", "observedAt", "createdAt", "modifiedAt", "deletedAt", "datasetId", "instanceId",
     "lang", "expiresAt", "valueType", "objectType", "entity", "entityList", "coordinates",
     "geometries", "bbox")
)  # fmt: skip
_TIMES = ("observedAt", "createdAt", "modifiedAt", "deletedAt", "expiresAt")
#: Times that the entity itself may have (clause 4.8).
SYSTEM_TIMES = ("createdAt", "modifiedAt", "deletedAt", "expiresAt")
NULL = "urn:ngsi-ld:null"
#: What stands in the place of a value where an attribute was deleted: NGSI-LD Null (clause 4.5.0).
DELETED = (NULL, [NULL], {"@none": NULL})
_DEEPEST = 3
_MANY = 1000


class AttributeLint:
    """Judges the attributes of one entity.

    Parameters
    ----------
    entity : str
        Id for the findings.
    area : Area or None
        Where the territory is.
    terms : Terms
        What the entity's context defines.

    Attributes
    ----------
    bare : list of str
        Attributes that came as bare values, without unit and time.
    """

    def __init__(self, entity: str, area: Area | None, terms: Terms) -> None:
        self._entity = entity
        self._area = area
        self._terms = terms
        self.bare: list[str] = []

    def attribute(
        self, name: str, value: Any, model: Attribute | None, depth: int = 0
    ) -> list[Finding]:
        """Judge an attribute: one instance, or a list of them.

        Parameters
        ----------
        name : str
            Term, ``name.sub`` below another attribute.
        value : object
            JSON.
        model : Attribute or None
            What the model says of it.
        depth : int
            How many attributes it is below.

        Returns
        -------
        list of Finding
        """
        several = isinstance(value, list) and any(_kind_of(one) for one in value[:_MANY])
        found: list[Finding] = []
        for instance in value[:_MANY] if several else [value]:
            found += self._instance(name, instance, model, depth)
        return found

    def _instance(
        self, name: str, instance: Any, model: Attribute | None, depth: int
    ) -> list[Finding]:
        kind = _kind_of(instance)
        if not kind and _foreign(instance):
            return self._foreign_kind(name, instance, model)
        if not kind:
            self.bare.append(name)
            content = instance.get("@value") if _typed(instance) else instance
            kind = model.kind if model else "GeoProperty" if _is_geometry(instance) else "Property"
            return self._content(name, content, kind, model, {}, simplified=True)
        found = self._kind(name, kind, model, instance)
        key = CONTENT[kind]
        if key in instance:
            found += self._content(name, instance[key], kind, model, instance, simplified=False)
        elif kind == "Property" and "values" in instance:
            found += self._series(name, instance, model)
        elif not any(series in instance for series in _SERIES):
            message = f"`{name}` is a {kind} without `{key}`"
            found.append(self._finding(name, "no-value", message, f"add `{key}`, or leave it out"))
        for time in _TIMES:
            if time in instance:
                found += self._time(f"{name}.{time}", instance[time], "date-time", utc=True)
        if "datasetId" in instance and not is_uri(instance["datasetId"]):
            message = f"datasetId of `{name}` is {shown(instance['datasetId'])}, which is no URI"
            remedy = "write a URI, for example urn:ngsi-ld:Dataset:radar"
            found.append(self._finding(name, "dataset-not-uri", message, remedy))
        for term, value in instance.items() if depth < _DEEPEST else ():
            if isinstance(term, str) and term not in _RESERVED:
                found += self.attribute(f"{name}.{term}", value, None, depth + 1)
        return found

    def _foreign_kind(
        self, name: str, instance: dict[str, Any], model: Attribute | None
    ) -> list[Finding]:
        """Judge an attribute whose type is none of NGSI-LD by the kind that it should be."""
        content = instance.get("object", instance.get("value"))
        kind = (
            model.kind if model
            else "Relationship" if "object" in instance
            else "GeoProperty" if _is_geometry(content)
            else "Property"
        )  # fmt: skip
        message = f"`{name}` has the type {shown(instance['type'])}, no kind of NGSI-LD"
        remedy = f"write it as a {kind} with `{CONTENT[kind]}`"
        found = [self._finding(name, "unknown-kind", message, remedy)]
        return found + self._content(name, content, kind, model, instance, simplified=False)

    def system_times(self, entity: dict[Any, Any]) -> list[Finding]:
        """Judge the times of the entity itself: texts, no attributes."""
        found: list[Finding] = []
        for name in SYSTEM_TIMES:
            if name in entity:
                found += self._time(name, entity[name], "date-time", utc=True)
        return found

    def _kind(
        self, name: str, kind: str, model: Attribute | None, instance: dict[str, Any]
    ) -> list[Finding]:
        if model is None or kind == model.kind or kind in _FINER.get(model.kind, ()):
            return []
        if model.kind == "LanguageProperty" and kind == "Property" and "lang" in instance:
            return []  # the answer to a query with `lang` (clause 4.15)
        message = f"`{name}` is a {kind}, the model says {model.kind}"
        remedy = f"write it as a {model.kind} with `{CONTENT[model.kind]}`"
        return [self._finding(name, "wrong-kind", message, remedy)]

    def _content(
        self, name: str, content: Any, kind: str, model: Attribute | None,
        instance: dict[str, Any], *, simplified: bool,
    ) -> list[Finding]:  # fmt: skip
        if content is None:
            message = f"`{name}` is null, which NGSI-LD does not know"
            return [self._finding(name, "null-value", message, "leave the attribute out")]
        if content in DELETED:
            message = f"`{name}` was deleted: it holds {NULL} (clause 4.5.0)"
            remedy = "that is for notifications and merges; leave it out of what is created"
            return [self._finding(name, "deleted", message, remedy, severity="warning")]
        if kind in ("Relationship", "ListRelationship"):
            return self._relationship(name, content)
        if kind == "GeoProperty":
            fault = positions.fault(content, area=self._area)
            if fault is None:
                return []
            severity = "warning" if fault.code == "outside-territory" else "error"
            return [self._finding(name, *fault, severity=severity)]
        if kind == "LanguageProperty":
            if isinstance(content, dict) or (simplified and isinstance(content, str)):
                return []
            message = f"`{name}` is {shown(content)}, no map of language to text"
            remedy = 'write {"en": "…", "fr": "…"}'
            return [self._finding(name, "wrong-value", message, remedy)]
        if kind != "Property" or (model is not None and model.kind != "Property"):
            return []
        if _typed(content):
            return self._typed_value(name, content, model)
        found = self._value(name, content, model)
        number = as_number(content)
        if number is not None and not found:
            found += self._number(name, number, model, instance.get("unitCode"), simplified)
        return found

    def _series(
        self, name: str, instance: dict[str, Any], model: Attribute | None
    ) -> list[Finding]:
        """Pairs of value and time, as `temporalValues` gives them: the first defect of a kind."""
        first: dict[str, Finding] = {}
        pairs = instance["values"] if isinstance(instance["values"], list) else []
        for pair in pairs[:_MANY]:
            if isinstance(pair, list) and len(pair) == 2:
                value, time = pair
                found = self._content(name, value, "Property", model, instance, simplified=True)
                found += self._time(f"{name}.values", time, "date-time", utc=True)
                for one in found:
                    first.setdefault(one.code, one)
        return list(first.values())

    def _relationship(self, name: str, content: Any) -> list[Finding]:
        targets = content if isinstance(content, list) else [content]
        for one in targets[:_MANY]:
            # Inline, a linked entity stands in the place of its id (clause 4.5.23)
            target = (
                one.get("object", one.get("@id", one.get("id"))) if isinstance(one, dict) else one
            )
            if not is_uri(target):
                message = f"Relationship `{name}` points to {shown(target)}, which is no URI"
                remedy = "give the id of an entity, or make it a Property"
                return [self._finding(name, "relationship-not-uri", message, remedy)]
        return []

    def _typed_value(
        self, name: str, content: dict[str, Any], model: Attribute | None
    ) -> list[Finding]:
        kinds = {"DateTime": "date-time", "Date": "date"}
        kind = kinds.get(str(content.get("@type")), "")
        if kind:
            return self._time(name, content.get("@value"), kind, utc=False)
        return self._value(name, content.get("@value"), model)

    def _value(self, name: str, content: Any, model: Attribute | None) -> list[Finding]:
        """Type and list of allowed values; times are judged by their own rules."""
        if model is None:
            return []
        if model.value in ("date-time", "date", "period"):
            return self._time(name, content, model.value, utc=False)
        if model.choices and content not in model.choices:
            allowed = ", ".join(str(one) for one in model.choices)
            message = f"`{name}` is {shown(content)}, none of the values of the model"
            return [self._finding(name, "not-in-list", message, f"use one of {allowed}")]
        fits = {
            "number": as_number(content) is not None,
            "text": isinstance(content, str),
            "boolean": isinstance(content, bool),
            "uri": is_uri(content),
            "object": isinstance(content, dict),
        }
        if fits.get(model.value, True):
            return []
        message = f"`{name}` is {shown(content)}, the model says {model.value}"
        remedy = f"write a {model.value}, or leave the attribute out"
        severity = "error" if model.value == "number" else "warning"
        return [self._finding(name, "wrong-value", message, remedy, severity=severity)]

    def _time(self, name: str, value: Any, kind: str, *, utc: bool) -> list[Finding]:
        if why := times.fault(value, kind):
            message = f"`{name}` is {shown(value)}, which {why}"
            example = "2024-07-01" if kind == "date" else "2024-07-01T12:00:00Z"
            remedy = f"write ISO 8601, for example {example}"
            return [self._finding(name, "date-not-iso", message, remedy)]
        ends = {one: times.read_date_time(one) for one in value.split("/")}
        zones = {one: at.tzinfo for one, at in ends.items() if at is not None}
        naive = None in zones.values()
        if naive or (utc and not all(one.endswith("Z") for one in zones)):
            what = "has no time zone" if naive else "is not in UTC"
            message = f"`{name}` is {shown(value)}, which {what}"
            remedy = "write UTC with a trailing Z (clause 4.6.3)"
            return [self._finding(name, "date-not-utc", message, remedy, severity="warning")]
        return []

    def _number(
        self, name: str, number: float, model: Attribute | None, code: Any, simplified: bool
    ) -> list[Finding]:
        wanted = model.unit if model else ""
        if code is None:
            found = [] if simplified else self._no_unit(name, number, model)
            return found + (self._range(name, number, model) if model else [])
        if not units.is_standard(code):
            message = f"unit {shown(code)} of `{name}` is not known"
            return [self._finding(name, "unknown-unit", message, units.suggestion(code))]
        if model is None or wanted in ("", ANY_UNIT) or code == wanted:
            return self._range(name, number, model) if model else []
        if not units.convertible(code, wanted):
            message = f"`{name}` is in {code}, which does not convert to {wanted} of the model"
            remedy = f"give it in {wanted}, or check whether it is another quantity"
            return [self._finding(name, "other-unit", message, remedy)]
        converted = units.convert(number, code, wanted, difference=model.difference)
        message = f"`{name}` is {number:.6g} {code}, the model's unit is {wanted}"
        remedy = f"write {converted:.6g} {wanted}"
        found = [self._finding(name, "other-unit", message, remedy, severity="warning")]
        return found + self._range(name, converted, model)

    def _no_unit(self, name: str, number: float, model: Attribute | None) -> list[Finding]:
        if model is not None and model.unit in ("", units.COUNT):
            return []
        message = f"`{name}` is {number:.6g} without unitCode"
        if model is None:
            remedy = 'add "unitCode", C62 if it is a plain number'
            return [self._finding(name, "number-without-unit", message, remedy, severity="note")]
        code = model.unit if model.unit != ANY_UNIT else "…"
        remedy = f'add "unitCode": "{code}" if that is its unit'
        return [self._finding(name, "number-without-unit", message, remedy, severity="warning")]

    def _range(self, name: str, number: float, model: Attribute) -> list[Finding]:
        low, high = model.minimum, model.maximum
        if (low is None or number >= low) and (high is None or number <= high):
            return []
        message = f"`{name}` is {number:.6g}, outside of {model.range_text}"
        remedy = "check the sensor, the unit and the code for missing values"
        return [self._finding(name, "out-of-range", message, remedy)]

    def _finding(
        self, attribute: str, code: str, message: str, remedy: str, *, severity: str = "error"
    ) -> Finding:
        return Finding(self._entity, attribute, code, message, remedy, severity)


def _kind_of(instance: Any) -> str:
    """Kind of a normalised or concise attribute; empty if it is neither."""
    if not isinstance(instance, dict):
        return ""
    said = instance.get("type", instance.get("@type"))
    if isinstance(said, str) and said in CONTENT:
        return said
    if said is not None:
        return ""
    for kind, key in CONTENT.items():
        if key in instance and kind != "GeoProperty":
            geometry = kind == "Property" and _is_geometry(instance[key])
            return "GeoProperty" if geometry else kind
    return ""


def _foreign(value: Any) -> bool:
    """Whether an object is an attribute of another form, such as that of NGSI v2."""
    if not isinstance(value, dict) or _is_geometry(value) or _typed(value):
        return False
    return isinstance(value.get("type"), str) and ("value" in value or "object" in value)


def _is_geometry(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type") in (*GEOMETRIES, "GeometryCollection")


def _typed(value: Any) -> bool:
    return isinstance(value, dict) and "@value" in value
