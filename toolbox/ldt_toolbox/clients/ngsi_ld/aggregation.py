"""Aggregation of temporal evolutions over periods (GS CIM 009 V1.8.1, 4.5.19)."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from ldt_toolbox.clients.answer import Answer
from ldt_toolbox.clients.errors import BadRequest
from ldt_toolbox.clients.imperfect import CapabilityWarning, CutAnswerWarning, report
from ldt_toolbox.clients.ngsi_ld.connection import Connection
from ldt_toolbox.clients.ngsi_ld.forms import refuses_format
from ldt_toolbox.clients.ngsi_ld.selection import Names, many
from ldt_toolbox.errors import WrongUseError

METHODS = frozenset({"avg", "distinctCount", "max", "min", "stddev", "sum", "sumsq", "totalCount"})
"""Aggregation methods (4.5.19.1)."""

Style = Literal["format", "options"]

_INSTANCE = frozenset({"value", "values", "object", "objects", "languageMap", "languageMaps"})
_DURATION = re.compile(
    r"P(?=.)((\d+Y)?(\d+M)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?|\d+W)", re.ASCII
)


@dataclass(frozen=True)
class Aggregate:
    """What an aggregation says of one period.

    Attributes
    ----------
    entity_id, attribute, dataset_id : str
        Where it belongs; `dataset_id` is empty for the default instance.
    method : str
        One of `METHODS`.
    value : object
        The aggregate.
    start, end : str
        Period, as the server wrote it; empty if the server names none.
    """

    entity_id: str
    attribute: str
    dataset_id: str
    method: str
    value: Any
    start: str
    end: str


def aggregates(entity: Mapping[str, Any]) -> Iterator[Aggregate]:
    """Aggregates of all attributes, methods and periods of an aggregated evolution (4.5.19).

    Parameters
    ----------
    entity : mapping
        As `client.temporal.aggregate` gives it.

    Yields
    ------
    Aggregate
        In the order of the server.
    """
    for attribute, value in entity.items():
        for block in value if isinstance(value, list) else [value]:
            for method, periods in block.items() if isinstance(block, dict) else ():
                if method not in METHODS or not isinstance(periods, list):
                    continue
                # One period may have lost its outer list to the compaction of JSON-LD
                for period in periods if isinstance(next(iter(periods), []), list) else [periods]:
                    found, start, end = (*period, "", "", "")[:3]
                    yield Aggregate(
                        str(entity.get("id", "")), attribute, str(block.get("datasetId", "")),
                        method, found, str(start), str(end),
                    )  # fmt: skip


def aggregation_params(methods: Names, period: timedelta | str) -> dict[str, str]:
    """URL parameters of an aggregation, but the form (Table 6.18.3.2-1).

    Parameters
    ----------
    methods : str or sequence of str
        Of `METHODS`.
    period : datetime.timedelta or str
        Duration, as a text by ISO 8601; empty for the whole window.

    Raises
    ------
    WrongUseError
        A method or the duration is none of the standard.
    """
    names = many(methods)
    odd = [name for name in names if name not in METHODS]
    if odd or not names:
        raise WrongUseError(
            f"methods = {', '.join(odd) or 'none'}: choose among {', '.join(sorted(METHODS))}"
        )
    if isinstance(period, timedelta):
        seconds = period.total_seconds()
        text = f"PT{seconds:.6f}".rstrip("0").rstrip(".") + "S" if seconds > 0 else "none"
    else:
        text = period
    if text and not _DURATION.fullmatch(text):
        raise WrongUseError(f"period = {period!r} is no duration such as PT1H or P1D (4.5.19)")
    return {"aggrMethods": ",".join(names)} | ({"aggrPeriodDuration": text} if text else {})


def asked_for_aggregates(
    link: Connection, path: str, params: Callable[[Style], dict[str, str]]
) -> Answer:
    """Aggregates, from servers before 1.8 too.

    Parameters
    ----------
    link : Connection
        Knows how the server takes the wish for a form.
    path : str
        Path below the root.
    params : callable
        URL parameters but the form, in a style.

    Warns
    -----
    CapabilityWarning
        The server does not know `format`, or sends the instances all the same.
    CutAnswerWarning
        It says that it sent part of the periods.
    """

    def ask() -> Answer:
        style = link.style
        wish = {str(style): "aggregatedValues"}
        return link.ask(
            path, params(style) | wish, expected=(200, 206), feature="temporal aggregation"
        )

    newer = link.style == "format"
    try:
        answer = ask()
    except BadRequest as error:
        if not newer or not refuses_format(error):
            raise
        link.older_style()
        return _checked(ask())
    if newer and _in_full(answer):
        link.older_style()
        answer = ask()
    return _checked(answer)


def _in_full(answer: Answer) -> bool:
    """Whether instances came and no aggregates."""
    value = answer.json()
    entities = [one for one in (value if isinstance(value, list) else [value]) if _is(one)]
    blocks = [
        block
        for entity in entities
        for held in entity.values()
        for block in (held if isinstance(held, list) else [held])
        if _is(block)
    ]
    aggregated = any(not METHODS.isdisjoint(block) for block in blocks)
    return not aggregated and any(not _INSTANCE.isdisjoint(block) for block in blocks)


def _is(value: Any) -> bool:
    return isinstance(value, dict)


def says_cut(answer: Answer) -> bool:
    """Whether a server says that instances are missing.

    By 206 (6.3.10), or by links to the intervals beside (TS 104 176, 6.4.7.3, after 1.9).
    """
    return answer.status == 206 or any(
        answer.links(relation) for relation in ("intervalafter", "intervalbefore")
    )


def _checked(answer: Answer) -> Answer:
    """The answer; what is no aggregate, or part of them, is told, as it cannot be mended."""
    if _in_full(answer):
        report(
            CapabilityWarning(
                f"{answer.url} sent the instances and no aggregates (GS CIM 009, 4.5.19); read "
                "them with observations() and aggregate them here"
            ),
            stacklevel=4,
        )
    if says_cut(answer):
        report(
            CutAnswerWarning(
                f"{answer.url}: the server sent part of the periods ({answer.status}, "
                f"{answer.headers.get('Content-Range', 'no Content-Range')}); "
                "ask for longer periods or a shorter window"
            ),
            stacklevel=4,
        )
    return answer
