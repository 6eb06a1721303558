"""Which entities are asked for and in what form (GS CIM 009 V1.8.1, 5.7.2, 6.3.7, 6.4.3.2)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import urlencode

from ldt_toolbox.clients.ngsi_ld.geo import GeoQuery
from ldt_toolbox.clients.ngsi_ld.query import Expression
from ldt_toolbox.errors import WrongUseError

Representation = Literal["normalized", "concise", "simplified", "geojson", "simplified-geojson"]
"""Form of entities: 4.5.1, 4.5.1 concise, 4.5.4 (keyValues), 4.5.16 and 4.5.17."""

Names = str | Sequence[str]
"""One name or several."""

LONGEST_URL = 4000
"""Characters of a URL above which a query is sent with POST; servers begin to refuse at 8000."""

_FORMATS = {
    "normalized": "",
    "geojson": "",
    "concise": "concise",
    "simplified": "simplified",
    "simplified-geojson": "simplified",
}


# A linked attribute's members: names, one by one, after the attribute's own
_BRACES = re.compile(r"(?<=[^{},|])\{[^{},|]+(?:,[^{},|]+)*\}")


def many(names: Names | None) -> tuple[str, ...]:
    """Names as a tuple; None gives an empty one."""
    if names is None:
        return ()
    return (names,) if isinstance(names, str) else tuple(names)


def url_length(params: Mapping[str, str]) -> int:
    """Characters that parameters take in a URL."""
    return len(urlencode(params))


def accept_of(representation: Representation) -> str:
    """Media type that goes with a representation (6.3.4)."""
    if representation not in _FORMATS:
        raise WrongUseError(
            f"representation {representation!r} is none of {', '.join(_FORMATS)}; choose one"
        )
    return "application/geo+json" if "geojson" in representation else "application/json"


def form_params(
    representation: Representation, *, sys_attrs: bool, style: Literal["format", "options"]
) -> dict[str, str]:
    """URL parameters that choose a representation (Table 6.3.7-1).

    Parameters
    ----------
    representation : str
        Form of the entities.
    sys_attrs : bool
        Whether createdAt and modifiedAt are wanted (6.3.11).
    style : {"format", "options"}
        `format` is that of 1.8; servers of earlier versions know `options` only.
    """
    name = _FORMATS[representation]
    options = ["sysAttrs"] if sys_attrs else []
    params: dict[str, str] = {}
    if name and style == "options":
        options.insert(0, "keyValues" if name == "simplified" else name)
    elif name:
        params["format"] = name
    if options:
        params["options"] = ",".join(options)
    return params


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Conditions and projection of a query.

    Attributes
    ----------
    type : str
        Types by the type selection language (4.17), such as `Building,House`.
    id : tuple of str
        Entity ids.
    id_pattern : str
        POSIX regular expression that ids match.
    attrs : tuple of str
        Attributes of which an entity has at least one, and to which it is reduced (deprecated in
        1.8 for `pick` with `q`, but known to all servers).
    pick, omit : tuple of str
        Members that are kept, or left out (4.21); those of linked entities stand in braces, such
        as `locatedAt{id,name}`, and need `join`.
    q : str
        Condition on values (4.9).
    geo : GeoQuery or None
        Condition on a geometry (4.10).
    scope_q : str
        Condition on scopes (4.19).
    csf : str
        Condition on context sources (4.9).
    lang : str
        Preferred language (4.15).
    local : bool
        Whether only what the broker itself holds counts (5.5.13).
    dataset_id : tuple of str
        Instances of attributes by dataset; `@none` for the default one (4.5.5).
    join : {"", "flat", "inline"}
        Retrieval of linked entities (4.5.23).
    join_level : int
        How far links are followed.
    contained_by : tuple of str
        Ids already met when following links.
    geometry_property : str
        GeoProperty that becomes the geometry in GeoJSON.
    expand_values : tuple of str
        Attributes whose values in `q` stand for IRIs and are expanded by the @context (4.9).
    json_keys : tuple of str
        Attributes whose values are plain JSON, so that member names in `q` are not expanded (4.9).
    """

    type: str = ""
    id: tuple[str, ...] = ()
    id_pattern: str = ""
    attrs: tuple[str, ...] = ()
    pick: tuple[str, ...] = ()
    omit: tuple[str, ...] = ()
    q: str = ""
    geo: GeoQuery | None = None
    scope_q: str = ""
    csf: str = ""
    lang: str = ""
    local: bool = False
    dataset_id: tuple[str, ...] = ()
    join: Literal["", "flat", "inline"] = ""
    join_level: int = 1
    contained_by: tuple[str, ...] = ()
    geometry_property: str = ""
    expand_values: tuple[str, ...] = ()
    json_keys: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.attrs and self.pick:
            raise WrongUseError("attrs and pick exclude each other (5.7.2); use pick, and q")
        both = set(self.pick) & set(self.omit)
        if both:
            raise WrongUseError(f"{', '.join(sorted(both))} is both picked and omitted; decide")
        for name, values in (("attrs", self.attrs), ("pick", self.pick), ("omit", self.omit)):
            nested = name != "attrs"
            odd = [value for value in values if not _one_name(value, nested=nested)]
            if odd:
                raise WrongUseError(f"{name}: {odd[0]!r} is no name; give names one by one")
        if self.join not in ("", "flat", "inline"):
            raise WrongUseError(f"join = {self.join!r}: choose flat or inline (4.5.23)")

    @property
    def identified(self) -> bool:
        """Whether the ids of entities come along."""
        return "id" not in self.omit and not (self.pick and "id" not in self.pick)

    def require_condition(self) -> None:
        """Raise unless the query is bounded as 5.7.2 asks: type, attrs, q, geo, or local."""
        if not (self.type or self.attrs or self.q or self.geo or self.local):
            raise WrongUseError(
                "a query needs one of type, attrs, q and geo, or local=True (GS CIM 009, 5.7.2)"
            )

    def narrowed(self, **changes: Any) -> "Selection":
        """The same with other values."""
        return replace(self, **changes)

    def params(self) -> dict[str, str]:
        """URL parameters (Table 6.4.3.2-1)."""
        params = {
            "type": self.type,
            "id": ",".join(_id_in_url(each) for each in self.id),
            "idPattern": self.id_pattern,
            "attrs": ",".join(self.attrs),
            "pick": ",".join(self.pick),
            "omit": ",".join(self.omit),
            "q": self.q,
            "scopeQ": self.scope_q,
            "csf": self.csf,
            "lang": self.lang,
            "datasetId": ",".join(self.dataset_id),
            "geometryProperty": self.geometry_property,
            "expandValues": ",".join(self.expand_values),
            "jsonKeys": ",".join(self.json_keys),
        }
        if self.geo is not None:
            params |= self.geo.params()
        if self.join:
            params |= {"join": self.join, "joinLevel": str(self.join_level)}
            params["containedBy"] = ",".join(self.contained_by)
        if self.local:
            params["local"] = "true"
        return {name: value for name, value in params.items() if value}

    def member(self) -> dict[str, Any]:
        """Query data type (5.2.23) for POST; the rest goes into the URL, see `post_params`."""
        query: dict[str, Any] = {"type": "Query"}
        selectors = self.selectors()
        if selectors:
            query["entities"] = selectors
        for name, values in (
            ("attrs", self.attrs),
            ("pick", self.pick),
            ("omit", self.omit),
            ("datasetId", self.dataset_id),
            ("expandValues", self.expand_values),
            ("jsonKeys", self.json_keys),
        ):
            if values:
                query[name] = list(values)
        texts = {"q": self.q, "scopeQ": self.scope_q, "csf": self.csf, "lang": self.lang}
        query |= {name: text for name, text in texts.items() if text}
        if self.geo is not None:
            query["geoQ"] = self.geo.member()
        if self.join:
            query |= {"join": self.join, "joinLevel": self.join_level}
            if self.contained_by:
                query["containedBy"] = list(self.contained_by)
        return query

    def selectors(self) -> list[dict[str, str]]:
        """EntitySelectors (5.2.33): one an id, each with the types and the pattern."""
        if self.id and not self.type:
            raise WrongUseError("ids in a POST query or subscription need a type too (5.2.33)")
        common = {"type": self.type, "idPattern": self.id_pattern}
        shared = {name: value for name, value in common.items() if value}
        if not self.id:
            return [shared] if shared else []
        return [{"id": each, **shared} for each in self.id]

    def post_params(self) -> dict[str, str]:
        """URL parameters that stay in the URL of a POST query."""
        params = {"local": "true"} if self.local else {}
        if self.geometry_property:
            params["geometryProperty"] = self.geometry_property
        return params


