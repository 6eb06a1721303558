"""docs/models.md names everything that a table or a finding can hold."""

from pathlib import Path

import pytest
from ldt_toolbox.models.findings import CODES
from ldt_toolbox.models.quality import parse
from ldt_toolbox.models.rules import STEPS
from ldt_toolbox.models.types import catalogue

DOC = Path(__file__).parents[2] / "docs" / "models.md"


@pytest.fixture(scope="module")
def text():
    return DOC.read_text(encoding="utf-8")


def test_every_step_check_and_code_is_described(text):
    for name in (*STEPS, *CODES):
        assert f"| `{name}` |" in text, name
    for check in ("required", "range 0 1", "regex x", "bbox 0 0 1 1", "list a", "unique"):
        assert parse(check).text == check
        assert f"`{check.split()[0]}" in text


def test_numbers_of_types_are_right(text):
    own = len(catalogue().subjects()["ldt-toolbox"])
    assert f"{len(catalogue()) - own} types of the Smart Data Models programme" in text
    assert own == 6
