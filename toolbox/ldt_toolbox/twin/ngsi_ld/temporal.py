"""Reading history: one evolution, or those that meet conditions (5.7.3, 5.7.4, 6.18 ff.)."""

import sqlite3
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from starlette.responses import Response

from ldt_toolbox.twin.ngsi_ld.call import Call
from ldt_toolbox.twin.ngsi_ld.entities import entity_id, nothing
from ldt_toolbox.twin.ngsi_ld.query import conditions_of, page_headers, paging, selection_of
from ldt_toolbox.twin.ngsi_ld.routing import Table
from ldt_toolbox.twin.ngsi_ld.temporal_entities import HISTORY
from ldt_toolbox.twin.ngsi_ld.temporal_form import TemporalForm, format_of, temporal_form
from ldt_toolbox.twin.problems import ProblemError, bad, missing
from ldt_toolbox.twin.query.kinds import parse_types, types_fit
from ldt_toolbox.twin.store.select import Page
from ldt_toolbox.twin.temporal.aggregate import aggregated, observed, periods
from ldt_toolbox.twin.temporal.find import Archive, Evolution, Extract, Series, State
from ldt_toolbox.twin.temporal.instants import written
from ldt_toolbox.twin.temporal.question import EARLIEST, LATEST, Question, question

_MEMBERS = (
    "timerel", "timeAt", "endTimeAt", "timeproperty", "lastN", "aggrMethods", "aggrPeriodDuration",
)  # fmt: skip

Answer = tuple[list[dict[str, Any]], Extract]
"""Evolutions as they are answered, and what was taken of them."""


def retrieve(call: Call) -> Response:
    """GET temporal/entities/{id} (5.7.3)."""
    own, tenant = entity_id(call), call.read_tenant()
    asked = _asked(call, call.params)
    form = temporal_form(call, {}, asked.timeproperty)
    wanted = call.params.get("type")
    choice = parse_types(wanted, call.namespace.expand) if wanted else None

    def job(connection: sqlite3.Connection) -> Answer:
        archive = Archive(call.store, connection, tenant)
        found = archive.one(own)
        if found is None or (choice and not types_fit(choice, found.doc["type"])):
            raise nothing(own)
        if form.attributes and not archive.series([found.number], tuple(form.attributes)):
            raise missing(f"entity {own} never had the attributes that were asked for")
        return _written(call, archive, [found], asked, form)

    entities, extract = call.store.read(job, within_s=call.limits.query_s)
    return _answer(call, entities[0], extract, asked, {})


def query(call: Call) -> Response:
    """GET temporal/entities (5.7.4)."""
    return _query(call, conditions_of(call), call.params, {})


def post_query(call: Call) -> Response:
    """POST temporal/entityOperations/query (6.24)."""
    call.require_json()
    body = call.json
    if not isinstance(body, dict) or body.get("type") != "Query":
        raise bad("a query is an object with type 'Query' (5.2.23)")
    when = body.get("temporalQ")
    if not isinstance(when, dict):
        raise bad("a temporal query has a member temporalQ with timerel and timeAt (5.2.21)")
    return _query(call, body, when, body)


def _query(
    call: Call, conditions: Mapping[str, Any], when: Mapping[str, Any], body: Mapping[str, Any]
) -> Response:
    tenant = call.read_tenant()
    asked = _asked(call, when)
    if not asked.relation:
        raise bad("a temporal query has timerel and timeAt (5.7.4)")
    selection = selection_of(call, conditions, tenant=tenant)
    broad = not (selection.attributes or selection.q or selection.geo)
    typed = any(each.get("type") for each in conditions.get("entities", ()))
    if broad and not typed and call.params.get("local") != "true":
        raise bad("the query is too broad: give one of type, attrs, q and georel (5.7.4)")
    form = temporal_form(call, body, asked.timeproperty)
    limit, offset, count = paging(call)

    def job(connection: sqlite3.Connection) -> tuple[Answer, Page]:
        archive = Archive(call.store, connection, tenant)
        found, more, total = archive.select(
            selection, asked, limit=limit, offset=offset, count=count
        )
        return _written(call, archive, found, asked, form), Page([], more, total)

    (entities, extract), page = call.store.read(job, within_s=call.limits.query_s)
    return _answer(call, entities, extract, asked, page_headers(call, page, limit, offset))


