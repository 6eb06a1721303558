"""Steps of transformation rules: one small reversible change of a value each."""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote, unquote

from ldt_toolbox.errors import DataError, WrongUseError
from ldt_toolbox.models import units
from ldt_toolbox.models.findings import as_number, is_uri, shown

#: Significant digits that arithmetic keeps, so that converting there and back gives the number
#: that came in; doubles hold 15.
_DIGITS = 12
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


class RuleError(WrongUseError):
    """A rule of a mapping table cannot be read."""


class RefusedError(DataError):
    """A value does not fit a rule; the record that holds it is rejected with this reason."""


@dataclass(frozen=True)
class Step:
    """One change of a value, and its way back.

    Attributes
    ----------
    forward, backward : callable
        Take a value and return one; raise `RefusedError`. Neither sees None.
    takes_list : bool
        Whether `forward` takes the values of all source fields at once.
    lossless : bool
        Whether `backward` gives the value that came in.
    """

    forward: Callable[[Any], Any]
    backward: Callable[[Any], Any]
    takes_list: bool = False
    lossless: bool = True


@dataclass(frozen=True)
class Piece:
    """Part of a source field that several rows share, on the way back."""

    separator: str
    place: int
    text: str


Arguments = Sequence[str]
Options = Mapping[str, str]
Lookups = Mapping[str, Mapping[str, Any]]


def keep(value: Any) -> Any:
    """Return a value as it is."""
    return value


