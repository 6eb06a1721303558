"""Entities of a finished run: the run, its scenarios, its indicators; features come beside them."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ldt_toolbox.documents import nearest
from ldt_toolbox.errors import DataError, WrongUseError
from ldt_toolbox.publish.datasets import dataset_entities, dataset_urns
from ldt_toolbox.publish.features import feature_entities
from ldt_toolbox.publish.finished import RECORD, FinishedRun
from ldt_toolbox.publish.vocabulary import (
    Entity,
    by_language,
    link,
    number,
    text,
    urn,
    with_context,
    without_gaps,
)
from ldt_toolbox.results import Indicator

BASELINE = "baseline"
_TODAY = {"en": "Today", "fr": "Aujourd'hui"}
_PERCENTILES = re.compile(r"(\d+(?:\.\d+)?)(?:st|nd|rd|th)? to (\d+(?:\.\d+)?)th percentile")


@dataclass
class Made:
    """What a run becomes.

    Attributes
    ----------
    entities : list of dict
        Normalised, each with its `@context`; the run comes last, so that whoever sees it finds
        everything that it names.
    refused : dict of str to str
        Reason by feature that no entity of its type can hold.
    """

    entities: list[Entity] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def run_urn(run: FinishedRun) -> str:
    """Id of the run's entity."""
    return urn("SimulationRun", run.case.id, run.territory_id, run.id)


def scenario_urn(run: FinishedRun, key: str = "") -> str:
    """Id of a scenario's entity; the baseline if no key is given."""
    return urn("Scenario", run.case.id, run.territory_id, run.id, key or BASELINE)


def entities_of(
    run: FinishedRun,
    *,
    layers: Collection[str] | None = None,
    address_of: Callable[[str], str] | None = None,
) -> Made:
    """Make every entity of a run.

    Parameters
    ----------
    run : FinishedRun
        The run.
    layers : collection of str, optional
        Layers whose features become entities; all that the manifest gives a type if left out.
    address_of : callable, optional
        Gives the address of a file by its path; files are named by their hash if left out.

    Returns
    -------
    Made
        The same run gives the same entities, to the byte.

    Raises
    ------
    WrongUseError
        If a layer is named that the manifest gives no type.
    """
    typed = {key: output.entity for key, output in run.case.layers.items() if output.entity}
    for name in layers or ():
        if name not in typed:
            known = ", ".join(typed) or "none has one"
            raise WrongUseError(
                f"layer `{name}` has no `entity` in the manifest of {run.case.id}: take of {known}"
            )
    scenarios = _scenarios(run)
    made = Made([*scenarios.values(), *dataset_entities(run, run_urn(run), address_of=address_of)])
    for key, entity_key in typed.items():
        if (layers is not None and key not in layers) or key not in run.results.layers:
            continue  # not asked for, or optional and this run does not have it
        scenario = _named(scenarios, entity_key.scenario, f"layer {key}")
        entities, refused = feature_entities(
            run, key, entity_key, run_urn=run_urn(run), scenario=scenario
        )
        made.entities += entities
        made.refused |= refused
    made.entities += _indicators(run, scenarios)
    made.entities.append(_run(run))
    if address_of is not None:
        made.entities[-1]["recordUrl"] = text(address_of(RECORD))
    made.entities = [with_context(without_gaps(entity)) for entity in made.entities]
    return made


def _named(scenarios: Mapping[str, Entity], key: str, what: str) -> str:
    if key not in scenarios:
        raise DataError(
            f"{what} belongs to scenario `{key}`, which no table of the run names: "
            f"{nearest(key, [name for name in scenarios if name])}"
        )
    return str(scenarios[key]["id"])


def _run(run: FinishedRun) -> Entity:
    read, written = dataset_urns(run)
    label = f"{run.case.title['en']}, {run.place}, {run.started[:10]}"
    return {
        "id": run_urn(run),
        "type": "SimulationRun",
        "name": text(label),
        "description": text(run.document["answer"].get("en", "")),
        "areaServed": text(run.place),
        "dataProvider": text(run.provider(run.case.id, synthetic=bool(run.synthetic))),
        "useCase": text(run.case.id),
        "modelVersion": text(run.version),
        "softwareVersion": text(run.software_version),
        "startedAt": text(run.started),
        "endedAt": text(run.ended),
        "runState": text("done"),
        "parameters": text(_whole(run.parameters)),
        "assumptions": text([note.text["en"] for note in run.notes]),
        "confidence": text(" ".join(limit["en"] for limit in run.case.limits)),
        "notComputed": text(_not_computed(run)),
        "refScenario": link(scenario_urn(run)),
        "inputs": link(read),
        "outputs": link(written),
        "used": link(read),
    }


def _not_computed(run: FinishedRun) -> list[dict[str, str]]:
    """Indicators without a value, for which NGSI-LD has no null; `id` would be JSON-LD's."""
    return [
        {"indicator": key, "provenance": one.provenance}
        for key, one in run.indicators.items()
        if one.value is None
    ]


