"""The query language `q` (GS CIM 009 V1.8.1, 4.9): from text to a tree."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal as Choice

import orjson

from ldt_toolbox.twin.problems import ProblemError, bad
from ldt_toolbox.twin.query.pattern import Pattern, compile_pattern
from ldt_toolbox.twin.query.values import (
    Key,
    boolean_key,
    number_key,
    temporal_key,
    uri_key,
)

Operator = Choice["exists", "==", "!=", ">", ">=", "<", "<=", "~=", "!~="]

#: What ends a bare value; in a list also the comma.
_BARE = re.compile(r"[^;|(),\"\s]+?(?=\.\.|[;|(),]|$)")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?=\.\.|[;|),]|$)")
_NAME = re.compile(r"[^\W\d](?:[\w:-]*[\w-])?")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_TAG = re.compile(r"\*|[\w-]+")
_OPERATORS: tuple[Operator, ...] = ("==", "!=", ">=", "<=", "!~=", "~=", ">", "<")
_DEEPEST = 50


@dataclass(frozen=True)
class Literal:
    """A value of the query.

    Attributes
    ----------
    keys : frozenset
        Keys that a target value may have to be equal.
    order : Key or None
        Key that orders it among values of its kind; None for a truth value.
    """

    keys: frozenset[Key]
    order: Key | None


@dataclass(frozen=True)
class Path:
    """What a condition is on.

    Attributes
    ----------
    names : tuple of str
        IRIs of the attribute, its attribute, and so on.
    members : tuple of str
        Members of the value, or a language.
    types : tuple of str
        IRIs of types of the linked entity; all if empty.
    linked : Path or None
        Path in the entity that the relationship points to.
    """

    names: tuple[str, ...]
    members: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    linked: "Path | None" = None


@dataclass(frozen=True)
class Term:
    """One condition.

    Attributes
    ----------
    path : Path
        On what.
    operator : str
        How it compares.
    values : tuple of Literal
        With what: one, or any of several, or the two ends of a range.
    range : bool
        Whether the values are the ends of a range, both included.
    pattern : Pattern or None
        Regular expression that the whole text is to match.
    """

    path: Path
    operator: Operator = "exists"
    values: tuple[Literal, ...] = ()
    range: bool = False
    pattern: Pattern | None = None


@dataclass(frozen=True)
class Every:
    """All of several conditions."""

    parts: tuple["Node", ...]


@dataclass(frozen=True)
class Some:
    """At least one of several conditions."""

    parts: tuple["Node", ...]


Node = Term | Every | Some


def parse(
    text: str,
    expand: Callable[[str], str],
    *,
    expand_values: frozenset[str] = frozenset(),
    most: int = 200,
    pattern_length: int = 500,
) -> Node:
    """Read a query.

    Parameters
    ----------
    text : str
        Decoded parameter `q`.
    expand : callable
        IRI of a name.
    expand_values : frozenset of str
        Names of the attributes whose values are names too (`expandValues`).
    most : int
        Conditions that are taken.
    pattern_length : int
        Length of a pattern that is taken.

    Raises
    ------
    ProblemError
        BadRequestData with the place where the text is no query; TooComplexQuery beyond `most`.
    """
    parser = _Parser(text, expand, expand_values, most, pattern_length)
    node = parser.either(0)
    if parser.at != len(text):
        raise parser.wrong("something is left")
    return node


class _Parser:
    def __init__(
        self,
        text: str,
        expand: Callable[[str], str],
        expand_values: frozenset[str],
        most: int,
        pattern_length: int,
    ) -> None:
        self.text, self.at = text, 0
        self._expand = expand
        self._expand_values = expand_values
        self._left = most
        self._pattern_length = pattern_length

    def wrong(self, what: str) -> ProblemError:
        rest = self.text[self.at : self.at + 40]
        return bad(f"q: {what} at character {self.at}: {rest!r} (GS CIM 009, 4.9)")

    def either(self, depth: int) -> Node:
        parts = [self._both(depth)]
        while self._eat("|"):
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else Some(tuple(parts))

    def _both(self, depth: int) -> Node:
        parts = [self._one(depth)]
        while self._eat(";"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _one(self, depth: int) -> Node:
        if not self._eat("("):
            return self._term()
        if depth >= _DEEPEST:
            raise ProblemError("TooComplexQuery", f"q: brackets more than {_DEEPEST} deep")
        node = self.either(depth + 1)
        if not self._eat(")"):
            raise self.wrong("a bracket is not closed")
        return node

    def _term(self) -> Term:
        self._left -= 1
        if self._left < 0:
            raise ProblemError("TooComplexQuery", "q has too many conditions")
        start = self.at
        path = self._path()
        name = self.text[start : self.at]
        operator = next((each for each in _OPERATORS if self._eat(each)), None)
        if operator is None:
            return Term(path)
        if operator in ("~=", "!~="):
            return Term(path, operator, pattern=self._pattern())
        expanding = re.split(r"[.\[{]", name)[0] in self._expand_values
        values = [self._value(expanding)]
        if operator in ("==", "!="):
            if self._eat(".."):
                values.append(self._value(expanding))
                if values[0].order is None or values[1].order is None:
                    raise self.wrong("truth values have no range")
                return Term(path, operator, tuple(values), range=True)
            while self._eat(","):
                values.append(self._value(expanding))
        elif values[0].order is None:
            raise self.wrong("truth values have no order")
        return Term(path, operator, tuple(values))

    def _path(self) -> Path:
        names = [self._expand(self._match(_NAME, "a name"))]
        while self.text.startswith(".", self.at) and not self.text.startswith("..", self.at):
            self.at += 1
            names.append(self._expand(self._match(_NAME, "a name")))
        members: list[str] = []
        if self._eat("["):
            members.append(self._match(_TAG, "a member"))
            while self._eat("."):
                members.append(self._match(_TAG, "a member"))
            if not self._eat("]"):
                raise self.wrong("a bracket is not closed")
        elif self._eat("{"):
            types, linked = self._linked()
            return Path(tuple(names), (), types, linked)
        return Path(tuple(names), tuple(members))

    def _linked(self) -> tuple[tuple[str, ...], Path]:
        hint = re.compile(r"([^\W\d]\w*(?:,[^\W\d]\w*)*):(?!//)").match(self.text, self.at)
        types: tuple[str, ...] = ()
        if hint:
            self.at = hint.end()
            types = tuple(self._expand(each) for each in hint[1].split(","))
        path = self._path()
        if not self._eat("}"):
            raise self.wrong("a curly bracket is not closed")
        return types, path

    def _value(self, expanding: bool) -> Literal:
        if self.text.startswith('"', self.at):
            return self._text(self._string(), expanding)
        found = _NUMBER.match(self.text, self.at)
        if found:
            self.at = found.end()
            number = number_key(float(found[0]) if re.search("[.eE]", found[0]) else int(found[0]))
            return Literal(frozenset({number}), number)
        word = self._match(_BARE, "a value")
        if word in ("true", "false"):
            return Literal(frozenset({boolean_key(word == "true")}), None)
        temporal = temporal_key(word)
        if temporal is not None:
            return Literal(frozenset({temporal}), temporal)
        return self._text(word, expanding)

    def _text(self, text: str, expanding: bool) -> Literal:
        text = self._expand(text) if expanding else text
        return Literal(frozenset({text, uri_key(text)}), text)

    def _string(self) -> str:
        try:
            value = orjson.loads(self._match(_STRING, "a string"))
        except orjson.JSONDecodeError:
            raise self.wrong("before this, a string is no JSON string") from None
        return str(value)

    def _pattern(self) -> Pattern:
        quoted = self.text.startswith('"', self.at)
        text = self._string() if quoted else self._bare_pattern()
        if not text:
            raise self.wrong("a pattern is expected")
        if len(text) > self._pattern_length:
            raise bad(f"q: a pattern is longer than {self._pattern_length}")
        return compile_pattern(text)

    def _bare_pattern(self) -> str:
        """Text up to what ends the term; brackets of the pattern itself do not."""
        start, depth = self.at, 0
        while self.at < len(self.text):
            letter = self.text[self.at]
            if letter == "\\":
                self.at += 1
            elif letter == "[":
                # a closing bracket right behind the opening one belongs to the class
                end = self.text.find("]", self.at + 2)
                self.at = end if end >= 0 else len(self.text)
            elif letter == "(":
                depth += 1
            elif depth == 0 and letter in ";|)":
                break
            elif letter == ")":
                depth -= 1
            self.at += 1
        self.at = min(self.at, len(self.text))
        return self.text[start : self.at]

    def _match(self, pattern: re.Pattern[str], what: str) -> str:
        found = pattern.match(self.text, self.at)
        if not found:
            raise self.wrong(f"{what} is expected")
        self.at = found.end()
        return found[0]

    def _eat(self, token: str) -> bool:
        if self.text.startswith(token, self.at):
            self.at += len(token)
            return True
        return False
