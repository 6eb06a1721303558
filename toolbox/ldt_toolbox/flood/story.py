"""The answer of the flood use case in words, in English and French."""

from collections.abc import Mapping

from ldt_toolbox.flood.ground import Ground
from ldt_toolbox.flood.storms import Rain
from ldt_toolbox.results import Indicator


def answer(
    names: Mapping[str, str],
    land: Ground,
    falling: Rain,
    indicators: Mapping[str, Indicator],
    *,
    wet_depth_m: float,
    assumed_rain: bool,
    inflows: bool,
) -> dict[str, str]:
    """Answer the question of the use case in one paragraph.

    Parameters
    ----------
    names : mapping of str to str
        Name of the territory by language.
    land, falling
        As in the steps.
    indicators : mapping of str to Indicator
        Results so far.
    wet_depth_m : float
        Depth from which ground counts as flooded.
    assumed_rain : bool
        Whether the rain depths are the manifest's.
    inflows : bool
        Whether rivers enter the model.
    """

    def number(key: str, digits: int = 0) -> str:
        found = indicators.get(key)
        if found is None or found.value is None:
            return "?"
        return f"{found.value:,.{digits}f}"

    def french(key: str, digits: int = 0) -> str:
        return _in_french(number(key, digits))

    en_name = names.get("en") or next(iter(names.values()))
    fr_name = names.get("fr") or next(iter(names.values()))
    cell = f"{land.setup.cell_m:.3g}"
    cell_fr = cell.replace(".", ",")
    depth_cm = f"{100 * wet_depth_m:.0f}"
    period = falling.event.return_period_years
    en_event = "the observed event" if period is None else f"the {period:g}-year storm"
    fr_event = "l'événement observé" if period is None else f"la pluie de période {period:g} ans"
    rain_en = f" ({falling.event.total_mm:.0f} mm{', assumed' if assumed_rain else ''})"
    rain_fr = f" ({falling.event.total_mm:.0f} mm{', supposée' if assumed_rain else ''})"
    en = (
        f"In {en_name} the model of {en_event}{rain_en} puts {number('flooded_area', 1)} ha "
        f"({number('flooded_share')} %) under more than {depth_cm} cm of water and reaches "
        f"{number('buildings_wet')} buildings; the damage is that of {number('damaged_area')} m² "
        "of footprint lost entirely"
    )
    fr = (
        f"{fr_name} : le modèle de {fr_event}{rain_fr} met {french('flooded_area', 1)} ha "
        f"({french('flooded_share')} %) sous plus de {depth_cm} cm d'eau et atteint "
        f"{french('buildings_wet')} bâtiments ; le dommage équivaut à {french('damaged_area')} m² "
        "d'emprise entièrement perdue"
    )
    if "damage" in indicators:
        en += f", {number('damage')} EUR"
        fr += f", {french('damage')} EUR"
    en, fr = en + ".", fr + "."
    if "annual_damaged_area" in indicators:
        en += f" Over all years that is {number('annual_damaged_area')} m² a year"
        fr += f" Sur l'ensemble des années, cela fait {french('annual_damaged_area')} m² par an"
        if "annual_damage" in indicators:
            en += f" or {number('annual_damage')} EUR a year"
            fr += f", soit {french('annual_damage')} EUR par an"
        en, fr = en + ".", fr + "."
    if "streets_cut" in indicators:
        en += f" {number('streets_cut', 1)} km of streets are closed to cars."
        fr += f" {french('streets_cut', 1)} km de voies sont coupés aux voitures."
    change = indicators["scenario_change"]
    if change.value is not None:
        more = change.value > 0
        size = f"{abs(change.value):,.0f}"
        en += (
            f" All measures of the scenario together would {'add' if more else 'take away'} {size} "
            f"m² of the damage{_range(change, 'to')}."
        )
        fr += (
            f" Toutes les mesures du scénario ensemble {'ajouteraient' if more else 'ôteraient'} "
            f"{_in_french(size)} m² de ce dommage{_in_french(_range(change, 'à'))}."
        )
    if land.screening:
        en += (
            f" The cells measure {cell} m: no street, wall or river bed is in them. This is a "
            "screening of where to look, not a hazard map."
        )
        fr += (
            f" Les mailles font {cell_fr} m : ni rue, ni mur, ni lit de rivière n'y figurent. "
            "C'est un repérage des lieux à examiner, non une carte d'aléa."
        )
    else:
        en += f" The cells measure {cell} m."
        fr += f" Les mailles font {cell_fr} m."
    if not inflows:
        en += " Water that rivers bring from outside is not in it."
        fr += " L'eau que les rivières apportent de l'extérieur n'y est pas."
    return {"en": en, "fr": fr}


def _range(one: Indicator, word: str) -> str:
    if one.low is None or one.high is None:
        return ""
    low, high = sorted((-one.low, -one.high)) if (one.value or 0) <= 0 else (one.low, one.high)
    return f" ({low:,.0f} {word} {high:,.0f})"


def _in_french(figures: str) -> str:
    return figures.replace(",", "\u202f").replace(".", ",")
