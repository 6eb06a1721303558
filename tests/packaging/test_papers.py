"""The papers of the repository agree with each other."""

import re
import tomllib
from pathlib import Path

import ldt_toolbox
import yaml

REPOSITORY = Path(__file__).parents[2]


def text(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def test_one_version_everywhere() -> None:
    version = ldt_toolbox.__version__
    assert tomllib.loads(text("pyproject.toml"))["project"]["version"] == version
    citation = yaml.load(text("CITATION.cff"), Loader=yaml.BaseLoader)  # noqa: S506 - plain text
    assert citation["version"] == version
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= citation.keys()
    assert f"[{version}]" in text("CHANGELOG.md") or "[Unreleased]" in text("CHANGELOG.md")


def test_licence_is_the_whole_apache_text() -> None:
    licence = text("LICENSE")
    assert "Version 2.0, January 2004" in licence
    assert "END OF TERMS AND CONDITIONS" in licence
    assert re.search(r"^\s+9\. Accepting Warranty", licence, re.MULTILINE)
    notice = text("NOTICE")
    for name in ("CC-BY-4.0", "ODbL-1.0", "OGL-UK-3.0"):
        assert name in notice


def test_every_licence_of_bundled_data_is_in_the_notice() -> None:
    notice = " ".join(text("NOTICE").split())
    registry = yaml.safe_load(text("toolbox/ldt_toolbox/sources/registry.yaml"))
    licences = {source["licence"] for source in registry["sources"].values() if "file" in source}
    found = sorted((REPOSITORY / "toolbox/ldt_toolbox/territories").glob("*/territory.yaml"))
    assert found
    for path in found:
        territory = yaml.safe_load(path.read_text(encoding="utf-8"))
        licences |= {s["licence"] for s in territory["sources"].values() if "licence" in s}
    short = {"public domain" if "public" in licence.lower() else licence for licence in licences}
    assert {name for name in short if name not in notice} == set()


def test_decisions_are_numbered_and_have_three_parts() -> None:
    paths = sorted((REPOSITORY / "docs" / "decisions").glob("*.md"))
    assert [int(path.name[:4]) for path in paths] == list(range(1, len(paths) + 1))
    assert len(paths) >= 5
    for path in paths:
        body = path.read_text(encoding="utf-8")
        assert body.startswith(f"# {path.name[:4]}: ")
        for part in ("**Situation.**", "**Decision.**", "**Consequences.**"):
            assert part in body, path.name
