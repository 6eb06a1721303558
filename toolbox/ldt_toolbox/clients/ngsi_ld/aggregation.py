"""Aggregation of temporal evolutions over periods (GS CIM 009 V1.8.1, 4.5.19)."""

import re

from ldt_toolbox.clients.answer import Answer
from ldt_toolbox.clients.imperfect import CutAnswerWarning, report
from ldt_toolbox.clients.ngsi_ld.selection import Names, many
from ldt_toolbox.errors import WrongUseError

METHODS = frozenset({"avg", "distinctCount", "max", "min", "stddev", "sum", "sumsq", "totalCount"})
"""Aggregation methods (4.5.19.1)."""

_DURATION = re.compile(
    r"P(?=.)((\d+Y)?(\d+M)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?|\d+W)", re.ASCII
)


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


def checked_aggregates(answer: Answer) -> Answer:
    """The answer; aggregates of part of the periods are told, as they cannot be split further.

    Warns
    -----
    CutAnswerWarning
        The status is 206.
    """
    if answer.status == 206:
        report(
            CutAnswerWarning(
                f"{answer.url}: the server sent part of the periods (206, "
                f"{answer.headers.get('Content-Range', 'no Content-Range')}); "
                "ask for longer periods or a shorter window"
            ),
            stacklevel=3,
        )
    return answer
