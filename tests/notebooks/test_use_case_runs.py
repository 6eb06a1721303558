"""Every use case's notebook, run by papermill on its territories, against its expected.json."""

import json
import math
from itertools import combinations

import nbformat
import pytest
from ldt_toolbox.run import run
from ldt_toolbox.territory import Territory
from ldt_toolbox.use_case import UseCase, use_case_folders

# rasterio 1.4 multiplies affine transforms the old way
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning"),
]

TERRITORIES = {"flood-risk": 2, "heat-islands": 3, "mobility": 3}
FOLDERS = dict(use_case_folders())


def expected_of(case):
    return json.loads((FOLDERS[case] / "expected.json").read_text(encoding="utf-8"))


RUNS = [(case, place) for case in FOLDERS for place in expected_of(case)["territories"]]


def test_collector_found_every_use_case_and_territory(use_case_notebooks):
    assert set(FOLDERS) == set(use_case_notebooks) == set(TERRITORIES)
    found = {case: sum(1 for one, _ in RUNS if one == case) for case in FOLDERS}
    assert found == TERRITORIES, "tell the new territory to this list"


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


@pytest.mark.parametrize(("name", "territory"), RUNS)
def test_notebook_runs_and_gives_the_expected_numbers(name, territory, tmp_path):
    case = UseCase.find(name)
    done = run(case, Territory.find(territory), out=tmp_path)
    document = json.loads((done.folder / "indicators.json").read_text(encoding="utf-8"))
    found = {item["id"]: item["value"] for item in document["indicators"]}
    assert differences(found, expected_of(name), territory) == []
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
    asked = sum("show_map(" in cell.source or "show_film(" in cell.source for cell in ran)
    assert len(pictures) == asked >= 2
    described = ('<img alt="Map of ', 'aria-label="Animated map of ')
    for text in pictures:
        assert any(words in text for words in described)
        assert "Source: " in text
    state = executed.metadata.widgets["application/vnd.jupyter.widget-state+json"]
    assert len(json.dumps(state)) < 1_000_000, "the map is too heavy for a notebook"


@pytest.mark.parametrize("name", FOLDERS)
def test_territories_give_different_answers(name):
    """Any two places differ by more than the tolerance in a third of all indicators."""
    expected = expected_of(name)
    for one, other in combinations(expected["territories"], 2):
        both = [
            (item["values"][one], item["values"][other], item["tolerance"])
            for item in expected["indicators"].values()
            if item["values"].get(one) is not None and item["values"].get(other) is not None
        ]
        apart = sum(abs(a - b) > tolerance for a, b, tolerance in both)
        assert apart > len(both) / 3, f"{one} and {other} are told apart by {apart} of {len(both)}"


@pytest.mark.parametrize("name", FOLDERS)
def test_expected_covers_the_manifest_and_says_why(name):
    case, document = UseCase.find(name), expected_of(name)
    expected, territories = document["indicators"], set(document["territories"])
    assert set(expected) == set(case.indicators)
    for key, one in expected.items():
        assert set(one["values"]) <= territories, key
        assert one["unit"] == case.indicators[key].unit, key
        assert one["tolerance"] >= 0, key
        assert len(one["reason"]) > 15, key
        if not case.indicators[key].optional:
            assert set(one["values"]) == territories, key


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
