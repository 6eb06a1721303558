"""A scaffolded repository takes in a later template and keeps what people changed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ldt_toolbox import scaffold
from ldt_toolbox.errors import MissingFileError, WrongUseError
from ldt_toolbox.paths import data_root

NAME = "L'Île-d'Yeu à l'Épreuve"


@pytest.fixture(autouse=True)
def own_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPIER_CACHE_DIR", str(tmp_path / "cache"))
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Analyst")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "analyst@localhost")


def git(folder: Path, *arguments: str) -> str:
    return subprocess.check_output(["git", "-C", folder, *arguments], text=True).strip()


def commit(folder: Path, message: str) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", message)


def copy_template(folder: Path) -> Path:
    folder.mkdir()
    shutil.copy(data_root() / "copier.yml", folder)
    shutil.copytree(data_root() / "templates", folder / "templates")
    return folder


def change_template(folder: Path) -> None:
    """What a later version does: one line more, one file more, one file less, a new question."""
    top = folder / "templates" / "territory"
    makefile = top / "Makefile.jinja"
    makefile.write_text(
        makefile.read_text().replace("# make lab ", "# make hello  says hello\n# make lab ")
    )
    (top / "docs.md.jinja").write_text("# {{ territory_name }} ({{ colour }})\n")
    (top / "binder" / "start").unlink()
    territory = top / "territory.yaml.jinja"
    territory.write_text("# a new first line\n" + territory.read_text())
    with (folder / "copier.yml").open("a") as file:
        file.write("\ncolour: {type: str, default: blue, help: Colour}\n")


def edit_locally(folder: Path) -> None:
    readme = folder / "README.md"
    readme.write_text(readme.read_text() + "\nOur own last line.\n")
    territory = folder / "territory.yaml"
    territory.write_text(territory.read_text() + "# ours\n")
    (folder / "data" / "boundary.geojson").write_text("{}\n")
    shutil.rmtree(folder / "data" / "example")
    commit(folder, "Our own data")


def assert_updated(folder: Path) -> None:
    assert "# make hello" in (folder / "Makefile").read_text()
    assert (folder / "docs.md").read_text() == f"# {NAME} (blue)\n"
    assert not (folder / "binder" / "start").exists()
    assert (folder / "binder" / "postBuild").exists()
    assert (folder / "README.md").read_text().endswith("\nOur own last line.\n")
    territory = (folder / "territory.yaml").read_text()
    assert territory.endswith("# ours\n")
    assert "a new first line" not in territory
    assert (folder / "data" / "boundary.geojson").exists()
    assert not (folder / "data" / "example").exists()
    answers = yaml.safe_load((folder / scaffold.ANSWERS).read_text())
    assert answers["colour"] == "blue"
    assert answers["territory_name"] == NAME


def test_copier_update_from_a_previous_tag_keeps_local_edits(tmp_path: Path) -> None:
    template = copy_template(tmp_path / "template")
    git(template, "init", "--quiet")
    commit(template, "First")
    git(template, "tag", "v0.1.0")

    def copier(*arguments: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "copier", *arguments], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr

    folder = tmp_path / "territory"
    address = f"git+{template.as_uri()}"
    copier("copy", "--defaults", "-d", f"territory_name={NAME}", address, str(folder))
    git(folder, "init", "--quiet")
    commit(folder, "Scaffold")
    edit_locally(folder)
    with pytest.raises(WrongUseError, match="copier update"):
        scaffold.update(folder)

    change_template(template)
    commit(template, "Second")
    git(template, "tag", "v0.2.0")
    copier("update", "--defaults", "--conflict", "inline", str(folder))
    assert_updated(folder)
    answers = yaml.safe_load((folder / scaffold.ANSWERS).read_text())
    assert answers["_commit"] == "v0.2.0"
    assert answers["_src_path"] == address


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A repository made by `new` from a plain template that can then be changed."""
    template = copy_template(tmp_path / "installed")
    monkeypatch.setattr(scaffold, "data_root", lambda: template)
    folder = scaffold.new(tmp_path / "territory", answers={"territory_name": NAME}, defaults=True)
    return folder, template


def test_update_keeps_local_edits_and_drops_what_the_template_dropped(
    made: tuple[Path, Path],
) -> None:
    folder, template = made
    edit_locally(folder)
    change_template(template)
    done = scaffold.update(folder)
    assert done == scaffold.Update(changed=True)
    assert_updated(folder)
    assert git(folder, "status", "--porcelain") == ""
    assert len(git(folder, "worktree", "list").splitlines()) == 1
    assert scaffold.update(folder) == scaffold.Update(changed=False)


def test_update_without_anything_new_changes_nothing(made: tuple[Path, Path]) -> None:
    folder, _ = made
    before = git(folder, "rev-parse", "HEAD")
    assert scaffold.update(folder) == scaffold.Update(changed=False)
    assert git(folder, "rev-parse", "HEAD") == before
    assert git(folder, "rev-parse", scaffold.VENDOR_BRANCH) == before


def test_conflicts_are_left_for_the_user_and_named(made: tuple[Path, Path]) -> None:
    folder, template = made
    makefile = folder / "Makefile"
    makefile.write_text(makefile.read_text().replace("# make lab ", "# make lab! "))
    commit(folder, "Our own wording")
    change_template(template)
    done = scaffold.update(folder)
    assert done.conflicts == ("Makefile",)
    text = makefile.read_text()
    assert "<<<<<<<" in text
    assert "# make lab! " in text
    assert "# make hello" in text


def test_a_dirty_tree_is_refused_and_named(made: tuple[Path, Path]) -> None:
    folder, template = made
    change_template(template)
    (folder / "README.md").write_text("half done\n")
    with pytest.raises(WrongUseError, match=r"1 change .*README\.md.*commit or stash"):
        scaffold.update(folder)
    assert (folder / "README.md").read_text() == "half done\n"
    assert "hello" not in (folder / "Makefile").read_text()


def test_a_clone_is_told_how_to_get_the_branch(made: tuple[Path, Path], tmp_path: Path) -> None:
    folder, template = made
    clone = tmp_path / "clone"
    subprocess.check_call(["git", "clone", "--quiet", str(folder), str(clone)])
    with pytest.raises(WrongUseError, match=f"git branch {scaffold.VENDOR_BRANCH} origin/"):
        scaffold.update(clone)
    git(clone, "branch", scaffold.VENDOR_BRANCH, f"origin/{scaffold.VENDOR_BRANCH}")
    change_template(template)
    assert scaffold.update(clone).changed


def test_a_folder_that_was_not_scaffolded_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="not made by `ldt new`"):
        scaffold.update(tmp_path)


def test_it_works_where_git_knows_no_name(
    made: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder, template = made
    for variable in [v for v in os.environ if v.startswith("GIT_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    change_template(template)
    assert scaffold.update(folder).changed
    assert git(folder, "log", "-1", "--format=%an") == "ldt-toolbox"
