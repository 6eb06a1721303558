"""What a reader of the results has to know: what is missing, hidden, or rests on made-up data."""

from dataclasses import replace

from ldt_toolbox.mobility.steps import Places
from ldt_toolbox.mobility.streets import EXCEPTIONS, SIDES
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.results import Note, Results
from ldt_toolbox.sources import Inputs

_SCENARIO = {
    "scenarios", "scenario_change", "scenario_transit_change", "scenario_places",
    "scenario_works", "scenario_near", "scenario_share", "scenario_worse", "scenario_transit",
}  # fmt: skip
# What rests on a role; those that are not listed stand behind everything.
_RESTS_ON = {
    "closed_streets": _SCENARIO,
    "new_lines": _SCENARIO,
    "gtfs": {
        "stops", "transit_access", "routes", "frequency", "gtfs_notices", "equity",
        "stops_by_mode", "stop_coverage", "transit_reach", "transit_gain", "transit_uncertain",
        "frequent_coverage", "departures", "service_km", "scenarios", "scenario_transit",
        "scenario_transit_change",
    },
    "stops": {"stops", "stops_by_mode", "stop_coverage"},
    "routes": {"stops_by_mode"},
    "traffic_counts": {
        "counters", "emissions", "traffic_hours", "traffic_days", "traffic_events",
        "traffic_holes", "traffic_rejects", "traffic_working_day", "traffic_known",
        "traffic_forecast_error", "traffic_co2", "traffic_nox",
    },
}  # fmt: skip


def notes(inputs: Inputs, here: Places, parameters: Parameters) -> list[Note]:
    """Gaps and assumptions that hold for the whole result."""
    found = [*inputs.notes(), *here.homes.notes, *_classes(here, parameters), *_tags(inputs)]
    if here.homes.people and parameters.fewest_people:
        found.append(_secrecy(parameters.fewest_people))
    return found


def _classes(here: Places, parameters: Parameters) -> list[Note]:
    unknown = [name for name in parameters.amenity_classes if name not in here.classes]
    if not unknown:
        return []
    listed = ", ".join(unknown)
    return [
        Note(
            "gap",
            {
                "en": f"No layer tells of these classes of daily life, which are not counted: "
                f"{listed}. Shares are about the others alone.",
                "fr": "Aucune couche ne renseigne ces classes de la vie quotidienne, non "
                f"comptées : {listed}. Les parts ne portent que sur les autres.",
            },
        )
    ]


def _tags(inputs: Inputs) -> list[Note]:
    """Tags of the streets without which a rule falls back to the class of the street."""
    who = ("who may use them", "qui peut les emprunter")
    streets = inputs.frame("streets")
    told = {name for name in streets.columns if streets[name].notna().any()}
    missing = {} if "access" in told else {"access": who}
    if "access" in told and not told & set(EXCEPTIONS):
        missing["foot"] = who
    if "maxspeed" not in told:
        missing["maxspeed"] = ("speed limits", "les vitesses limites")
    if not told & {"cycleway", *SIDES}:
        missing["cycleway"] = ("cycle lanes", "les bandes cyclables")
    if not missing:
        return []
    listed = ", ".join(missing)
    lost = [", ".join(words[k] for words in missing.values()) for k in (0, 1)]
    return [
        Note(
            "gap",
            {
                "en": f"The streets have no tag {listed}: {lost[0]} are taken from their class.",
                "fr": f"Les voies n'ont pas d'attribut {listed} : {lost[1]} sont déduits de leur "
                "classe.",
            },
        )
    ]


def _secrecy(fewest: int) -> Note:
    return Note(
        "assumption",
        {
            "en": f"Nothing is told about fewer than {fewest} residents: neither cells, nor shares "
            "that count fewer or leave fewer over, nor what subtraction would tell.",
            "fr": f"Rien n'est dit de moins de {fewest} habitants : ni mailles, ni parts qui en "
            "comptent ou en laissent moins, ni ce qu'une soustraction révélerait.",
        },
    )


def mark_synthetic(inputs: Inputs, result: Results) -> None:
    """Mark what rests on synthetic data: layers, tables, and the provenance of indicators."""
    fake = inputs.synthetic
    yielded = set(result.layers) | set(result.tables)
    marked = {output for role in fake & _RESTS_ON.keys() for output in _RESTS_ON[role]}
    if fake - _RESTS_ON.keys():
        marked |= yielded | set(result.indicators)
    result.indicators = {
        key: replace(one, provenance="synthetic") if key in marked else one
        for key, one in result.indicators.items()
    }
    result.synthetic = tuple(sorted(marked & yielded))
