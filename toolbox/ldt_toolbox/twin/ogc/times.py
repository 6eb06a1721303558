"""The parameter ``datetime`` of OGC API Features: instants and intervals (RFC 3339)."""

from dataclasses import dataclass

from ldt_toolbox.twin.problems import ProblemError
from ldt_toolbox.twin.query.values import temporal_key

_OPEN = ("", "..")


def instant_key(text: str, *, end: bool) -> bytes | None:
    """Key that orders an instant or a date among instants; a date is from midnight to midnight."""
    if len(text) == 10:
        text += "T23:59:59.999999Z" if end else "T00:00:00Z"
    key = temporal_key(text)
    return key if key is not None and key[:1] == b"D" else None


@dataclass(frozen=True)
class Period:
    """An interval with both ends; None is open.

    Attributes
    ----------
    first, last : bytes or None
        Keys of `instant_key`.
    """

    first: bytes | None
    last: bytes | None

    @classmethod
    def read(cls, text: str) -> "Period":
        """Read ``instant``, ``first/last``, ``../last`` or ``first/..``.

        Raises
        ------
        ProblemError
            400 that shows the forms.
        """
        first, slash, last = text.partition("/")
        if not slash:
            last = first
        ends = []
        for part, end in ((first, False), (last, True)):
            key = None if slash and part in _OPEN else instant_key(part.upper(), end=end)
            if key is None and not (slash and part in _OPEN):
                detail = (
                    f"datetime = {text!r:.80}: an instant such as 2026-07-01T12:00:00Z, a date, or "
                    "two with a slash between, of which one may be `..`"
                )
                raise ProblemError("", detail, status=400)
            ends.append(key)
        period = cls(*ends)
        if period.first and period.last and period.first > period.last:
            detail = f"datetime = {text!r:.80} ends before it begins"
            raise ProblemError("", detail, status=400)
        if period.first is None and period.last is None:
            raise ProblemError("", "datetime: one end of the interval is given", status=400)
        return period

    def meets(self, first: str, last: str) -> bool:
        """Whether it has an instant in common with a feature's time."""
        begin, end = instant_key(first, end=False), instant_key(last, end=True)
        if begin is None or end is None:
            return False
        return (self.last is None or begin <= self.last) and (
            self.first is None or end >= self.first
        )
