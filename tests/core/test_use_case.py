import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from ldt_toolbox.errors import (
    DocumentError,
    LDTError,
    MissingFileError,
    ParameterError,
    WrongUseError,
)
from ldt_toolbox.heat.use_case import compute
from ldt_toolbox.sources import load
from ldt_toolbox.territory import Territory
from ldt_toolbox.use_case import SEARCH_VARIABLE, UseCase, use_case_folders

Write = Callable[..., Path]


def test_the_shipped_manifest_is_read_whole() -> None:
    case = UseCase.find("heat-islands")
    assert case.id == "heat-islands"
    assert case.compute is compute
    assert case.notebook.is_file()
    assert [r.id for r in case.roles.values() if r.required] == ["buildings"]
    assert (len(case.roles), len(case.parameters)) == (13, 26)
    assert (len(case.layers), len(case.tables), len(case.indicators)) == (12, 6, 20)
    assert (len(case.evidence), len(case.method), len(case.limits)) == (2, 5, 5)
    for thing in (*case.roles.values(), *case.parameters.values()):
        assert set(thing.help) == {"en", "fr"}
        assert all(thing.help.values())
    for role in case.roles.values():
        assert role.required or set(role.without) == {"en", "fr"}
    for output in (*case.layers.values(), *case.tables.values(), *case.indicators.values()):
        assert set(output.title) == set(output.help) == {"en", "fr"}


def test_the_small_manifest_is_read(write_case: Write) -> None:
    case = UseCase.read(write_case())
    role = case.roles["trees"]
    assert (role.required, role.geometry, role.accepts) == (True, "point", ("file",))
    assert (role.margin_km, role.max_resolution_m, role.categorical) == (0.0, None, False)
    assert case.layers["shade"].optional
    assert not case.layers["height"].optional
    assert case.resources == {"memory_gb": 0.5, "minutes": 1}
    assert UseCase.find(str(case.path.parent)) == case


MISTAKES = [
    ("id: trees", "id: forest", 1, "`forest` differs from its folder `trees`"),
    ("version: 1.0.0", "version: 1.0", 2, "for example `1.0.0`"),
    ("title: {en: Trees, fr: Arbres}", "title: {en: Trees}", 3, "title lacks `fr`"),
    ("question: ", "quesstion: ", 4, "did you mean `question`?"),
    ("purpose: {iso37101_issues: [living environment]}", "purpose: well-being", 5, "`purpose`"),
    ("green_toolbox.trees:compute", "green_toolbox.trees", 6, "my_package.my_module:compute"),
    ("notebook: notebook", "notebook: story", 7, "there is no story.ipynb"),
    ("kind: vector\n    g", "kind: vectr\n    g", 10, "did you mean `vector`?"),
    ("geometry: point", "geometry: points", 11, "did you mean `point`?"),
    ("accepts: [file]", "accepts: file", 12, "such as [a, b]"),
    ("accepts: [file]", "accepts: [file]\n    required: perhaps", 13, "true or false"),
    ("accepts: [file]", "accepts: [file]\n    required: false", 9, "say in `without`"),
    ("accepts: [file]", "accepts: [file]\n    margin_km: far", 13, "must be a number"),
    ("accepts: [file]", "accepts: [file]\n    max_resolution_m: 0", 13, "must be above 0"),
    ("accepts: [file]", "accepts: [file]\n    columns: {a: 5}", 13, "`key: value` lines"),
    ("accepts: [file]", "accepts: [file]\n    columns: {a: {reqired: true}}", 13, "`required`?"),
    ("type: number", "type: numbr", 15, "did you mean `number`?"),
    ("default: 5", "default: 50", 15, "the default fails its own check"),
    ("height: {kind: raster", "height: {kind: grid", 18, "use one of `raster`, `vector`"),
    ("unit: MTR, mim8: raw, title: {en: h", "unit: MTR, title: {en: h", 18, "`mim8`"),
    ("share, mim8: model_output, optional: true", "share, optional: maybe", 20, "true or false"),
    ("count: {unit: C62, mim8: model_output", "count: {unit: C62, mim8: output", 25, "mim8"),
    ("memory_gb: 0.5", "memory_gb: lots", 29, "must be a number"),
    ("minutes: 1", "minuts: 1", 29, "did you mean `minutes`?"),
    ("  - {where: here, ", "  - {", 31, "lacks `where`"),
    ("method: [{en: count, fr: compter}]", "method: count", 32, "must be a list"),
    ("limits: [{en: small trees, fr: petits arbres}]", "limits: 5", 33, "must be a list"),
]


@pytest.mark.parametrize(("before", "after", "line", "message"), MISTAKES)
def test_each_mistake_is_told_with_its_line(
    write_case: Write, before: str, after: str, line: int, message: str
) -> None:
    with pytest.raises(DocumentError) as caught:
        UseCase.read(write_case((before, after)))
    told = [(p.line, p.message) for p in caught.value.problems]
    assert any(message in said and at == line for at, said in told), told


