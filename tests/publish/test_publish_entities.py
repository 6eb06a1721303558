"""What a run becomes: complete, linked, clean, the same each time."""

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from ldt_toolbox.errors import DataError, MissingFileError, WrongUseError
from ldt_toolbox.models import contexts, schema
from ldt_toolbox.models.lint import lint
from ldt_toolbox.models.types import catalogue
from ldt_toolbox.publish import FinishedRun, entities_of, run_urn
from pyld import jsonld
from shapely import Point, Polygon

BBOX = (7.40, 43.70, 7.45, 43.76)


def by_type(run: FinishedRun) -> dict[str, dict[str, dict]]:
    found: dict[str, dict[str, dict]] = {}
    for entity in entities_of(run).entities:
        found.setdefault(entity["type"], {})[entity["id"].rpartition(":")[2]] = entity
    return found


def test_every_entity_is_clean_and_fits_its_schema(run: FinishedRun) -> None:
    entities = entities_of(run).entities
    # one unit has no code in UN/CEFACT's list: its name stands beside the number
    findings = [one for one in lint(entities, bbox=BBOX) if "lost_rain" not in one.entity]
    assert findings == []
    for entity in entities:
        jsonschema.validate(entity, schema.normalised(catalogue()[entity["type"]]))
    assert Counter(entity["type"] for entity in entities) == {
        "SimulationRun": 1,
        "Scenario": 2,
        "RiskIndicator": 4,
        "KeyPerformanceIndicator": 1,
        "Dataset": len(run.inputs) + 5,
        "Distribution": 5,
        "FloodDepth": 4,
    }


def test_what_each_indicator_says(run: FinishedRun) -> None:
    worst = by_type(run)["RiskIndicator"]["worst"]
    assert worst["indicatorValue"] == {
        "type": "Property", "value": 1.25, "unitCode": "MTR",
        "observedAt": "2026-07-01T12:01:00.000Z",
    }  # fmt: skip
    assert (worst["lowerBound"]["value"], worst["upperBound"]["value"]) == (0.9, 1.75)
    assert worst["confidence"]["value"] == 0.9
    assert worst["assumptions"]["value"] == ["The sea is calm."]
    assert worst["iso37101Issue"]["value"] == "safety and security"
    assert worst["dataRole"]["value"] == "model_output"
    assert worst["label"]["languageMap"] == {"en": "Deepest", "fr": "Le plus profond"}
    assert worst["refScenario"]["object"].endswith(":dyke")
    wet = by_type(run)["RiskIndicator"]["wet_share"]
    assert wet["refScenario"]["object"].endswith(":baseline")
    assert wet["indicatorValue"]["unitCode"] == "C62"
    assert wet["dataProvider"]["value"] == "synthetic:wet_share"
    assert "confidence" not in wet, "a range of models is no probability"
    lost = by_type(run)["RiskIndicator"]["lost_rain"]["indicatorValue"]
    assert lost["unitText"]["value"] == "mm/d"
    assert "unitCode" not in lost


def test_every_link_leads_to_an_entity_of_the_run(run: FinishedRun) -> None:
    entities = {one["id"]: one for one in entities_of(run).entities}
    links = 0
    for entity in entities.values():
        for attribute in entity.values():
            if isinstance(attribute, dict) and attribute.get("type") == "Relationship":
                objects = attribute["object"]
                for one in [objects] if isinstance(objects, str) else objects:
                    assert one in entities, (entity["id"], one)
                    links += 1
    assert links > 4 * len(run.inputs)
    told = entities[run_urn(run)]
    assert told["modelVersion"]["value"] == "2.1.0"
    assert told["parameters"]["value"] == {"rain_mm": 50.0}
    assert told["confidence"]["value"] == "It knows no water."


def test_the_links_are_those_of_prov_o(run: FinishedRun) -> None:
    worst = by_type(run)["RiskIndicator"]["worst"]

    def load(url: str, _: object) -> dict:
        return {"document": contexts.load(url), "documentUrl": url, "contextUrl": None}

    [expanded] = jsonld.expand(worst, {"documentLoader": load})
    prov = "http://www.w3.org/ns/prov#"
    assert {name for name in expanded if name.startswith(prov)} == {
        f"{prov}wasGeneratedBy",
        f"{prov}wasDerivedFrom",
    }
    assert not [name for name in expanded if name.startswith(contexts.DEFAULT_VOCABULARY)]
    told = entities_of(run).entities[-1]
    [expanded] = jsonld.expand(told, {"documentLoader": load})
    [used] = expanded[f"{prov}used"]
    objects = used["https://uri.etsi.org/ngsi-ld/hasObject"]
    assert len(objects) == len(run.inputs)


def test_rows_become_features_with_their_unit_and_the_refused_are_told(run: FinishedRun) -> None:
    made = entities_of(run)
    features = by_type(run)["FloodDepth"]
    assert features["school"]["waterDepth"] == {
        "type": "Property", "value": 1.25, "unitCode": "MTR"
    }  # fmt: skip
    assert "floodDuration" not in features["school"]
    assert features["town%20hall"]["floodDuration"]["unitCode"] == "HUR"
    assert features["school"]["dataProvider"]["value"] == "synthetic:wet_buildings"
    assert features["school"]["generatedBy"]["object"] == run_urn(run)
    assert "dry" not in features, "it holds no value: there is nothing to tell"
    [(refused, reason)] = made.refused.items()
    assert refused.endswith(":wet_buildings:broken")
    assert "500" in reason


