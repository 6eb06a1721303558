"""Aggregation of temporal evolutions over periods (GS CIM 009 V1.8.1, 4.5.19)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ldt_toolbox.clients.answer import Answer
from ldt_toolbox.clients.imperfect import CutAnswerWarning, report
from ldt_toolbox.clients.ngsi_ld.selection import Names, many
from ldt_toolbox.errors import WrongUseError

METHODS = frozenset({"avg", "distinctCount", "max", "min", "stddev", "sum", "sumsq", "totalCount"})
"""Aggregation methods (4.5.19.1)."""

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


def aggregation_params(methods: Names, period: str) -> dict[str, str]:
    """URL parameters of an aggregation (Table 6.18.3.2-1).

    Parameters
    ----------
    methods : str or sequence of str
        Of `METHODS`.
    period : str
        ISO 8601 duration; empty for the whole window.

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
    if period and not _DURATION.fullmatch(period):
        raise WrongUseError(f"period = {period!r} is no duration such as PT1H or P1D (4.5.19)")
    params = {"format": "aggregatedValues", "aggrMethods": ",".join(names)}
    return params | ({"aggrPeriodDuration": period} if period else {})


def says_cut(answer: Answer) -> bool:
    """Whether a server says that instances are missing.

    By 206 (6.3.10), or by links to the intervals beside (TS 104 176, 6.4.7.3, after 1.9).
    """
    return answer.status == 206 or any(
        answer.links(relation) for relation in ("intervalafter", "intervalbefore")
    )


def checked_aggregates(answer: Answer) -> Answer:
    """The answer; aggregates of part of the periods are told, as they cannot be split further.

    Warns
    -----
    CutAnswerWarning
        The server says so.
    """
    if says_cut(answer):
        report(
            CutAnswerWarning(
                f"{answer.url}: the server sent part of the periods ({answer.status}, "
                f"{answer.headers.get('Content-Range', 'no Content-Range')}); "
                "ask for longer periods or a shorter window"
            ),
            stacklevel=3,
        )
    return answer
