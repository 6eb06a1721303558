"""What a reader of a flood result has to know beside its numbers."""

from dataclasses import replace

import pandas as pd

from ldt_toolbox.flood.ground import Ground
from ldt_toolbox.flood.hazard_maps import return_period_of
from ldt_toolbox.flood.indicators import depth_difference
from ldt_toolbox.flood.robustness import Draws
from ldt_toolbox.flood.scenario import side_of
from ldt_toolbox.flood.simulation import Simulation
from ldt_toolbox.flood.steps import Hazard, Yearly
from ldt_toolbox.flood.storms import Rain
from ldt_toolbox.flood.town import Town
from ldt_toolbox.flood.validity import mass_notes, range_notes
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.results import Note
from ldt_toolbox.sources import Inputs

MUCH_UNCLASSIFIED = 0.3
WHOLE = 0.995


def notes_on(
    inputs: Inputs,
    ground: Ground,
    rain: Rain,
    town: Town,
    run: Simulation,
    second: Simulation | None,
    depths: Hazard,
    yearly: Yearly,
    table: pd.DataFrame,
    draws: Draws,
    parameters: Parameters,
) -> list[Note]:
    """Gaps, assumptions and warnings of a run; arguments as in `use_case.assemble`."""
    return [
        *_terrain(ground),
        *_cover(inputs, ground, parameters),
        *_end(inputs, rain, run),
        *_scheme(run, second, ground, parameters),
        *range_notes(depths.tally, table.attrs["tally"], draws.tally),
        *_values(town, parameters, inputs),
        *_years(yearly),
        *_rivers(inputs, depths),
        *_compared(table, run, ground),
        *_basins(table, inputs, parameters),
        *_draws(draws, ground),
    ]


def without_repetition(inputs: Inputs) -> Inputs:
    """Name the maps of an official hazard once, not by return period, where all are missing."""
    maps = [role for role in inputs.missing if return_period_of(role) is not None]
    told = any(return_period_of(role) is not None for role in inputs.layers)
    left_out = set(maps if told or "flood_zones" in inputs else maps[1:])
    kept = {role: one for role, one in inputs.missing.items() if role not in left_out}
    return replace(inputs, missing=kept)


def _note(kind: str, en: str, fr: str) -> Note:
    return Note(kind, {"en": en, "fr": fr})


def _comma(number: float, digits: int = 1) -> str:
    return f"{number:.{digits}f}".replace(".", ",")


def _terrain(ground: Ground) -> list[Note]:
    found = []
    cell = ground.setup.cell_m
    if ground.screening:
        found.append(
            _note(
                "warning",
                f"The model's cells measure {cell:.1f} m: too coarse for streets, walls, culverts "
                "and river beds. All depths, speeds and damages are a screening; none of these "
                "maps is a hazard map.",
                f"Les mailles du modèle font {_comma(cell)} m : trop pour voir rues, murs, buses "
                "et lits de rivière. Hauteurs, vitesses et dommages sont un repérage ; aucune de "
                "ces cartes n'est une carte d'aléa.",
            )
        )
    if cell > 1.01 * ground.terrain_cell_m:
        found.append(
            _note(
                "assumption",
                f"The terrain's cells of {ground.terrain_cell_m:.3g} m are averaged to "
                f"{cell:.3g} m.",
                f"Les mailles du terrain de {ground.terrain_cell_m:.3g} m sont moyennées à "
                f"{cell:.3g} m.".replace(".", ",", 1),
            )
        )
    if ground.terrain_share < WHOLE:
        part = 100 * ground.terrain_share
        found.append(
            _note(
                "gap",
                f"The terrain covers {part:.0f} % of the territory: nothing is known of the rest, "
                "and its buildings have no depth.",
                f"Le terrain couvre {part:.0f} % du territoire : rien n'est connu du reste, et ses "
                "bâtiments n'ont pas de hauteur d'eau.",
            )
        )
    count = int(ground.interpolated.sum())
    if count:
        found.append(
            _note(
                "repair",
                f"{count} cells of the terrain were missing and are interpolated from their rim.",
                f"{count} mailles du terrain manquaient et sont interpolées depuis leur bord.",
            )
        )
    if ground.voids_kept:
        found.append(
            _note(
                "warning",
                f"{ground.voids_kept} larger voids of the terrain are kept: water that reaches one "
                "leaves the model there.",
                f"{ground.voids_kept} lacunes plus grandes du terrain sont gardées : l'eau qui en "
                "atteint une y quitte le modèle.",
            )
        )
    if ground.culverts_left_out:
        found.append(
            _note(
                "gap",
                f"Culverts left out: {ground.culverts_left_out}, which begin or end where there "
                "is no terrain. The embankment dams the water there.",
                f"Buses laissées de côté : {ground.culverts_left_out}, qui commencent ou finissent "
                "hors du terrain. Le remblai y barre l'eau.",
            )
        )
    return found


