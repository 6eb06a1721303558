"""Units: from the codes of the manifests to what people read.

Codes are those of UN/CEFACT Recommendation 20 (as NGSI-LD's ``unitCode`` wants them), and a few
composites of the toolbox for which that list has none.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Unit:
    """How a unit is written.

    Attributes
    ----------
    symbol : mapping of str to str
        By language; empty for counts. ``{weight}`` stands for what exposure is counted in.
    name : mapping of str to str
        By language.
    """

    symbol: Mapping[str, str]
    name: Mapping[str, str]


def _unit(symbol: str, en: str, fr: str, *, symbol_fr: str | None = None) -> Unit:
    return Unit(
        {"en": symbol, "fr": symbol if symbol_fr is None else symbol_fr}, {"en": en, "fr": fr}
    )


UNITS: Mapping[str, Unit] = {
    "CEL": _unit("°C", "degree Celsius", "degré Celsius"),
    "KEL": _unit(
        "K",
        "kelvin; a difference of 1 K is a difference of 1 °C",
        "kelvin ; un écart de 1 K est un écart de 1 °C",
    ),
    "MTR": _unit("m", "metre", "mètre"),
    "MMT": _unit("mm", "millimetre", "millimètre"),
    "CMT": _unit("cm", "centimetre", "centimètre"),
    "KMT": _unit("km", "kilometre", "kilomètre"),
    "MTK": _unit("m²", "square metre", "mètre carré"),
    "HAR": _unit("ha", "hectare, 10 000 m²", "hectare, 10 000 m²"),
    "KMK": _unit("km²", "square kilometre", "kilomètre carré"),
    "MTQ": _unit("m³", "cubic metre", "mètre cube"),
    "MQS": _unit("m³/s", "cubic metre per second", "mètre cube par seconde"),
    "MTS": _unit("m/s", "metre per second", "mètre par seconde"),
    "KMH": _unit("km/h", "kilometre per hour", "kilomètre par heure"),
    "SEC": _unit("s", "second", "seconde"),
    "MIN": _unit("min", "minute", "minute"),
    "HUR": _unit("h", "hour", "heure"),
    "DAY": _unit("d", "day", "jour", symbol_fr="j"),
    "D54": _unit("W/m²", "watt per square metre", "watt par mètre carré"),
    "P1": _unit("%", "per cent", "pour cent"),
    "C62": _unit("", "count", "nombre"),
    "mm/d": _unit("mm/d", "millimetre per day", "millimètre par jour", symbol_fr="mm/j"),
    "m3/d": _unit("m³/d", "cubic metre per day", "mètre cube par jour", symbol_fr="m³/j"),
    "share": _unit("0–1", "share, from 0 (nothing) to 1 (all)", "part, de 0 (rien) à 1 (tout)"),
    "class": _unit("", "class", "classe"),
    "gain": _unit(
        "K × {weight} / m²",
        "cooling in kelvin, summed over {weight}, for each square metre turned green",
        "rafraîchissement en kelvins, cumulé sur les {weight}, par mètre carré rendu vert",
    ),
    "gain_total": _unit(
        "K × {weight}",
        "cooling in kelvin, summed over {weight}",
        "rafraîchissement en kelvins, cumulé sur les {weight}",
    ),
}

_WEIGHT = {"en": "weight", "fr": "poids"}


def symbol(code: str, *, language: str = "en", weight: str = "") -> str:
    """Symbol of a unit.

    Parameters
    ----------
    code : str
        UN/CEFACT code or a composite of the toolbox, for example ``CEL`` or ``mm/d``.
    language : str
        ``en`` or ``fr``.
    weight : str
        What exposure is counted in, for units that are summed over it.

    Returns
    -------
    str
        For example ``°C``; empty for counts and classes; a code that is not known comes back
        as it is, so that a use case of one's own can write a symbol straight away.

    Examples
    --------
    >>> symbol("CEL"), symbol("mm/d", language="fr"), symbol("gain_total", weight="people")
    ('°C', 'mm/j', 'K × people')
    """
    if code not in UNITS:
        return code
    return UNITS[code].symbol[language].format(weight=weight or _WEIGHT[language])


def name(code: str, *, language: str = "en", weight: str = "") -> str:
    """Name of a unit in words; a code that is not known comes back as it is.

    Parameters
    ----------
    code, language, weight : str
        As in `symbol`.
    """
    if code not in UNITS:
        return code
    return UNITS[code].name[language].format(weight=weight or _WEIGHT[language])