def test_many_mistakes_are_told_together(write_case: Write) -> None:
    # one a line, so that each has a line of its own
    chosen = [m for m in MISTAKES if m[2] in {2, 3, 5, 6, 7, 10, 11, 18, 20, 25, 32, 33}]
    chosen = list({line: (a, b, line, m) for a, b, line, m in chosen}.values())
    with pytest.raises(DocumentError) as caught:
        UseCase.read(write_case(*((before, after) for before, after, _, _ in chosen)))
    problems = caught.value.problems
    assert len(chosen) == 12
    for _, _, line, message in chosen:
        assert any(p.line == line and message in p.message for p in problems), message
    assert len({p.line for p in problems}) == 12


def test_an_unknown_schema_asks_for_a_newer_toolbox(write_case: Write) -> None:
    with pytest.raises(DocumentError, match="update the toolbox"):
        UseCase.read(write_case(("id: trees", "schema_version: 2\nid: trees")))


def test_a_compute_that_cannot_be_imported_is_named(write_case: Write) -> None:
    case = UseCase.read(write_case())
    with pytest.raises(LDTError, match=r"`green_toolbox\.trees:compute`.*install its package"):
        _ = case.compute
    other = UseCase.read(
        write_case(("green_toolbox.trees:compute", "json:absent"), root=case.path.parents[1] / "b")
    )
    with pytest.raises(LDTError, match="json:absent"):
        _ = other.compute


def test_a_use_case_of_another_package_needs_no_change_to_the_toolbox(
    write_case: Write,
    write_territory: Write,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    package = tmp_path / "green_toolbox"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "trees.py").write_text(
        "from ldt_toolbox.results import Indicator, Results\n"
        "def compute(inputs, parameters):\n"
        "    return Results(indicators={'count': Indicator(len(inputs.frame('trees')))})\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    shared = tmp_path / "shared"
    write_case(("geometry: point", "geometry: polygon"), root=shared)
    with pytest.raises(WrongUseError, match="no use case is called `trees`"):
        UseCase.find("trees")

    monkeypatch.setenv(SEARCH_VARIABLE, os.pathsep.join([str(tmp_path / "absent"), str(shared)]))
    case = UseCase.find("trees")
    assert case.path == shared / "trees" / "use-case.yaml"
    territory = Territory.read(write_territory())
    results = case.compute(load(case, territory), case.validate(territory=territory))
    assert results.indicators["count"].value == 1
    assert case.validate(territory=territory).spacing_m == 4.0
    assert UseCase.find("heat-islands").id == "heat-islands"

    # the territory's own repository comes first, and each name is listed once
    own = tmp_path / "own"
    write_case(root=own / "use-cases")
    folders = list(use_case_folders(near=own))
    assert dict(folders)["trees"] == own / "use-cases" / "trees"
    assert [name for name, _ in folders] == ["trees", "flood-risk", "heat-islands", "mobility"]
    assert UseCase.find("trees", near=own).path.is_relative_to(own)


def test_names_and_paths_that_are_not_there_are_told(tmp_path: Path) -> None:
    with pytest.raises(WrongUseError, match=r"`heat-island`: did you mean `heat-islands`\?"):
        UseCase.find("heat-island")
    with pytest.raises(MissingFileError, match="does not exist"):
        UseCase.find(str(tmp_path / "absent" / "use-case.yaml"))


def test_values_for_a_misspelt_use_case_are_not_ignored(
    write_case: Write, write_territory: Write
) -> None:
    case = UseCase.read(write_case())
    spelt = Territory.read(write_territory())
    assert case.validate(territory=spelt).origin["spacing_m"] == "territory"
    wrong = Territory.read(write_territory(("  trees: {spacing_m: 4}", "  tree: {spacing_m: 4}")))
    with pytest.raises(ParameterError, match=r"`tree`, which is no use case: did you mean `trees`"):
        case.validate(territory=wrong)
    other = Territory.read(write_territory(("  trees: {spacing_m: 4}", "  heat-islands: {}")))
    assert case.validate(territory=other).spacing_m == 5.0


def test_an_unchanged_line_of_the_cell_leaves_the_territory_s_value(
    write_case: Write, write_territory: Write
) -> None:
    case = UseCase.read(write_case())
    territory = Territory.read(write_territory())
    assert case.validate_cell({"spacing_m": 5.0}, territory=territory).spacing_m == 4.0
    assert case.validate_cell({"spacing_m": 6.0}, territory=territory).spacing_m == 6.0
    as_written = {"spacing_m": 5.0, "territory_values": False}
    assert case.validate_cell(as_written, territory=territory).spacing_m == 5.0
