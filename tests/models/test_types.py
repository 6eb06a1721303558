"""Declarations against what the Smart Data Models programme publishes."""

import csv
from pathlib import Path

import pytest
from ldt_toolbox.errors import DocumentError, WrongUseError
from ldt_toolbox.models.contexts import core
from ldt_toolbox.models.types import catalogue, shared_terms
from ldt_toolbox.units import UNITS

UPSTREAM = Path(__file__).parent / "upstream_terms.csv"
OWN = {
    "UrbanHeatIslandCell", "FloodDepth", "AccessibilityCell", "Scenario", "SimulationRun",
    "RiskIndicator",
}  # fmt: skip
ASKED = {
    "WeatherObserved", "WeatherForecast", "WeatherAlert", "WaterObserved", "FloodMonitoring",
    "RainFallRadarObserved", "TrafficFlowObserved", "GtfsStop", "GtfsRoute", "GtfsTrip",
    "GtfsStopTime", "BikeHireDockingStation", "RoadSegment", "Hazard", "Exposure",
    "Vulnerability", "Risk", "Measure", "Building", "PointOfInterest", "Device",
    "KeyPerformanceIndicator", "Dataset", "Distribution", "MLModel",
}  # fmt: skip


@pytest.fixture(scope="module")
def upstream():
    lines = UPSTREAM.read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    assert len(rows) > 600, "the list of upstream terms has shrunk"
    return rows


def test_every_type_that_was_asked_for_is_declared():
    assert set(catalogue()) == ASKED | OWN


def test_iris_are_those_that_the_programme_publishes(upstream):
    """Every upstream term of a declared type, declared or only named, has upstream's IRI."""
    ours = core()["@context"]
    prefixes = {"ngsi-ld": ours["ngsi-ld"]}
    wrong, compared = [], 0
    for row in upstream:
        kind = catalogue()[row["type"]]
        term = row["attribute"]
        known = {**shared_terms(), **kind.also}
        known |= {name: one.iri for name, one in kind.attributes.items()}
        if term not in known and term in ours:
            said = ours[term]
            prefix, _, rest = (said if isinstance(said, str) else said["@id"]).partition(":")
            known[term] = prefixes[prefix] + rest
        compared += 1
        if known.get(term) != row["iri"]:
            wrong.append((row["type"], term, known.get(term), row["iri"]))
    assert compared == len(upstream)
    assert wrong == []


def test_kinds_and_versions_are_those_that_the_programme_publishes(upstream):
    compared = 0
    for row in upstream:
        kind = catalogue()[row["type"]]
        assert kind.version == row["version"]
        assert kind.subject == row["subject"]
        assert kind.iri == f"https://smartdatamodels.org/{row['subject']}/{row['type']}"
        if row["attribute"] in kind.attributes:
            compared += 1
            assert kind.attributes[row["attribute"]].kind == (row["kind"] or "Property"), row
    assert compared > 500


def test_smart_data_types_declare_no_attribute_that_upstream_lacks(upstream):
    known = {(row["type"], row["attribute"]) for row in upstream}
    ours = {(k.name, a) for k in catalogue().values() if k.name not in OWN for a in k.attributes}
    # own types share the common attributes, the others have exactly upstream's
    assert ours - known == set()


def test_a_term_may_mean_another_thing_in_another_subject():
    weather = catalogue()["WeatherObserved"].attributes["temperature"].iri
    environment = catalogue()["RainFallRadarObserved"].attributes["temperature"].iri
    assert weather == "https://smartdatamodels.org/dataModel.Weather/temperature"
    assert environment == "https://smartdatamodels.org/dataModel.Environment/temperature"


def test_declarations_make_sense():
    for kind in catalogue().values():
        assert kind.help, kind.name
        for one in kind.attributes.values():
            where = f"{kind.name}.{one.name}"
            assert one.help, where
            assert one.unit in ("", "*") or UNITS[one.unit].standard, where
            if one.minimum is not None and one.maximum is not None:
                assert one.minimum < one.maximum, where
            if one.minimum is not None or one.maximum is not None:
                assert one.value == "number", where
            assert not one.target or one.target in catalogue(), where


def test_own_iris_promise_no_host():
    for name in OWN:
        assert catalogue()[name].iri == f"urn:ldt-toolbox:model:{name}"


def test_unknown_type_names_the_nearest():
    with pytest.raises(WrongUseError, match="did you mean `WeatherObserved`"):
        catalogue()["WeatherObservd"]


def test_own_declaration_extends_the_catalogue(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(
        "subject: town\nbase: https://data.example.org/model/\ntypes:\n  Fountain:\n"
        "    help: Fountain\n    required: [flow]\n    attributes:\n"
        "      flow: {unit: G51, min: 0, max: 50, help: Flow}\n"
    )
    models = catalogue().extended(path)
    assert models["Fountain"].attributes["flow"].iri == "https://data.example.org/model/flow"
    assert models["Fountain"].required == ("flow",)
    assert "Fountain" not in catalogue()


def test_problems_of_a_declaration_come_together_with_their_lines(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(
        "subject: town\nbase: https://data.example.org/model/\ntypes:\n  Fountain:\n"
        "    required: [colour]\n    attributes:\n"
        "      flow: {unit: LPS}\n      basin: {kind: Proprety}\n      jet: {mni: 3}\n"
    )
    with pytest.raises(DocumentError) as caught:
        catalogue().extended(path)
    found = {problem.line: problem.message for problem in caught.value.problems}
    assert set(found) == {5, 7, 8, 9}
    assert "Property" in found[8]
    assert "`min`" in found[9]