def _cover(inputs: Inputs, ground: Ground, parameters: Parameters) -> list[Note]:
    found = [
        _note(
            "assumption",
            f"Soil of hydrologic group {parameters.soil_group} everywhere (A: sand, D: clay).",
            f"Sol de groupe hydrologique {parameters.soil_group} partout (A : sable, D : argile).",
        )
    ]
    share = ground.unclassified_share
    if share > 0.01:
        name = parameters.unclassified_cover
        found.append(
            _note(
                "gap" if share > MUCH_UNCLASSIFIED else "assumption",
                f"{100 * share:.0f} % of the ground has no land cover and is taken as `{name}`.",
                f"{100 * share:.0f} % du sol n'a pas d'occupation connue et est pris comme "
                f"`{name}`.",
            )
        )
    if "inflows" not in inputs and ground.rivers.any():
        found.append(
            _note(
                "gap",
                "Rivers cross the terrain, but what they bring from upstream is not known: only "
                "rain that falls on the terrain is modelled. A river flood needs `inflows`.",
                "Des rivières traversent le terrain, mais ce qu'elles apportent de l'amont n'est "
                "pas connu : seule la pluie tombée sur le terrain est modélisée. Une crue demande "
                "`inflows`.",
            )
        )
    return found


def _end(inputs: Inputs, rain: Rain, run: Simulation) -> list[Note]:
    """Say that the simulation ends before the water has come, if it does."""
    last_s = rain.event.end_s
    if "inflows" in inputs:
        last_s = max(last_s, 60 * float(inputs.table("inflows")["time_min"].max()))
    if run.time_s >= last_s - 1:
        return []
    end, last = run.time_s / 3600, last_s / 3600
    return [
        _note(
            "warning",
            f"The simulation ends after {end:.2g} h, rain or inflows after {last:.3g} h: what "
            "comes later is missing, and the highest depths may be, too. Raise simulation_h.",
            f"La simulation finit après {_comma(end, 2)} h, pluie ou débits après "
            f"{_comma(last, 2)} h : la suite manque, et peut-être les plus grandes hauteurs. "
            "Augmenter simulation_h.",
        )
    ]


def _scheme(
    run: Simulation, second: Simulation | None, ground: Ground, parameters: Parameters
) -> list[Note]:
    if second is None:
        return []
    of = " with the full scheme", " avec le schéma complet"
    found = list(mass_notes(abs(second.ledger.relative_error), where=of))
    rms = depth_difference(run, second, ground, parameters)
    wet = [
        float((ground.inside & (one.peaks.depth_m > parameters.wet_depth_m)).sum())
        for one in (run, second)
    ]
    if rms is None or wet[0] == 0:
        return found
    more = 100 * (wet[1] / wet[0] - 1)
    return [
        *found,
        _note(
            "warning",
            "Because the water runs too fast for it, the event was run again with the full "
            f"shallow-water scheme: the flooded area is {abs(more):.0f} % "
            f"{'larger' if more > 0 else 'smaller'}, depths differ by {rms:.2f} m (root mean "
            "square of wet cells). The maps show the inertial scheme.",
            "L'eau allant trop vite pour lui, l'événement a été relancé avec le schéma complet de "
            f"Saint-Venant : la surface inondée est {abs(more):.0f} % plus "
            f"{'grande' if more > 0 else 'petite'}, les hauteurs diffèrent de {_comma(rms, 2)} m "
            "(moyenne quadratique des mailles mouillées). Les cartes montrent le schéma inertiel.",
        ),
    ]


def _values(town: Town, parameters: Parameters, inputs: Inputs) -> list[Note]:
    found = []
    known = int(town.buildings["class_known"].sum())
    total = len(town.buildings)
    if known < total:
        found.append(
            _note(
                "assumption",
                f"{total - known} of {total} buildings tell no use that a damage function knows: "
                "they count as residential.",
                f"{total - known} bâtiments sur {total} n'ont pas d'usage connu des fonctions de "
                "dommage : ils comptent comme résidentiels.",
            )
        )
    if town.maximum is None:
        country = inputs.territory.country
        found.append(
            _note(
                "gap",
                f"No GDP of {country} is in the table of the JRC's values: damage is told in "
                "square metres lost entirely, not in EUR. Give gdp_per_capita_usd.",
                f"Le PIB de {country} n'est pas dans la table des valeurs du JRC : le dommage est "
                "dit en mètres carrés entièrement perdus, non en EUR. Donnez gdp_per_capita_usd.",
            )
        )
    else:
        lines = "; ".join(one.describe().split(" (")[0] for one in town.maximum.values())
        prices = f"{parameters.price_year} (2010 x {parameters.price_factor:g})"
        found.append(
            _note(
                "assumption",
                f"Maximum damage of the JRC, building and contents, prices of {prices}: {lines}.",
                f"Dommage maximal du JRC, bâti et contenu, prix de {prices} : {lines}.",
            )
        )
    return found


