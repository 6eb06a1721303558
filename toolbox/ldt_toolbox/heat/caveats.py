"""What a run on heat islands has to say of itself: assumptions, gaps, and what is made up."""

from dataclasses import replace

from ldt_toolbox.heat import steps
from ldt_toolbox.heat.ground import Ground
from ldt_toolbox.results import Note, Results
from ldt_toolbox.sources import Inputs

# Outputs of roles that do not feed the model; every other role feeds all that is modelled.
_RESTS_ON = {
    "land_surface_temperature": {
        "surface_temperature", "surface_heat_island", "climate_zone_contrast",
    },
    "local_climate_zones": {"surface_heat_island", "climate_zone_contrast"},
    "stations": {"stations"},
    "weather": {"comfort"},
    "amenities": {"sensitive_sites"},
}  # fmt: skip


def ground_notes(ground: Ground, inputs: Inputs) -> list[Note]:
    """What was imputed, and what is not known of the ground."""
    notes = []
    counts = ground.buildings["height_source"].value_counts()
    total = len(ground.buildings)
    given = int(counts.get("height", 0))
    if given < total:
        parts = {k: int(counts.get(k, 0)) for k in ("levels", "neighbours", "default")}
        notes.append(
            Note(
                "assumption",
                {
                    "en": f"{total - given} of {total} building heights are imputed: "
                    f"{parts['levels']} from storeys, {parts['neighbours']} from neighbours, "
                    f"{parts['default']} by default.",
                    "fr": f"{total - given} hauteurs de bâtiment sur {total} sont imputées : "
                    f"{parts['levels']} d'après les niveaux, {parts['neighbours']} d'après les "
                    f"voisins, {parts['default']} par défaut.",
                },
            )
        )
    unknown = steps.shares(ground)["unclassified"]
    if unknown >= 1:
        notes.append(
            Note(
                "gap",
                {
                    "en": f"{unknown:.0f} % of the land is unclassified: no layer says what covers "
                    "it, and it is modelled as mixed urban ground.",
                    "fr": f"{unknown:.0f} % des terres ne sont pas classées : aucune couche ne dit "
                    "ce qui les couvre ; elles sont modélisées comme un sol urbain mixte.",
                },
            )
        )
    if "terrain" in inputs and not ground.has_terrain:
        notes.append(
            Note(
                "warning",
                {
                    "en": "The terrain does not cover the territory: the ground is taken as flat.",
                    "fr": "Le terrain ne couvre pas le territoire : le sol est pris comme plat.",
                },
            )
        )
    return notes


def mark_synthetic(inputs: Inputs, result: Results) -> None:
    """Mark what rests on synthetic data: layers, tables, and the provenance of indicators."""
    fake = inputs.synthetic
    yielded = set(result.layers) | set(result.tables)
    marked = {output for role in fake & _RESTS_ON.keys() for output in _RESTS_ON[role]}
    if fake - _RESTS_ON.keys():
        surface = {"surface_temperature", "surface_heat_island", "climate_zone_contrast"}
        if fake & {"boundary", "water", "terrain"}:  # these choose the cells that are compared
            surface = {"surface_temperature"}
        marked |= yielded - surface
        result.indicators = {
            key: one
            if key in {"reference_temperature", "surface_uhi"}
            else replace(one, provenance="synthetic")
            for key, one in result.indicators.items()
        }
    result.synthetic = tuple(sorted(marked & yielded))
