"""`ldt new`: what it writes, what it refuses, and that the result is a territory at once."""

import ast
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import ldt_toolbox
import nbformat
import pytest
import yaml
from ldt_toolbox import scaffold
from ldt_toolbox.errors import RunError, WrongUseError
from ldt_toolbox.paths import data_root
from ldt_toolbox.sources import load
from ldt_toolbox.territory import Territory
from ldt_toolbox.use_case import UseCase

HARD_NAME = "L'Île-d'Yeu à l'Épreuve"
EXAMPLES = {
    "amenities", "boundary", "buildings", "land_cover", "streets", "trees", "water",
}  # fmt: skip
WRITTEN = {
    ".copier-answers.yml", ".github/workflows/weekly.yml", ".gitignore", "Makefile", "README.md",
    "binder/postBuild", "binder/requirements.txt", "binder/runtime.txt", "binder/start",
    "data/README.md", "notebooks/heat-islands.ipynb", "requirements.txt", "territory.yaml",
    *(f"data/example/{name}.geojson" for name in EXAMPLES),
}  # fmt: skip


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    patch = pytest.MonkeyPatch()
    patch.setenv("COPIER_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))

    def make(**answers: str) -> Path:
        folder = tmp_path_factory.mktemp("territories") / "repository"
        return scaffold.new(folder, answers=answers, defaults=True)

    return make


@pytest.fixture(scope="module")
def hard(make: Callable[..., Path]) -> Path:
    return make(territory_name=HARD_NAME, code="85113", center_lon="-2.35", center_lat="46.71")


@pytest.fixture(scope="module")
def finnish(make: Callable[..., Path]) -> Path:
    return make(territory_name='Hämeenlinna "West"', country="FI", languages="en, fr")


def files(folder: Path) -> set[str]:
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    return {name for name in found if not name.startswith(".git/")}


def test_every_file_of_the_template_is_written(hard: Path, finnish: Path) -> None:
    assert files(hard) == files(finnish) == WRITTEN
    assert len(WRITTEN) == 20
    template = data_root() / "templates" / "territory"
    assert sum(p.is_file() for p in template.rglob("*")) == len(WRITTEN)


def test_nothing_is_left_unrendered(hard: Path, finnish: Path) -> None:
    for folder in (hard, finnish):
        for name in WRITTEN:
            text = (folder / name).read_text(encoding="utf-8")
            assert "{{" not in text, name
            assert "{%" not in text, name
            assert "jinja" not in text.lower(), name
            assert text.endswith("\n"), name
            assert not text.endswith("\n\n"), name
            assert not text.startswith("\n"), name


def test_hard_name_becomes_a_plain_id_and_stays_itself(hard: Path) -> None:
    territory = Territory.read(hard)
    assert territory.id == "l-ile-d-yeu-a-l-epreuve"
    assert territory.names == {"fr": HARD_NAME}
    assert territory.codes == {"insee": "85113"}
    assert territory.crs.to_epsg() == 2154
    assert HARD_NAME in (hard / "README.md").read_text(encoding="utf-8")


def test_country_decides_grid_code_system_and_time_zone(finnish: Path) -> None:
    territory = Territory.read(finnish)
    assert territory.names == dict.fromkeys(("en", "fr"), 'Hämeenlinna "West"')
    assert territory.id == "hameenlinna-west"
    assert territory.crs.to_epsg() == 3067
    assert set(territory.codes) == {"lau"}
    assert territory.timezone == "Europe/Helsinki"


def test_a_country_without_a_row_gets_the_utm_zone_of_its_longitude(
    make: Callable[..., Path],
) -> None:
    place = {"country": "CL", "center_lon": "-70.65", "center_lat": "-33.45"}
    territory = Territory.read(make(territory_name="Ñuñoa", **place))
    assert territory.crs.to_epsg() == 32719
    assert territory.id == "nunoa"
    assert territory.center_lonlat == pytest.approx((-70.65, -33.45), abs=1e-6)


def test_example_town_is_square_and_lies_at_the_centre(hard: Path, finnish: Path) -> None:
    for folder, lonlat in ((hard, (-2.35, 46.71)), (finnish, (24.94, 60.19))):
        territory = Territory.read(folder)
        assert territory.center_lonlat == pytest.approx(lonlat, abs=1e-6)
        frame = gpd.read_file(folder / "data/example/boundary.geojson")
        area = frame.to_crs(frame.estimate_utm_crs()).area.sum()
        # a sphere instead of the ellipsoid: half a percent along each side at most
        assert area == pytest.approx(680**2, rel=0.01)


def test_example_data_serve_the_use_case_and_say_that_they_are_made_up(finnish: Path) -> None:
    territory = Territory.read(finnish)
    inputs = load(UseCase.find("heat-islands"), territory)
    counts = {role: len(layer.data) for role, layer in inputs.layers.items()}
    assert counts == {
        "buildings": 54, "land_cover": 21, "streets": 10, "trees": 52, "water": 2,
        "amenities": 3, "air_temperature": 12,
    }  # fmt: skip
    provenance = {role: source.provenance for role, source in territory.sources.items()}
    assert provenance.pop("air_temperature") == "observed"
    assert set(provenance.values()) == {"synthetic"}
    assert territory.boundary.provenance == "synthetic"
    assert all(layer.data.is_valid.all() for r, layer in inputs.layers.items() if r in EXAMPLES)


def test_columns_told_to_the_analyst_are_those_of_the_manifest(hard: Path) -> None:
    case = UseCase.find("heat-islands")
    rows = [
        line.split("|")
        for line in (hard / "data/README.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| `")
    ]
    told = {row[1].strip(" `"): row[3] for row in rows}
    assert len(told) == 8
    for role, cell in told.items():
        columns = case.roles[role].columns
        for column in columns.values():
            assert f"`{column.name}`" in cell, (role, column.name)
            assert (f"**`{column.name}`**" in cell) == column.required, (role, column.name)


def test_notebook_is_valid_and_tells_a_story(hard: Path) -> None:
    notebook = nbformat.read(hard / "notebooks/heat-islands.ipynb", as_version=4)
    nbformat.validate(notebook)
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert len(cells) == 7
    for source in cells:
        assert len(source.splitlines()) <= 8
        assert not any(isinstance(n, ast.FunctionDef) for n in ast.walk(ast.parse(source)))


def test_workflow_is_yaml_and_runs_the_same_commands(hard: Path) -> None:
    workflow = yaml.safe_load((hard / ".github/workflows/weekly.yml").read_text(encoding="utf-8"))
    steps = [step.get("run") for step in workflow["jobs"]["run"]["steps"]]
    assert "make test" in steps
    makefile = (hard / "Makefile").read_text(encoding="utf-8")
    for target in ("demo", "check", "settings", "test", "lab", "update", "install"):
        assert f"\n{target}:" in makefile


def test_both_requirements_pin_this_version(hard: Path) -> None:
    for name in ("requirements.txt", "binder/requirements.txt"):
        assert f"ldt-toolbox=={ldt_toolbox.__version__}" in (hard / name).read_text().splitlines()


def test_default_version_of_the_template_is_this_one() -> None:
    settings = yaml.safe_load((data_root() / "copier.yml").read_text(encoding="utf-8"))
    assert settings["toolbox_version"]["default"] == ldt_toolbox.__version__
    assert not {"_tasks", "_migrations", "_jinja_extensions"} & set(settings)


def test_binder_scripts_can_be_executed(hard: Path) -> None:
    for name in ("postBuild", "start"):
        assert (hard / "binder" / name).stat().st_mode & 0o111


def test_answers_name_no_path_of_this_machine(hard: Path) -> None:
    answers = yaml.safe_load((hard / scaffold.ANSWERS).read_text(encoding="utf-8"))
    assert answers["territory_name"] == HARD_NAME
    assert "_src_path" not in answers
    assert not any(str(value).startswith("/") for value in answers.values())


def test_it_is_a_clean_git_repository_with_the_vendor_branch(hard: Path) -> None:
    def git(*arguments: str) -> str:
        return subprocess.check_output(["git", "-C", hard, *arguments], text=True).strip()

    assert git("status", "--porcelain") == ""
    assert git("rev-parse", "HEAD") == git("rev-parse", scaffold.VENDOR_BRANCH)
    assert len(git("ls-files").splitlines()) == len(WRITTEN)


def test_without_git(tmp_path: Path) -> None:
    folder = scaffold.new(tmp_path / "plain", defaults=True, vcs=False)
    assert not (folder / ".git").exists()
    with pytest.raises(WrongUseError, match="not the top of a git repository"):
        scaffold.update(folder)


def test_an_empty_clone_can_be_filled(tmp_path: Path) -> None:
    folder = tmp_path / "clone"
    subprocess.check_call(["git", "init", "--quiet", str(folder)])
    scaffold.new(folder, defaults=True)
    assert files(folder) == WRITTEN


def test_a_folder_in_use_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(WrongUseError, match="is not empty"):
        scaffold.new(tmp_path, defaults=True)
    assert files(tmp_path) == {"mine.txt"}


def test_an_unknown_answer_names_the_questions(tmp_path: Path) -> None:
    with pytest.raises(WrongUseError, match=r"`nom`.*territory_name"):
        scaffold.new(tmp_path / "x", answers={"nom": "Nice"}, defaults=True)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("territory_id", "Not A Slug", "small letters"),
        ("country", "France", "two capital letters"),
        ("center_lat", "91", "a number from -84 to 84"),
        ("crs", "Lambert 93", "an EPSG code"),
        ("territory_name", "{{ 7 * 7 }}", "without line breaks and braces"),
    ],
)
def test_a_wrong_answer_is_refused_with_the_right_form(
    tmp_path: Path, name: str, value: str, hint: str
) -> None:
    with pytest.raises(WrongUseError, match=hint) as caught:
        scaffold.new(tmp_path / "x", answers={name: value}, defaults=True)
    assert f"`{name}: {value}`" in str(caught.value)
    assert not (tmp_path / "x").exists()


