"""Which types (4.17) and which scopes (4.19) are asked for."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from ldt_toolbox.twin.problems import bad

_TOKEN = re.compile(r"[,|;()]|[^,|;()]+")
_DEEPEST = 20
_MOST = 200


@dataclass(frozen=True)
class Leaf:
    """One name, or one pattern of scopes."""

    name: str


@dataclass(frozen=True)
class AllOf:
    """All parts hold."""

    parts: tuple["Choice", ...]


@dataclass(frozen=True)
class AnyOf:
    """At least one part holds."""

    parts: tuple["Choice", ...]


Choice = Leaf | AllOf | AnyOf


def parse_types(text: str, expand: Callable[[str], str]) -> Choice:
    """Read a type selection: names with ``,`` or ``|`` for or, ``;`` for and, brackets."""
    return _Reader(text, "type", lambda name: Leaf(expand(name))).whole()


def parse_scopes(text: str) -> Choice:
    """Read a scope query: like types, of scopes with ``+`` for a level and ``#`` for the rest."""

    def leaf(name: str) -> Leaf:
        scope = f"/{name.lstrip('/')}"
        if not re.fullmatch(r"(/([^\W\d_][\w-]*|\+))*(/#)?", scope) or scope == "/":
            raise bad(f"scopeQ: {name!r:.80} is no scope such as /a/b, /a/+/c or /a/# (4.19)")
        return Leaf(scope)

    return _Reader(text, "scopeQ", leaf).whole()


class _Reader:
    def __init__(self, text: str, what: str, leaf: Callable[[str], Leaf]) -> None:
        self._tokens = [each.strip() for each in _TOKEN.findall(text)]
        self._what, self._text, self._leaf = what, text, leaf
        self._at = 0
        if len(self._tokens) > _MOST:
            raise bad(f"{what} names more than {_MOST}")

    def whole(self) -> Choice:
        found = self._either(0)
        if self._at != len(self._tokens):
            raise self._wrong()
        return found

    def _wrong(self) -> Exception:
        return bad(f"{self._what} {self._text!r:.100}: names, with , | ; and brackets")

    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _either(self, depth: int) -> Choice:
        parts = [self._both(depth)]
        while self._next() in (",", "|"):
            self._at += 1
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _both(self, depth: int) -> Choice:
        parts = [self._one(depth)]
        while self._next() == ";":
            self._at += 1
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _one(self, depth: int) -> Choice:
        word = self._next()
        self._at += 1
        if word == "(" and depth < _DEEPEST:
            inner = self._either(depth + 1)
            if self._next() != ")":
                raise self._wrong()
            self._at += 1
            return inner
        if not word or word in ",|;()":
            raise self._wrong()
        return self._leaf(word)


def types_fit(choice: Choice, types: Collection[str]) -> bool:
    """Whether an entity of some types is asked for."""
    return _fits(choice, lambda leaf: leaf in types)


def scopes_fit(choice: Choice, scopes: Collection[str]) -> bool:
    """Whether an entity with some scopes is asked for."""
    return _fits(choice, lambda leaf: any(scope_pattern(leaf).fullmatch(s) for s in scopes))


def scope_pattern(scope: str) -> re.Pattern[str]:
    """Pattern of a scope with wildcards: ``+`` is one level, ``#`` all below and the level."""
    parts = scope.removesuffix("/#").split("/")[1:]
    body = "".join("/[^/]+" if part == "+" else "/" + re.escape(part) for part in parts)
    if scope == "/#":
        return re.compile("/.*")
    return re.compile(body + ("(/.*)?" if scope.endswith("/#") else ""))


def _fits(choice: Choice, leaf: Callable[[str], bool]) -> bool:
    if isinstance(choice, AllOf):
        return all(_fits(part, leaf) for part in choice.parts)
    if isinstance(choice, AnyOf):
        return any(_fits(part, leaf) for part in choice.parts)
    return leaf(choice.name)
