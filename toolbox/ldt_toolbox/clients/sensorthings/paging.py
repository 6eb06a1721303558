"""Pages of a SensorThings collection to the end, and no further (OGC 18-088, server-driven paging).

A 200 is no proof of completeness: what came is counted against `@iot.count`, and each way in which
servers go astray is reported as a `PagingWarning`.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ldt_toolbox.clients.answer import Answer
from ldt_toolbox.clients.errors import BadRequest, InvalidAnswer
from ldt_toolbox.clients.http import HttpClient
from ldt_toolbox.clients.imperfect import PagingWarning, report
from ldt_toolbox.clients.page_sizes import complains, smaller

MOST_EMPTY = 3
"""Empty pages on end after which the rest is left: some servers promise more for ever."""


def pages(
    http: HttpClient, url: str, params: Mapping[str, str], sizes: list[int]
) -> Iterator[list[dict[str, Any]]]:
    """Pages of a collection, in the server's order.

    Parameters
    ----------
    http : HttpClient
        Sends the requests.
    url : str
        Address of the collection.
    params : mapping of str to str
        Query options of the first page, such as `$filter`.
    sizes : list of int
        Entities to ask for at a time: the first is taken, and replaced by a smaller one when the
        server refuses it.

    Yields
    ------
    list of dict
        Entities that have not come before, by `@iot.id`.

    Raises
    ------
    InvalidAnswer
        An answer is no collection.

    Warns
    -----
    PagingWarning
        A link leads back, an entity comes twice, pages are empty without an end, or another
        number of entities came than the server counts.
    """
    answer, query = _first(http, url, params, sizes)
    asked: set[tuple[tuple[str, str], ...]] = set()
    ids: set[object] = set()
    count: int | None = None
    came = twice = empty = 0
    while True:
        asked.add(tuple(sorted(query)))
        body = _collection(answer)
        told = body.get("@iot.count")
        if count is None and isinstance(told, int) and not isinstance(told, bool):
            count = told
        fresh = []
        for entity in body["value"]:
            key = entity.get("@iot.id")
            if key is not None and key in ids:
                twice += 1
                continue
            ids.add(key)
            fresh.append(entity)
        came += len(fresh)
        empty = 0 if fresh else empty + 1
        if fresh:
            yield fresh
        following = body.get("@iot.nextLink")
        if not isinstance(following, str) or not following:
            break
        if empty == MOST_EMPTY:
            _tell(answer, f"{empty} pages without anything new on end; the rest is left")
            break
        # Behind a proxy links often name another host or path: the query is what counts, and
        # credentials stay with the server that they are for
        if urlsplit(following).netloc not in ("", urlsplit(answer.url).netloc):
            _tell(answer, "the link to the next page names another host; the query of it is used")
        query = parse_qsl(urlsplit(following).query, keep_blank_values=True)
        if tuple(sorted(query)) in asked:
            _tell(answer, "the link to the next page leads to one that came already; it ends here")
            break
        answer = http.get(url, params=query)
    if twice:
        _tell(answer, f"{twice} entities came more than once; they are taken once")
    if count is not None and came != count:
        _tell(answer, f"{came} entities came, but the server counts {count}; ask again")


def _first(
    http: HttpClient, url: str, params: Mapping[str, str], sizes: list[int]
) -> tuple[Answer, list[tuple[str, str]]]:
    """First page and what was asked for it, with a page size that the server takes."""
    refusal: BadRequest | None = None
    left = sizes[:1]
    while left:
        size = left.pop(0)
        query = [*params.items(), ("$top", str(size)), ("$count", "true")]
        try:
            answer = http.get(url, params=query)
        except BadRequest as error:
            if not complains(error, r"\btop\b|limit|maximum|page ?size|less than"):
                raise
            refusal = refusal or error
            left = smaller(error, size)
        else:
            sizes[:] = [size]
            return answer, query
    assert refusal is not None  # noqa: S101  (the loop ran at least once)
    raise refusal


def _collection(answer: Answer) -> dict[str, Any]:
    body = answer.json()
    value = body.get("value") if isinstance(body, dict) else None
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise InvalidAnswer(
            f"{answer.url} answered without a list `value`; check that the address is that of a "
            "SensorThings service, with its version (such as https://host/v1.1)"
        )
    odd = [one["@iot.id"] for one in value if "@iot.id" in one and not _is_id(one["@iot.id"])]
    if odd:
        raise InvalidAnswer(
            f"{answer.url} names {odd[0]!r:.80} as an @iot.id, which is no number and no text; "
            "tell the operator"
        )
    return dict(body)


def _is_id(found: Any) -> bool:
    return isinstance(found, int | str) and not isinstance(found, bool)


def _tell(answer: Answer, text: str) -> None:
    report(PagingWarning(f"{answer.url}: {text}"), stacklevel=3)
