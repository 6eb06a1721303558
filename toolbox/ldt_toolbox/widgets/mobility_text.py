"""Words, legend and table of the map of access."""

import html
from collections.abc import Sequence

import numpy as np
import pandas as pd

from ldt_toolbox.report.numbers import format_number
from ldt_toolbox.use_case import UseCase

# From near to far: one hue, each lighter than the one before, also in grey.
BAND_COLOURS = ("#08519c", "#4292c6", "#9ecae1")
_WORDS = {
    "mode": {"en": "Way to move", "fr": "Mode"},
    "walk": {"en": "on foot", "fr": "à pied"},
    "bike": {"en": "by bike", "fr": "à vélo"},
    "transit": {"en": "by public transport", "fr": "en transports publics"},
    "minutes": {"en": "Minutes", "fr": "Minutes"},
    "departure": {"en": "Departure at", "fr": "Départ à"},
    "place": {"en": "From", "fr": "Depuis"},
    "middle": {"en": "the middle of all homes", "fr": "milieu de tous les logements"},
    "given": {"en": "the place of the parameters", "fr": "lieu des paramètres"},
    "clicked": {"en": "the place clicked", "fr": "lieu cliqué"},
    "legend": {"en": "Reached within", "fr": "Atteint en"},
    "buildings": {"en": "buildings", "fr": "bâtiments"},
    "boundary": {"en": "boundary", "fr": "limite"},
    "wait": {"en": "Computing …", "fr": "Calcul …"},
    "outside": {
        "en": "{lat}, {lon} lies outside {name}, where streets and places are known only in part: "
        "click inside the black line. The map still shows the place before.",
        "fr": "{lat}, {lon} est hors de {name}, où rues et lieux ne sont connus qu'en partie : "
        "cliquez à l'intérieur de la ligne noire. La carte montre encore le lieu d'avant.",
    },
    "far": {
        "en": "No street within {limit} m of {lat}, {lon}: click nearer to a street. The map still "
        "shows the place before.",
        "fr": "Aucune rue à moins de {limit} m de {lat}, {lon} : cliquez plus près d'une rue. La "
        "carte montre encore le lieu d'avant.",
    },
    "answer": {
        "en": "<b>{ha} ha</b> along {km} km of streets within {minutes} min {how} from {place} · "
        "{share}",
        "fr": "<b>{ha} ha</b> le long de {km} km de rues en {minutes} min {how} depuis : {place} · "
        "{share}",
    },
    "share": {
        "en": "{share} % of all {weight} lie there",
        "fr": "{share} % des {weight} s'y trouvent",
    },
    "share_hidden": {
        "en": "how many of all {weight} lie there is not told: too few do, or too few don't",
        "fr": "la part des {weight} qui s'y trouvent n'est pas dite : trop peu y sont, ou trop peu "
        "n'y sont pas",
    },
    "leaving": {"en": ", leaving at {time}", "fr": ", départ à {time}"},
    "nearest": {"en": "Nearest of each class", "fr": "Le plus proche de chaque classe"},
    "class": {"en": "Class", "fr": "Classe"},
    "nearest_place": {"en": "Nearest place", "fr": "Lieu le plus proche"},
    "beyond": {"en": "none within {limit} min", "fr": "aucun en {limit} min"},
    "no_classes": {
        "en": "No place of daily life is known here.",
        "fr": "Aucun lieu de la vie quotidienne n'est connu ici.",
    },
    "caption": {
        "en": "Click on the map, or choose a place from the list. Strips of 25 m along streets "
        "really reached; red dot: the start; buildings grey, boundary black. Modelled, not "
        "measured. {credit}",
        "fr": "Cliquez sur la carte, ou choisissez un lieu dans la liste. Bandes de 25 m le long "
        "des rues réellement atteintes ; point rouge : le départ ; bâtiments en gris, limite en "
        "noir. Modélisé, non mesuré. {credit}",
    },
}


def said(key: str, language: str, **values: object) -> str:
    """Words of the map.

    Parameters
    ----------
    key : str
        Which.
    language : str
        ``en`` or ``fr``.
    **values : object
        What is put into them.
    """
    return _WORDS[key][language].format(**values)


def band_legend(limits_s: Sequence[float], language: str) -> str:
    """Draw a box for each band with its minutes, as SVG.

    Parameters
    ----------
    limits_s : sequence of float
        Seconds, as many as there are colours.
    language : str
        ``en`` or ``fr``.
    """
    title = html.escape(said("legend", language))
    parts = [f'<text x="4" y="14" font-weight="bold">{title}</text>']
    for i, (limit, colour) in enumerate(zip(limits_s, BAND_COLOURS, strict=True)):
        x = 110 + 85 * i
        parts.append(
            f'<rect x="{x}" y="3" width="22" height="13" fill="{colour}"/>'
            f'<text x="{x + 28}" y="14">{limit / 60:.0f} min</text>'
        )
    return (
        f'<svg role="img" aria-label="{title}" width="380" height="20" '
        f'font-family="sans-serif" font-size="12" fill="#222">{"".join(parts)}</svg>'
    )


def nearest_table(nearest: pd.DataFrame, language: str, *, beyond_min: int) -> str:
    """Write the nearest place of each class as a table.

    Parameters
    ----------
    nearest : pandas.DataFrame
        From `from_place.nearest_places`.
    language : str
        ``en`` or ``fr``.
    beyond_min : int
        How far was searched.
    """
    if not len(nearest):
        return f'<p style="color:#595959">{said("no_classes", language)}</p>'
    names = UseCase.find("mobility").tables["classes"].spec["columns"]["class"]["values"]
    rows = []
    for _, one in nearest.iterrows():
        label = names.get(one["class"], {}).get(language, one["class"])
        found = one["name"] or one["kind"].replace("_", " ")
        minutes = "–"
        if np.isfinite(one["minutes"]):
            minutes = format_number(float(one["minutes"]), language=language, decimals=0)
        else:
            found = said("beyond", language, limit=beyond_min)
        rows.append(
            f'<tr><th scope="row" style="text-align:left;font-weight:normal">'
            f"{html.escape(label)}</th><td>{html.escape(found)}</td>"
            f'<td style="text-align:right">{minutes}</td></tr>'
        )
    heads = (said("class", language), said("nearest_place", language), "min")
    return (
        "<style>.ldt-nearest td,.ldt-nearest th{padding:.1em 1.2em .1em 0;line-height:1.5}"
        '</style><table class="ldt-nearest"><caption style="text-align:left;font-weight:bold">'
        f"{said('nearest', language)}</caption><thead><tr>"
        + "".join(f'<th scope="col" style="text-align:left">{head}</th>' for head in heads)
        + f"</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )
