"""Page after page to the end, and no further (GS CIM 009 V1.8.1, 5.5.9, 6.3.10 and 6.3.13).

A 200 is no proof of completeness: what came is counted against `NGSILD-Results-Count`, and each
way in which servers go astray is reported as a `PagingWarning`.
"""

import json
from array import array
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import numpy as np

from ldt_toolbox.clients.answer import Answer
from ldt_toolbox.clients.errors import (
    BadRequest,
    Forbidden,
    HttpStatusError,
    RequestTooLarge,
    ServerFault,
    TimedOut,
)
from ldt_toolbox.clients.imperfect import PagingWarning, report
from ldt_toolbox.clients.ngsi_ld.connection import elements, result_count
from ldt_toolbox.clients.ngsi_ld.refusals import error_name
from ldt_toolbox.clients.page_sizes import PAGE_SIZES, complains, smaller

Fetch = Callable[[Sequence[tuple[str, str]], bool], Answer]
"""Sends a page request: paging parameters, and whether they are all parameters there are."""


class _Step(NamedTuple):
    """What leads to the next page: paging parameters, or a whole query from a link; the offset."""

    paging: list[tuple[str, str]] | None
    whole: bool
    offset: int


class OffsetRefused(Exception):  # noqa: N818  (never leaves this package)
    """A server does not go on at this offset."""

    def __init__(self, offset: int, cause: Exception, count: int | None) -> None:
        super().__init__(str(cause))
        self.offset = offset
        self.cause = cause
        self.count = count


