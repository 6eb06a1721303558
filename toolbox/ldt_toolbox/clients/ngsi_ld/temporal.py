"""Temporal evolution of entities (GS CIM 009 V1.8.1, 5.6.11 to 5.6.16, 5.7.3, 5.7.4, 6.18 to 6.24).

A window runs from `start`, included, to `end`, excluded (4.11): both give `timerel=between`, one
gives `after` or `before`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from ldt_toolbox.clients.answer import Answer
from ldt_toolbox.clients.errors import BadRequest, NotFound
from ldt_toolbox.clients.ngsi_ld.aggregation import aggregation_params, checked_aggregates
from ldt_toolbox.clients.ngsi_ld.connection import (
    Connection,
    element,
    elements,
    segment,
)
from ldt_toolbox.clients.ngsi_ld.evolution import (
    Entity,
    Observation,
    in_pairs,
    last_instances,
    merged,
    moment,
    observations,
)
from ldt_toolbox.clients.ngsi_ld.history import FEATURE, History
from ldt_toolbox.clients.ngsi_ld.paging import Pages, Tally
from ldt_toolbox.clients.ngsi_ld.query import instant
from ldt_toolbox.clients.ngsi_ld.selection import (
    LONGEST_URL,
    Names,
    Selection,
    selection,
    url_length,
)
from ldt_toolbox.clients.ngsi_ld.windows import Gatherer, Limit, Part, Window
from ldt_toolbox.errors import WrongUseError

__all__ = ["Observation", "Temporal", "observations"]

Form = Literal["normalized", "concise", "temporalValues"]
TimeProperty = Literal["observedAt", "createdAt", "modifiedAt", "deletedAt"]

_SIDES = ("after", "before")


class Temporal(History):
    """Temporal evolution of entities; `client.temporal`."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._limit = Limit()
        self._sizes: dict[str, int] = {}
        self._form_known = False

    def get(
        self,
        id: str,
        *,
        start: datetime | str | None = None,
        end: datetime | str | None = None,
        last_n: int | None = None,
        form: Form = "normalized",
        timeproperty: TimeProperty = "observedAt",
        probe: bool = True,
        **narrowing: Any,
    ) -> Entity:
        """Evolution of one entity (5.7.3), whole.

        Parameters
        ----------
        id : str
            Entity.
        start, end : datetime.datetime or str, optional
            Window in time, with time zone.
        last_n : int, optional
            Latest instances of each attribute only.
        form : {"normalized", "concise", "temporalValues"}
            Form of the instances (4.5.7, 4.5.9).
        timeproperty : {"observedAt", "createdAt", "modifiedAt", "deletedAt"}
            Time that counts (4.8).
        probe : bool
            Look whether there is more than came, as servers cut answers without saying so.
        **narrowing
            `type`, `attrs`, `pick`, `omit`, `lang`, `local`, `dataset_id`.

        Raises
        ------
        NotFound
            There is no such entity, or it has no history.
        """
        chosen = selection(**narrowing)
        window = _window(start, end)
        _check(last_n, form, timeproperty)
        path = f"temporal/entities/{segment(id)}"

        def ask(part: Window, latest: int | None) -> Part:
            try:
                answer = self._asked(path, chosen, part, latest, form, timeproperty, {})
            except NotFound:
                if part == window:
                    raise
                return Part([])  # nothing in this part of the window
            return _part(answer, [element(answer, "an evolution")])

        first = ask(window, last_n)
        parts = self._gatherer(ask, chosen, timeproperty, probe).gather(window, first, last_n)
        return self._joined(first.entities[0], parts, timeproperty, last_n)

    def query(self, **asked: Any) -> list[Entity]:
        """Evolution of all entities that meet conditions, as a list; see `iterate`."""
        return list(self.iterate(**asked))

    def iterate(
        self,
        *,
        start: datetime | str | None = None,
        end: datetime | str | None = None,
        last_n: int | None = None,
        form: Form = "normalized",
        timeproperty: TimeProperty = "observedAt",
        probe: bool = True,
        page_size: int = 50,
        **conditions: Any,
    ) -> Iterator[Entity]:
        """Evolution of entities that meet conditions (5.7.4), one entity after the other.

        Parameters
        ----------
        start, end, last_n, form, timeproperty, probe
            As for `get`; one of `start` and `end` is needed (Table 6.18.3.2-1).
        page_size : int
            Entities a request.
        **conditions
            As for the entities: `type`, `id`, `id_pattern`, `attrs`, `pick`, `omit`, `q`, `geo`,
            `scope_q`, `csf`, `lang`, `local`, `dataset_id`.

        Yields
        ------
        dict
            Evolution of one entity, whole.

        Warns
        -----
        CutAnswerWarning
            The server cuts answers in a way that could not be mended.
        PagingWarning
            Pages of entities do not fit together.
        """
        chosen = selection(**conditions)
        window = _window(start, end)
        if not window.params():
            raise WrongUseError("a temporal query needs start or end (GS CIM 009, 5.7.4)")
        if not (chosen.type or chosen.attrs or chosen.local):
            raise WrongUseError("a temporal query needs type or attrs, or local=True (5.7.4)")
        if not chosen.identified:
            raise WrongUseError("pick and omit must leave id: whole evolutions are told by it")
        _check(last_n, form, timeproperty)
        return self._iterate(chosen, window, last_n, form, timeproperty, probe, page_size)

    def aggregate(
        self,
        *,
        methods: Names,
        period: str = "",
        id: str = "",
        start: datetime | str | None = None,
        end: datetime | str | None = None,
        timeproperty: TimeProperty = "observedAt",
        page_size: int = 50,
        **conditions: Any,
    ) -> list[Entity]:
        """Aggregated evolution (4.5.19): per attribute and method, [value, start, end] a period.

        Parameters
        ----------
        methods : str or sequence of str
            Of avg, distinctCount, max, min, stddev, sum, sumsq, totalCount.
        period : str
            ISO 8601 duration such as `PT1H` or `P1D`; empty for the whole window.
        id : str
            One entity; otherwise `conditions` select several.
        start, end, timeproperty, page_size, **conditions
            As for `iterate`.

        Warns
        -----
        CutAnswerWarning
            The server says that it sent part of the periods.
        """
        aggregation = aggregation_params(methods, period)
        window = _window(start, end)
        if not id and not window.params():
            raise WrongUseError("a temporal query needs start or end (GS CIM 009, 5.7.4)")
        chosen = selection(**conditions)
        params = self._params(chosen, window, None, "normalized", timeproperty)
        params |= aggregation

        def ask(path: str, paging: Mapping[str, str]) -> Answer:
            return checked_aggregates(
                self._link.ask(
                    path, params | dict(paging), expected=(200, 206), feature="temporal aggregation"
                )
            )

        if id:
            return [element(ask(f"temporal/entities/{segment(id)}", {}), "an evolution")]

        def fetch(paging: Sequence[tuple[str, str]], whole: bool) -> Answer:
            return ask("temporal/entities", dict(paging))

        pages = Pages(fetch, "evolutions", limit=page_size, limits=self._sizes)
        tally = Tally("evolutions")
        found = [entity for page in pages for entity in tally.fresh(page)]
        tally.finish(pages.count, pages.url)
        return found

    def _iterate(
        self,
        chosen: Selection,
        window: Window,
        last_n: int | None,
        form: Form,
        timeproperty: TimeProperty,
        probe: bool,
        page_size: int,
    ) -> Iterator[Entity]:
        answers: list[Answer] = []

        def fetch(paging: Sequence[tuple[str, str]], whole: bool) -> Answer:
            if whole:
                answer = self._link.ask("temporal/entities", dict(paging), expected=(200, 206))
            else:
                answer = self._asked(
                    "temporal/entities", chosen, window, last_n, form, timeproperty, dict(paging)
                )
            answers[:] = [answer]
            return answer

        pages = Pages(fetch, "evolutions", limit=page_size, limits=self._sizes)
        tally = Tally("evolutions")
        for page in pages:
            fresh = tally.fresh(page)
            first = _part(answers[0], fresh)
            ids = tuple(str(entity.get("id", "")) for entity in fresh)

            def ask(part: Window, latest: int | None, ids: tuple[str, ...] = ids) -> Part:
                narrowed = chosen.narrowed(id=ids, id_pattern="")
                limit = {"limit": str(len(ids))}
                answer = self._asked(
                    "temporal/entities", narrowed, part, latest, form, timeproperty, limit
                )
                return _part(answer, elements(answer, "evolutions"))

            parts = self._gatherer(ask, chosen, timeproperty, probe).gather(window, first, last_n)
            yield from self._by_entity(fresh, parts, timeproperty, last_n)
        tally.finish(pages.count, pages.url)

    def _by_entity(
        self,
        entities: list[Entity],
        parts: list[Part],
        timeproperty: TimeProperty,
        last_n: int | None,
    ) -> Iterator[Entity]:
        if len(parts) == 1:
            yield from entities
            return
        pieces: dict[str, list[Part]] = {}
        for part in parts:
            for entity in part.entities:
                pieces.setdefault(str(entity.get("id", "")), []).append(Part([entity]))
        for entity in entities:
            own = pieces.get(str(entity.get("id", "")), [Part([entity])])
            yield self._joined(entity, own, timeproperty, last_n, whole=False)

    def _joined(
        self,
        first: Entity,
        parts: list[Part],
        timeproperty: TimeProperty,
        last_n: int | None,
        *,
        whole: bool = True,
    ) -> Entity:
        if whole and len(parts) == 1:
            return first
        entity = merged(
            (each for part in parts for each in part.entities), timeproperty=timeproperty
        )
        return (
            entity if last_n is None else last_instances(entity, last_n, timeproperty=timeproperty)
        )

    def _gatherer(
        self, ask: Any, chosen: Selection, timeproperty: TimeProperty, probe: bool
    ) -> Gatherer:
        filtered = bool(chosen.q or chosen.geo or chosen.scope_q)
        return Gatherer(ask, self._limit, timeproperty=timeproperty, filtered=filtered, probe=probe)

    def _asked(
        self,
        path: str,
        chosen: Selection,
        window: Window,
        last_n: int | None,
        form: Form,
        timeproperty: TimeProperty,
        paging: Mapping[str, str],
    ) -> Answer:
        """Answer in the form that was asked for, from servers before 1.8 too."""

        def ask() -> Answer:
            params = self._params(chosen, window, last_n, form, timeproperty) | dict(paging)
            feature = FEATURE if path == "temporal/entities" else ""
            if path == "temporal/entities" and url_length(params) > LONGEST_URL:
                return self._posted(chosen, window, last_n, form, timeproperty, paging)
            return self._link.ask(path, params, expected=(200, 206), feature=feature)

        unsure = form == "temporalValues" and self._link.style == "format" and not self._form_known
        try:
            answer = ask()
        except BadRequest as error:
            if not unsure or "format" not in f"{error} {error.problem.get('detail', '')}".lower():
                raise
        else:
            if not unsure or in_pairs(answer.json()) is not False:
                self._form_known = self._form_known or (unsure and bool(in_pairs(answer.json())))
                return answer
        self._link.older_style()
        return ask()

    def _posted(
        self,
        chosen: Selection,
        window: Window,
        last_n: int | None,
        form: Form,
        timeproperty: TimeProperty,
        paging: Mapping[str, str],
    ) -> Answer:
        """The same as a body (6.24): URLs of that length are cut or refused."""
        when: dict[str, Any] = {**window.params(), "timeproperty": timeproperty}
        if last_n is not None:
            when["lastN"] = last_n
        query = {**chosen.member(), "temporalQ": when}
        shape = {} if form == "normalized" else {self._link.style: form}
        return self._link.send(
            "POST", "temporal/entityOperations/query", query,
            chosen.post_params() | shape | dict(paging), expected=(200, 206),
            feature="temporal queries by POST", idempotent=True,
        )  # fmt: skip

    def _params(
        self,
        chosen: Selection,
        window: Window,
        last_n: int | None,
        form: Form,
        timeproperty: TimeProperty,
    ) -> dict[str, str]:
        params = chosen.params() | window.params()
        if last_n is not None:
            params["lastN"] = str(last_n)
        if form != "normalized":
            # `options` did this before 1.8; where both are there, `format` counts (Table 6.3.7-1)
            params["format" if self._link.style == "format" else "options"] = form
        if timeproperty != "observedAt":
            params["timeproperty"] = timeproperty
        return params


def _part(answer: Answer, entities: list[Entity]) -> Part:
    # Versions after 1.9 say with links (TS 104 176, 6.4.7.3) what 206 said
    cut = answer.status == 206 or any(answer.links(f"interval{side}") for side in _SIDES)
    return Part(entities, cut, answer.headers.get("Content-Range", ""), answer.url)


def _window(start: datetime | str | None, end: datetime | str | None) -> Window:
    first, last = (None if at is None else moment(instant(at)) for at in (start, end))
    if first is not None and last is not None and first >= last:
        raise WrongUseError(f"start {first.isoformat()} is not before end {last.isoformat()}")
    return Window(first, last)


def _check(last_n: int | None, form: str, timeproperty: str) -> None:
    if last_n is not None and last_n < 1:
        raise WrongUseError(f"last_n = {last_n}: give 1 or more")
    if form not in ("normalized", "concise", "temporalValues"):
        raise WrongUseError(f"form = {form!r}: choose normalized, concise or temporalValues")
    if timeproperty not in ("observedAt", "createdAt", "modifiedAt", "deletedAt"):
        raise WrongUseError(f"timeproperty = {timeproperty!r}: none of clause 4.8")