def _one_name(text: str, *, nested: bool) -> bool:
    """Whether a text is one name, with or without what is picked of linked entities in braces."""
    while nested and (shorter := _BRACES.sub("", text)) != text:
        text = shorter  # innermost first: what is left over has no partner
    return bool(text) and not set(text) & set(",|{}")


def _id_in_url(entity_id: str) -> str:
    if "," in entity_id:
        raise WrongUseError(
            f"id {entity_id!r} holds a comma, which separates ids in a URL; query by id_pattern"
        )
    return entity_id


def selection(
    *,
    type: Names | None = None,
    id: Names | None = None,
    attrs: Names | None = None,
    pick: Names | None = None,
    omit: Names | None = None,
    q: Expression | str = "",
    dataset_id: Names | None = None,
    contained_by: Names | None = None,
    expand_values: Names | None = None,
    json_keys: Names | None = None,
    **others: Any,
) -> Selection:
    """Selection from what a caller writes; names as one text or several."""
    known = set(Selection.__dataclass_fields__)
    unknown = set(others) - known
    if unknown:
        raise WrongUseError(
            f"{', '.join(sorted(unknown))}: no parameter of a query; known are "
            f"{', '.join(sorted(known))}"
        )
    return Selection(
        type=",".join(many(type)),
        id=many(id),
        attrs=many(attrs),
        pick=many(pick),
        omit=many(omit),
        q=str(q),
        dataset_id=many(dataset_id),
        contained_by=many(contained_by),
        expand_values=many(expand_values),
        json_keys=many(json_keys),
        **others,
    )