def _years(yearly: Yearly) -> list[Note]:
    if yearly.damaged_m2 is None:
        return [
            _note(
                "gap",
                "Fewer than five return periods were computed: no annual mean is told.",
                "Moins de cinq périodes de retour ont été calculées : pas de moyenne annuelle.",
            )
        ]
    tail = 100 * yearly.damaged_m2.tail_share
    if tail < 25:
        return []
    return [
        _note(
            "warning",
            f"{tail:.0f} % of the annual mean comes from floods more frequent or rarer than those "
            "computed: it is an assumption about the tails.",
            f"{tail:.0f} % de la moyenne annuelle viennent de crues plus fréquentes ou plus rares "
            "que celles calculées : c'est une hypothèse sur les extrêmes.",
        )
    ]


def _rivers(inputs: Inputs, depths: Hazard) -> list[Note]:
    """Say where the rivers' water is not part of what is compared."""
    if "inflows" not in inputs:
        return []
    found = [
        _note(
            "assumption",
            "The climate factor multiplies rain; what the rivers bring stays as it is.",
            "Le facteur climatique multiplie la pluie ; ce qu'apportent les rivières reste tel "
            "quel.",
        )
    ]
    if depths.simulated:
        found.append(
            _note(
                "gap",
                "The simulated return periods are of rain alone: the rivers' water belongs to the "
                "event only, so that the annual mean knows no river floods unless official maps "
                "bring them.",
                "Les périodes de retour simulées sont celles de la pluie seule : l'eau des "
                "rivières n'appartient qu'à l'événement, et leurs crues ne sont dans la moyenne "
                "annuelle que si des cartes officielles les apportent.",
            )
        )
    return found


def _compared(table: pd.DataFrame, run: Simulation, ground: Ground) -> list[Note]:
    of = " with a measure", " avec une mesure"
    found = list(mass_notes(table.attrs["tally"].mass_error, where=of))
    side = side_of(run)
    if side > 1:
        cell = side * ground.setup.cell_m
        found.append(
            _note(
                "assumption",
                f"Measures are compared on cells of {cell:.3g} m, today included, as the event "
                f"takes {run.steps} steps on its own: their table and its maps differ from the "
                "event's.",
                f"Les mesures sont comparées sur des mailles de {cell:.3g} m, y compris "
                f"aujourd'hui, car l'événement demande {run.steps} pas sur les siennes : leur "
                "table et leur carte diffèrent de celles de l'événement.",
            )
        )
    return found


def _basins(table: pd.DataFrame, inputs: Inputs, parameters: Parameters) -> list[Note]:
    """Say that there was no room for all basins, if so."""
    if "retention_basins" in inputs or not parameters.basin_volume_m3:
        return []
    storage = table.set_index("scenario").loc["retention", "storage_m3"]
    dug = round(float(storage) / parameters.basin_volume_m3)  # type: ignore[arg-type]
    if dug >= parameters.basin_count:
        return []
    return [
        _note(
            "gap",
            f"Open ground was found for {dug} of {parameters.basin_count} retention basins: the "
            "measure is smaller than asked for.",
            f"Un sol libre a été trouvé pour {dug} bassins de rétention sur "
            f"{parameters.basin_count} : la mesure est plus petite que demandé.",
        )
    ]


def _draws(draws: Draws, ground: Ground) -> list[Note]:
    of = " of a random draw", " d'un tirage aléatoire"
    found = list(mass_notes(draws.tally.mass_error, where=of))
    if draws.together_only:
        found.append(
            _note(
                "gap",
                "As the event is long, only today and all measures together were drawn at random: "
                "the other changes have no interval.",
                "L'événement étant long, seuls aujourd'hui et l'ensemble des mesures ont été tirés "
                "au hasard : les autres écarts n'ont pas d'intervalle.",
            )
        )
    if draws.side == 1 or draws.table.empty:
        return found
    cell = draws.side * ground.setup.cell_m
    return [
        *found,
        _note(
            "assumption",
            f"The random draws ran on cells of {cell:.3g} m and are scaled to the finer run.",
            f"Les tirages aléatoires ont tourné sur des mailles de {cell:.3g} m et sont ramenés à "
            "la simulation plus fine.",
        ),
    ]