def test_without_a_terminal_it_does_not_wait_for_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(WrongUseError, match="--defaults"):
        scaffold.new(tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_missing_git_is_told_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RunError, match="git is not installed"):
        scaffold.new(tmp_path / "x", defaults=True)
    assert not (tmp_path / "x").exists()


def test_the_package_never_imports_copier() -> None:
    modules = sorted(Path(ldt_toolbox.__file__).parent.rglob("*.py"))
    assert len(modules) > 20
    for path in modules:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(n.split(".")[0].startswith(("copier", "jinja2_ansible")) for n in names)


def make_with_this_environment(target: str, folder: Path) -> str:
    environment = Path(sys.prefix)
    if not (environment / "bin" / "ldt").exists():
        pytest.skip("these tests do not run in a virtual environment with `ldt` in it")
    done = subprocess.run(
        ["make", "--no-print-directory", target, f"VENV={environment}"],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (folder / ".venv").exists()
    return done.stdout


def test_make_check_reads_the_territory(hard: Path) -> None:
    told = make_with_this_environment("check", hard)
    assert "l-ile-d-yeu-a-l-epreuve is in order" in told


@pytest.mark.slow
def test_make_demo_ends_with_a_report_that_says_what_is_made_up(finnish: Path) -> None:
    told = make_with_this_environment("demo", finnish)
    report = finnish / told.split()[-1]
    assert report.is_relative_to(finnish / "results" / "hameenlinna-west" / "heat-islands")
    assert "Hämeenlinna" in report.read_text(encoding="utf-8")
    indicators = json.loads(report.with_name("indicators.json").read_text(encoding="utf-8"))
    assert {"air_temperature", "buildings", "places"} <= set(indicators["synthetic"])


@pytest.mark.slow
def test_make_test_runs_use_case_and_notebook_and_keeps_nothing(hard: Path) -> None:
    make_with_this_environment("test", hard)
    assert files(hard) == WRITTEN
