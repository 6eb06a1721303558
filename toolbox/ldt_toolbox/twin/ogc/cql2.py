"""CQL2 text (OGC 21-065r2): from text to a tree.

Taken are the classes Basic CQL2, Advanced Comparison Operators and Spatial Functions: comparisons
of a property with a literal in either order, AND, OR, NOT, IS NULL, LIKE, BETWEEN, IN, and the
eight ``S_`` functions with a literal in WKT or ``BBOX(...)``.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import shapely
from shapely.geometry.base import BaseGeometry

from ldt_toolbox.twin.limits import Limits
from ldt_toolbox.twin.ogc.conditions import (
    And,
    Between,
    Compare,
    Constant,
    In,
    IsNull,
    Like,
    Moment,
    Node,
    Not,
    Or,
    Spatial,
    Value,
)
from ldt_toolbox.twin.ogc.reference import CRS84, boxes_of, north_first, turned
from ldt_toolbox.twin.problems import ProblemError
from ldt_toolbox.twin.query.values import temporal_key

RELATIONS = (
    "contains", "crosses", "disjoint", "equals", "intersects", "overlaps", "touches", "within",
)  # fmt: skip

#: What a relation is with its arguments the other way round.
_MIRRORED = {"contains": "within", "within": "contains"}
_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "<>": "<>"}
_SHAPES = (
    "POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON",
    "GEOMETRYCOLLECTION",
)  # fmt: skip
_WORDS = frozenset({"AND", "OR", "NOT", "LIKE", "BETWEEN", "IN", "IS", "NULL", "TRUE", "FALSE"})
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))
    | (?P<text>'(?>''|\\'|[^'])*')
    | (?P<quoted>"[^"]+")
    | (?P<name>[^\W\d][\w.:-]*)
    | (?P<sign><=|>=|<>|[=<>(),])
    )""",
    re.VERBOSE,
)
#: A single quote within a text, in either of its writings.
_QUOTE = re.compile(r"''|\\'")
_LONGEST = 8000
_DEEPEST = 30


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class _Property:
    name: str


_END = _Token("end", "", 0, 0)


def wrong(detail: str) -> ProblemError:
    """Problem of a filter."""
    return ProblemError("", f"filter: {detail}", status=400)


def parse(text: str, *, limits: Limits, crs: str = CRS84) -> Node:
    """Read a filter.

    Parameters
    ----------
    text : str
        CQL2 text.
    limits : Limits
        Bounds on the conditions and on the positions of a geometry.
    crs : str
        URI of the CRS of its geometries.

    Returns
    -------
    Node
        Tree; geometries in the axis order of the CRS.

    Raises
    ------
    ProblemError
        400 that says where and what.
    """
    if len(text) > _LONGEST:
        raise wrong(f"{len(text)} characters; {_LONGEST} are taken")
    return _Reader(text, limits, crs).whole()


