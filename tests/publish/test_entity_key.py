"""The key `entity` of a manifest: read, and every mistake told with its line."""

from pathlib import Path

import pytest
from ldt_toolbox.entity_key import EntityKey
from ldt_toolbox.errors import DataError, DocumentError
from ldt_toolbox.publish import FinishedRun, entities_of
from ldt_toolbox.use_case import UseCase, use_case_folders

MANIFEST = Path(__file__).with_name("wet-feet.yaml")


def read(folder: Path, old: str = "", new: str = "") -> UseCase:
    text = MANIFEST.read_text(encoding="utf-8")
    assert old in text
    (folder / "wet-feet").mkdir()
    (folder / "wet-feet" / "notebook.ipynb").write_text("{}", encoding="utf-8")
    path = folder / "wet-feet" / "use-case.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return UseCase.read(path)


def test_what_a_manifest_says(tmp_path: Path) -> None:
    case = read(tmp_path, "hours: floodDuration", "hours: {attribute: floodDuration, unit: MIN}")
    assert case.layers["depth"].entity == EntityKey(
        "FloodDepth", attributes={"value": "waterDepth"}, cell_m=20, above=5, scenario="dyke"
    )
    assert case.layers["wet_buildings"].entity == EntityKey(
        "FloodDepth", id="name", units={"hours": "MIN"},
        attributes={"depth_m": "waterDepth", "hours": "floodDuration"},
    )  # fmt: skip
    assert case.layers["ground"].entity is None
    assert case.tables["measures"].entity == EntityKey("Scenario", id="measure")
    assert case.indicators["worst"].entity == EntityKey(scenario="dyke")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("type: FloodDepth", "type: FloodDept", "did you mean `FloodDepth`?"),
        ("value: waterDepth", "value: waterDepht", "did you mean `waterDepth`?"),
        ("value: waterDepth", "value: returnPeriod", "FloodDepth requires `waterDepth`"),
        ("value: waterDepth", "depth: waterDepth", "a raster layer maps `value` only"),
        ("cell_m: 20, ", "", "a raster layer needs `cell_m`"),
        ("id: name", "cell_m: 5", "`cell_m` is for raster layers"),
        ("cell_m: 20", "cell_m: 0", "must be above 0"),
        ("entity: {scenario: dyke}", "entity: {scenari: dyke}", "did you mean `scenario`?"),
        ("type: Scenario, id: measure", "type: Scenario", "lacks `id`"),
        ("hours: floodDuration", "hours: {attribute: floodDuration, unit: hours}", "hours` is not"),
    ],
)
def test_every_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(DocumentError) as refused:
        read(tmp_path, old, new)
    [problem] = [one for one in refused.value.problems if said in one.message]
    changed = MANIFEST.read_text(encoding="utf-8").partition(old)[0].count("\n") + 1
    assert problem.line is not None
    assert abs(problem.line - changed) <= 2


def test_a_scenario_that_no_table_names(run: FinishedRun) -> None:
    text = run.case.path.read_text(encoding="utf-8").replace("scenario: dyke}}", "scenario: dike}}")
    run.case.path.write_text(text, encoding="utf-8")
    again = FinishedRun.read(run.folder, case=UseCase.read(run.case.path))
    with pytest.raises(DataError, match=r"scenario `dike`.*did you mean `dyke`"):
        entities_of(again)


def test_the_use_cases_of_the_toolbox_give_their_layers_types() -> None:
    cases = [UseCase.read(folder) for _, folder in use_case_folders()]
    typed = {case.id: [k for k, one in case.layers.items() if one.entity] for case in cases}
    assert typed["heat-islands"] == ["buildings", "vulnerability"]
