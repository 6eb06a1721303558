"""Every word that the report itself says, in English and French.

Texts of a use case come from its manifest and texts of a result from `compute`; only the
frame around them is here.
"""

import re

_WORDS: dict[str, tuple[str, str]] = {
    "language": ("Language", "Langue"),
    "contents": ("In this report", "Dans ce rapport"),
    "question": ("The question", "La question"),
    "answer": ("The answer in short", "La réponse en bref"),
    "maps": ("Maps", "Cartes"),
    "tables": ("Tables", "Tableaux"),
    "indicators": ("All indicators", "Tous les indicateurs"),
    "notes": ("What to know about the data", "Ce qu'il faut savoir des données"),
    "validation": ("Held against observations", "Confrontation aux observations"),
    "method": ("Method", "Méthode"),
    "limits": ("What this can not show", "Ce que ceci ne peut pas montrer"),
    "evidence": ("Where the method is proven", "Où la méthode a fait ses preuves"),
    "sources": ("Sources and licences", "Sources et licences"),
    "parameters": ("Parameters", "Paramètres"),
    "gap": ("Gaps", "Lacunes"),
    "assumption": ("Assumptions", "Hypothèses"),
    "repair": ("Repairs", "Réparations"),
    "warning": ("Warnings", "Avertissements"),
    "no_notes": (
        "No gap, assumption, repair or warning was noted in this run.",
        "Aucune lacune, hypothèse, réparation ni avertissement n'a été noté.",
    ),
    "not_validated": (
        "The model was not validated against observations here: this run had none to compare "
        "with. Read its results as a ranking of places, not as measurements.",
        "Le modèle n'a pas été validé par des observations ici : ce calcul n'en disposait pas. "
        "Lisez ses résultats comme un classement de lieux, non comme des mesures.",
    ),
    "validated": (
        "These indicators of this run rest on observations:",
        "Ces indicateurs du calcul reposent sur des observations :",
    ),
    "surface_only": (
        "A satellite sees the skin of the ground and of the roofs, not the air: this gives an "
        "order of magnitude, and does not validate the modelled air temperature.",
        "Un satellite voit la peau du sol et des toits, non l'air : cela donne un ordre de "
        "grandeur et ne valide pas la température de l'air modélisée.",
    ),
    "synthetic_mark": ("SYNTHETIC", "SYNTHÉTIQUE"),
    "synthetic_banner": (
        "Parts of this report rest on synthetic data, made up for want of real data, and say "
        "nothing about the place: {items}.",
        "Des parties de ce rapport reposent sur des données synthétiques, inventées faute de "
        "données réelles, et ne disent rien du lieu : {items}.",
    ),
    "synthetic_figure": (
        "Synthetic data: this map says nothing about the place.",
        "Données synthétiques : cette carte ne dit rien du lieu.",
    ),
    "synthetic_table": (
        "Synthetic data: this table says nothing about the place.",
        "Données synthétiques : ce tableau ne dit rien du lieu.",
    ),
    "not_computed": ("not computed", "non calculé"),
    "uncertainty": ("Uncertainty", "Incertitude"),
    "uncertainty_range": ("{low} to {high}", "{low} à {high}"),
    "not_given": ("not given", "non donnée"),
    "indicator": ("Indicator", "Indicateur"),
    "value": ("Value", "Valeur"),
    "unit": ("Unit", "Unité"),
    "iso37101": ("ISO 37101 issue", "Domaine ISO 37101"),
    "provenance": ("Provenance", "Provenance"),
    "observed": ("observed", "observé"),
    "derived": ("derived", "dérivé"),
    "synthetic": ("synthetic", "synthétique"),
    "raw": ("raw data", "donnée brute"),
    "transformed": ("computed from data", "calculé d'après les données"),
    "model_input": ("model input", "entrée du modèle"),
    "model_output": ("modelled", "modélisé"),
    "from_observations": ("from observations", "d'après observations"),
    "clipped": (
        "To keep contrasts visible the colours span the 2nd to 98th percentile; values beyond "
        "({low} to {high} in all) take the end colours.",
        "Pour garder les contrastes visibles, les couleurs couvrent le 2e au 98e centile ; les "
        "valeurs au-delà ({low} à {high} en tout) prennent les couleurs extrêmes.",
    ),
    "depth_classes": (
        "The classes of depth are the same on every map; below 5 cm nothing is painted. The "
        "deepest value is {high}.",
        "Les classes de hauteur sont les mêmes sur toutes les cartes ; rien n'est peint en "
        "dessous de 5 cm. La plus grande valeur est {high}.",
    ),
    "all_dry": (
        "No water of {least} cm or more: there is nothing to map.",
        "Pas d'eau de {least} cm ou plus : rien à cartographier.",
    ),
    "relief": (
        "Shaded relief below, lit from the north-west; where it is missing, so is the terrain.",
        "Relief ombré en dessous, éclairé du nord-ouest ; là où il manque, le terrain manque.",
    ),
    "animations": ("The event, step by step", "L'événement, pas à pas"),
    "alt_film": (
        "Animated map of {place}: {title}, {count} pictures from {first} to {last} minutes after "
        "the start. {course}",
        "Carte animée de {place} : {title}, {count} images de {first} à {last} minutes après le "
        "début. {course}",
    ),
    "film_course": (
        "The area under water is largest at {peak} minutes, {most} ha, and {end} ha at the end.",
        "La surface sous l'eau est la plus grande à {peak} minutes, {most} ha, et de {end} ha à "
        "la fin.",
    ),
    "film_dry": (
        "No water of 5 cm or more at any time.",
        "Jamais d'eau de 5 cm ou plus.",
    ),
    "film_minutes": ("{minutes} min", "{minutes} min"),
    "pause": ("Pause", "Pause"),
    "film_still": (
        "Where motion is not wanted, and on paper, the picture with most water stands still.",
        "Là où le mouvement n'est pas souhaité, et sur papier, l'image qui a le plus d'eau reste "
        "fixe.",
    ),
    "value_range": ("Values run from {low} to {high}.", "Valeurs de {low} à {high}."),
    "no_values": (
        "This layer holds no value: there is nothing to map.",
        "Cette couche ne contient aucune valeur : rien à cartographier.",
    ),
    "no_values_mark": ("no values", "aucune valeur"),
    "no_change": ("no change", "aucun changement"),
    "suppressed": ("suppressed: too few residents", "masqué : trop peu d'habitants"),
    "suppressed_cells": (
        "Hatched: {count} cells are suppressed, so that nobody is recognised.",
        "Hachuré : {count} mailles sont masquées, pour que personne ne soit reconnu.",
    ),
    "constant": ("The value is {value} everywhere.", "La valeur est {value} partout."),
    "source_line": ("Source: {credits}.", "Source : {credits}."),
    "model_credit": ("model: {case}", "modèle : {case}"),
    "alt_map": ("Map of {place}: {title}.", "Carte de {place} : {title}."),
    "alt_range": (
        "Values run from {low} to {high}; half of them lie between {q1} and {q3}.",
        "Les valeurs vont de {low} à {high} ; la moitié est entre {q1} et {q3}.",
    ),
    "alt_most": (
        "The {end} values lie mainly in the {where}.",
        "Les valeurs {end} sont surtout {where}.",
    ),
    "alt_scattered": (
        "The {end} values are scattered, most often in the {where}.",
        "Les valeurs {end} sont dispersées, le plus souvent {where}.",
    ),
    "highest": ("highest", "les plus hautes"),
    "lowest": ("lowest", "les plus basses"),
    "alt_classes": ("It shows {shares}.", "Elle montre {shares}."),
    "alt_share": ("{name} on {share}", "{name} sur {share}"),
    "rows_cut": (
        "The first {shown} of {total} rows; all of them are in {path} beside this report.",
        "Les {shown} premières lignes sur {total} ; toutes sont dans {path}, à côté de ce rapport.",
    ),
    "empty_table": ("This table has no rows.", "Ce tableau n'a aucune ligne."),
    "boundary": ("Boundary of the territory", "Limite du territoire"),
    "what": ("What", "Objet"),
    "source": ("Source", "Source"),
    "licence": ("Licence", "Licence"),
    "date": ("Date", "Date"),
    "no_sources": ("No input was recorded.", "Aucune entrée n'est enregistrée."),
    "credit": ("Attribution: {credit}", "Attribution : {credit}"),
    "file_hash": ("SHA-256 {hash}", "SHA-256 {hash}"),
    "no_licence": ("none stated", "non indiquée"),
    "meaning": ("Meaning", "Sens"),
    "origin": ("Set by", "Fixé par"),
    "name": ("Name", "Nom"),
    "given": ("this run", "ce calcul"),
    "territory": ("the territory", "le territoire"),
    "manifest": ("the use case's default", "défaut du cas d'usage"),
    "default_source": ("Default: {source}", "Défaut : {source}"),
    "automatic": ("automatic", "automatique"),
    "yes": ("yes", "oui"),
    "no": ("no", "non"),
    "units_used": ("Units", "Unités"),
    "about": ("About this report", "À propos de ce rapport"),
    "made": (
        "Made with ldt-toolbox {version}, use case {case} {case_version}, for the territory "
        "{territory}. Run {run}.",
        "Produit avec ldt-toolbox {version}, cas d'usage {case} {case_version}, pour le "
        "territoire {territory}. Calcul {run}.",
    ),
    "folder": (
        "The folder of this report also holds the map layers (layers), the tables (tables), the "
        "indicators for machines (indicators.json) and, where the run wrote it, the record of "
        "inputs, versions and times (ro-crate-metadata.json).",
        "Le dossier de ce rapport contient aussi les couches (layers), les tableaux (tables), les "
        "indicateurs pour machines (indicators.json) et, si le calcul l'a écrit, le registre "
        "des entrées, versions et heures (ro-crate-metadata.json).",
    ),
}  # fmt: skip

