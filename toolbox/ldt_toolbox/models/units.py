"""Convert values between units, with the one table of `ldt_toolbox.units`."""

import difflib
from collections.abc import Sequence
from typing import overload

import numpy as np
import numpy.typing as npt

from ldt_toolbox.errors import WrongUseError
from ldt_toolbox.units import UNITS, Unit

#: Units whose value is a plain number: a missing unit code is no loss there.
COUNT = "C62"

#: How people write units beside their symbols and names.
_ALSO = {
    "CEL": ("celsius", "degrees celsius"), "FAH": ("fahrenheit",), "P1": ("percent", "pct"),
    "DD": ("degree", "degré"), "H10": ("veh/h", "/h", "h-1"), "KMH": ("kph",),
    "GQ": ("µg m-3",), "D54": ("W m-2",), "MTS": ("m s-1",),
}  # fmt: skip
_CURRENCIES = ("eur", "€", "usd", "$", "gbp", "chf")
# The micro sign and the Greek letter are two characters
_SIGNS = str.maketrans({"²": "2", "³": "3", "\u00b5": "u", "\u03bc": "u", "°": "deg",
                        " ": None, "^": None, "*": None})  # fmt: skip


class UnitError(WrongUseError):
    """A unit code is not known, or two units do not measure the same quantity."""


def find(code: str) -> Unit:
    """Return a unit of the table.

    Parameters
    ----------
    code : str
        UN/CEFACT code, or a composite of the toolbox.

    Raises
    ------
    UnitError
        If the table has no such code.
    """
    if code not in UNITS:
        raise UnitError(f"unit {code!r} is not known: {suggestion(code)}")
    return UNITS[code]


def is_standard(code: object) -> bool:
    """Whether a code is a UN/CEFACT code that the table knows, as NGSI-LD wants it."""
    return isinstance(code, str) and code in UNITS and UNITS[code].standard


def suggestion(text: object) -> str:
    """Which code a wrong one may mean, as the next step of a message.

    Examples
    --------
    >>> suggestion("°C"), suggestion("degC")
    ("write 'CEL' (degree Celsius)", "write 'CEL' (degree Celsius)")
    """
    wanted = _plain(str(text))
    if wanted in _CURRENCIES:
        return "money has no code there: write C62, and the currency as an attribute of its own"
    named = {
        code: (code, *unit.symbol.values(), *unit.name.values(), *_ALSO.get(code, ()))
        for code, unit in UNITS.items()
        if unit.standard
    }
    # As it is written first: J is the joule, j a day in French
    found = [code for code, names in named.items() if str(text) in names]
    found += [code for code, names in named.items() if wanted and wanted in map(_plain, names)]
    if found:
        return f"write {found[0]!r} ({UNITS[found[0]].name['en']})"
    if close := difflib.get_close_matches(str(text), list(named), n=1, cutoff=0.6):
        return f"did you mean {close[0]!r} ({UNITS[close[0]].name['en']})?"
    return "use a code of UN/CEFACT Recommendation 20, for example CEL, MTR, MQS, KMH, P1"


def _plain(text: str) -> str:
    """Spelling that does not tell µg/m³ from ug/m3, °C from degC and metres from meter."""
    plain = text.casefold().translate(_SIGNS)
    plain = plain.replace("meter", "metre").replace("liter", "litre")
    return plain[:-1] if len(plain) > 3 and plain.endswith("s") else plain


def convertible(origin: str, target: str) -> bool:
    """Whether both codes are known and measure the same quantity."""
    if origin not in UNITS or target not in UNITS:
        return False
    if origin == target:
        return True
    quantity = UNITS[origin].quantity
    return bool(quantity) and quantity == UNITS[target].quantity


@overload
def convert(value: float, origin: str, target: str, *, difference: bool = False) -> float: ...
@overload
def convert(
    value: npt.NDArray[np.float64] | Sequence[float],
    origin: str,
    target: str,
    *,
    difference: bool = False,
) -> npt.NDArray[np.float64]: ...
def convert(
    value: float | npt.NDArray[np.float64] | Sequence[float],
    origin: str,
    target: str,
    *,
    difference: bool = False,
) -> float | npt.NDArray[np.float64]:
    """Convert values from one unit to another.

    Parameters
    ----------
    value : float or array of float
        In `origin`.
    origin, target : str
        UN/CEFACT codes.
    difference : bool, optional
        Whether the value is a difference, such as a temperature anomaly: 1 °C is then 1 K, not
        274.15 K.

    Returns
    -------
    float or array of float64
        In `target`; as it came in if both units are the same.

    Raises
    ------
    UnitError
        If a code is not known or the units measure different quantities.

    Examples
    --------
    >>> convert(36.0, "KMH", "MTS")
    10.0
    >>> convert(2.0, "CEL", "KEL"), convert(2.0, "CEL", "KEL", difference=True)
    (275.15, 2.0)
    """
    source, wanted = find(origin), find(target)
    if not convertible(origin, target):
        raise UnitError(
            f"{origin} ({source.quantity or 'no quantity'}) does not convert to {target} "
            f"({wanted.quantity or 'no quantity'}): give a unit of the same quantity"
        )
    numbers = np.asarray(value, dtype=np.float64)
    if origin != target:
        offset = 0.0 if difference else source.offset - wanted.offset
        numbers = (numbers * source.factor + offset) / wanted.factor
    return float(numbers) if np.ndim(value) == 0 else numbers
