"""The answer of the mobility use case in words, in English and French."""

from collections.abc import Mapping

from ldt_toolbox.mobility.steps import Places
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.results import Results

CLASS_FR = {
    "education": "éducation", "health": "santé", "food": "commerces alimentaires",
    "green": "espaces verts", "culture": "culture", "sport": "sport", "services": "services",
}  # fmt: skip


def answer(
    names: Mapping[str, str], here: Places, result: Results, parameters: Parameters
) -> dict[str, str]:
    """Answer the question of the use case in one paragraph.

    Parameters
    ----------
    names : mapping of str to str
        Name of the territory by language.
    here : Places
        Homes and destinations.
    result : Results
        Indicators and tables so far.
    parameters : Parameters
        `near_minutes`.
    """
    limit = f"{parameters.near_minutes:g}"

    def number(key: str, digits: int = 0) -> str:
        one = result.indicators.get(key)
        return "?" if one is None or one.value is None else f"{one.value:.{digits}f}"

    first = next(iter(names.values()))
    en_name, fr_name = names.get("en", first), names.get("fr", first)
    unit = here.homes.unit
    goal = ("jobs", "emplois") if here.jobs_are_counted else (unit["en"], unit["fr"])
    if here.classes:
        some = len(here.classes) < len(parameters.amenity_classes)
        which_en = f"each of {', '.join(here.classes)}" if some else "every class of daily life"
        which_fr = (
            f"chacune des classes {', '.join(CLASS_FR[c] for c in here.classes)}"
            if some
            else "toutes les classes de la vie quotidienne"
        )
        en = (
            f"In {en_name}, {number('share_all_near')} % of the {unit['en']} have {which_en} "
            f"within {limit} minutes on foot; half of them have all of it within "
            f"{number('minutes_all_median')} minutes."
        )
        fr = (
            f"À {fr_name}, {number('share_all_near')} % des {unit['fr']} ont {which_fr} "
            f"à {limit} minutes à pied ; la moitié a tout en "
            f"{number('minutes_all_median')} minutes."
        )
    else:
        en = f"In {en_name} no place of daily life is known, so that access to them is not told."
        fr = f"À {fr_name}, aucun lieu de la vie quotidienne n'est connu : l'accès n'est pas dit."
    en += (
        f" From the median home {number('reach_median')} % of all {unit['en']} are within "
        f"{limit} minutes on foot."
    )
    fr += (
        f" Depuis le logement médian, {number('reach_median')} % des {unit['fr']} sont à "
        f"{limit} minutes à pied."
    )
    if "stop_coverage" in result.indicators:
        en += f" {number('stop_coverage')} % have a stop of public transport nearby."
        fr += f" {number('stop_coverage')} % ont un arrêt de transport public à proximité."
    en += (
        f" {number('calm_street_share')} % of the length open to bikes is calm enough for most "
        "adults, as far as the map tells."
    )
    fr += (
        f" {number('calm_street_share')} % de la longueur ouverte aux vélos est assez calme pour "
        "la plupart des adultes, d'après la carte."
    )
    if "transit_reach" in result.indicators:
        en += (
            f" By public transport {number('transit_reach')} % of all {goal[0]} are within "
            f"{parameters.transit_minutes:g} minutes at a usual departure, "
            f"{number('transit_gain', 1)} points more than on foot."
        )
        fr += (
            f" En transports publics, {number('transit_reach')} % des {goal[1]} sont à "
            f"{parameters.transit_minutes:g} minutes à un départ habituel, "
            f"{number('transit_gain', 1).replace('.', ',')} points de plus qu'à pied."
        )
    elif "stop_coverage" in result.indicators:
        en += " Schedules are missing: how often anything runs there is not known."
        fr += " Les horaires manquent : on ne sait pas à quelle fréquence on y est desservi."
    return {"en": en, "fr": fr}