_SECTORS: dict[str, tuple[str, str]] = {
    "nw": ("north-west", "au nord-ouest"),
    "n": ("north", "au nord"),
    "ne": ("north-east", "au nord-est"),
    "w": ("west", "à l'ouest"),
    "c": ("centre", "au centre"),
    "e": ("east", "à l'est"),
    "sw": ("south-west", "au sud-ouest"),
    "s": ("south", "au sud"),
    "se": ("south-east", "au sud-est"),
}

# Names of the issues of ISO 37101:2016; the French wording is our own, not the standard's.
_ISO37101_FR: dict[str, str] = {
    "governance, empowerment and engagement": "gouvernance, responsabilisation et engagement",
    "education and capacity building": "éducation et renforcement des capacités",
    "innovation, creativity and research": "innovation, créativité et recherche",
    "health and care in the community": "santé et soins dans la communauté",
    "culture and community identity": "culture et identité collective",
    "living together, interdependence and mutuality":
        "vivre ensemble, interdépendance et solidarité",
    "economy and sustainable production and consumption":
        "économie, production et consommation durables",
    "living and working environment": "cadre de vie et de travail",
    "safety and security": "sûreté et sécurité",
    "community infrastructures": "infrastructures de la collectivité",
    "mobility": "mobilité",
    "biodiversity and ecosystem services": "biodiversité et services écosystémiques",
}  # fmt: skip

