"""The answer of the mobility use case in words, in English and French."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from ldt_toolbox.mobility.steps import Places
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.results import Results

if TYPE_CHECKING:
    import pandas as pd

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
        Indicators and tables so far; of an indicator without a value nothing is said.
    parameters : Parameters
        `near_minutes`, `transit_minutes`, `amenity_classes`.
    """
    first = next(iter(names.values()))
    where = {"en": names.get("en", first), "fr": names.get("fr", first)}
    said = [
        *_daily_life(where, here, result, parameters),
        *_nearby(here, result, parameters),
        *_transit(here, result, parameters),
        *_traffic(result),
    ]
    return {language: " ".join(one[language] for one in said) for language in ("en", "fr")}


def _value(result: Results, key: str, digits: int = 0) -> dict[str, str] | None:
    """An indicator in figures of each language, None where it has no value.

    All but a few are not 100 %, and a few are not 0: these have as many digits as it takes.
    """
    one = result.indicators.get(key)
    if one is None or one.value is None:
        return None
    figures = f"{one.value:.{digits}f}"
    while float(figures) in (0, 100) and float(figures) != one.value and digits < 3:
        digits += 1
        figures = f"{one.value:.{digits}f}"
    return {"en": figures, "fr": figures.replace(".", ",")}


def _daily_life(
    where: Mapping[str, str], here: Places, result: Results, parameters: Parameters
) -> list[dict[str, str]]:
    """Who has all classes near."""
    if not here.classes:
        return [
            {
                "en": f"In {where['en']} no place of daily life is known, so that access to them "
                "is not told.",
                "fr": f"À {where['fr']}, aucun lieu de la vie quotidienne n'est connu : l'accès "
                "n'est pas dit.",
            }
        ]
    limit, unit = f"{parameters.near_minutes:g}", here.homes.unit
    some = len(here.classes) < len(parameters.amenity_classes)
    en = f"each of {', '.join(here.classes)}" if some else "every class of daily life"
    fr = (
        f"chacune des classes {', '.join(CLASS_FR[c] for c in here.classes)}"
        if some
        else "toutes les classes de la vie quotidienne"
    )
    share, middle = _value(result, "share_all_near"), _value(result, "minutes_all_median")
    if share is None:  # all but a few, or hardly anybody: which, is nobody's business
        said = {
            "en": f"In {where['en']} the share that has {en} within {limit} minutes on foot would "
            "tell of too few residents.",
            "fr": f"À {where['fr']}, la part ayant {fr} à {limit} minutes à pied dirait trop de "
            "peu d'habitants.",
        }
    else:
        said = {
            "en": f"In {where['en']}, {share['en']} % of the {unit['en']} have {en} within "
            f"{limit} minutes on foot.",
            "fr": f"À {where['fr']}, {share['fr']} % des {unit['fr']} ont {fr} à {limit} minutes "
            "à pied.",
        }
    if middle is None:
        return [said]
    half = {
        "en": f"Half of them have all of it within {middle['en']} minutes.",
        "fr": f"La moitié a tout en {middle['fr']} minutes.",
    }
    return [said, half]


def _nearby(here: Places, result: Results, parameters: Parameters) -> list[dict[str, str]]:
    """What is near the median home, and what streets are like for bikes."""
    limit, unit, out = f"{parameters.near_minutes:g}", here.homes.unit, []
    if (reach := _value(result, "reach_median")) is not None:
        out.append(
            {
                "en": f"From the median home {reach['en']} % of all {unit['en']} are within "
                f"{limit} minutes on foot.",
                "fr": f"Depuis le logement médian, {reach['fr']} % des {unit['fr']} sont à "
                f"{limit} minutes à pied.",
            }
        )
    if (stop := _value(result, "stop_coverage")) is not None:
        out.append(
            {
                "en": f"{stop['en']} % have a stop of public transport nearby.",
                "fr": f"{stop['fr']} % ont un arrêt de transport public à proximité.",
            }
        )
    if (calm := _value(result, "calm_street_share")) is not None:
        out.append(
            {
                "en": f"{calm['en']} % of the length open to bikes is calm enough for most adults, "
                "as far as the map tells.",
                "fr": f"{calm['fr']} % de la longueur ouverte aux vélos est assez calme pour la "
                "plupart des adultes, d'après la carte.",
            }
        )
    return out


def _transit(here: Places, result: Results, parameters: Parameters) -> list[dict[str, str]]:
    """What public transport lets one reach, or that schedules are missing."""
    reach, gain = _value(result, "transit_reach"), _value(result, "transit_gain", 1)
    if reach is None or gain is None:
        if "stop_coverage" not in result.indicators:
            return []
        return [
            {
                "en": "Schedules are missing: how often anything runs there is not known.",
                "fr": "Les horaires manquent : on ne sait pas à quelle fréquence on y est "
                "desservi.",
            }
        ]
    unit, limit = here.homes.unit, f"{parameters.transit_minutes:g}"
    goal = {"en": "jobs", "fr": "emplois"} if here.jobs_are_counted else unit
    return [
        {
            "en": f"By public transport {reach['en']} % of all {goal['en']} are within {limit} "
            f"minutes at a usual departure, {gain['en']} points more than on foot.",
            "fr": f"En transports publics, {reach['fr']} % des {goal['fr']} sont à {limit} minutes "
            f"à un départ habituel, {gain['fr']} points de plus qu'à pied.",
        }
    ]


def _traffic(result: Results) -> list[dict[str, str]]:
    """How busy streets are, what they emit, and whether the week ahead can be told."""
    out = []
    if (day := _value(result, "traffic_working_day")) is not None:
        out.append(
            {
                "en": f"At the median counter {day['en']} vehicles pass on a usual working day.",
                "fr": f"Au compteur médian, {day['fr']} véhicules passent un jour ouvrable "
                "habituel.",
            }
        )
    if (carbon := _value(result, "traffic_co2")) is not None:
        out.append(
            {
                "en": f"On it, the streets with a counter emit {carbon['en']} kg of carbon "
                "dioxide, for the fleet that the notes state.",
                "fr": f"Les rues à compteur émettent alors {carbon['fr']} kg de dioxyde de "
                "carbone, pour le parc que précisent les notes.",
            }
        )
    error = _value(result, "traffic_forecast_error")
    if error is not None:
        judged = cast("pd.DataFrame", result.layers["counters"])["forecast"]
        better, count = int((judged == "level").sum()), int((judged != "").sum())
        out.append(
            {
                "en": f"The forecast of the next week beats last week's values at {better} of "
                f"{count} counters (median error: {error['en']} % of theirs); where it doesn't, "
                "those stand for it.",
                "fr": f"La prévision de la semaine suivante fait mieux que les valeurs de la "
                f"semaine passée à {better} compteurs sur {count} (erreur médiane : "
                f"{error['fr']} % de la leur) ; ailleurs, celles-ci en tiennent lieu.",
            }
        )
    return out