def test_a_raster_becomes_means_of_cells_in_the_models_unit(run: FinishedRun) -> None:
    cells = {k: v for k, v in by_type(run)["FloodDepth"].items() if "-" in k}
    # 15 cells of 80 cm and a gap: the mean of what is there; 2 columns of 20 cm at the edge
    assert {name: cell["waterDepth"]["value"] for name, cell in cells.items()} == {
        "0-0": 0.8,
        "1-2": 0.2,
    }
    assert all(cell["waterDepth"]["unitCode"] == "MTR" for cell in cells.values())
    assert all(cell["refScenario"]["object"].endswith(":dyke") for cell in cells.values())


def test_a_layers_data_set_says_where_it_lies_and_how_fine(run: FinishedRun) -> None:
    datasets = by_type(run)["Dataset"]
    ring = datasets["depth"]["spatial"]["value"]["coordinates"][0]
    shape = Polygon(ring)
    cells = [one for name, one in by_type(run)["FloodDepth"].items() if "-" in name]
    corners = [corner for one in cells for corner in one["location"]["value"]["coordinates"][0]]
    assert len(corners) == 10
    # a cell at the edge ends with the raster; positions are rounded to 1e-7 degrees
    assert all(shape.buffer(1e-7).contains(Point(corner)) for corner in corners)
    assert datasets["depth"]["spatialResolutionInMeters"]["value"] == 5
    assert "spatialResolutionInMeters" not in datasets["wet_buildings"]
    assert "spatial" not in datasets["measures"]
    distribution = by_type(run)["Distribution"]["depth"]
    assert distribution["accessURL"]["value"][0].startswith("ni:///sha-256;")
    assert distribution["license"]["value"] == "https://creativecommons.org/licenses/by/4.0/"


def test_an_indicator_without_a_value_is_named_by_the_run(run: FinishedRun) -> None:
    assert "unknown" not in by_type(run)["RiskIndicator"]
    told = entities_of(run).entities[-1]
    assert told["notComputed"]["value"] == [{"indicator": "unknown", "provenance": "derived"}]


def test_the_same_run_gives_the_same_bytes(run: FinishedRun) -> None:
    again = FinishedRun.read(run.folder, case=run.case)
    assert json.dumps(entities_of(again).entities) == json.dumps(entities_of(run).entities)


def test_runs_share_no_entity(make_run: Callable[..., FinishedRun]) -> None:
    first = {one["id"] for one in entities_of(make_run(run_id="20260701T120000Z-aaaaaa")).entities}
    second = {one["id"] for one in entities_of(make_run(run_id="20260701T120000Z-bbbbbb")).entities}
    assert first
    assert not first & second


def test_a_chosen_layer_and_none(run: FinishedRun) -> None:
    kinds = Counter(one["type"] for one in entities_of(run, layers=["depth"]).entities)
    assert kinds["FloodDepth"] == 2
    assert "FloodDepth" not in {one["type"] for one in entities_of(run, layers=[]).entities}
    with pytest.raises(WrongUseError, match=r"`ground` has no `entity`.*depth, wet_buildings"):
        entities_of(run, layers=["ground"])


def test_a_result_changed_after_the_run_is_not_published(run: FinishedRun) -> None:
    path = run.folder / "indicators.json"
    path.write_text(path.read_text(encoding="utf-8").replace("1.25", "1.26"), encoding="utf-8")
    with pytest.raises(DataError, match=r"indicators\.json was changed after the run"):
        FinishedRun.read(run.folder, case=run.case)


def test_a_folder_that_is_no_run(tmp_path: Path, run: FinishedRun) -> None:
    with pytest.raises(MissingFileError, match="no finished run"):
        FinishedRun.read(tmp_path)
    (run.folder / "layers" / "ground.tif").unlink()
    with pytest.raises(MissingFileError, match=r"ground\.tif is in the run's record"):
        FinishedRun.read(run.folder, case=run.case)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("#run-20260701T120000Z-abc123", "#run-..", r"run `\.\.` is no plain name"),
        ("layers/depth.tif", "layers/../../outside/depth.tif", "lies outside of the run"),
        ('"CreateAction"', '"Action"', "is no record of `ldt run`"),
        ('"startTime"', '"start"', "is no record of `ldt run`"),
        ('"@graph"', '"graph"', "is no record of `ldt run`"),
    ],
)
def test_a_record_that_leads_elsewhere_or_is_none(
    run: FinishedRun, old: str, new: str, said: str
) -> None:
    (run.folder.parent / "outside").mkdir()
    shutil.copy(run.folder / "layers" / "depth.tif", run.folder.parent / "outside")
    path = run.folder / "ro-crate-metadata.json"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(DataError, match=said):
        FinishedRun.read(run.folder, case=run.case)


def test_cells_that_are_suppressed_are_never_published(
    make_run: Callable[..., FinishedRun],
) -> None:
    """Too few people live there: neither value nor place, and the others keep their ids."""
    every = by_type(make_run())["FloodDepth"]
    assert "school" in every
    few = make_run(suppressed=("school",))
    kept = by_type(few)["FloodDepth"]
    assert kept.keys() == every.keys() - {"school"}
    assert "school" not in json.dumps(entities_of(few).entities)
    assert not [one for one in entities_of(few).refused if "school" in one], "nor told as failed"
