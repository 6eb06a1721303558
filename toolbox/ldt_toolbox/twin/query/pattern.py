"""Regular expressions that end: matched by sets of states, never by trying again.

The language is that of POSIX extended expressions (IEEE 1003.2) with the usual escapes. Back
references and looking around are no part of it. Time is proportional to the length of the text
times that of the pattern, whatever both are.
"""

import re
from functools import lru_cache
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from ldt_toolbox.twin.problems import bad

_MOST_STATES = 5000
_MOST_SETS = 2000
_LONGEST_TEXT = 100_000

_POSIX = {
    "alpha": r"^\W\d_",
    "digit": r"0-9",
    "alnum": r"^\W_",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\s",
    "blank": r" \t",
    "punct": r"!-/:-@\[-`{-~",
    "xdigit": "0-9A-Fa-f",
}


class Pattern:
    """A pattern, ready to match.

    Parameters
    ----------
    text : str
        Regular expression.

    Raises
    ------
    ProblemError
        BadRequestData if it is none, or needs more than states.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._moves: list[tuple[int, Any, int]] = []
        self._letters: list[list[tuple[Any, int]]] = []
        self._free: list[list[tuple[str, int]]] = []
        try:
            tree = parser.parse(_posix(text), re.UNICODE)
        except (re.error, OverflowError, RecursionError) as error:
            raise bad(f"pattern {text!r:.100} is no regular expression: {error}") from None
        start = self._state()
        self._end = self._sequence(tree, start)
        self._start = start
        self._known: dict[tuple[frozenset[int], str, bool], frozenset[int]] = {}

    def matches(self, text: str) -> bool:
        """Whether the whole text is in the language of the pattern."""
        return self._run(text, anywhere=False)

    def found_in(self, text: str) -> bool:
        """Whether a part of the text is in the language of the pattern."""
        return self._run(text, anywhere=True)

    def _run(self, text: str, *, anywhere: bool) -> bool:
        if len(text) > _LONGEST_TEXT:
            return False
        states = self._closure({self._start}, first=True, last=not text)
        if anywhere and self._end in states:
            return True
        for at, letter in enumerate(text):
            last = at + 1 == len(text)
            key = (states, letter, anywhere)
            after = None if last else self._known.get(key)
            if after is None:
                moved = {
                    target
                    for state in states
                    for test, target in self._letters[state]
                    if _fits(test, letter)
                }
                after = self._closure(moved, first=False, last=last)
                if anywhere:
                    after |= self._closure({self._start}, first=False, last=last)
                if not last and len(self._known) < _MOST_SETS:
                    self._known[key] = after
            states = after
            if anywhere and self._end in states:
                return True
            if not states:
                return False
        return self._end in states

    def _closure(self, states: set[int], *, first: bool, last: bool) -> frozenset[int]:
        stack, seen = list(states), set(states)
        while stack:
            for condition, target in self._free[stack.pop()]:
                holds = not condition or (first if condition == "^" else last)
                if holds and target not in seen:
                    seen.add(target)
                    stack.append(target)
        return frozenset(seen)

    def _state(self) -> int:
        if len(self._free) >= _MOST_STATES:
            raise bad(f"pattern {self.text!r:.100} is too large: repeat less often")
        self._letters.append([])
        self._free.append([])
        return len(self._free) - 1

    def _sequence(self, tree: Any, state: int) -> int:
        for operation, argument in tree:
            state = self._operation(operation, argument, state)
        return state

    def _operation(self, operation: Any, argument: Any, state: int) -> int:
        if operation in (codes.LITERAL, codes.NOT_LITERAL, codes.ANY, codes.IN):
            after = self._state()
            self._letters[state].append(((operation, argument), after))
            return after
        if operation is codes.SUBPATTERN:
            if argument[1] or argument[2]:
                raise bad(f"pattern {self.text!r:.100}: flags are not taken")
            return self._sequence(argument[3], state)
        if operation is codes.BRANCH:
            after = self._state()
            for branch in argument[1]:
                self._free[self._sequence(branch, self._branch(state))].append(("", after))
            return after
        if operation in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            least, most, body = argument
            return self._repeat(least, most, body, state)
        conditions = {codes.AT_BEGINNING: "^", codes.AT_END: "$"}
        conditions |= {codes.AT_BEGINNING_STRING: "^", codes.AT_END_STRING: "$"}
        if operation is codes.AT and argument in conditions:
            after = self._state()
            self._free[state].append((conditions[argument], after))
            return after
        raise bad(f"pattern {self.text!r:.100} uses {str(operation).lower()}, which is not taken")

    def _branch(self, state: int) -> int:
        after = self._state()
        self._free[state].append(("", after))
        return after

    def _repeat(self, least: int, most: Any, body: Any, state: int) -> int:
        for _ in range(least):  # each time takes a state, so that nothing repeats without end
            state = self._sequence(body, self._branch(state))
        if most is codes.MAXREPEAT:
            loop = self._branch(state)
            self._free[self._sequence(body, loop)].append(("", loop))
            return self._branch(loop)
        ends = [state]
        for _ in range(most - least):
            state = self._sequence(body, self._branch(state))
            ends.append(state)
        after = self._state()
        for each in ends:
            self._free[each].append(("", after))
        return after


@lru_cache(maxsize=256)
def compile_pattern(text: str) -> Pattern:
    """Pattern of a regular expression."""
    return Pattern(text)


def _posix(text: str) -> str:
    """Named classes of POSIX as what Python's parser knows."""
    if "[:" not in text:
        return text

    def inside(found: re.Match[str]) -> str:
        said = _POSIX.get(found[1])
        if said is None or said.startswith("^"):
            raise bad(f"pattern: the class [:{found[1]}:] is not taken here")
        return said

    for name, said in _POSIX.items():
        if said.startswith("^"):
            text = text.replace(f"[[:{name}:]]", f"[{said}]")
    return re.sub(r"\[:(\w+):\]", inside, text)


def _fits(test: tuple[Any, Any], letter: str) -> bool:
    operation, argument = test
    code = ord(letter)
    if operation is codes.LITERAL:
        return bool(code == argument)
    if operation is codes.NOT_LITERAL:
        return bool(code != argument)
    if operation is codes.ANY:
        return letter != "\n"
    negated = argument[0][0] is codes.NEGATE
    return negated != any(_member(each, letter, code) for each in argument[negated:])


_CATEGORIES = {
    codes.CATEGORY_DIGIT: re.compile(r"\d"),
    codes.CATEGORY_NOT_DIGIT: re.compile(r"\D"),
    codes.CATEGORY_SPACE: re.compile(r"\s"),
    codes.CATEGORY_NOT_SPACE: re.compile(r"\S"),
    codes.CATEGORY_WORD: re.compile(r"\w"),
    codes.CATEGORY_NOT_WORD: re.compile(r"\W"),
}


def _member(item: tuple[Any, Any], letter: str, code: int) -> bool:
    operation, argument = item
    if operation is codes.LITERAL:
        return bool(code == argument)
    if operation is codes.RANGE:
        return bool(argument[0] <= code <= argument[1])
    return _CATEGORIES[argument].fullmatch(letter) is not None