class _Reader:
    def __init__(self, text: str, limits: Limits, crs: str) -> None:
        self._text = text
        self._limits = limits
        self._crs = crs
        self._tokens = self._read(text)
        self._at = 0
        self._terms = 0

    def _read(self, text: str) -> list[_Token]:
        tokens = []
        at, end = 0, len(text.rstrip())
        while at < end:
            found = _TOKEN.match(text, at)
            if found is None:
                raise wrong(f"{text[at : at + 20]!r} at character {at + 1} is not understood")
            kind = str(found.lastgroup)
            tokens.append(_Token(kind, found[kind], found.start(kind), found.end()))
            at = found.end()
        return tokens

    def whole(self) -> Node:
        node = self._either(0)
        if self._next.kind != "end":
            raise self._unexpected("AND, OR or the end")
        return node

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else _END

    def _word(self) -> str:
        token = self._next
        return token.text.upper() if token.kind == "name" else ""

    def _took(self, *texts: str) -> bool:
        token = self._next
        if token.kind in ("name", "sign") and token.text.upper() in texts:
            self._at += 1
            return True
        return False

    def _need(self, text: str) -> None:
        if not self._took(text):
            raise self._unexpected(text)

    def _unexpected(self, wanted: str) -> ProblemError:
        token = self._next
        if token.kind == "end":
            return wrong(f"it ends where {wanted} is due")
        return wrong(f"{token.text!r:.40} at character {token.start + 1}: {wanted} is due")

    def _either(self, depth: int) -> Node:
        return self._joined("OR", self._both, Or, depth)

    def _both(self, depth: int) -> Node:
        return self._joined("AND", self._one, And, depth)

    def _joined(
        self, word: str, part: Callable[[int], Node], join: type[And] | type[Or], depth: int
    ) -> Node:
        parts = [part(depth)]
        while self._took(word):
            parts.append(part(depth))
        return parts[0] if len(parts) == 1 else join(tuple(parts))

    def _one(self, depth: int) -> Node:
        if depth > _DEEPEST:
            raise wrong(f"conditions are nested more than {_DEEPEST} deep")
        if self._took("NOT"):
            return Not(self._one(depth + 1))
        if self._took("("):
            node = self._either(depth + 1)
            self._need(")")
            return node
        self._terms += 1
        if self._terms > self._limits.query_terms:
            raise wrong(f"more than {self._limits.query_terms} conditions")
        return self._predicate()

    def _predicate(self) -> Node:
        word = self._word()
        if word.startswith("S_"):
            return self._spatial()
        left = self._operand()
        if isinstance(left, bool) and self._next.text.upper() in ("", "AND", "OR", ")"):
            return Constant(left)
        if self._next.kind == "sign" and self._next.text in _TURNED:
            operator = self._next.text
            self._at += 1
            right = self._operand()
            if isinstance(left, _Property) and not isinstance(right, _Property):
                return Compare(left.name, operator, right)
            if isinstance(right, _Property) and not isinstance(left, _Property):
                return Compare(right.name, _TURNED[operator], left)
            raise wrong("a comparison has a property on one side and a literal on the other")
        if not isinstance(left, _Property):
            raise self._unexpected("an operator")
        if self._took("IS"):
            negated = self._took("NOT")
            self._need("NULL")
            return _perhaps(IsNull(left.name), negated)
        negated = self._took("NOT")
        if self._took("LIKE"):
            token = self._next
            if token.kind != "text":
                raise self._unexpected("a pattern in single quotes")
            self._at += 1
            return _perhaps(Like(left.name, _unquoted(token)), negated)
        if self._took("BETWEEN"):
            low = self._literal()
            self._need("AND")
            return _perhaps(Between(left.name, low, self._literal()), negated)
        if self._took("IN"):
            return _perhaps(In(left.name, self._list()), negated)
        raise self._unexpected("an operator such as =, <, LIKE, BETWEEN, IN or IS NULL")

    def _list(self) -> tuple[Value, ...]:
        self._need("(")
        values = [self._literal()]
        while self._took(","):
            values.append(self._literal())
        self._need(")")
        return tuple(values)

    def _literal(self) -> Value:
        found = self._operand()
        if isinstance(found, _Property):
            raise wrong(f"{found.name!r:.40} stands where a literal is due")
        return found

    def _operand(self) -> "Value | _Property":
        token = self._next
        word = self._word()
        self._at += 1
        if token.kind == "number":
            return _number(token.text)
        if token.kind == "text":
            return _unquoted(token)
        if token.kind == "quoted":
            return _Property(token.text[1:-1])
        if word in ("TRUE", "FALSE"):
            return word == "TRUE"
        if word in ("TIMESTAMP", "DATE") and self._next.text == "(":
            return self._moment(word)
        if token.kind == "name" and word not in _WORDS and self._next.text != "(":
            return _Property(token.text)
        self._at -= 1
        raise self._unexpected("a property or a literal")

    def _moment(self, word: str) -> Moment:
        self._need("(")
        token = self._next
        if token.kind != "text":
            raise self._unexpected("an instant in single quotes")
        self._at += 1
        self._need(")")
        text = _unquoted(token)
        key = temporal_key(text)
        if key is None or key[:1] != {"DATE": b"d", "TIMESTAMP": b"D"}[word]:
            example = date(2026, 1, 31).isoformat() + ("" if word == "DATE" else "T12:00:00Z")
            raise wrong(f"{word}({text!r:.40}) is no {word.lower()}, such as {example}")
        return Moment(text, key)

    def _spatial(self) -> Node:
        relation = self._next.text[2:].lower()
        if relation not in RELATIONS:
            raise self._unexpected(" or ".join(f"S_{each.upper()}" for each in RELATIONS))
        self._at += 1
        self._need("(")
        left = self._geometry()
        self._need(",")
        right = self._geometry()
        self._need(")")
        if isinstance(left, _Property) and not isinstance(right, _Property):
            return Spatial(relation, left.name, right)
        if isinstance(right, _Property) and not isinstance(left, _Property):
            return Spatial(_MIRRORED.get(relation, relation), right.name, left)
        raise wrong(f"S_{relation.upper()} takes a property and a geometry in WKT")

    def _geometry(self) -> "BaseGeometry | _Property":
        word = self._word()
        if word == "BBOX":
            self._at += 1
            return self._box()
        if word in _SHAPES:
            return self._wkt()
        found = self._operand()
        if not isinstance(found, _Property):
            raise wrong("a spatial function takes a property and a geometry in WKT, unquoted")
        return found

    def _box(self) -> BaseGeometry:
        """``BBOX(...)``; in two parts where it crosses the antimeridian."""
        given = self._list()
        numbers = [float(each) for each in given if type(each) in (int, float)]  # type: ignore[arg-type]
        if len(numbers) != len(given) or len(numbers) not in (4, 6):
            raise wrong("BBOX has four numbers: west, south, east, north (six with heights)")
        parts = [shapely.box(*box) for box in boxes_of(numbers, self._crs, what="filter: BBOX")]
        found = parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
        return turned(found) if north_first(self._crs) else found

    def _wkt(self) -> BaseGeometry:
        start = self._next.start
        depth, positions = 0, 1
        while True:
            token = self._next
            if token.kind == "end" or token.kind in ("text", "quoted"):
                raise self._unexpected("the end of the geometry")
            self._at += 1
            depth += {"(": 1, ")": -1}.get(token.text, 0)
            positions += token.text == ","
            if token.text == ")" and depth <= 0:
                break
        if positions > self._limits.vertices:
            raise wrong(f"a geometry of {positions} positions; {self._limits.vertices} are taken")
        text = self._text[start : token.end]
        try:
            found: BaseGeometry = shapely.from_wkt(text)
        except shapely.GEOSException as error:
            raise wrong(f"{text!r:.60} is no geometry in WKT: {error}") from None
        if not all(math.isfinite(each) for each in found.bounds) or found.is_empty:
            raise wrong(f"{text!r:.60} has no extent")
        return found


def _perhaps(node: Node, negated: bool) -> Node:
    return Not(node) if negated else node


def _unquoted(token: _Token) -> str:
    return _QUOTE.sub("'", token.text[1:-1])


def _number(text: str) -> float | int:
    if re.fullmatch(r"[-+]?\d{1,18}", text):
        return int(text)
    value = float(text)
    if not math.isfinite(value):
        raise wrong(f"{text!r:.40} is beyond all numbers")
    return value
