"""Queries of more entities than a server pages through: split by the ends of their ids.

NGSI-LD has no order on ids to ask for, so that ranges are classes of ids by `idPattern`: those
that end in 0, in 1, ... in z, and in anything else; a class that is still too large is split by
the character before.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from ldt_toolbox.clients.errors import ClientError
from ldt_toolbox.clients.imperfect import CapabilityWarning, report
from ldt_toolbox.clients.ngsi_ld.paging import OffsetRefused, Pages, Tally
from ldt_toolbox.clients.ngsi_ld.selection import Selection

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_OTHERS = "[^0-9a-zA-Z]"
_DEEPEST = 8
_IDS_A_REQUEST = 100

PagesOf = Callable[[Selection, int | None], Pages]
"""Pages of a selection; the second argument is the number of results above which to split."""


class _PatternIgnored(Exception):  # noqa: N818  (never leaves this module)
    """The server sent entities whose id does not match."""


def all_pages(
    selection: Selection, pages_of: PagesOf, tally: Tally, *, split_above: int | None
) -> Iterator[list[Any]]:
    """Pages of a query, split where the server would not go on.

    Parameters
    ----------
    selection : Selection
        What is asked for.
    pages_of : callable
        Makes the pages of a selection.
    tally : Tally
        Counts what comes.
    split_above : int or None
        Number of results above which the query is split from the beginning; None splits only
        when the server refuses an offset.

    Yields
    ------
    list
        Elements that were not there before.

    Raises
    ------
    ClientError
        The server refuses an offset and the query cannot be split.
    """
    splittable = not selection.id_pattern and (not selection.id or len(selection.id) > 1)
    pages = pages_of(selection, split_above if splittable and not selection.id else None)
    try:
        for page in pages:
            yield tally.fresh(page)
    except OffsetRefused as refusal:
        if not splittable:
            raise _unsplittable(refusal) from refusal.cause
    else:
        tally.finish(pages.count, pages.url)
        return
    known = tally.known()
    parts = (
        _by_ids(selection, pages_of)
        if selection.id
        else _by_ends(selection, pages_of, "", 1, split_above)
    )
    try:
        for page in parts:
            yield tally.fresh([item for item in page if item.get("id") not in known])
    except _PatternIgnored:
        report(
            CapabilityWarning(
                f"{pages.url}: the server ignores idPattern (GS CIM 009, 5.7.2), so that its "
                f"{pages.count} results cannot be split; narrow the query by type, q or geo"
            )
        )
    tally.finish(pages.count, pages.url)


def _by_ids(selection: Selection, pages_of: PagesOf) -> Iterator[list[Any]]:
    for start in range(0, len(selection.id), _IDS_A_REQUEST):
        ids = selection.id[start : start + _IDS_A_REQUEST]
        yield from pages_of(selection.narrowed(id=ids), None)


def _by_ends(
    selection: Selection, pages_of: PagesOf, end: str, depth: int, split_above: int | None
) -> Iterator[list[Any]]:
    for characters in [*_ALPHABET, _OTHERS]:
        pattern = f"^.*{characters}{end}$"
        matches = re.compile(pattern, re.DOTALL)
        pages = pages_of(selection.narrowed(id_pattern=pattern), split_above)
        sent: set[str] = set()
        try:
            for page in pages:
                if any(not matches.fullmatch(str(item.get("id", ""))) for item in page):
                    raise _PatternIgnored
                sent.update(str(item["id"]) for item in page)
                yield page
        except OffsetRefused as refusal:
            if depth == _DEEPEST:
                raise _unsplittable(refusal) from refusal.cause
            deeper = _by_ends(selection, pages_of, characters + end, depth + 1, split_above)
            for page in deeper:
                yield [item for item in page if item["id"] not in sent]


def _unsplittable(refusal: OffsetRefused) -> ClientError:
    cause = refusal.cause
    assert isinstance(cause, ClientError)  # noqa: S101  (Pages wraps nothing else)
    cause.add_note(
        f"the server does not page beyond {refusal.offset} results, and this query cannot "
        "be split by idPattern any further; narrow it by type, q or geo"
    )
    return cause