def text_of(value: Any) -> str:
    """Text of a scalar: 12.0 is ``12`` and True is ``true``, as people write them."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, int | float):
        return str(value)
    raise RefusedError(f"{shown(value)} is no text: take one field of it")


def number_of(value: Any, decimal: str = ".", thousands: str = "") -> float | int:
    """Return the number that a text or a number stands for.

    Raises
    ------
    RefusedError
        If it is none, or is not finite.
    """
    if isinstance(value, str):
        text = value.strip().replace("\u2212", "-")
        if thousands:
            # Programs set thousands apart by blanks that do not break a line
            signs = "[ \u00a0\u202f]" if thousands == " " else re.escape(thousands)
            text = re.sub(rf"(?<=\d){signs}(?=\d{{3}})", "", text)
        if decimal != ".":
            text = text.replace(".", "?").replace(decimal, ".")
        if not _NUMBER.fullmatch(text):
            hint = ", perhaps `number decimal=,`" if "," in value else ""
            raise RefusedError(f"{shown(value)} is no number: correct it{hint}")
        value = float(text) if re.search(r"[.eE]", text) or len(text) > 300 else int(text)
    if as_number(value) is None:
        raise RefusedError(f"{shown(value)} is no finite number: correct it, or name it in `null`")
    return value  # type: ignore[no-any-return]


def tidy(number: float) -> float:
    """Round to the digits that arithmetic keeps."""
    return float(f"{number:.{_DIGITS}g}")


def text(arguments: Arguments, options: Options, lookups: Lookups) -> Step:
    """``text``: the value as text, without blanks at its ends."""
    return Step(text_of, keep)


def number(arguments: Arguments, options: Options, lookups: Lookups) -> Step:
    """``number decimal=, thousands=.``: a text as a number."""
    decimal, thousands = options.get("decimal", "."), options.get("thousands", "")
    if decimal == thousands:
        raise RuleError("`decimal` and `thousands` are the same sign: change one")
    return Step(lambda value: number_of(value, decimal, thousands), keep)


def integer(arguments: Arguments, options: Options, lookups: Lookups) -> Step:
    """``integer``: a text as a whole number."""

    def forward(value: Any) -> int:
        found = number_of(value)
        if found != int(found):
            raise RefusedError(f"{shown(value)} is no whole number: correct it, or use `number`")
        return int(found)

    return Step(forward, keep)


def unit(arguments: Arguments, options: Options, lookups: Lookups) -> Step:
    """``unit FROM TO of=difference``: convert; `of` for differences, which leave offsets out."""
    origin, target = arguments
    if options.get("of", "difference") != "difference":
        raise RuleError(
            f"`of={options['of']}` is not known: write `of=difference`, or leave it out"
        )
    difference = "of" in options

    def convert(value: Any, origin: str, target: str) -> float:
        number = float(number_of(value))
        return _finite(units.convert(number, origin, target, difference=difference))

    convert(0.0, origin, target)  # raises the error that says which unit is wrong and why
    return Step(
        lambda value: convert(value, origin, target),
        lambda value: convert(value, target, origin),
    )


def scale(arguments: Arguments, options: Options, lookups: Lookups) -> Step:
    """``scale FACTOR``: multiply."""
    factor = number_of(arguments[0])
    if factor == 0:
        raise RuleError("`scale 0` forgets the value: give another factor")
    return Step(
        lambda value: _finite(number_of(value) * factor),
        lambda value: _finite(number_of(value) / factor),
    )


def offset(arguments: Arguments, options: Options, lookups: Lookups) -> Step:
    """``offset NUMBER``: add."""
    summand = number_of(arguments[0])
    return Step(
        lambda value: _finite(number_of(value) + summand),
        lambda value: _finite(number_of(value) - summand),
    )


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise RefusedError("the number grows beyond what a float holds: correct it")
    return tidy(number)


def codes(arguments: Arguments, options: Options, lookups: Lookups) -> Step:
    """``codes 1=car 2=bus``: a list of codes; any other code is refused."""
    return _table("the list of codes", options)


def lookup(arguments: Arguments, options: Options, lookups: Lookups) -> Step:
    """``lookup NAME``: a table handed over beside the mapping; any other key is refused."""
    name = arguments[0]
    if name not in lookups:
        known = ", ".join(f"`{one}`" for one in sorted(lookups)) or "none is given"
        raise RuleError(f"no lookup `{name}`: hand it over in `lookups` ({known})")
    return _table(f"lookup `{name}`", lookups[name])


def _table(what: str, table: Mapping[str, Any]) -> Step:
    forth = {str(key): value for key, value in table.items()}
    back = {_key(value): key for key, value in reversed(forth.items())}

    def forward(value: Any) -> Any:
        key = text_of(value)
        if key not in forth:
            known = ", ".join(list(forth)[:8])
            raise RefusedError(
                f"{shown(value)} is not in {what}: add it there, or correct it ({known})"
            )
        return forth[key]

    def backward(value: Any) -> Any:
        if _key(value) not in back:
            raise RefusedError(f"{shown(value)} is no value of {what}: add it there")
        return back[_key(value)]

    return Step(forward, backward, lossless=len(back) == len(forth))


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def boolean(arguments: Arguments, options: Options, lookups: Lookups) -> Step:
    """``boolean YES NO``: two words as true and false, for example ``boolean oui non``."""
    yes, no = arguments
    words = {yes: True, no: False}

    def forward(value: Any) -> bool:
        if (word := text_of(value)) not in words:
            raise RefusedError(f"{shown(value)} is neither {yes!r} nor {no!r}: correct it")
        return words[word]

    return Step(forward, lambda value: yes if value else no)


def null(arguments: Arguments, options: Options, lookups: Lookups) -> Step:
    """``null -999 NA``: codes that stand for a missing value."""
    missing = set(arguments)

    def forward(value: Any) -> Any:
        is_scalar = isinstance(value, str | int | float)
        return None if is_scalar and text_of(value) in missing else value

    return Step(forward, keep, lossless=False)


def split(arguments: Arguments, options: Options, lookups: Lookups) -> Step:
    """``split SEPARATOR PLACE``: one part of a text, counted from 0."""
    separator, place = arguments[0], int(number_of(arguments[1]))
    if place < 0:
        raise RuleError(f"place {place} of `split` is below 0: count from 0")

    def forward(value: Any) -> str:
        parts = text_of(value).split(separator)
        if place >= len(parts):
            message = f"{shown(value)} has no part {place} between {separator!r}"
            raise RefusedError(f"{message}: correct it")
        return parts[place].strip()

    return Step(forward, lambda value: Piece(separator, place, text_of(value)))


def join(arguments: Arguments, options: Options, lookups: Lookups) -> Step:
    """``join SEPARATOR``: the source fields as one text."""
    separator = arguments[0]

    def forward(values: list[Any]) -> str:
        parts = [text_of(value) for value in values]
        for part in parts:
            if separator in part:
                message = f"{part!r} holds the separator {separator!r}"
                raise RefusedError(f"{message}: join with another sign, or correct it")
        return separator.join(parts)

    return Step(forward, lambda value: text_of(value).split(separator), takes_list=True)


def as_list(arguments: Arguments, options: Options, lookups: Lookups) -> Step:
    """``list SEPARATOR``: a text as a list of texts."""
    separator = arguments[0]
    return Step(
        lambda value: [part.strip() for part in text_of(value).split(separator)],
        lambda value: separator.join(text_of(one) for one in value),
    )


def prefix(arguments: Arguments, options: Options, lookups: Lookups) -> Step:
    """``prefix TEXT``: a text in front."""
    front = arguments[0]

    def backward(value: Any) -> str:
        if not text_of(value).startswith(front):
            raise RefusedError(
                f"{shown(value)} does not start with {front!r}: map it by another table"
            )
        return text_of(value).removeprefix(front)

    return Step(lambda value: front + text_of(value), backward)


def urn(arguments: Arguments, options: Options, lookups: Lookups) -> Step:
    """``urn TYPE``: an id as ``urn:ngsi-ld:TYPE:id``, what a URI cannot hold written as %XX."""
    front = f"urn:ngsi-ld:{arguments[0]}:"
    if not is_uri(front + "1"):
        raise RuleError(f"type {arguments[0]!r} cannot stand in a URN: leave out blanks")

    def backward(value: Any) -> str:
        if not text_of(value).startswith(front):
            raise RefusedError(
                f"{shown(value)} does not start with {front!r}: map it by another table"
            )
        return unquote(text_of(value).removeprefix(front))

    return Step(lambda value: front + quote(text_of(value), safe="-._~:"), backward)


def point(arguments: Arguments, options: Options, lookups: Lookups) -> Step:
    """``point crs=EPSG:2154``: two fields, x then y, as a GeoJSON point; degrees without `crs`."""
    crs = options.get("crs", "")
    if crs:
        _transformer(crs, "EPSG:4326")
    decimal = options.get("decimal", ".")

    def forward(values: list[Any]) -> dict[str, Any]:
        if len(values) != 2:
            raise RefusedError(f"{len(values)} fields are no position: name two, x then y")
        x, y = (float(number_of(value, decimal)) for value in values)
        if crs:
            x, y = _transformer(crs, "EPSG:4326").transform(x, y)
            if not (math.isfinite(x) and math.isfinite(y)):
                raise RefusedError(f"{shown(values)} is no position of {crs}: check the system")
            x, y = round(x, 9), round(y, 9)  # a tenth of a millimetre
        return {"type": "Point", "coordinates": [x, y]}

    def backward(value: Any) -> list[float]:
        try:
            x, y = (float(number_of(one)) for one in value["coordinates"][:2])
        except (KeyError, TypeError, ValueError):
            raise RefusedError(f"{shown(value)} is no GeoJSON point: give one") from None
        if crs:
            x, y = _transformer("EPSG:4326", crs).transform(x, y)
            x, y = round(x, 3), round(y, 3)  # a millimetre
        return [x, y]

    return Step(forward, backward, takes_list=True)


@cache
def _transformer(origin: str, target: str) -> Any:
    from pyproj import Transformer
    from pyproj.exceptions import CRSError

    try:
        return Transformer.from_crs(origin, target, always_xy=True)
    except CRSError:
        named = origin if target == "EPSG:4326" else target
        raise RuleError(
            f"`crs={named}` is no coordinate reference system: write EPSG:2154"
        ) from None
