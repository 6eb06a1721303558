"""Temporal evolution of entities (GS CIM 009 V1.8.1, 5.6.11 to 5.6.16, 5.7.3, 5.7.4, 6.18 to 6.24).

A window runs from `start`, included, to `end`, excluded (4.11): both give `timerel=between`, one
gives `after` or `before`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ldt_toolbox.clients.answer import Answer
from ldt_toolbox.clients.errors import BadRequest, NotImplementedByServer
from ldt_toolbox.clients.imperfect import CapabilityWarning, report
from ldt_toolbox.clients.ngsi_ld.aggregation import (
    aggregation_params,
    asked_for_aggregates,
    says_cut,
)
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
from ldt_toolbox.clients.ngsi_ld.forms import refuses_format
from ldt_toolbox.clients.ngsi_ld.history import FEATURE, History
from ldt_toolbox.clients.ngsi_ld.paging import Pages, Tally
from ldt_toolbox.clients.ngsi_ld.query import instant
from ldt_toolbox.clients.ngsi_ld.question import Form, Question, TimeProperty
from ldt_toolbox.clients.ngsi_ld.selection import (
    LONGEST_URL,
    Names,
    selection,
    url_length,
)
from ldt_toolbox.clients.ngsi_ld.starts import earlier, from_start, leaves_start_out
from ldt_toolbox.clients.ngsi_ld.windows import Ask, Gatherer, Limit, Part, Window
from ldt_toolbox.errors import WrongUseError

__all__ = ["Observation", "Temporal", "observations"]


class Temporal(History):
    """Temporal evolution of entities; `client.temporal`."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._limit = Limit()
        self._sizes: dict[str, int] = {}
        self._form_known = False
        self._posts = True
        self._late: bool | None = None  # whether the server leaves the start of windows out

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
        question = Question(selection(**narrowing), last_n, form, timeproperty)
        window = _window(start, end)
        path = f"temporal/entities/{segment(id)}"

        def ask(part: Window, latest: int | None, *, whole: bool = False) -> Part:
            answer = self._asked(path, question, part, latest, {}, may_miss=not whole)
            if answer.status == 404:
                return Part([])  # nothing in this part of the window
            return self._part(answer, [element(answer, "an evolution")], part, question)

        first = ask(window, last_n, whole=True)
        if probe and self._learns_start(ask, first, window, question):
            first = ask(window, last_n, whole=True)
        parts = self._gatherer(ask, question, probe).gather(window, first, last_n)
        return self._joined(first.entities[0], parts, question)

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
        question = Question(chosen, last_n, form, timeproperty)
        return self._iterate(question, window, probe, page_size)

    def aggregate(
        self,
        *,
        methods: Names,
        period: timedelta | str = "",
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
        period : datetime.timedelta or str
            Duration, as a text by ISO 8601 such as `PT1H` or `P1D`; empty for the whole window.
        id : str
            One entity; otherwise `conditions` select several.
        start, end, timeproperty, page_size, **conditions
            As for `iterate`.

        Warns
        -----
        CutAnswerWarning
            The server says that it sent part of the periods.
        CapabilityWarning
            It sent the instances instead.
        """
        aggregation = aggregation_params(methods, period)
        window = _window(start, end)
        if not id and not window.params():
            raise WrongUseError("a temporal query needs start or end (GS CIM 009, 5.7.4)")
        question = Question(selection(**conditions), timeproperty=timeproperty)

        def ask(path: str, paging: Mapping[str, str]) -> Answer:
            return asked_for_aggregates(
                self._link,
                path,
                lambda style: question.params(window, None, style) | aggregation | dict(paging),
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
        self, question: Question, window: Window, probe: bool, page_size: int
    ) -> Iterator[Entity]:
        answers: list[Answer] = []

        def fetch(paging: Sequence[tuple[str, str]], whole: bool) -> Answer:
            if whole:
                answer = self._link.ask("temporal/entities", dict(paging), expected=(200, 206))
            else:
                answer = self._asked(
                    "temporal/entities", question, window, question.last_n, dict(paging)
                )
            answers[:] = [answer]
            return answer

        pages = Pages(fetch, "evolutions", limit=page_size, limits=self._sizes)
        tally = Tally("evolutions")
        for page in pages:
            first = self._part(answers[0], tally.fresh(page), window, question)
            fresh = first.entities
            ids = tuple(str(entity.get("id", "")) for entity in fresh)

            def ask(part: Window, latest: int | None, ids: tuple[str, ...] = ids) -> Part:
                limit = {"limit": str(len(ids))}
                answer = self._asked("temporal/entities", question.about(ids), part, latest, limit)
                return self._part(answer, elements(answer, "evolutions"), part, question)

            if probe and self._learns_start(ask, first, window, question):
                yield from self._iterate(question, window, probe, page_size)
                return
            gatherer = self._gatherer(ask, question, probe)
            parts = gatherer.gather(window, first, question.last_n)
            yield from self._by_entity(fresh, parts, question)
        tally.finish(pages.count, pages.url)

    def _by_entity(
        self, entities: list[Entity], parts: list[Part], question: Question
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
            yield self._joined(entity, own, question, whole=False)

    def _joined(
        self, first: Entity, parts: list[Part], question: Question, *, whole: bool = True
    ) -> Entity:
        if whole and len(parts) == 1:
            return first
        timeproperty, last_n = question.timeproperty, question.last_n
        found = (each for part in parts for each in part.entities)
        entity = merged(found, timeproperty=timeproperty)
        return (
            entity if last_n is None else last_instances(entity, last_n, timeproperty=timeproperty)
        )

    def _gatherer(self, ask: Ask, question: Question, probe: bool) -> Gatherer:
        return Gatherer(
            ask,
            self._limit,
            timeproperty=question.timeproperty,
            filtered=question.filtered,
            probe=probe,
        )

    def _asked(
        self,
        path: str,
        question: Question,
        window: Window,
        latest: int | None,
        paging: Mapping[str, str],
        *,
        may_miss: bool = False,
    ) -> Answer:
        """Answer in the form that was asked for, from servers before 1.8 too.

        With `may_miss`, that there is nothing (404) is an answer too, which a cache may keep.
        """
        if self._late:
            window = earlier(window)

        def ask() -> Answer:
            params = question.params(window, latest, self._link.style) | dict(paging)
            several = path == "temporal/entities"
            # Ids in a body need a type beside them (5.2.33)
            posts = self._posts and (question.chosen.type or not question.chosen.id)
            if several and posts and url_length(params) > LONGEST_URL:
                try:
                    return self._posted(question, window, latest, paging)
                except NotImplementedByServer:
                    self._posts = False
            feature = FEATURE if several else ""
            expected = (200, 206, 404) if may_miss else (200, 206)
            return self._link.ask(path, params, expected=expected, feature=feature)

        unsure = question.form == "temporalValues" and not self._form_known
        newer = self._link.style == "format"
        try:
            answer = ask()
        except BadRequest as error:
            if not (unsure and newer) or not refuses_format(error):
                raise
        else:
            found = in_pairs(answer.json()) if unsure else None
            if found is not False or not newer:
                self._form_known = self._form_known or found is not None
                return _in_form_or_told(answer, found)
        self._link.older_style()
        answer = ask()
        return _in_form_or_told(answer, in_pairs(answer.json()))

    def _part(
        self, answer: Answer, entities: list[Entity], window: Window, question: Question
    ) -> Part:
        if self._late:
            when = question.timeproperty
            entities = [from_start(each, window, timeproperty=when) for each in entities]
        ranged = answer.headers.get("Content-Range", "")
        return Part(entities, says_cut(answer), ranged, answer.url)

    def _learns_start(self, ask: Ask, part: Part, window: Window, question: Question) -> bool:
        """Whether it is found just now that the server leaves the start of windows out (4.11)."""
        if self._late is not None or window.start is None:
            return False
        self._late = leaves_start_out(ask, part, question.timeproperty)
        if self._late:
            report(
                CapabilityWarning(
                    f"{part.url}: the server leaves out what was observed at the very start of a "
                    "window (GS CIM 009, 4.11 counts it); windows are asked for from a millisecond "
                    "before"
                ),
                stacklevel=4,
            )
        return bool(self._late)

    def _posted(
        self, question: Question, window: Window, latest: int | None, paging: Mapping[str, str]
    ) -> Answer:
        """The same as a body (6.24): URLs of that length are cut or refused."""
        return self._link.send(
            "POST",
            "temporal/entityOperations/query",
            question.body(window, latest),
            question.body_params(self._link.style) | dict(paging),
            expected=(200, 206),
            feature="temporal queries by POST",
            idempotent=True,
        )


def _in_form_or_told(answer: Answer, in_form: bool | None) -> Answer:
    """The answer, after telling that it is not in pairs although these were asked for."""
    if in_form is False:
        report(
            CapabilityWarning(
                f"{answer.url} answered in full where temporalValues was asked for (GS CIM 009, "
                "4.5.9); observations() and models.frames.temporal_frame read both forms"
            ),
            stacklevel=4,
        )
    return answer


def _window(start: datetime | str | None, end: datetime | str | None) -> Window:
    first, last = (None if at is None else moment(instant(at)) for at in (start, end))
    if first is not None and last is not None and first >= last:
        raise WrongUseError(f"start {first.isoformat()} is not before end {last.isoformat()}")
    return Window(first, last)
