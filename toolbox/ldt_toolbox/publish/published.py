"""What a broker holds of a run: found to undo it, read to compare it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ldt_toolbox.clients.errors import NotFound
from ldt_toolbox.clients.ngsi_ld import NgsiLd
from ldt_toolbox.errors import DataError, WrongUseError
from ldt_toolbox.models.types import catalogue
from ldt_toolbox.publish.vocabulary import belongs, terms_of
from ldt_toolbox.results import Indicator
from ldt_toolbox.use_case import UseCase

_TYPES = ("SimulationRun", "Scenario", "RiskIndicator", "KeyPerformanceIndicator", "Dataset",
          "Distribution")  # fmt: skip
_RUN = re.compile(r"urn:ngsi-ld:SimulationRun:(?P<case>[^:]+):(?P<place>[^:]+):(?P<run>[^:]+)")


def published_ids(client: NgsiLd, case: UseCase, run_urn: str) -> list[str]:
    """Ids of everything that a run published and that a broker still holds.

    Parameters
    ----------
    client : NgsiLd
        Broker and tenant.
    case : UseCase
        Its manifest says which types features have.
    run_urn : str
        Id of the run's entity.

    Notes
    -----
    Every id that publishing makes holds that of the run, so that runs never share an entity.
    """
    rest = run_urn.removeprefix("urn:ngsi-ld:SimulationRun:")
    own = {output.entity.type for output in case.layers.values() if output.entity is not None}
    found = []
    for kind in dict.fromkeys((*sorted(own - set(_TYPES)), *_TYPES)):
        start = f"urn:ngsi-ld:{kind}:{rest}"
        entities = _of_type(client, kind, f"^{re.escape(start)}(:.*)?$")
        # a broker that leaves patterns aside must not lose what others published
        found += [entity["id"] for entity in entities if belongs(entity["id"], run_urn)]
    # the run goes last: as long as it is there, so may be what it names
    return sorted(found, key=lambda each: (each == run_urn, each))


def read_indicators(client: NgsiLd, run_id: str) -> dict[str, Indicator]:
    """Read the indicators of a run from a broker.

    Parameters
    ----------
    client : NgsiLd
        Broker and tenant.
    run_id : str
        Identifier of the run, or the id of its entity.

    Returns
    -------
    dict of str to Indicator
        By id; the same as the run stored, value, interval and provenance.

    Raises
    ------
    WrongUseError
        If the broker holds no such run, or several.
    DataError
        If an indicator is not as publishing wrote it.
    """
    run = _run(client, run_id)
    terms = terms_of("RiskIndicator")
    found = {}
    pattern = run["id"].replace(":SimulationRun:", ":RiskIndicator:") + ":"
    for entity in _of_type(client, "RiskIndicator", f"^{re.escape(pattern)}.+$"):
        if entity["id"].startswith(pattern):
            key = _value(entity, terms, "indicatorId")
            found[str(key)] = _indicator(entity, terms)
    for key in _listed(_value(run, terms_of("SimulationRun"), "notComputed")):
        found[str(key["indicator"])] = Indicator(None, provenance=str(key["provenance"]))
    return found


def _run(client: NgsiLd, run_id: str) -> dict[str, Any]:
    match = _RUN.fullmatch(run_id)
    name = match["run"] if match else run_id
    exact = (
        re.escape(run_id) if match else f"urn:ngsi-ld:SimulationRun:[^:]+:[^:]+:{re.escape(name)}"
    )
    runs = [
        one
        for one in _of_type(client, "SimulationRun", f"^{exact}$")
        if one["id"] == run_id or (not match and one["id"].endswith(f":{name}"))
    ]
    if len(runs) != 1:
        told = "no run" if not runs else f"{len(runs)} runs"
        raise WrongUseError(
            f"{told} `{run_id}` at the broker: give the id of a SimulationRun that is there"
        )
    return runs[0]


def _of_type(client: NgsiLd, kind: str, pattern: str) -> Iterator[dict[str, Any]]:
    try:
        yield from client.entities.iterate(type=catalogue()[kind].iri, id_pattern=pattern)
    except NotFound:  # a tenant without entities is not there (4.14)
        return


def _indicator(entity: Mapping[str, Any], terms: Mapping[str, str]) -> Indicator:
    value = _value(entity, terms, "indicatorValue")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DataError(f"{entity['id']} holds {value!r}, no number: publish the run again")
    return Indicator(
        value=value,
        low=_value(entity, terms, "lowerBound"),
        high=_value(entity, terms, "upperBound"),
        interval=str(_value(entity, terms, "intervalMeaning") or ""),
        provenance=str(_value(entity, terms, "dataProvenance")),
    )


def _value(entity: Mapping[str, Any], terms: Mapping[str, str], name: str) -> Any:
    """Value of an attribute, under its term or its IRI: brokers compact as they like."""
    attribute = entity.get(name, entity.get(terms[name]))
    return attribute.get("value") if isinstance(attribute, Mapping) else attribute


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
