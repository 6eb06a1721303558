"""Numbers as people write them, in English and French, with no more digits than they carry."""

import math
from collections.abc import Iterable

from ldt_toolbox import units

NO_VALUE = "–"
_MINUS = "\u2212"
_NO_BREAK = "\u00a0"
_NARROW_NO_BREAK = "\u202f"
_MOST_DECIMALS = {"CEL": 1, "share": 2, "P1": 1, "C62": 1, "MTK": 0, "KEL": 3, "points": 1,
                  "weight": 0}  # fmt: skip
_SIGNIFICANT = 3


def format_number(value: float | None, *, language: str, decimals: int) -> str:
    """Write a number with a fixed count of decimals.

    Parameters
    ----------
    value : float or None
        None and NaN give a dash.
    language : str
        ``en``: 12,345.6; ``fr``: 12 345,6 with a narrow no-break space.
    decimals : int
        At least 0.
    """
    if value is None or not math.isfinite(value):
        return NO_VALUE
    text = f"{abs(value):,.{decimals}f}"
    if language == "fr":
        text = text.replace(",", _NARROW_NO_BREAK).replace(".", ",")
    nothing_left = not text.strip("0.,")
    return text if value >= 0 or nothing_left else _MINUS + text


def decimals_for(
    values: Iterable[float | None], *, unit: str = "", half_width: float | None = None
) -> int:
    """Choose the count of decimals that numbers of one kind deserve.

    Parameters
    ----------
    values : iterable of float or None
        Numbers that stand together, for example a column.
    unit : str
        Caps the decimals: nobody knows a temperature to a hundredth.
    half_width : float, optional
        Half an uncertainty interval; its first digit is then the last that is shown (its first
        two where it starts with a 1).

    Returns
    -------
    int
        0 to 6. Without an uncertainty three significant digits of the largest number.
    """
    finite = [abs(v) for v in values if v is not None and math.isfinite(v)]
    if not finite or all(v == int(v) for v in finite):
        return 0
    if half_width is not None and half_width > 0:
        exponent = math.floor(math.log10(half_width))
        leading_one = half_width < 2 * 10.0**exponent
        wanted = (1 if leading_one else 0) - exponent
    else:
        wanted = _SIGNIFICANT - 1 - math.floor(math.log10(max(finite)))
    return max(0, min(wanted, _MOST_DECIMALS.get(unit, 6)))


def with_unit(text: str, unit: str, *, language: str, weight: str = "") -> str:
    """Put a unit's symbol behind a number, held together by a no-break space."""
    sign = units.symbol(unit, language=language, weight=weight)
    return text if unit == "share" or not sign or text == NO_VALUE else f"{text}{_NO_BREAK}{sign}"
