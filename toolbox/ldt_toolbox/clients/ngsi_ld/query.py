"""Builder of the NGSI-LD query language (GS CIM 009 V1.8.1, clause 4.9): the parameter `q`.

Values are quoted as JSON strings and names are checked against the grammar, so that no value
that comes from outside can end its term and begin another::

    (Q.attr("temperature") > 30) & Q.attr("address").member("city").one_of(["Nice", "Cannes"])
"""

import json
import math
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Literal

import numpy as np

from ldt_toolbox.errors import WrongUseError

Scalar = str | int | float | bool | datetime | date | time | np.generic
"""A value that the language knows, also as a cell of a frame."""

# unicodeLetter *(unicodeLetter / unicodeNumber / "_"), with an optional prefix (4.6.2)
_NAME = re.compile(r"[^\W\d_]\w*(:[^\W\d_]\w*)?")
_LANGUAGE = re.compile(r"\*|[A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8})*")
_TIMES = frozenset({"observedAt", "createdAt", "modifiedAt", "deletedAt", "expiresAt"})
# What ends a term or a group, or is no plain character, cannot stand in a bare pattern
_RESERVED = re.compile(r'[;|()"\s\x00-\x1f]')

Operator = Literal["==", "!=", ">", ">=", "<", "<="]


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise WrongUseError(
            f"{text!r} is no attribute name in a query: a name is a letter followed by letters, "
            "digits or _ (GS CIM 009, 4.6.2); use the short name of the @context"
        )
    return text


def _dotted(text: str) -> str:
    return ".".join(_name(part) for part in text.split("."))


