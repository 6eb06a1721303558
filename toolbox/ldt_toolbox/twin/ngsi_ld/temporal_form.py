"""Evolutions as a request wants them (GS CIM 009 V1.8.1, 4.5.6 to 4.5.9, 4.5.19, 6.3.7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ldt_toolbox.twin.ngsi_ld.call import Call
from ldt_toolbox.twin.ngsi_ld.namespace import Namespace
from ldt_toolbox.twin.ngsi_ld.represent import Form, represent
from ldt_toolbox.twin.ngsi_ld.shape import projection, refuse_what_is_not_done
from ldt_toolbox.twin.problems import bad
from ldt_toolbox.twin.store import VALUE_KEY, Doc, Instance
from ldt_toolbox.twin.temporal.find import Series, State
from ldt_toolbox.twin.temporal.instants import written

_FORMATS = ("normalized", "concise", "temporalValues", "aggregatedValues")
_MEMBERS = ("id", "type", "scope", "createdAt", "modifiedAt", "deletedAt")
_PLAIN = frozenset({"Property", "GeoProperty", "Relationship", "ListProperty", "ListRelationship"})


@dataclass(frozen=True, kw_only=True)
class TemporalForm:
    """How evolutions are written.

    Attributes
    ----------
    format : str
        ``normalized``, ``concise``, ``temporalValues`` or ``aggregatedValues``.
    timeproperty : str
        The time that counts.
    sys_attrs : bool
        Whether createdAt and modifiedAt are written.
    lang : str
        Language of LanguageProperties.
    datasets : tuple of str
        Datasets to write; all if empty.
    attributes, pick, omit : frozenset of str
        As in `ldt_toolbox.twin.ngsi_ld.shape.Shape`.
    """

    format: str
    timeproperty: str
    sys_attrs: bool = False
    lang: str = ""
    datasets: tuple[str, ...] = ()
    attributes: frozenset[str] = frozenset()
    pick: frozenset[str] = frozenset()
    omit: frozenset[str] = frozenset()

    def wants(self, series: Series) -> bool:
        """Whether a series is part of the answer."""
        name = series.attribute
        return (
            (not self.attributes or name in self.attributes)
            and (not self.pick or name in self.pick)
            and name not in self.omit
            and (not self.datasets or (series.dataset or "@none") in self.datasets)
        )

    def entity(
        self,
        doc: Doc,
        states: Sequence[tuple[Series, Sequence[State]]],
        namespace: Namespace,
    ) -> dict[str, Any]:
        """Evolution of one entity.

        Parameters
        ----------
        doc : dict
            Head of the evolution.
        states : sequence of (Series, sequence of State)
            Instances by series, by time.
        namespace : Namespace
            Whose names are used.
        """
        out = self.head(doc, namespace)
        for series, found in states:
            name = namespace.compact(series.attribute)
            out.setdefault(name, [])
            if self.format == "temporalValues":
                out[name] += self._pairs(series, found, namespace)
            else:
                out[name] += self._instances(series, found, namespace)
        if self.format == "temporalValues":
            return {n: v[0] if _single(n, v) else v for n, v in out.items()}
        return out

    def head(self, doc: Doc, namespace: Namespace) -> dict[str, Any]:
        """Members of the entity itself."""
        form = Form(sys_attrs=self.sys_attrs)
        out = represent({**doc, "attrs": {}}, namespace, form)
        if "deletedAt" in doc:
            out["deletedAt"] = doc["deletedAt"]
        for member in _MEMBERS:
            if (self.pick and member not in self.pick) or member in self.omit:
                out.pop(member, None)
        return out

    def _instances(
        self, series: Series, states: Sequence[State], namespace: Namespace
    ) -> list[dict[str, Any]]:
        times = ("createdAt", "modifiedAt") if self.sys_attrs else (self.timeproperty,)
        of = {"datasetId": series.dataset} if series.dataset else {}
        instances = [{**each.timed(*times), **of} for each in states]
        form = Form(format=self.format, sys_attrs=True, lang=self.lang)
        doc: Doc = {"id": "", "type": [], "createdAt": "", "modifiedAt": ""}
        doc["attrs"] = {series.attribute: instances}
        shown = represent(doc, namespace, form).get(namespace.compact(series.attribute), [])
        return shown if isinstance(shown, list) else [shown]

    def _pairs(
        self, series: Series, states: Sequence[State], namespace: Namespace
    ) -> list[dict[str, Any]]:
        """Pairs of value and time, by type of attribute, which may have changed."""
        blocks: dict[str, dict[str, Any]] = {}
        said = self.timeproperty == "observedAt"
        for each in states:
            kind = each.instance["type"]
            if kind == "LanguageProperty" and self.lang:
                kind = "Property"
            key = f"{VALUE_KEY[kind]}s"
            if kind not in blocks:
                blocks[kind] = {"type": kind, key: []}
            value = self._simplified(series, each.instance, namespace)
            blocks[kind][key].append(
                [value, each.instance["observedAt"] if said else written(each.at)]
            )
        of = {"datasetId": series.dataset} if series.dataset else {}
        return [{**block, **of} for block in blocks.values()]

    def _simplified(self, series: Series, instance: Instance, namespace: Namespace) -> Any:
        kind = instance["type"]
        if kind in _PLAIN:
            return instance[VALUE_KEY[kind]]
        doc: Doc = {"id": "", "type": [], "attrs": {series.attribute: [instance]}}
        form = Form(format="simplified", lang=self.lang)
        return represent(doc, namespace, form)[namespace.compact(series.attribute)]


def temporal_form(call: Call, body: Mapping[str, Any], which: str) -> TemporalForm:
    """Read the form of an answer.

    Parameters
    ----------
    call : Call
        The request; its parameters count.
    body : mapping
        Query of a POST; what it has counts instead.
    which : str
        The time that counts.

    Raises
    ------
    ProblemError
        400 for a form that does not exist, 501 for what the twin does not do.
    """
    refuse_what_is_not_done(call, body)
    attributes, pick, omit = projection(call, body)
    datasets = body.get("datasetId", call.params.get("datasetId", ""))
    datasets = datasets.split(",") if isinstance(datasets, str) else datasets
    if not isinstance(datasets, list) or not all(isinstance(each, str) for each in datasets):
        raise bad("datasetId is a list of URIs, or @none")
    return TemporalForm(
        format=format_of(call),
        timeproperty=which,
        sys_attrs="sysAttrs" in _options(call),
        lang=str(body.get("lang", call.params.get("lang", ""))),
        datasets=tuple(each for each in datasets if each),
        attributes=attributes,
        pick=pick,
        omit=omit,
    )


def format_of(call: Call) -> str:
    """Form by `format`, which counts before `options` (Table 6.3.7-1)."""
    wanted = call.params.get("format")
    if wanted:
        if wanted not in _FORMATS:
            raise bad(f"format {wanted!r:.40} is none of {', '.join(_FORMATS)}")
        return wanted
    found = {each for each in _options(call) if each in _FORMATS}
    if len(found) > 1:
        raise bad("options ask for two forms at once; one is possible (6.3.12)")
    return found.pop() if found else "normalized"


def _options(call: Call) -> list[str]:
    return [each for each in call.params.get("options", "").split(",") if each]


def _single(name: str, value: Any) -> bool:
    """Whether an attribute in pairs is written as one object."""
    blocks = name not in _MEMBERS and isinstance(value, list) and len(value) == 1
    return blocks and isinstance(value[0], dict)
