"""What an answer says beside its body: sources that failed, a status that is not the standard's."""

import re
from collections.abc import Collection

from ldt_toolbox.clients.answer import Answer
from ldt_toolbox.clients.imperfect import SourceFailedWarning, WrongStatusWarning, report

READ = frozenset({203, 207})
"""Statuses besides those due with which a read is taken, and told."""

WRITTEN = frozenset({200, 201, 204})
"""Statuses besides those due that can only mean that a write was done."""

_STALE = ("110", "111")
_CODE = re.compile(r"\s*(\d{3})\b")


def check_answer(answer: Answer, expected: Collection[int]) -> Answer:
    """The answer, after telling what is odd about it.

    Parameters
    ----------
    answer : Answer
        Answer of a broker with a status that means success.
    expected : collection of int
        Statuses that the standard names.

    Warns
    -----
    SourceFailedWarning
        The header NGSILD-Warning names sources that did not answer, or answered with what is
        stale (GS CIM 009 V1.8.1, 6.3.17; codes of RFC 7234, 5.5); or the status of a read is 207.
    WrongStatusWarning
        The status is another one than the standard names.
    """
    told = str(answer.headers.get("NGSILD-Warning", "")).strip()
    if told:
        code = _CODE.match(told)
        stale = code is not None and code[1] in _STALE
        report(
            SourceFailedWarning(
                f"{answer.url}: the broker says {told[:200]!r} (NGSILD-Warning); "
                + ("part of the answer is old" if stale else "what its sources hold is missing")
                + ": ask again, or ask the sources themselves"
            ),
            stacklevel=4,
        )
    if answer.status in expected:
        return answer
    if answer.status == 207:
        report(
            SourceFailedWarning(
                f"{answer.url}: the answer to a read is 207: only part of the sources answered"
            ),
            stacklevel=4,
        )
    else:
        report(
            WrongStatusWarning(
                f"{answer.url} answered {answer.status} where "
                f"{' or '.join(map(str, sorted(expected)))} is due; it is taken as done"
                + (", in the form of an older version of the standard" * (answer.status == 203))
            ),
            stacklevel=4,
        )
    return answer
