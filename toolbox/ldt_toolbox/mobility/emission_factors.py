"""Emission factors of vehicles: curves over speed from the guidebook's table, and flat ones.

The EMEP/EEA air pollutant emission inventory guidebook 2023, chapter 1.A.3.b.i-iv, gives both. Its
tier 3 is what COPERT computes with: curves over speed, whose coefficients stand in the spreadsheet
"Appendix 4" of the chapter, free to download from the European Environment Agency. It is not
bundled: read it with `pandas.read_excel(path, sheet_name="HOT_EMISSIONS_PARAMETERS")` and pass the
table to `read_curves`. Tier 1 is flat and bundled. HBEFA is not used: its tables must not be
redistributed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ldt_toolbox.errors import DataError, MissingColumnError, ParameterError

POLLUTANTS = ("co2", "nox", "pm25")

CO2_G_PER_MJ: Mapping[str, float] = MappingProxyType(
    {"Petrol": 69.3, "Diesel": 74.1, "Battery electric": 0.0}
)
"""Carbon dioxide of fuel burnt, g/MJ: IPCC 2006 Guidelines, volume 2, table 3.2.1 (motor gasoline
69,300 and gas/diesel oil 74,100 kg/TJ; from memory, not checked against a copy)."""

_COEFFICIENTS = ("Alpha", "Beta", "Gamma", "Delta", "Epsilon", "Zita", "Hta")
_REDUCTION, _LOW, _HIGH = "Reduction Factor [%]", "Min Speed [km/h]", "Max Speed [km/h]"
_NAMES = {"EC": "co2", "NOx": "nox", "PM Exhaust": "pm25"}
_CONTROL_TOLERANCE = 0.01
"""Coefficients that were rounded or a reduction read as per cent differ by more than this."""


@dataclass(frozen=True)
class Curve:
    """Hot emission factor over mean speed, g/km.

    Attributes
    ----------
    alpha, beta, gamma, delta, epsilon, zeta, eta : float
        Coefficients for speed in km/h.
    reduction : float
        Share taken off, 0 to 1.
    lowest_kmh, highest_kmh : float
        Where the curve holds; beyond them its value at that end counts.
    scale : float
        Factor from the curve's unit to g/km, for example g of carbon dioxide per MJ.
    """

    alpha: float = 0.0
    beta: float = 0.0
    gamma: float = 0.0
    delta: float = 0.0
    epsilon: float = 0.0
    zeta: float = 0.0
    eta: float = 1.0
    reduction: float = 0.0
    lowest_kmh: float = 5.0
    highest_kmh: float = 130.0
    scale: float = 1.0

    def at(self, speed_kmh: ArrayLike) -> NDArray[np.float64]:
        """Factor at a speed.

        Parameters
        ----------
        speed_kmh : array_like
            Mean speed with all stops, km/h; NaN gives NaN.

        Returns
        -------
        numpy.ndarray
            g/km, same shape; never below 0. ``(a V^2 + b V + c + d/V) / (e V^2 + z V + h)
            (1 - r)``, equation 25 of the chapter (guidebook 2023, tier 3).
        """
        v = np.clip(np.asarray(speed_kmh, np.float64), self.lowest_kmh, self.highest_kmh)
        above = self.alpha * v * v + self.beta * v + self.gamma + self.delta / v
        below = self.epsilon * v * v + self.zeta * v + self.eta
        return np.maximum(above / below * (1 - self.reduction) * self.scale, 0.0)

    def holds(self, speed_kmh: ArrayLike) -> NDArray[np.bool_]:
        """Whether speeds lie where the curve was fitted."""
        v = np.asarray(speed_kmh, np.float64)
        return np.asarray((v >= self.lowest_kmh) & (v <= self.highest_kmh))


@dataclass(frozen=True)
class VehicleClass:
    """What vehicles of one class emit.

    Attributes
    ----------
    curves : mapping of str to Curve
        Exhaust by pollutant of `POLLUTANTS`.
    wear_pm25_g_per_km : float
        Tyres, brakes and road surface.
    source : str
        Where the numbers come from.
    """

    curves: Mapping[str, Curve]
    wear_pm25_g_per_km: float
    source: str


def read_curves(
    table: pd.DataFrame,
    *,
    category: str,
    fuel: str,
    segment: str,
    euro: str,
    technology: str = "",
    mode: str = "Urban Peak",
    load: float = 0.5,
    slope: float = 0.0,
    wear_pm25_g_per_km: float = 0.0,
) -> VehicleClass:
    """Curves of one class out of the guidebook's Appendix 4.

    Parameters
    ----------
    table : pandas.DataFrame
        Its sheet `HOT_EMISSIONS_PARAMETERS`, column names as published.
    category, fuel, segment, euro, technology : str
        As written there, for example `Passenger Cars`, `Petrol`, `Medium`, `Euro 5`, `PFI`; an
        empty technology asks for one without.
    mode : str
        Driving mode of pollutants that have no curve but a value for each.
    load, slope : float
        Load (0 to 1) and slope of the road of heavy vehicles.
    wear_pm25_g_per_km : float
        Added by the caller: the table holds exhaust only.

    Returns
    -------
    VehicleClass
        Carbon dioxide out of the energy that is used (`EC`, MJ/km) by `CO2_G_PER_MJ`; particles
        of exhaust are all smaller than 2.5 micrometres.

    Raises
    ------
    MissingColumnError
        If the table is another one.
    DataError
        If a pollutant is missing or told twice, or the published control value (last columns) is
        not met: coefficients were rounded, or a reduction was taken for per cent (the column says
        so, but holds shares).
    ParameterError
        If the carbon of the fuel is not known.
    """
    wanted = ["Category", "Fuel", "Segment", "Euro Standard", "Technology", "Pollutant",
              *_COEFFICIENTS, _REDUCTION, _LOW, _HIGH]  # fmt: skip
    if missing := [name for name in wanted if name not in table]:
        raise MissingColumnError(
            f"no column {missing[0]!r}: give the sheet HOT_EMISSIONS_PARAMETERS of Appendix 4"
        )
    if fuel not in CO2_G_PER_MJ:
        raise ParameterError(f"fuel = {fuel!r}: choose one of {', '.join(CO2_G_PER_MJ)}")
    asked = {"Category": category, "Fuel": fuel, "Segment": segment, "Euro Standard": euro,
             "Technology": technology}  # fmt: skip
    own = table
    for name, text in asked.items():
        own = own[own[name].astype(object).where(own[name].notna(), "").astype(str) == text]
    for name, number in (("Load", load), ("Road Slope", slope)):
        if name in own:
            own = own[own[name].isna() | (own[name] == number)]
    if "Mode" in own:
        own = own[own["Mode"].isna() | (own["Mode"] == "") | (own["Mode"] == mode)]
    told = ", ".join(text or "no technology" for text in asked.values())
    curves: dict[str, Curve] = {}
    for published, name in _NAMES.items():
        rows = own[own["Pollutant"] == published]
        if fuel == "Battery electric" and name != "co2":
            curves[name] = Curve()
            continue
        if len(rows) != 1:
            raise DataError(f"{told}: {len(rows)} rows for {published}, one is needed; name the "
                            "class as Appendix 4 does")  # fmt: skip
        scale = CO2_G_PER_MJ[fuel] if name == "co2" else 1.0
        curves[name] = _curve(rows.iloc[0], scale, f"{told}, {published}")
    source = f"EMEP/EEA guidebook 2023, 1.A.3.b.i-iv, Appendix 4, equation 25: {told}"
    return VehicleClass(MappingProxyType(curves), wear_pm25_g_per_km, source)


def _curve(row: pd.Series, scale: float, told: str) -> Curve:
    try:
        a, b, c, d, e, z, h, low, high = (
            float(row[name]) for name in (*_COEFFICIENTS, _LOW, _HIGH)
        )
        reduction = 0.0 if pd.isna(row[_REDUCTION]) else float(row[_REDUCTION])
    except (TypeError, ValueError) as error:
        raise DataError(f"{told}: {error}; read numbers with their decimal sign") from error
    bare = Curve(a, b, c, d, e, z, h, reduction, low, high)
    control = [name for name in row.index if str(name).startswith("EF [g/km]")]
    speeds = [name for name in row.index if str(name).replace(".", "", 1).isdigit()]
    if control and speeds and pd.notna(row[control[0]]):
        speed, value = float(str(speeds[0])), float(row[control[0]])
        found = float(bare.at(speed))
        if not np.isclose(found, value, rtol=_CONTROL_TOLERANCE, atol=1e-9):
            raise DataError(
                f"{told}: the curve gives {found:.6g} at {speed:g} km/h, the table says "
                f"{value:.6g}; take unrounded coefficients, and reductions as shares"
            )
    return replace(bare, scale=scale)


def _tier_1(fuel_g_per_km: float, nox_g_per_kg: float, pm_g_per_kg: float, wear: float,
            *, co2_kg_per_kg: float = 3.169) -> VehicleClass:  # fmt: skip
    kg = fuel_g_per_km / 1000
    flat = {"co2": 1000 * co2_kg_per_kg, "nox": nox_g_per_kg, "pm25": pm_g_per_kg}
    curves = {name: Curve(gamma=kg * factor) for name, factor in flat.items()}
    return VehicleClass(MappingProxyType(curves), wear, "EMEP/EEA guidebook, tier 1")


TIER_1: Mapping[str, VehicleClass] = MappingProxyType({
    "car-petrol": _tier_1(70, 8.73, 0.03, 0.0115),
    "car-diesel": _tier_1(60, 12.96, 1.10, 0.0115),
    "van-petrol": _tier_1(100, 13.22, 0.02, 0.0158),
    "van-diesel": _tier_1(80, 14.91, 1.52, 0.0158),
    "lorry-diesel": _tier_1(240, 33.37, 0.94, 0.0521),
    "motorcycle-petrol": _tier_1(35, 6.64, 2.20, 0.0050),
    "car-electric": _tier_1(0, 0, 0, 0.0115, co2_kg_per_kg=0),
})  # fmt: skip
"""Flat factors by class: typical consumption (g/km, table 3-15) times bulk factors (g/kg of fuel,
tables 3-5, 3-6 and 3-12) of the guidebook's tier 1, and tier 1 wear of tyres, brakes and road
(PM2.5 of 1.A.3.b.vi and vii added up).

Met in a second place: the carbon dioxide of fuel (3.169 kg/kg), and all of wear, which Germany's
Informative Inventory Report (Umweltbundesamt, 2022; road: 2019 edition) prints as taken from the
guidebook, to more digits: `WEAR_PM25_MG_PER_KM`. Consumption, nitrogen oxides and particles of
exhaust are from memory and not checked against a copy, table numbers neither. Tier 1 stands for a
European fleet of about 2005, does not change with speed and is high for today's vehicles: fit for
comparing streets and flows, not for an inventory, and blind to what a change of speed does. Buses:
take lorries. An electric car is that of petrol without exhaust."""

WEAR_PM25_MG_PER_KM: Mapping[str, tuple[float, float, float]] = MappingProxyType({
    "car": (4.49, 2.93, 4.05),
    "van": (7.10, 4.56, 4.05),
    "lorry": (18.9, 12.7, 20.5),
    "motorcycle": (1.93, 1.44, 1.62),
})  # fmt: skip
"""Fine particles of tyres, brakes and road surface, mg/km, by which wear in `TIER_1` is checked."""