def _asked(call: Call, when: Mapping[str, Any]) -> Question:
    given = {name: when[name] for name in _MEMBERS if name in when}
    return question(given, aggregated=format_of(call) == "aggregatedValues")


def _written(
    call: Call, archive: Archive, found: Sequence[Evolution], asked: Question, form: TemporalForm
) -> Answer:
    names = tuple(form.attributes)
    series = [
        each for each in archive.series([each.number for each in found], names) if form.wants(each)
    ]
    series.sort(key=lambda each: each.attribute)
    whose: dict[int, list[Series]] = {}
    for each in series:
        whose.setdefault(each.history, []).append(each)
    if form.format == "aggregatedValues":
        return _aggregates(call, archive, found, whose, asked, form), Extract([])
    extract = archive.extract([each.number for each in series], asked, call.limits.instances)
    by_series: dict[int, list[State]] = {}
    for state in extract.states:
        by_series.setdefault(state.series, []).append(state)
    entities = []
    for each_found in found:
        kept = whose.get(each_found.number, ())
        own = [(one, by_series[one.number]) for one in kept if one.number in by_series]
        entities.append(form.entity(each_found.doc, own, call.namespace))
    return entities, extract


def _aggregates(
    call: Call,
    archive: Archive,
    found: Sequence[Evolution],
    whose: Mapping[int, Sequence[Series]],
    asked: Question,
    form: TemporalForm,
) -> list[dict[str, Any]]:
    entities = []
    most = call.limits.instances
    for each in found:
        out = form.head(each.doc, call.namespace)
        own = [(one, observed(archive, one.number, asked)) for one in whose.get(each.number, ())]
        own = [(one, values) for one, values in own if values.times]
        if own:
            first = min(values.times[0] for _, values in own)
            bounds = list(periods(asked, first, max(values.times[-1] for _, values in own)))
        for name, group in groupby(own, key=lambda pair: pair[0].attribute):
            blocks = []
            for one, values in group:
                by_method = aggregated(values, bounds, asked.methods)
                if not by_method and name in form.attributes | form.pick:
                    raise ProblemError(
                        "InvalidRequest",
                        f"{call.namespace.compact(name)} has none of {', '.join(asked.methods)}: "
                        "ask for totalCount, or leave it out (5.7.4)",
                    )
                most -= sum(map(len, by_method.values()))
                if most < 0:
                    raise ProblemError(
                        "TooManyResults",
                        f"more than {call.limits.instances} aggregates: take a longer "
                        "aggrPeriodDuration, a shorter window or a smaller limit",
                    )
                of = {"datasetId": one.dataset} if one.dataset else {}
                blocks.append({"type": values.kind, **by_method, **of})
            out[call.namespace.compact(name)] = blocks[0] if len(blocks) == 1 else blocks
        entities.append(out)
    return entities


def _answer(
    call: Call, value: Any, extract: Extract, asked: Question, headers: Mapping[str, str]
) -> Response:
    """Answer with 206 and the extent that it has if instances were left out (6.3.10)."""
    if extract.reached is None:
        return call.answer(value, headers=headers)
    extent = f"date-time {_edge(extract, asked)}-{written(extract.reached)}/{asked.last or '*'}"
    return call.answer(value, status=206, headers={**headers, "Content-Range": extent})


def _edge(extract: Extract, asked: Question) -> str:
    """Where the extent of a partial answer begins: at the end of the window with lastN."""
    if asked.last is None:
        first = extract.states[0].at
        return written(first if asked.start == EARLIEST else asked.start)
    return written(extract.states[-1].at if asked.end == LATEST else asked.end)


TEMPORAL: Table = (
    ("GET", "/temporal/entities", query),
    ("POST", "/temporal/entityOperations/query", post_query),
    ("GET", "/temporal/entities/{id}", retrieve),
    *HISTORY,
)
