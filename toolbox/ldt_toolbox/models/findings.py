"""What lint finds: one record per defect, with its remedy."""

import math
import re
import reprlib
from dataclasses import dataclass
from typing import Any

from ldt_toolbox.models.schema import URI_PATTERN

#: Every code that lint can give, and what it means.
CODES = {
    "not-an-entity": "the value is no JSON object",
    "no-core-context": "`@context` does not name the NGSI-LD core context",
    "unknown-context": "a context could not be had, so that its terms could not be judged",
    "no-id": "the entity has no id",
    "id-not-uri": "the id is no URI",
    "duplicate-id": "two entities have the same id",
    "no-type": "the entity has no type",
    "unknown-type": "no model is declared for the type",
    "default-context": "a term falls to NGSI-LD's default context: nobody says what it means",
    "missing-required": "an attribute that the model requires is missing",
    "simplified": "attributes came as bare values, without unit and time",
    "wrong-kind": "the attribute is of another kind than the model says",
    "unknown-kind": "the attribute's type is no kind of NGSI-LD, such as a type of NGSI v2",
    "no-value": "the attribute holds nothing",
    "null-value": "the attribute holds null, which NGSI-LD does not know",
    "deleted": "the attribute holds an NGSI-LD Null: it was deleted",
    "wrong-value": "the value is of another type than the model says",
    "not-in-list": "the value is none of those that the model lists",
    "relationship-not-uri": "a Relationship points to something that is no URI",
    "dataset-not-uri": "a datasetId is no URI",
    "number-without-unit": "a number has no unitCode",
    "unknown-unit": "the unitCode is no code of UN/CEFACT Recommendation 20 that the table knows",
    "other-unit": "the unit is another one than the model's",
    "out-of-range": "the number cannot be",
    "date-not-iso": "a time is not ISO 8601",
    "date-not-utc": "a time has no zone, or is not in UTC",
    "swapped-coordinates": "latitude stands before longitude",
    "coordinates-out-of-range": "a position is no longitude and latitude",
    "outside-territory": "a position is outside of the territory",
    "no-geometry": "a GeoProperty holds no geometry",
}
SEVERITIES = ("error", "warning", "note")

_URI = re.compile(URI_PATTERN)
_NO_URI = re.compile(r"[\x00-\x20<>\"{}|\\^`\x7f]")
_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxlist, _SHORT.maxdict = 3, 6, 4
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80


@dataclass(frozen=True)
class Finding:
    """One defect of one entity.

    Attributes
    ----------
    entity : str
        Id of the entity, or its place in the list if it has none, for example ``[3]``.
    attribute : str
        Attribute, ``name.sub`` for an attribute of an attribute; empty for the entity itself.
    code : str
        One of `CODES`.
    message : str
        The thing and its value.
    remedy : str
        The next step.
    severity : str
        `error`, `warning` or `note`.
    """

    entity: str
    attribute: str
    code: str
    message: str
    remedy: str
    severity: str = "error"

    def __str__(self) -> str:
        where = f"{self.entity} {self.attribute}".rstrip()
        return f"{self.severity} {where}: {self.message}: {self.remedy} [{self.code}]"


def shown(value: Any) -> str:
    """Text of a value that stays short, however deep or long it is."""
    try:
        return _SHORT.repr(value)
    except ValueError:  # an integer of more digits than Python prints
        return f"a {type(value).__name__}"


def is_uri(value: Any) -> bool:
    """Whether a value is an absolute URI (RFC 3986): a scheme, a colon, no forbidden character.

    Examples
    --------
    >>> is_uri("urn:ngsi-ld:Device:7"), is_uri("Device:with blank"), is_uri("12")
    (True, False, False)
    """
    return isinstance(value, str) and bool(_URI.match(value)) and not _NO_URI.search(value)


def as_number(value: Any) -> float | None:
    """Return the finite float of a JSON number, else None; truth values are no numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