def literal(value: Scalar) -> str:
    """Value as the query language writes it.

    Parameters
    ----------
    value : str, bool, int, float, datetime, date, time or numpy scalar
        Text is quoted; a date and time must carry its time zone and becomes UTC.

    Returns
    -------
    str
        Text of the value, not URL-encoded.

    Raises
    ------
    WrongUseError
        The value has no form in the language (GS CIM 009, 4.9 and 4.6.3).
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int | float):
        if not math.isfinite(value):
            raise WrongUseError(f"{value} is no JSON number; compare with a finite one")
        return json.dumps(value)
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.replace(tzinfo=None).isoformat() + "Z"
    raise WrongUseError(
        f"{value!r} ({type(value).__name__}) cannot stand in a query; give text, a number, "
        "a truth value, a date or a time"
    )


def _as_time(text: str) -> datetime | date | None:
    """The DateTime or Date that a text names (4.6.3); None if it names none."""
    for read in (date.fromisoformat, datetime.fromisoformat):
        with suppress(ValueError):
            found = read(text)
            if not isinstance(found, datetime) or found.tzinfo is not None:
                return found
    return None


def instant(value: datetime | str) -> str:
    """Instant as an NGSI-LD DateTime in UTC (GS CIM 009, 4.6.3); text is checked and kept.

    Raises
    ------
    WrongUseError
        The value names no time zone or is no ISO 8601 date and time.
    """
    if isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value)
        except ValueError:
            raise WrongUseError(
                f"{value!r} is no date and time; write it as 2026-07-01T12:00:00Z"
            ) from None
        instant(parsed)
        return value
    if not isinstance(value, datetime):
        raise WrongUseError(
            f"{value!r} is no date and time; give a datetime with its zone, or 2026-07-01T12:00:00Z"
        )
    if value.tzinfo is None:
        raise WrongUseError(f"{value.isoformat()} has no time zone; add one, such as datetime.UTC")
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


class Expression:
    """A condition that `&` and `|` combine; `str()` gives the parameter `q`."""

    def __and__(self, other: "Expression") -> "Expression":
        return _Junction(";", (*_parts(self, ";"), *_parts(other, ";")))

    def __or__(self, other: "Expression") -> "Expression":
        return _Junction("|", (*_parts(self, "|"), *_parts(other, "|")))

    def __bool__(self) -> bool:
        raise WrongUseError(
            "a query has no truth value: combine with & and |, put each comparison in brackets, "
            "and write ranges with .between(a, b)"
        )


@dataclass(frozen=True, eq=False)
class _Junction(Expression):
    operator: Literal[";", "|"]
    parts: tuple[Expression, ...]

    def __str__(self) -> str:
        # AND binds closer than OR; brackets say so where the tree differs
        return self.operator.join(
            f"({part})" if isinstance(part, _Junction) and self.operator == ";" else str(part)
            for part in self.parts
        )

    __repr__ = __str__


@dataclass(frozen=True, eq=False)
class _Term(Expression):
    text: str

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


def _parts(expression: Expression, operator: str) -> Iterable[Expression]:
    if not isinstance(expression, Expression):
        raise WrongUseError(
            f"{expression!r} is no condition: & and | bind closer than comparisons in Python, "
            "put each comparison in brackets"
        )
    if isinstance(expression, _Junction) and expression.operator == operator:
        return expression.parts
    if isinstance(expression, Attribute):
        return (expression.exists(),)
    return (expression,)


class Attribute(Expression):
    """Path to an attribute, a sub-attribute or a member of a value; on its own: it exists.

    Parameters
    ----------
    path : str
        Text of the path, checked by `Q.attr`.
    """

    __hash__ = object.__hash__

    def __init__(self, path: str) -> None:
        self._path = path

    def __str__(self) -> str:
        return self._path

    def __repr__(self) -> str:
        return f"Q.attr({self._path!r})"

    def sub(self, name: str) -> "Attribute":
        """Attribute of this attribute, such as `observedAt` or `unitCode`."""
        if self._path.endswith(("]", "}")):
            raise WrongUseError(f"{self._path}: a sub-attribute comes before members, not after")
        return Attribute(f"{self._path}.{_dotted(name)}")

    def member(self, path: str) -> "Attribute":
        """Member of a value that is an object, such as `city` of an address; dots go deeper."""
        return self._bracket(_dotted(path))

    def language(self, tag: str) -> "Attribute":
        """One language of a LanguageProperty, such as `fr`, or `*` for any."""
        if not _LANGUAGE.fullmatch(tag):
            raise WrongUseError(f"{tag!r} is no language tag; write it as fr, en-GB or *")
        return self._bracket(tag)

    def linked(self, path: str, *, types: Sequence[str] = ()) -> "Attribute":
        """Attribute of the entity to which this relationship points (4.5.23).

        Parameters
        ----------
        path : str
            Attribute of the linked entity.
        types : sequence of str
            Types that the linked entity may have, which spares the server a search.
        """
        if self._path.endswith(("]", "}")):
            raise WrongUseError(f"{self._path} is no relationship; begin with Q.attr(name)")
        hint = ",".join(_name(each) for each in types) + ":" if types else ""
        return Attribute(f"{self._path}{{{hint}{_dotted(path)}}}")

    def _bracket(self, inner: str) -> "Attribute":
        if self._path.endswith(("]", "}")):
            raise WrongUseError(f"{self._path} has its members already; separate deeper by dots")
        return Attribute(f"{self._path}[{inner}]")

    def exists(self) -> Expression:
        """The attribute is there, whatever its value."""
        return _Term(self._path)

    def _compare(self, operator: Operator, value: Scalar) -> Expression:
        if isinstance(value, bool | np.bool_) and operator not in ("==", "!="):
            raise WrongUseError(f"{self._path} {operator} {value}: truth values have no order")
        return _Term(f"{self._path}{operator}{self._literal(value)}")

    def _literal(self, value: Scalar) -> str:
        """Value as it stands beside this path; a text beside a Temporal Property (4.8) is a time.

        The grammar has times without quotes, and what differs in kind does not match (4.9).
        """
        if isinstance(value, str) and self._path.rpartition(".")[2] in _TIMES:
            value = _as_time(value) or value
        return literal(value)

    def __eq__(self, value: Scalar) -> Expression:  # type: ignore[override]
        return self._compare("==", value)

    def __ne__(self, value: Scalar) -> Expression:  # type: ignore[override]
        return self._compare("!=", value)

    def __gt__(self, value: Scalar) -> Expression:
        return self._compare(">", value)

    def __ge__(self, value: Scalar) -> Expression:
        return self._compare(">=", value)

    def __lt__(self, value: Scalar) -> Expression:
        return self._compare("<", value)

    def __le__(self, value: Scalar) -> Expression:
        return self._compare("<=", value)

    def between(self, low: Scalar, high: Scalar) -> Expression:
        """The value is in a range, both ends included."""
        return _Term(f"{self._path}=={self._range(low, high)}")

    def outside(self, low: Scalar, high: Scalar) -> Expression:
        """The value is there and not in a range, both ends of which belong to it."""
        return _Term(f"{self._path}!={self._range(low, high)}")

    def one_of(self, values: Iterable[Scalar]) -> Expression:
        """The value is one of several."""
        return _Term(f"{self._path}=={self._list(values)}")

    def none_of(self, values: Iterable[Scalar]) -> Expression:
        """The value is there and is none of several."""
        return _Term(f"{self._path}!={self._list(values)}")

    def matches(self, pattern: str, *, quoted: bool = False) -> Expression:
        """The text matches a POSIX regular expression.

        Parameters
        ----------
        pattern : str
            Extended regular expression (IEEE 1003.2).
        quoted : bool
            Send the pattern as a quoted string. The grammar of 4.9 has bare patterns only, in
            which brackets, `;` and `|` would end the term; many brokers take quoted ones too.

        Raises
        ------
        WrongUseError
            A bare pattern would not survive.
        """
        return _Term(f"{self._path}~={_pattern(pattern, quoted)}")

    def not_matches(self, pattern: str, *, quoted: bool = False) -> Expression:
        """The text is there and does not match; see `matches`."""
        return _Term(f"{self._path}!~={_pattern(pattern, quoted)}")

    def _range(self, low: Scalar, high: Scalar) -> str:
        if any(isinstance(end, bool | np.bool_) for end in (low, high)):
            raise WrongUseError(f"{self._path}: truth values have no range")
        return f"{self._literal(low)}..{self._literal(high)}"

    def _list(self, values: Iterable[Scalar]) -> str:
        if isinstance(values, str):
            raise WrongUseError(f"{self._path}: give a list of values, not the text {values!r}")
        texts = [self._literal(value) for value in values]
        if not texts:
            raise WrongUseError(f"{self._path}: a list of no values matches nothing; give one")
        return ",".join(texts)


def _pattern(pattern: str, quoted: bool) -> str:
    if quoted:
        return json.dumps(pattern, ensure_ascii=False)
    if not pattern or _RESERVED.search(pattern):
        raise WrongUseError(
            f"pattern {pattern!r} is empty or holds blanks, quotes, brackets, ; or |, which would "
            "end it; use classes such as [ab], or quoted=True if the server takes quoted patterns"
        )
    return pattern


class Q:
    """Where a query begins: `Q.attr("temperature") > 30`."""

    @staticmethod
    def attr(path: str) -> Attribute:
        """Attribute by its short name; dots lead to sub-attributes (`temperature.observedAt`).

        Raises
        ------
        WrongUseError
            A name is not one of the grammar.
        """
        return Attribute(_dotted(path))