def _scenarios(run: FinishedRun) -> dict[str, Entity]:
    """Scenarios by key; the baseline's is empty."""
    found = {"": _scenario(run, "", _TODAY, run.parameters)}
    for table, output in run.case.tables.items():
        if output.entity is None or table not in run.results.tables:
            continue
        column = output.entity.id
        labels = output.spec.get("columns", {}).get(column, {}).get("values", {})
        for row in run.results.tables[table].to_dict(orient="records"):
            key = str(row.pop(column))
            told = {str(name): value for name, value in row.items() if value == value}
            label = labels.get(key) or {"en": key}
            found[key] = _scenario(run, key, label, told)
            found[key]["baseline"] = link(scenario_urn(run))
    return found


def _scenario(
    run: FinishedRun, key: str, label: Mapping[str, str], parameters: Mapping[str, Any]
) -> Entity:
    return {
        "id": scenario_urn(run, key),
        "type": "Scenario",
        "label": by_language(label),
        "useCase": text(run.case.id),
        "areaServed": text(run.place),
        "parameters": text(_whole(parameters)),
        "assumptions": text(_assumptions(run)),
        "refSimulationRun": link(run_urn(run)),
        "generatedBy": link(run_urn(run)),
    }


def _assumptions(run: FinishedRun) -> list[str]:
    return [note.text["en"] for note in run.notes if note.kind == "assumption"]


def _whole(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}


def _indicators(run: FinishedRun, scenarios: Mapping[str, Entity]) -> list[Entity]:
    found = []
    stored = run.indicators
    for told in run.document["indicators"]:
        one = stored[told["id"]]
        value = one.value
        if value is None:
            continue  # the run's `notComputed` names it
        output = run.case.indicators.get(told["id"])
        key = output.entity.scenario if output is not None and output.entity is not None else ""
        scenario = _named(scenarios, key, f"indicator {told['id']}")
        shared = _shared(run, told, one, scenario)
        measured = number(value, told["unit"]) | {"observedAt": run.ended}
        found.append(_risk_indicator(run, told, one, shared | {"indicatorValue": measured}))
        if told["headline"]:
            found.append(_performance_indicator(run, told, shared | {"kpiValue": measured}))
    return found


def indicator_urn(run: FinishedRun, key: str) -> str:
    """Id of an indicator's entity."""
    return urn("RiskIndicator", run.case.id, run.territory_id, run.id, key)


def _shared(
    run: FinishedRun, told: Mapping[str, Any], one: Indicator, scenario: str
) -> dict[str, Any]:
    synthetic = one.provenance == "synthetic"
    return {
        "name": text(told["label"]["en"]),
        "description": text(told["definition"]["en"]),
        "areaServed": text(run.place),
        "dataProvider": text(run.provider(told["id"], synthetic=synthetic)),
        "dataRole": text(told["mim8"]),
        "dataProvenance": text(one.provenance),
        "iso37101Issue": text(told["iso37101"]),
        "refScenario": link(scenario),
        "refSimulationRun": link(run_urn(run)),
        "generatedBy": link(run_urn(run)),
    }


def _risk_indicator(
    run: FinishedRun, told: Mapping[str, Any], one: Indicator, shared: Mapping[str, Any]
) -> Entity:
    unit = told["unit"]
    entity: Entity = {
        "id": indicator_urn(run, told["id"]),
        "type": "RiskIndicator",
        "label": by_language(told["label"]),
        **shared,
        "indicatorId": text(told["id"]),
        "assumptions": text(_assumptions(run)),
        "derivedFrom": link(dataset_urns(run)[0]),
    }
    if one.low is not None and one.high is not None:
        entity["lowerBound"] = number(one.low, unit)
        entity["upperBound"] = number(one.high, unit)
        entity["intervalMeaning"] = text(one.interval)
        if share := interval_share(one.interval):
            entity["confidence"] = number(share, "C62")
    return entity


def _performance_indicator(
    run: FinishedRun, told: Mapping[str, Any], shared: Mapping[str, Any]
) -> Entity:
    return {
        "id": urn("KeyPerformanceIndicator", run.case.id, run.territory_id, run.id, told["id"]),
        "type": "KeyPerformanceIndicator",
        **shared,
        "calculationFormula": text(told["definition"]["en"]),
        "calculationMethod": text("automatic"),
        "calculatedBy": text(f"ldt-toolbox {run.software_version}".strip()),
        "area": text(run.place),
        "process": text(run.case.title["en"]),
        "updatedAt": text(run.ended),
        "derivedFrom": link(indicator_urn(run, told["id"])),
    }


def interval_share(meaning: str) -> float | None:
    """Probability that an interval of percentiles covers.

    Examples
    --------
    >>> interval_share("5th to 95th percentile of 40 draws")
    0.9
    >>> interval_share("range of three rural rings") is None
    True
    """
    found = _PERCENTILES.search(meaning)
    if not found:
        return None
    share = round((float(found[2]) - float(found[1])) / 100, 6)
    return share if 0 < share <= 1 else None