class Pages:
    """Pages of one query, in the server's order.

    Parameters
    ----------
    fetch : callable
        Sends a request for a page.
    what : str
        What the elements are called in messages.
    limit : int
        Page size to ask for.
    limits : mutable mapping
        Page sizes that this server was found to accept, by `what`; read and written.
    thorough : bool
        Whether a page without count and next link is followed by a look at the next offset.
    split_above : int or None
        Raise `OffsetRefused` after the first page of more results than this, if the server pages
        by offset.
    linked : bool
        Whether pages also hold elements to which those asked for are linked (4.5.23, flat), which
        neither offset nor count include.
    """

    def __init__(
        self,
        fetch: Fetch,
        what: str,
        *,
        limit: int = PAGE_SIZES[0],
        limits: MutableMapping[str, int] | None = None,
        thorough: bool = True,
        split_above: int | None = None,
        linked: bool = False,
    ) -> None:
        self._fetch = fetch
        self._what = what
        self._limits = limits if limits is not None else {}
        self._limit = min(limit, self._limits.get(what, limit))
        self._thorough = thorough
        self._split_above = split_above
        self._linked = linked
        self._told: set[str] = set()
        # Whether the server pages by anchors, as Mintaka does, the temporal part of Orion-LD
        self._anchors = False
        self.count: int | None = None
        self.url = ""

    def __iter__(self) -> Iterator[list[Any]]:
        seen: set[int] = set()
        offset = number = 0
        answer = self._first()
        while True:
            page = elements(answer, self._what)
            self.url = answer.url
            count = result_count(answer)
            self.count = self.count if count is None else count
            if not page:
                return
            number += 1
            fingerprint = _fingerprint(page)
            if fingerprint in seen and not self._may_repeat(page):
                self._tell("the same page comes again and again; its elements are taken once")
                return
            seen.add(fingerprint)
            if number > self._most_pages(len(page)):
                self._tell(
                    f"pages go on after {offset} {self._what}, though there are {self.count}; "
                    "the rest is left"
                )
                return
            yield page
            step = self._following(answer, offset, len(page))
            if step is None:
                return
            offset = step.offset
            answer = self._next(step)

    def _may_repeat(self, page: list[Any]) -> bool:
        """Whether equal pages can hold different elements: without ids they can, if counted."""
        return self.count is not None and all(_key(item) is None for item in page)

    def _most_pages(self, size: int) -> float:
        """Pages above which a server that names a count is taken to go in a circle."""
        return float("inf") if self.count is None else 2 * (self.count // size + 1) + 10

    def _first(self) -> Answer:
        sizes = [self._limit]
        refusal: HttpStatusError | None = None
        while sizes:
            size = sizes.pop(0)
            try:
                answer = self._fetch(self._own(size, 0), False)
            except (BadRequest, Forbidden, RequestTooLarge) as error:
                if not about_limit(error):
                    raise
                refusal = refusal or error
                sizes = smaller(error, size)
            else:
                self._limit = size
                if refusal is not None:
                    self._limits[self._what] = size
                return answer
        assert refusal is not None  # noqa: S101  (the loop ran at least once)
        raise refusal

    def _own(self, limit: int, offset: int) -> list[tuple[str, str]]:
        paging = [("limit", str(limit)), ("count", "true")]
        return paging + ([("offset", str(offset))] if offset else [])

    def _next(self, step: _Step) -> Answer:
        try:
            if step.paging is not None:
                return self._fetch(step.paging, step.whole)
            return self._fetch(self._own(self._limit, step.offset), False)
        except (BadRequest, Forbidden, RequestTooLarge, ServerFault, TimedOut) as error:
            if step.paging is not None:
                raise
            raise OffsetRefused(step.offset, error, self.count) from error

    def _following(self, answer: Answer, offset: int, size: int) -> _Step | None:
        """What to ask for next: by a link, an anchor or an offset; None at the end."""
        after = offset + (min(size, self._limit) if self._linked else size)
        query = self._link(answer)
        if query is not None:
            named = dict(query).get("offset")
            if named is None:
                if ("", "") not in query:
                    return _Step(query, True, after)
            elif named.isdecimal() and offset < int(named) <= after:
                self._split(after)
                return _Step(None, False, int(named))
            else:
                self._tell(f"the link to the next page leads to offset {named} after {offset}")
            self._split(after)
            return _Step(None, False, after)
        anchor = answer.headers.get("Next-Page", "").strip()
        if anchor:
            self._anchors = True
            return _Step([*self._own(self._limit, 0), ("pageAnchor", anchor)], False, after)
        if self.count is None and (self._anchors or size < _page_size(answer)):
            return None
        if self.count is None:
            return _Step(None, False, after) if self._thorough else None
        if after >= self.count:
            return None
        if self._linked and size < self._limit:
            self._tell("a page holds linked elements and is short: some may be passed over")
        self._split(after)
        return _Step(None, False, after)

    def _split(self, after: int) -> None:
        if self._split_above is not None and (self.count or 0) > self._split_above:
            refusal = TimedOut("too many results for paging by offset")
            self._split_above = None
            raise OffsetRefused(after, refusal, self.count)

    def _link(self, answer: Answer) -> list[tuple[str, str]] | None:
        """Query of the first usable link to a next page."""
        targets = answer.links("next")
        if not targets:
            return None
        # The host and path of a link are often those behind a proxy; its query is what counts,
        # and credentials stay with the host that they are for.
        queries = [parse_qsl(urlsplit(target).query, keep_blank_values=True) for target in targets]
        if len({tuple(query) for query in queries}) > 1:
            self._tell(f"{len(targets)} different links to the next page; the first is taken")
        if urlsplit(targets[0]).netloc not in ("", urlsplit(answer.url).netloc):
            self._tell("the link to the next page names another host; the query of it is used")
        own = parse_qsl(urlsplit(answer.url).query, keep_blank_values=True)
        if sorted(queries[0]) == sorted(own):
            self._tell("the link to the next page leads to the page itself; offsets are used")
            return [("", "")]
        return queries[0] or [("", "")]

    def _tell(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            report(PagingWarning(f"{self.url or self._what}: {text}"), stacklevel=3)


class Tally:
    """Counts elements that come, in 8 bytes each, and tells what came twice or not at all."""

    def __init__(self, what: str, *, linked: bool = False) -> None:
        self._what = what
        self._linked = linked  # elements beside those that are counted, again on several pages
        self._hashes = array("q")
        self._nameless = 0
        self._last: set[str] = set()
        self._dropped = 0

    def fresh(self, page: Sequence[Any]) -> list[Any]:
        """Elements of a page that were not on the one before, nor earlier on it."""
        keys: set[str] = set()
        kept = []
        for item in page:
            key = _key(item)
            if key is None:
                self._nameless += 1
            elif key in self._last or key in keys:
                self._dropped += 1
                continue
            else:
                keys.add(key)
                self._hashes.append(hash(key))
            kept.append(item)
        self._last = keys
        return kept

    def known(self) -> "Known":
        """What has come so far, to be asked often."""
        return Known(np.sort(np.array(self._hashes, dtype=np.int64)))

    def finish(self, count: int | None, url: str) -> None:
        """Compare what came with what the server says there is.

        Warns
        -----
        PagingWarning
            Elements came twice, or their number is not the announced one.
        """
        came = len(self._hashes) + self._nameless
        hashes = np.frombuffer(self._hashes, dtype=np.int64) if self._hashes else np.empty(0)
        hashes.sort()  # in place: what has come is counted, not listed
        repeated = int(np.count_nonzero(hashes[1:] == hashes[:-1]))
        distinct = came - repeated
        twice = came - distinct + self._dropped
        if twice and not self._linked:
            report(
                PagingWarning(
                    f"{url}: {twice} {self._what} came more than once; the server has no stable "
                    "order, or its content changed meanwhile: ask again"
                ),
                stacklevel=3,
            )
        if count is not None and (distinct < count if self._linked else distinct != count):
            report(
                PagingWarning(
                    f"{url}: {distinct} {self._what} came, but the server counts {count} "
                    "(NGSILD-Results-Count); the answer is not whole, or changed: ask again"
                ),
                stacklevel=3,
            )


class Known:
    """Set of element ids that takes 8 bytes an id."""

    def __init__(self, hashes: "np.ndarray[Any, np.dtype[np.int64]]") -> None:
        self._hashes = hashes

    def __contains__(self, key: str) -> bool:
        wanted = hash(key)
        at = int(np.searchsorted(self._hashes, wanted))
        return at < len(self._hashes) and int(self._hashes[at]) == wanted


def _fingerprint(page: list[Any]) -> int:
    keys = [_key(item) for item in page]
    if None in keys:  # `pick` and `omit` may leave ids out
        return hash(json.dumps(page, sort_keys=True))
    return hash(tuple(keys))


def _key(item: Any) -> str | None:
    if isinstance(item, str):
        return item
    found = item.get("id") if isinstance(item, Mapping) else None
    return found if isinstance(found, str) else None


def _page_size(answer: Answer) -> int:
    """Page size that the server names beside its anchors; 0 if it names none."""
    text = answer.headers.get("Page-Size", "").strip()
    return int(text) if text.isdecimal() else 0


def about_limit(error: HttpStatusError) -> bool:
    """Whether a refusal may be about the page size (5.5.2 TooManyResults, 6.3.10)."""
    if error_name(error) == "TooManyResults" or isinstance(error, RequestTooLarge):
        return True
    if isinstance(error, Forbidden):
        return False
    return complains(error, r"\blimit|too many|page ?size|maximum")
