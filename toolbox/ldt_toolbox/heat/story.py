"""The answer of the heat-island use case in words, in English and French."""

from collections.abc import Mapping

import pandas as pd

from ldt_toolbox.heat.steps import Climate, Exposure
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.results import Indicator

MONTHS_EN = ("January", "February", "March", "April", "May", "June", "July", "August",
             "September", "October", "November", "December")  # fmt: skip
MONTHS_FR = ("de janvier", "de février", "de mars", "d'avril", "de mai", "de juin", "de juillet",
             "d'août", "de septembre", "d'octobre", "de novembre", "de décembre")  # fmt: skip

UNCLASSIFIED_WARNING_PCT = 30


def answer(
    names: Mapping[str, str],
    summer: Climate,
    seen: Exposure,
    indicators: Mapping[str, Indicator],
    ranked: pd.DataFrame,
    parameters: Parameters,
) -> dict[str, str]:
    """Answer the question of the use case in one paragraph.

    Parameters
    ----------
    names : mapping of str to str
        Name of the territory by language.
    summer, seen, parameters
        As in the steps.
    indicators : mapping of str to Indicator
        Results so far.
    ranked : pandas.DataFrame
        Ranked places, best first.
    """

    def number(key: str, digits: int = 1) -> str:
        value = indicators[key].value
        return "?" if value is None else f"{value:.{digits}f}"

    def french(key: str, digits: int = 1) -> str:
        return number(key, digits).replace(".", ",")

    en_name = names.get("en") or next(iter(names.values()))
    fr_name = names.get("fr") or next(iter(names.values()))
    hot = f"{parameters.hot_uhi_share * parameters.uhi_max_k:.2g}"
    best = [str(n) for n in ranked.loc[ranked["kind"] == "street", "name"].head(3)]
    assumed = parameters.origin["uhi_max_k"] == "manifest"
    most = f"{parameters.uhi_max_k:g}"
    # rounded here, else a scenario without measures would cool by -0.00 K
    cooled = 0.0 - round(indicators["scenario_change"].value or 0.0, 2)
    en = (
        f"In {en_name} the model puts the evening air {number('mean_anomaly')} K above the rural "
        f"reference of {summer.reference_c:.1f} °C"
        + (f" ({MONTHS_EN[summer.month - 1]} mean)" if summer.month else "")
        + f", averaged over {seen.unit['en']}"
        + (f", if the largest heat island is {most} K as assumed" if assumed else "")
        + f"; {number('hot_share', 0)} % lie in places at least {hot} K hotter than the reference. "
        f"The coolest and the hottest places differ by {number('contrast', 2)} K: what counts is "
        f"their order. All measures of the scenario together would cool the mean by {cooled:.2f} K."
    )
    fr = (
        f"À {fr_name}, le modèle place l'air du soir {french('mean_anomaly')} K au-dessus de la "
        + f"référence rurale de {summer.reference_c:.1f} °C".replace(".", ",")
        + (f" (moyenne {MONTHS_FR[summer.month - 1]})" if summer.month else "")
        + f", en moyenne sur les {seen.unit['fr']}"
        + (f", si le plus fort îlot de chaleur est de {most} K comme supposé" if assumed else "")
        + f" ; {french('hot_share', 0)} % se trouvent en des lieux au moins "
        f"{hot.replace('.', ',')} K plus chauds que la référence. Les lieux les plus frais et les "
        f"plus chauds diffèrent de {french('contrast', 2)} K : c'est leur ordre qui compte. Toutes "
        "les mesures du scénario ensemble rafraîchiraient la moyenne de "
        + f"{cooled:.2f} K.".replace(".", ",", 1)
    )
    target = f"{parameters.cooling_target_k:g}"
    if "green_needed" in indicators:
        en += (
            f" Lowering it by {target} K would take about {number('green_needed')} ha of new "
            "green in the best places."
        )
        fr += (
            f" La baisser de {target.replace('.', ',')} K demanderait environ "
            f"{french('green_needed')} ha de vert nouveau aux meilleurs endroits."
        )
    else:
        en += (
            f" A mean cooling of {target} K is out of reach: all open ground turned green would "
            f"bring {number('cooling_within_reach', 2)} K."
        )
        fr += (
            f" Une baisse de {target.replace('.', ',')} K est hors de portée : tout le sol libre "
            f"rendu vert apporterait {french('cooling_within_reach', 2)} K."
        )
    if best:
        en += f" A square metre of green helps most along {_list(best, 'and')}."
        fr += f" Un mètre carré de vert aide le plus le long de : {_list(best, 'et')}."
    unknown = indicators["unclassified_share"].value or 0
    if unknown >= UNCLASSIFIED_WARNING_PCT:
        en += (
            f" No layer says what covers {unknown:.0f} % of the ground: differences between "
            "places follow buildings and streets alone."
        )
        fr += (
            f" Aucune couche ne dit ce qui couvre {unknown:.0f} % du sol : les différences entre "
            "lieux ne suivent que les bâtiments et les rues."
        )
    return {"en": en, "fr": fr}


def _list(items: list[str], last: str) -> str:
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"
