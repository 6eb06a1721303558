"""Parser and evaluator of the NGSI-LD query language, written from the grammar of clause 4.9.

Shares no code with the builder under test. `parse` gives a tree of tuples, `meets` evaluates it.
"""

import json
import re
from typing import Any

TERM = re.compile(r"[^\W\d_][\w:]*(?:\.[^\W\d_][\w:]*)*(?:\[[\w.*-]+\]|\{[\w:.,]+\})?")
NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
DATE = re.compile(
    r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?Z)?|\d\d:\d\d:\d\d(?:\.\d+)?Z"
)  # fmt: skip


class Malformed(ValueError):  # noqa: N818
    pass


class Parser:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def whole(self) -> tuple[Any, ...]:
        tree = self.either()
        if self.at != len(self.text):
            raise Malformed(f"{self.text[self.at :]!r} is left of {self.text!r}")
        return tree

    def either(self) -> tuple[Any, ...]:
        parts = [self.both()]
        while self.eat("|"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else ("or", *parts)

    def both(self) -> tuple[Any, ...]:
        parts = [self.one()]
        while self.eat(";"):
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else ("and", *parts)

    def one(self) -> tuple[Any, ...]:
        if self.eat("("):
            tree = self.either()
            if not self.eat(")"):
                raise Malformed("bracket without end")
            return tree
        path = self.match(TERM)
        for operator in ("!~=", "~=", "==", "!=", ">=", "<=", ">", "<"):
            if self.eat(operator):
                break
        else:
            return ("exists", path)
        if operator in ("~=", "!~="):
            quoted = self.text.startswith('"', self.at)
            return (
                operator,
                path,
                self.string() if quoted else self.match(re.compile(r"[^;|()]+")),
            )
        value = self.value()
        if operator in ("==", "!="):
            if self.eat(".."):
                return (operator, path, ("range", value, self.value()))
            values = [value]
            while self.eat(","):
                values.append(self.value())
            return (operator, path, ("any", *values))
        return (operator, path, ("any", value))

    def value(self) -> Any:
        if self.text.startswith('"', self.at):
            return self.string()
        for word, meaning in (("true", True), ("false", False)):
            if self.eat(word):
                return meaning
        found = DATE.match(self.text, self.at)
        if found:
            self.at = found.end()
            return found[0]
        return json.loads(self.match(NUMBER))

    def string(self) -> str:
        value, end = json.JSONDecoder().raw_decode(self.text, self.at)
        self.at = end
        return str(value)

    def match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if not found:
            raise Malformed(f"nothing fits at {self.text[self.at :]!r}")
        self.at = found.end()
        return found[0]

    def eat(self, token: str) -> bool:
        if self.text.startswith(token, self.at):
            self.at += len(token)
            return True
        return False


def parse(text: str) -> tuple[Any, ...]:
    return Parser(text).whole()


_MISSING = object()


def targets(entity: dict[str, Any], path: str) -> list[Any]:
    """Values that a path addresses, of all instances."""
    dotted, _, member = path.partition("[")
    found: list[Any] = [entity]
    for name in dotted.split("."):
        found = [
            each
            for holder in found
            if isinstance(holder, dict) and name in holder
            for each in (holder[name] if isinstance(holder[name], list) else [holder[name]])
        ]
    values = [
        each.get("value", each.get("object", _MISSING)) if isinstance(each, dict) else each
        for each in found
    ]
    for name in member.rstrip("]").split(".") if member else []:
        values = [v[name] if isinstance(v, dict) and name in v else _MISSING for v in values]
    return [value for value in values if value is not _MISSING]


def meets(entity: dict[str, Any], tree: tuple[Any, ...]) -> bool:
    kind = tree[0]
    if kind == "and":
        return all(meets(entity, part) for part in tree[1:])
    if kind == "or":
        return any(meets(entity, part) for part in tree[1:])
    values = targets(entity, tree[1])
    if kind == "exists":
        return bool(values)
    flat = [x for v in values for x in (v if isinstance(v, list) else [v])]
    if kind == "==":
        return any(_equal(value, tree[2]) for value in flat)
    if kind == "!=":
        return bool(values) and not any(_equal(value, tree[2]) for value in flat)
    if kind in ("~=", "!~="):
        texts = [value for value in flat if isinstance(value, str)]
        hits = [bool(re.fullmatch(tree[2], text)) for text in texts]
        return any(hits) if kind == "~=" else bool(hits) and not any(hits)
    bound = tree[2][1]
    return any(_same_kind(value, bound) and _ordered(kind, value, bound) for value in flat)


def _ordered(kind: str, value: Any, bound: Any) -> bool:
    return {"<": value < bound, "<=": value <= bound, ">": value > bound, ">=": value >= bound}[
        kind
    ]


def _equal(value: Any, wanted: tuple[Any, ...]) -> bool:
    if wanted[0] == "range":
        _, low, high = wanted
        return _same_kind(value, low) and _same_kind(value, high) and low <= value <= high
    return any(_same_kind(value, each) and value == each for each in wanted[1:])


def _same_kind(value: Any, other: Any) -> bool:
    def kind(each: Any) -> str:
        if isinstance(each, bool):
            return "bool"
        return "number" if isinstance(each, int | float) else type(each).__name__

    return kind(value) == kind(other)
