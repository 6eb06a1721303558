"""Every use case's notebook, run by papermill on three territories, against expected.json."""

import json
import math
from itertools import pairwise

import nbformat
import pytest
from ldt_toolbox.run import run
from ldt_toolbox.territory import Territory
from ldt_toolbox.use_case import UseCase

# rasterio 1.4 multiplies affine transforms the old way
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning"),
]

TERRITORIES = ("monaco", "helsinki-centre", "andorra-la-vella")


def expected_of(case):
    return json.loads((case.path.parent / "expected.json").read_text(encoding="utf-8"))


def differences(found, expected, territory):
    """What differs from expected.json, in words."""
    promised = expected["indicators"]
    problems = [f"{key}: not in expected.json" for key in found if key not in promised]
    for key, one in promised.items():
        if territory not in one["values"]:
            if key in found:
                problems.append(f"{key}: {found[key]} where none was expected")
            continue
        wanted = one["values"][territory]
        if key not in found:
            problems.append(f"{key}: missing, {wanted} was expected")
        elif not close(found[key], wanted, one["tolerance"]):
            problems.append(f"{key}: {found[key]}, expected {wanted} within {one['tolerance']}")
    return problems


def close(value, wanted, tolerance):
    if value is None or wanted is None:
        return value is wanted
    return math.isfinite(value) and abs(value - wanted) <= tolerance


@pytest.mark.parametrize("territory", TERRITORIES)
def test_notebook_runs_and_gives_the_expected_numbers(territory, use_case_notebooks, tmp_path):
    assert list(use_case_notebooks) == ["heat-islands"]
    for name in use_case_notebooks:
        case = UseCase.find(name)
        done = run(case, Territory.find(territory), out=tmp_path)
        document = json.loads((done.folder / "indicators.json").read_text(encoding="utf-8"))
        found = {item["id"]: item["value"] for item in document["indicators"]}
        assert differences(found, expected_of(case), territory) == []
        executed = nbformat.read(done.folder / "notebook.ipynb", as_version=4)
        ran = [cell for cell in executed.cells if cell.cell_type == "code"]
        assert all(cell.execution_count for cell in ran if cell.source.strip())
        pictures = [
            output.data["text/html"]
            for cell in ran
            for output in cell.outputs
            if output.output_type == "execute_result"
            and "<figure" in output.get("data", {}).get("text/html", "")
        ]
        assert len(pictures) == 2
        assert all('<img alt="Map of ' in text and "Source: " in text for text in pictures)
        state = executed.metadata.widgets["application/vnd.jupyter.widget-state+json"]
        assert len(json.dumps(state)) < 1_000_000, "the map is too heavy for a notebook"


def test_three_territories_give_three_answers():
    expected = expected_of(UseCase.find("heat-islands"))
    for key in ("mean_anomaly", "hot_share", "contrast"):
        one = expected["indicators"][key]
        values = sorted(one["values"].values())
        gaps = [later - earlier for earlier, later in pairwise(values)]
        assert min(gaps) > one["tolerance"], f"{key} tells {TERRITORIES} not apart"


def test_expected_covers_the_manifest_and_says_why():
    case = UseCase.find("heat-islands")
    expected = expected_of(case)["indicators"]
    assert set(expected) == set(case.indicators)
    for key, one in expected.items():
        assert set(one["values"]) <= set(TERRITORIES), key
        assert one["unit"] == case.indicators[key].unit, key
        assert one["tolerance"] >= 0, key
        assert len(one["reason"]) > 15, key
        if not case.indicators[key].optional:
            assert set(one["values"]) == set(TERRITORIES), key


def test_comparison_refuses_what_is_missing_wrong_or_new():
    expected = {
        "indicators": {
            "a": {"tolerance": 0.1, "values": {"x": 1.0}},
            "b": {"tolerance": 0.1, "values": {}},
            "c": {"tolerance": 0.1, "values": {"x": None}},
        }
    }
    good = {"a": 1.05, "c": None}
    assert differences(good, expected, "x") == []
    assert differences({"c": None}, expected, "x") == ["a: missing, 1.0 was expected"]
    for wrong in ({"a": 1.2}, {"a": math.nan}, {"a": None}, {"b": 2.0}, {"c": 1.0}, {"d": 1.0}):
        assert len(differences(good | wrong, expected, "x")) == 1, wrong
