"""What of the entities is answered, and in what form (GS CIM 009 V1.8.1, 4.21, 6.3.7, 6.3.11)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from ldt_toolbox.twin.ngsi_ld.call import GEO_JSON, JSON, JSON_LD, Call
from ldt_toolbox.twin.ngsi_ld.represent import LOCATION, Form, represent
from ldt_toolbox.twin.problems import ProblemError, bad
from ldt_toolbox.twin.store import Doc

_FORMATS = {
    "normalized": "normalized",
    "concise": "concise",
    "simplified": "simplified",
    "keyValues": "simplified",
}
_MEMBERS = ("id", "type", "scope", "createdAt", "modifiedAt")
_NAME = re.compile(r"[^\s,{}\[\]()\"'<>]+")


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Projection and form of an answer.

    Attributes
    ----------
    form : Form
        How entities are written.
    media : str
        Media type.
    attributes : frozenset of str
        IRIs of the attributes that are kept (`attrs`); all if empty.
    pick, omit : frozenset of str
        Members (id, type, scope) and IRIs that are kept, or left out.
    context_in_body : bool
        Whether @context is in the body (6.3.6).
    """

    form: Form
    media: str
    attributes: frozenset[str] = frozenset()
    pick: frozenset[str] = frozenset()
    omit: frozenset[str] = frozenset()
    context_in_body: bool = False

    def projected(self, doc: Doc) -> Doc:
        """The document with the attributes that are wanted."""
        if not (self.attributes or self.pick or self.omit):
            return doc
        kept = {
            name: instances
            for name, instances in doc["attrs"].items()
            if (not self.attributes or name in self.attributes)
            and (not self.pick or name in self.pick)
            and name not in self.omit
        }
        return {**doc, "attrs": kept}

    def entity(self, call: Call, doc: Doc) -> dict[str, Any]:
        """One entity or Feature of the answer."""
        out = represent(self.projected(doc), call.namespace, self.form)
        if not (self.pick or self.omit):
            return out
        held = out["properties"] if self.form.geojson else out
        for member in _MEMBERS:
            if (self.pick and member not in self.pick) or member in self.omit:
                held.pop(member, None)
        return out

    def answer_one(self, call: Call, doc: Doc) -> Response:
        """Answer with one entity."""
        return self._answer(call, self.entity(call, doc), {})

    def answer_many(self, call: Call, docs: Sequence[Doc], headers: Mapping[str, str]) -> Response:
        """Answer with a list of entities, or a FeatureCollection."""
        found = [self.entity(call, doc) for doc in docs]
        value = {"type": "FeatureCollection", "features": found} if self.form.geojson else found
        return self._answer(call, value, headers)

    def _answer(self, call: Call, value: Any, headers: Mapping[str, str]) -> Response:
        if self.form.geojson and self.context_in_body:
            value = {**value, "@context": call.namespace.body}
        return call.answer(value, headers=headers, media=self.media)


def shape_of(call: Call, body: Mapping[str, Any] | None = None) -> Shape:
    """Read the shape of an answer from a request.

    Parameters
    ----------
    call : Call
        The request; its parameters count.
    body : mapping, optional
        Query of a POST (5.2.23); what it has counts instead.

    Raises
    ------
    ProblemError
        400 for a form that does not exist, 406, 501 for what the twin does not do.
    """
    body = body or {}
    refuse_what_is_not_done(call, body)
    media = call.accepting(JSON, JSON_LD, GEO_JSON)
    options = [each for each in call.params.get("options", "").split(",") if each]
    attributes, pick, omit = projection(call, body)
    geometry = body.get("geometryProperty", call.params.get("geometryProperty"))
    datasets = body.get("datasetId", call.params.get("datasetId"))
    form = Form(
        format=_format(call.params.get("format"), options),
        geojson=media == GEO_JSON,
        sys_attrs="sysAttrs" in options,
        geometry_property=call.namespace.expand(geometry) if geometry else LOCATION,
        lang=str(body.get("lang", call.params.get("lang", ""))),
        dataset_ids=_listed("datasetId", datasets),
    )
    prefers_json = "body=json" in call.headers.get("prefer", "").replace(" ", "").split(",")
    return Shape(
        form=form,
        media=media,
        attributes=attributes,
        pick=pick,
        omit=omit,
        context_in_body=not prefers_json,
    )


def refuse_what_is_not_done(call: Call, body: Mapping[str, Any]) -> None:
    """Raise 501 for a parameter that would change the answer if it were done.

    Brokers of later versions know `orderBy`: an order that nobody keeps is worse than a refusal.
    """
    for name in (
        "join", "entityMap", "entityMapLifetime", "csf", "containedBy", "splitEntities", "orderBy",
    ):  # fmt: skip
        if call.params.get(name) not in (None, "", "false") or name in body:
            raise ProblemError("", f"the twin does not do {name}", status=501)


def projection(
    call: Call, body: Mapping[str, Any]
) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """What `attrs`, `pick` and `omit` name (4.21).

    Raises
    ------
    ProblemError
        BadRequestData for what excludes each other.
    """
    pick, omit = names(call, body, "pick"), names(call, body, "omit")
    attributes = names(call, body, "attrs")
    if pick and attributes:
        raise bad("attrs and pick exclude each other (5.7.2)")
    if pick & omit:
        raise bad("a name is both in pick and in omit (4.21)")
    return attributes, pick, omit


def names(call: Call, body: Mapping[str, Any], parameter: str) -> frozenset[str]:
    """IRIs of the names in a parameter; members of the entity itself stay as they are."""
    given = _listed(parameter, body.get(parameter, call.params.get(parameter)))
    for each in given:
        if not _NAME.fullmatch(each):
            raise bad(f"{parameter}: {each!r:.80} is no name; the twin takes names one by one")
    expand = call.namespace.expand
    return frozenset(each if each in _MEMBERS else expand(each) for each in given)


def _listed(parameter: str, value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    many = value.split(",") if isinstance(value, str) else value
    if not isinstance(many, list) or not all(isinstance(each, str) and each for each in many):
        raise bad(f"{parameter} is a list of names")
    return tuple(each.strip() for each in many)


def _format(wanted: str | None, options: Sequence[str]) -> str:
    """Form by `format`, which counts before `options` (Table 6.3.7-1)."""
    if wanted:
        if wanted not in _FORMATS:
            raise bad(f"format {wanted!r:.40} is none of {', '.join(_FORMATS)}")
        return _FORMATS[wanted]
    found = {_FORMATS[each] for each in options if each in _FORMATS}
    if len(found) > 1:
        raise bad("options ask for two forms at once; one is possible")
    return found.pop() if found else "normalized"
