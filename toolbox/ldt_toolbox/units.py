"""Units: one table, from the codes of data and manifests to what people read and to SI.

Codes are those of UN/CEFACT Recommendation 20 (as NGSI-LD's ``unitCode`` wants them), and a few
composites of the toolbox for which that list has none. `ldt_toolbox.models.units` converts with
this table. The codes of volume flow, speed and pressure, dB and µg/m³ were compared with a printed
copy of that list; G51, GP, 59, 61 and the common ones (KGM, PAL, LUX, VLT ...) are from memory.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Unit:
    """How a unit is written, and what it measures.

    Attributes
    ----------
    symbol : mapping of str to str
        By language; empty for counts. ``{weight}`` stands for what exposure is counted in.
    name : mapping of str to str
        By language.
    quantity : str
        What it measures; units of one quantity convert into each other. Empty if none does.
    factor, offset : float
        Value in the SI unit of the quantity = value * factor + offset.
    standard : bool
        Whether the code is one of UN/CEFACT Recommendation 20.
    """

    symbol: Mapping[str, str]
    name: Mapping[str, str]
    quantity: str = ""
    factor: float = 1.0
    offset: float = 0.0
    standard: bool = True


def _unit(
    symbol: str,
    en: str,
    fr: str,
    quantity: str = "",
    factor: float = 1.0,
    offset: float = 0.0,
    *,
    symbol_fr: str | None = None,
    standard: bool = True,
) -> Unit:
    return Unit(
        {"en": symbol, "fr": symbol if symbol_fr is None else symbol_fr},
        {"en": en, "fr": fr},
        quantity,
        factor,
        offset,
        standard,
    )


_OWN_UNITS: Mapping[str, Unit] = {
    "mm/d": _unit(
        "mm/d", "millimetre per day", "millimètre par jour", "speed", 1e-3 / 86400,
        symbol_fr="mm/j", standard=False,
    ),
    "m3/d": _unit(
        "m³/d", "cubic metre per day", "mètre cube par jour", "volume flow", 1 / 86400,
        symbol_fr="m³/j", standard=False,
    ),
    "share": _unit(
        "0–1", "share, from 0 (nothing) to 1 (all)", "part, de 0 (rien) à 1 (tout)", "ratio",
        standard=False,
    ),
    "class": _unit("", "class", "classe", standard=False),
    "points": _unit(
        "points", "percentage points: difference of two shares in per cent",
        "points de pourcentage : différence de deux parts en pour cent", standard=False,
    ),
    "weight": _unit("{weight}", "{weight}", "{weight}", standard=False),
    "gain": _unit(
        "K × {weight} / m²",
        "cooling in kelvin, summed over {weight}, for each square metre turned green",
        "rafraîchissement en kelvins, cumulé sur les {weight}, par mètre carré rendu vert",
        standard=False,
    ),
    "gain_total": _unit(
        "K × {weight}",
        "cooling in kelvin, summed over {weight}",
        "rafraîchissement en kelvins, cumulé sur les {weight}",
        standard=False,
    ),
}  # fmt: skip

UNITS: Mapping[str, Unit] = {
    "CEL": _unit("°C", "degree Celsius", "degré Celsius", "temperature", 1.0, 273.15),
    "KEL": _unit(
        "K",
        "kelvin; a difference of 1 K is a difference of 1 °C",
        "kelvin ; un écart de 1 K est un écart de 1 °C",
        "temperature",
    ),
    "FAH": _unit(
        "°F", "degree Fahrenheit", "degré Fahrenheit", "temperature", 5 / 9, 459.67 * 5 / 9
    ),
    "MTR": _unit("m", "metre", "mètre", "length"),
    "MMT": _unit("mm", "millimetre", "millimètre", "length", 1e-3),
    "CMT": _unit("cm", "centimetre", "centimètre", "length", 1e-2),
    "DMT": _unit("dm", "decimetre", "décimètre", "length", 0.1),
    "KMT": _unit("km", "kilometre", "kilomètre", "length", 1e3),
    "INH": _unit("in", "inch", "pouce", "length", 0.0254),
    "FOT": _unit("ft", "foot", "pied", "length", 0.3048),
    "SMI": _unit("mi", "statute mile", "mile terrestre", "length", 1609.344),
    "NMI": _unit("nmi", "nautical mile", "mille marin", "length", 1852.0),
    "MTK": _unit("m²", "square metre", "mètre carré", "area"),
    "HAR": _unit("ha", "hectare, 10 000 m²", "hectare, 10 000 m²", "area", 1e4),
    "KMK": _unit("km²", "square kilometre", "kilomètre carré", "area", 1e6),
    "MTQ": _unit("m³", "cubic metre", "mètre cube", "volume"),
    "LTR": _unit("L", "litre", "litre", "volume", 1e-3),
    "MQS": _unit("m³/s", "cubic metre per second", "mètre cube par seconde", "volume flow"),
    "MQH": _unit("m³/h", "cubic metre per hour", "mètre cube par heure", "volume flow", 1 / 3600),
    "G52": _unit(
        "m³/d", "cubic metre per day", "mètre cube par jour", "volume flow", 1 / 86400,
        symbol_fr="m³/j",
    ),
    "G51": _unit("L/s", "litre per second", "litre par seconde", "volume flow", 1e-3),
    "L2": _unit("L/min", "litre per minute", "litre par minute", "volume flow", 1e-3 / 60),
    "MTS": _unit("m/s", "metre per second", "mètre par seconde", "speed"),
    "2M": _unit("cm/s", "centimetre per second", "centimètre par seconde", "speed", 1e-2),
    "C16": _unit("mm/s", "millimetre per second", "millimètre par seconde", "speed", 1e-3),
    "H67": _unit("mm/h", "millimetre per hour", "millimètre par heure", "speed", 1e-3 / 3600),
    "KMH": _unit("km/h", "kilometre per hour", "kilomètre par heure", "speed", 1 / 3.6),
    "HM": _unit("mph", "mile per hour", "mile par heure", "speed", 1609.344 / 3600),
    "KNT": _unit("kn", "knot", "nœud", "speed", 1852 / 3600),
    "SEC": _unit("s", "second", "seconde", "time"),
    "C26": _unit("ms", "millisecond", "milliseconde", "time", 1e-3),
    "MIN": _unit("min", "minute", "minute", "time", 60.0),
    "HUR": _unit("h", "hour", "heure", "time", 3600.0),
    "DAY": _unit("d", "day", "jour", "time", 86400.0, symbol_fr="j"),
    "ANN": _unit("a", "year of 365.25 days", "année de 365,25 jours", "time", 365.25 * 86400),
    "HTZ": _unit("Hz", "hertz", "hertz", "frequency"),
    "H10": _unit("1/h", "per hour", "par heure", "frequency", 1 / 3600),
    "D54": _unit("W/m²", "watt per square metre", "watt par mètre carré", "irradiance"),
    "LUX": _unit("lx", "lux", "lux", "illuminance"),
    "PAL": _unit("Pa", "pascal", "pascal", "pressure"),
    "A97": _unit("hPa", "hectopascal", "hectopascal", "pressure", 100.0),
    "KPA": _unit("kPa", "kilopascal", "kilopascal", "pressure", 1e3),
    "MBR": _unit("mbar", "millibar", "millibar", "pressure", 100.0),
    "BAR": _unit("bar", "bar", "bar", "pressure", 1e5),
    "KGM": _unit("kg", "kilogram", "kilogramme", "mass"),
    "GRM": _unit("g", "gram", "gramme", "mass", 1e-3),
    "TNE": _unit("t", "tonne", "tonne", "mass", 1e3),
    "GQ": _unit(
        "µg/m³", "microgram per cubic metre", "microgramme par mètre cube", "concentration", 1e-9
    ),
    "GP": _unit(
        "mg/m³", "milligram per cubic metre", "milligramme par mètre cube", "concentration", 1e-6
    ),
    "DD": _unit("°", "degree of angle", "degré d’angle", "angle", math.pi / 180),
    "C81": _unit("rad", "radian", "radian", "angle"),
    "WTT": _unit("W", "watt", "watt", "power"),
    "KWT": _unit("kW", "kilowatt", "kilowatt", "power", 1e3),
    "JOU": _unit("J", "joule", "joule", "energy"),
    "KWH": _unit("kWh", "kilowatt hour", "kilowattheure", "energy", 3.6e6),
    "VLT": _unit("V", "volt", "volt", "voltage"),
    "2N": _unit("dB", "decibel", "décibel", "level"),
    "AD": _unit("B", "byte", "octet", "information", symbol_fr="o"),
    "P1": _unit("%", "per cent", "pour cent", "ratio", 0.01),
    "C62": _unit("", "count", "nombre", "ratio"),
    "59": _unit("ppm", "part per million", "partie par million", "ratio", 1e-6),
    "61": _unit("ppb", "part per billion", "partie par milliard", "ratio", 1e-9),
    **_OWN_UNITS,
}  # fmt: skip

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
