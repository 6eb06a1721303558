"""Queries by GET and by POST (GS CIM 009 V1.8.1, 5.7.2, 6.4.3.2, 6.23)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from ldt_toolbox.twin.ngsi_ld.call import Call
from ldt_toolbox.twin.ngsi_ld.instances import is_uri
from ldt_toolbox.twin.ngsi_ld.represent import LOCATION
from ldt_toolbox.twin.ngsi_ld.routing import Table
from ldt_toolbox.twin.ngsi_ld.shape import names, shape_of
from ldt_toolbox.twin.problems import ProblemError, bad
from ldt_toolbox.twin.query.geo import GeoQuery, geo_query
from ldt_toolbox.twin.query.kinds import parse_scopes, parse_types
from ldt_toolbox.twin.query.language import Node, parse
from ldt_toolbox.twin.query.pattern import Pattern, compile_pattern
from ldt_toolbox.twin.store.select import Page, Selection, Selector, select


def query(call: Call) -> Response:
    """GET entities."""
    return _answer(call, conditions_of(call), {})


def conditions_of(call: Call) -> dict[str, Any]:
    """Parameters of a GET as members of a Query (5.2.23)."""
    params = dict(call.params)
    selector = {name: params[name] for name in ("type", "idPattern") if params.get(name)}
    ids = [each for each in params.get("id", "").split(",") if each]
    body: dict[str, Any] = {name: params[name] for name in ("q", "scopeQ") if params.get(name)}
    if "attrs" in params:
        body["attrs"] = params["attrs"].split(",")
    if "expandValues" in params:
        body["expandValues"] = params["expandValues"]
    geo = {
        n: params[n] for n in ("georel", "geometry", "coordinates", "geoproperty") if n in params
    }
    if geo:
        body["geoQ"] = geo
    if selector or ids:
        body["entities"] = [{**selector, "id": ids} if ids else selector]
    return body


def post_query(call: Call) -> Response:
    """POST entityOperations/query."""
    call.require_json()
    body = call.json
    if not isinstance(body, dict) or body.get("type") != "Query":
        raise bad("a query is an object with type 'Query' (5.2.23)")
    return _answer(call, body, body)


def _answer(call: Call, conditions: Mapping[str, Any], body: Mapping[str, Any]) -> Response:
    tenant = call.read_tenant()
    selection = selection_of(call, conditions, tenant=tenant)
    broad = not (selection.attributes or selection.q or selection.geo)
    typed = any(each.get("type") for each in conditions.get("entities", ()))
    if broad and not typed and call.params.get("local") != "true":
        raise bad("the query is too broad: give one of type, attrs, q and georel (5.7.2)")
    shape = shape_of(call, body)
    limit, offset, count = paging(call)
    page = select(
        call.store,
        selection,
        limit=limit,
        offset=offset,
        count=count,
        within_s=call.limits.query_s,
    )
    return shape.answer_many(call, page.docs, page_headers(call, page, limit, offset))


def selection_of(call: Call, query: Mapping[str, Any], *, tenant: str) -> Selection:
    """Read the conditions of a Query (5.2.23).

    Parameters
    ----------
    call : Call
        For names and limits.
    query : mapping
        Members ``entities``, ``attrs``, ``q``, ``geoQ``, ``scopeQ``, ``expandValues``.
    tenant : str
        Where to look.

    Raises
    ------
    ProblemError
        BadRequestData that says what is wrong.
    """
    entities = query.get("entities", [])
    if not isinstance(entities, list) or not all(isinstance(each, dict) for each in entities):
        raise bad("entities is a list of selectors with type, id, idPattern (5.2.33)")
    scopes = query.get("scopeQ")
    return Selection(
        tenant=tenant,
        selectors=merged(list(map(_selector(call), entities))),
        attributes=tuple(sorted(names(call, query, "attrs"))) if query.get("attrs") else (),
        q=parsed_q(call, query),
        geo=parsed_geo(call, query.get("geoQ")),
        scopes=parse_scopes(_text("scopeQ", scopes)) if scopes else None,
    )


def merged(selectors: Sequence[Selector]) -> tuple[Selector, ...]:
    """The same selection with one selector for all that differ in their ids only.

    Two hundred entities that are asked for one by one are then found with one look at the index.
    """
    if Selector() in selectors:
        return ()
    found: dict[Selector, dict[str, None]] = {}
    for each in selectors:
        found.setdefault(replace(each, ids=()), {}).update(dict.fromkeys(each.ids))
    whole = {each for each in selectors if not each.ids}
    return tuple(
        each if each in whole else replace(each, ids=tuple(ids)) for each, ids in found.items()
    )


def _selector(call: Call) -> Any:
    def made(each: Mapping[str, Any]) -> Selector:
        kinds = _text("type", each.get("type", ""))
        ids = each.get("id", [])
        ids = [ids] if isinstance(ids, str) else ids
        if not isinstance(ids, list) or not all(is_uri(one) for one in ids):
            raise bad(f"id {ids!r:.100} is no URI")
        return Selector(
            types=parse_types(kinds, call.namespace.expand) if kinds and kinds != "*" else None,
            ids=tuple(ids),
            id_pattern=_pattern(call, each["idPattern"]) if each.get("idPattern") else None,
        )

    return made


def _pattern(call: Call, text: Any) -> Pattern:
    if len(_text("idPattern", text)) > call.limits.pattern:
        raise bad(f"idPattern is longer than {call.limits.pattern}")
    return compile_pattern(text)


def parsed_q(call: Call, query: Mapping[str, Any]) -> Node | None:
    """Tree of the member `q` of a query, or None."""
    text = query.get("q")
    if not text:
        return None
    expanding = query.get("expandValues", ())
    expanding = expanding.split(",") if isinstance(expanding, str) else expanding
    return parse(
        _text("q", text),
        call.namespace.expand,
        expand_values=frozenset(each for each in expanding if isinstance(each, str)),
        most=call.limits.query_terms,
        pattern_length=call.limits.pattern,
    )


def parsed_geo(call: Call, geo: Any) -> GeoQuery | None:
    """Geographic condition of a member `geoQ` (5.2.13), or None."""
    if geo is None:
        return None
    if not isinstance(geo, dict):
        raise bad("geoQ is an object with georel, geometry and coordinates (5.2.13)")
    attribute = geo.get("geoproperty")
    return geo_query(
        geo.get("georel"),
        geo.get("geometry"),
        geo.get("coordinates"),
        call.namespace.expand(_text("geoproperty", attribute)) if attribute else LOCATION,
        limits=call.limits,
    )


def paging(call: Call) -> tuple[int, int, bool]:
    """Limit, offset and count of a request (5.5.9, 6.3.10, 6.3.13).

    Raises
    ------
    ProblemError
        BadRequestData for what is no number, TooManyResults for a page that is too large.
    """
    count = call.params.get("count", "false")
    if count not in ("true", "false"):
        raise bad("count is true or false")
    limit = _whole(call, "limit", call.limits.page)
    if limit == 0 and count != "true":
        raise bad("limit=0 makes sense with count=true only (6.3.10)")
    if limit > call.limits.largest_page:
        raise ProblemError(
            "TooManyResults", f"limit {limit} is above the maximum of {call.limits.largest_page}"
        )
    return limit, _whole(call, "offset", 0), count == "true"


def page_headers(call: Call, page: Page, limit: int, offset: int) -> dict[str, str]:
    """Count and links to the pages around a page."""
    headers = {} if page.total is None else {"NGSILD-Results-Count": str(page.total)}
    links = []
    if limit and offset:
        links.append(_link(call, "prev", max(0, offset - limit), limit))
    if limit and page.more:
        links.append(_link(call, "next", offset + limit, limit))
    return {**headers, "Link": ", ".join(links)} if links else headers


def _link(call: Call, relation: str, offset: int, limit: int) -> str:
    params = [(n, v) for n, v in call.params.multi_items() if n not in ("offset", "limit")]
    query = urlencode([*params, ("offset", str(offset)), ("limit", str(limit))])
    return f'<{call.path}?{query}>; rel="{relation}"; type="application/ld+json"'


def _whole(call: Call, name: str, default: int) -> int:
    text = call.params.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise bad(f"{name} {text!r:.40} is no whole number of 0 or more")
    return int(text)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise bad(f"{name} is a text")
    return value


QUERY: Table = (("GET", "/entities", query), ("POST", "/entityOperations/query", post_query))
