"""Transformation rules of a mapping table: steps with arguments, forward and back; no code.

A rule is one step or several with ``|`` between them, for example
``null -999 | number decimal=, | unit FAH CEL``. `STEPS` lists them; nothing in a table is ever
evaluated.
"""

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ldt_toolbox.documents import nearest
from ldt_toolbox.models import rule_dates, rule_steps
from ldt_toolbox.models.rule_steps import Lookups, RefusedError, RuleError, Step

Factory = Callable[[Sequence[str], Mapping[str, str], Lookups], Step]

#: By name: what makes the step, how many arguments it takes, which options it knows (`*`: any).
STEPS: Mapping[str, tuple[Factory, int | None, tuple[str, ...]]] = {
    "text": (rule_steps.text, 0, ()),
    "number": (rule_steps.number, 0, ("decimal", "thousands")),
    "integer": (rule_steps.integer, 0, ()),
    "unit": (rule_steps.unit, 2, ("of",)),
    "scale": (rule_steps.scale, 1, ()),
    "offset": (rule_steps.offset, 1, ()),
    "date": (rule_dates.date, 1, ("zone", "ambiguous")),
    "day": (rule_dates.day, 1, ()),
    "codes": (rule_steps.codes, 0, ("*",)),
    "lookup": (rule_steps.lookup, 1, ()),
    "boolean": (rule_steps.boolean, 2, ()),
    "null": (rule_steps.null, None, ()),
    "split": (rule_steps.split, 2, ()),
    "join": (rule_steps.join, 1, ()),
    "list": (rule_steps.as_list, 1, ()),
    "prefix": (rule_steps.prefix, 1, ()),
    "urn": (rule_steps.urn, 1, ()),
    "point": (rule_steps.point, 0, ("crs", "decimal")),
}
_OPTION = re.compile(r"([^=]+)=(.*)", re.DOTALL)


@dataclass(frozen=True)
class Rule:
    """A rule, ready to run.

    Attributes
    ----------
    text : str
        As written in the table.
    steps : tuple of Step
        In order.
    constant : object
        What a ``const`` rule gives; None for others.
    """

    text: str
    steps: tuple[Step, ...] = field(repr=False)
    constant: Any = None

    @property
    def lossless(self) -> bool:
        """Whether the way back gives the values that came in."""
        return all(step.lossless for step in self.steps)

    def forward(self, values: Sequence[Any]) -> Any:
        """Turn the values of the source fields into one of the entity.

        Parameters
        ----------
        values : sequence
            One value per source field; None, NaN and empty texts are missing.

        Returns
        -------
        object
            JSON; None if a value is missing.

        Raises
        ------
        RefusedError
            If a value does not fit.
        """
        if self.constant is not None:
            return self.constant
        given = [None if is_missing(value) else value for value in values]
        whole = bool(self.steps) and self.steps[0].takes_list
        if not given or any(one is None for one in given):
            if whole and any(one is not None for one in given):
                raise RefusedError(f"{list(values)!r:.100} lacks a part: give all, or none")
            return None
        value: Any = list(given) if whole else given[0]
        for step in self.steps:
            value = step.forward(value)
            if is_missing(value):
                return None
        return value

    def backward(self, value: Any, count: int) -> list[Any]:
        """Turn a value of an entity into those of the source fields.

        Parameters
        ----------
        value : object
            JSON; None if the entity does not have it.
        count : int
            Number of source fields.

        Returns
        -------
        list
            One value per source field.

        Raises
        ------
        RefusedError
            If the value does not fit.
        """
        if value is None or self.constant is not None:
            return [None] * count
        for step in reversed(self.steps):
            value = step.backward(value)
        if count == 1:
            return [value]
        if not isinstance(value, list) or len(value) != count:
            raise RefusedError(f"{value!r:.80} does not fall into {count} fields: correct it")
        return value


def is_missing(value: Any) -> bool:
    """Whether a value of a record stands for nothing: None, NaN, NaT or an empty text."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or (isinstance(value, float | datetime) and value != value)


def parse(text: str, *, sources: int = 1, lookups: Lookups | None = None) -> Rule:
    """Read a rule.

    Parameters
    ----------
    text : str
        For example ``number | scale 0.1``; empty if the value is taken as it is.
    sources : int
        Number of source fields.
    lookups : mapping of str to mapping, optional
        Tables for the step ``lookup``.

    Returns
    -------
    Rule

    Raises
    ------
    RuleError
        If a step is not known or its arguments do not fit.

    Examples
    --------
    >>> parse("number decimal=, | unit FAH CEL").forward(["68,0"])
    20.0
    """
    parts = _parts(text)
    if parts and parts[0].split(" ", 1)[0] == "const":
        return _constant(text, parts, sources)
    if not sources:
        raise RuleError("there is no source field: name one, or write `const VALUE`")
    steps = tuple(_step(part, lookups or {}) for part in parts if part)
    for place, step in enumerate(steps):
        if step.takes_list and place:
            raise RuleError("`join` and `point` take all fields: write them first")
    if sources > 1 and not (steps and steps[0].takes_list):
        raise RuleError(f"{sources} source fields need `join` or `point` first: add one")
    return Rule(text, steps)


def _constant(text: str, parts: list[str], sources: int) -> Rule:
    words = words_of(parts[0])[1:]
    if sources or len(parts) > 1 or len(words) != 1:
        raise RuleError(f"{text!r}: write `const VALUE` alone, without a source field")
    return Rule(text, (), words[0])


def _step(part: str, lookups: Lookups) -> Step:
    name, *words = words_of(part)
    if name not in STEPS:
        raise RuleError(f"no step `{name}`: {nearest(name, [*STEPS, 'const'])}")
    factory, count, known = STEPS[name]
    options: dict[str, str] = {}
    arguments = []
    for word in words:
        option = _OPTION.fullmatch(word)
        if option and (known == ("*",) or option[1] in known):
            options[option[1]] = option[2]
        elif option and known and count == 0:
            raise RuleError(f"`{name}` has no option `{option[1]}`: {nearest(option[1], known)}")
        else:
            arguments.append(word)
    if count is not None and len(arguments) != count:
        said = f"`{name}` takes {count} argument{'s' if count != 1 else ''}, not {len(arguments)}"
        raise RuleError(f"{said} ({part!r}): see {name} in docs/models.md")
    if (known == ("*",) and not options) or (count is None and not arguments):
        raise RuleError(f"`{name}` has nothing to work with: see {name} in docs/models.md")
    try:
        return factory(arguments, options, lookups)
    except RefusedError as error:
        raise RuleError(f"`{part}`: {error}") from None


def _parts(text: str) -> list[str]:
    """Cut a rule at each ``|`` that stands outside of quotation marks."""
    parts, mark = [""], ""
    for sign in text:
        if sign == "|" and not mark:
            parts.append("")
            continue
        if mark or sign in "\"'":
            mark = "" if sign == mark else mark or sign
        parts[-1] += sign
    if mark:
        raise RuleError(f"{text!r} has a quotation mark without its pair: close it")
    return [part.strip() for part in parts]


def words_of(text: str) -> list[str]:
    """Words of a step; quotation marks hold blanks together, a backslash is a backslash."""
    reader = shlex.shlex(text, posix=True)
    reader.whitespace_split = True
    reader.escape = reader.commenters = ""
    try:
        return list(reader)
    except ValueError:
        raise RuleError(f"{text!r} has a quotation mark without its pair: close it") from None