_PERCENTILES = re.compile(r"(\d+)(?:st|nd|rd|th) to (\d+)(?:st|nd|rd|th) percentile(.*)")
_DRAWS = re.compile(r" of (\d+) draws")


def word(key: str, language: str, **values: object) -> str:
    """Look up a text of the report's frame and fill it in.

    Parameters
    ----------
    key : str
        Which text.
    language : str
        ``en`` or ``fr``.
    **values : object
        For its placeholders.
    """
    text = _WORDS[key][0 if language == "en" else 1]
    if language == "fr":
        # French typography wants an unbreakable blank before these signs.
        text = text.replace(" :", "\u00a0:").replace(" ;", "\u202f;")
    return text.format(**values)


def sector(key: str, language: str) -> str:
    """Part of a map, for example `ne`, in words."""
    return _SECTORS[key][0 if language == "en" else 1]


def iso37101(issue: str, language: str) -> str:
    """Issue of ISO 37101 in a language; one that is not known comes back as it is."""
    return issue if language == "en" else _ISO37101_FR.get(issue, issue)


def interval(meaning: str, language: str) -> str:
    """What an uncertainty interval means; percentiles of draws are put into French."""
    found = _PERCENTILES.fullmatch(meaning)
    if language == "en" or not found:
        return meaning
    rest = _DRAWS.sub(r" de \1 tirages", found[3])
    return f"{found[1]}e au {found[2]}e centile{rest}"
