"""Whether a server heeded what it was asked for, as far as its answer shows (GS CIM 009, 5.7.2).

Servers of earlier versions, and careless ones, pass over URL parameters that they do not know and
answer 200 all the same.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ldt_toolbox.clients.imperfect import CapabilityWarning, report
from ldt_toolbox.clients.ngsi_ld.selection import Selection

_OF_EACH = frozenset(
    {"id", "type", "scope", "@context", "createdAt", "modifiedAt", "deletedAt", "expiresAt"}
)


class Heed:
    """Looks at the entities of one query, and tells once of each parameter that was ignored.

    Parameters
    ----------
    chosen : Selection
        What was asked for.
    """

    def __init__(self, chosen: Selection) -> None:
        self._ids = _pattern(chosen.id_pattern)
        self._id_pattern = chosen.id_pattern
        # Linked entities have members, ids and scopes of their own
        several = bool(chosen.join)
        self._picked = frozenset() if several else _names(chosen.pick)
        self._omitted = () if several else tuple(n for n in chosen.omit if "{" not in n)
        whole = not (several or chosen.attrs or chosen.pick or chosen.omit)
        self._scope_q = chosen.scope_q if whole else ""

    def look(self, entities: Iterable[Any], url: str) -> None:
        """Compare entities, or GeoJSON features of them, with what was asked for.

        Warns
        -----
        CapabilityWarning
            The server ignored `id_pattern`, `pick`, `omit` or `scope_q`.
        """
        if not (self._ids or self._picked or self._omitted or self._scope_q):
            return
        for entity in entities:
            if isinstance(entity, Mapping):
                self._one(entity, url)

    def along(self, pages: Iterable[list[Any]], url: str) -> Iterator[Any]:
        """Entities of pages one after the other, looked at page by page."""
        for page in pages:
            self.look(page, url)
            yield from page

    def _one(self, entity: Mapping[str, Any], url: str) -> None:
        own = str(entity.get("id", ""))
        found = entity.get("properties") if entity.get("type") == "Feature" else None
        members = found if isinstance(found, Mapping) else entity
        if self._ids is not None and own and self._ids.search(own) is None:
            self._ids = None
            _tell(url, f"idPattern={self._id_pattern}", f"{own} does not match it")
        if self._picked:
            more = [n for n in members if n not in _OF_EACH and self._picked.isdisjoint(_forms(n))]
            if more:
                self._picked = frozenset()
                _tell(url, "pick", f"{own} came with {more[0]}, too")
        left = next((name for name in self._omitted if name in members), "")
        if left:
            self._omitted = ()
            _tell(url, "omit", f"{own} came with {left}")
        if self._scope_q and "scope" not in members:
            _tell(url, f"scopeQ={self._scope_q}", f"{own} has no scope")
            self._scope_q = ""


def _pattern(text: str) -> re.Pattern[str] | None:
    """Pattern of ids; None if there is none, or none that can be judged here."""
    if not text or "[:" in text:  # classes of POSIX, which Python does not have
        return None
    try:
        return re.compile(text)
    except re.error:
        return None


def _names(picked: Iterable[str]) -> frozenset[str]:
    return frozenset(form for name in picked for form in _forms(name.partition("{")[0]))


def _forms(name: str) -> tuple[str, str]:
    """A name as it is, and without what an @context may have put before it or taken away."""
    return name, re.split("[/#:]", name)[-1]


def _tell(url: str, parameter: str, evidence: str) -> None:
    report(
        CapabilityWarning(
            f"{url}: the server ignores {parameter} ({evidence}); the entities are given as they "
            "came: leave out here what was not asked for"
        ),
        stacklevel=4,
    )
