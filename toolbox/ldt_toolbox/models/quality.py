"""Quality control of a mapping table: what a value must fulfil to be taken."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ldt_toolbox.documents import nearest
from ldt_toolbox.models import positions
from ldt_toolbox.models.findings import as_number, shown
from ldt_toolbox.models.record_fields import value_of
from ldt_toolbox.models.rule_steps import RefusedError, RuleError, number_of, text_of
from ldt_toolbox.models.rules import words_of

#: A check takes a value of the entity and says what is wrong and the next step, or nothing.
Check = Callable[[Any], str]


@dataclass(frozen=True)
class Quality:
    """Checks of one row of a mapping table.

    Attributes
    ----------
    text : str
        As written in the table.
    required : bool
        Whether a missing value rejects the record.
    unique_with : tuple of str or None
        Source fields that together with the value occur once; None if it may repeat.
    checks : tuple of callable
        In order.
    """

    text: str
    required: bool = False
    unique_with: tuple[str, ...] | None = None
    checks: tuple[Check, ...] = field(default=(), repr=False)

    def fault(self, value: Any) -> str:
        """Say what is wrong with a value, and the next step; empty if nothing is."""
        if value is None:
            return "is missing: fill it in, or drop `required`" if self.required else ""
        return next((why for check in self.checks if (why := check(value))), "")

    def key(self, value: Any, record: Mapping[str, Any]) -> str:
        """What must not occur twice."""
        return repr((value, *(str(value_of(record, name)) for name in self.unique_with or ())))


def parse(text: str) -> Quality:
    """Read the quality control of a row.

    Parameters
    ----------
    text : str
        Checks with ``;`` between them: ``required``, ``range LOW HIGH`` (in the unit of the
        entity), ``regex PATTERN`` (the whole text), ``bbox WEST SOUTH EAST NORTH``, ``list A B``,
        ``unique`` or ``unique FIELD`` (together with that source field).

    Returns
    -------
    Quality

    Raises
    ------
    RuleError
        If a check is not known or its arguments do not fit.

    Examples
    --------
    >>> parse("required; range -40 50").fault(60)
    'is 60, outside of -40 to 50: check it at the source'
    """
    required, unique, checks = False, None, []
    for part in filter(None, (one.strip() for one in _cut(text))):
        name, *arguments = words_of(part)
        if name == "required":
            required = True
        elif name == "unique":
            unique = tuple(arguments)
        elif name in _CHECKS:
            count, make = _CHECKS[name]
            if (count and len(arguments) != count) or not arguments:
                wanted = f"{count} arguments" if count else "values"
                raise RuleError(f"`{name}` takes {wanted}, not {len(arguments)} ({part!r})")
            try:
                checks.append(make(arguments))
            except RefusedError as error:
                raise RuleError(f"`{part}`: {error}") from None
        else:
            raise RuleError(f"no check `{name}`: {nearest(name, (*_CHECKS, 'required', 'unique'))}")
    return Quality(text, required, unique, tuple(checks))


def _cut(text: str) -> list[str]:
    """Cut at each ``;`` outside of quotation marks, which a pattern may hold."""
    return re.findall(r"""(?:"[^"]*"|'[^']*'|[^;"'])+""", text)


def _range(arguments: Sequence[str]) -> Check:
    low, high = (number_of(one) for one in arguments)

    def check(value: Any) -> str:
        number = as_number(value)
        if number is not None and low <= number <= high:
            return ""
        return f"is {shown(value)}, outside of {low:g} to {high:g}: check it at the source"

    return check


def _regex(arguments: Sequence[str]) -> Check:
    try:
        pattern = re.compile(arguments[0])
    except re.error as error:
        message = f"`regex {arguments[0]}` is no pattern ({error})"
        raise RuleError(f"{message}: correct it, in quotation marks") from None

    def check(value: Any) -> str:
        if isinstance(value, str) and pattern.fullmatch(value):
            return ""
        return f"is {shown(value)}, which does not fit {arguments[0]!r}: correct it at the source"

    return check


def _bbox(arguments: Sequence[str]) -> Check:
    area = positions.Area(*(float(number_of(one)) for one in arguments))

    def check(value: Any) -> str:
        fault = positions.fault(value, area=area)
        return f": {fault.message}: {fault.remedy}" if fault else ""

    return check


def _list(arguments: Sequence[str]) -> Check:
    def check(value: Any) -> str:
        if isinstance(value, str | int | float) and text_of(value) in arguments:
            return ""
        return f"is {shown(value)}: use one of {', '.join(arguments)}"

    return check


_CHECKS: Mapping[str, tuple[int, Callable[[Sequence[str]], Check]]] = {
    "range": (2, _range),
    "regex": (1, _regex),
    "bbox": (4, _bbox),
    "list": (0, _list),
}
