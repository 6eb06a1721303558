"""Each test that the documents of the twin name exists and is collected; each row names one."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # it collects all tests anew

TESTS = Path(__file__).parents[1]
DOCS = TESTS.parent / "docs"
CLAIMS = ("twin.md", "twin-ogc.md", "publish.md")
_NAME = re.compile(r"`(test_\w+)(\.py)?`")
_PATTERN = re.compile(r"`(test_\w+)_\*\.py`")
#: Rows of a table of requests are named by their clause.
_ROWS = re.compile(
    r"`(test_request|test_read|test_what_is_told|test_what_is_wrong_is_refused)` rows?"
)
#: Headings of the columns in which a table names its tests.
_HEADS = ("Test", "Tested in")


@pytest.fixture(scope="module")
def collected() -> dict[str, set[str]]:
    """Ids in brackets of each collected test by name, and files, of all marks."""
    command = [
        sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:xdist",
        "-p", "no:cacheprovider", "-o", "addopts=--import-mode=importlib",
        "twin", "publish", "watch", "browser/test_twin_map.py", "browser/test_local_twin.py",
        "sources/test_memory.py",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    found: dict[str, set[str]] = {}
    for line in done.stdout.splitlines():
        path, _, name = line.partition("::")
        if name:
            plain, _, own = name.partition("[")
            found.setdefault(plain, set()).add(own.rstrip("]"))
            found.setdefault(Path(path).stem, set())
    assert len(found) > 150, "would pass on nothing"
    return found


def tables(document: str) -> list[list[str]]:
    """Rows of the tables with a column of tests: cells of each."""
    rows, wanted = [], False
    for line in (DOCS / document).read_text(encoding="utf-8").splitlines():
        cells = [each.strip() for each in line.strip().strip("|").split(" | ")]
        if not line.startswith("|"):
            wanted = False
        elif cells[-1].startswith(_HEADS):
            wanted = True
        elif wanted and not line.startswith("|---"):
            rows.append(cells)
    return rows


@pytest.mark.parametrize(("document", "least"), [*((each, 9) for each in CLAIMS), ("watch.md", 6)])
def test_every_test_that_is_named_is_collected(
    document: str, least: int, collected: dict[str, set[str]]
) -> None:
    text = (DOCS / document).read_text(encoding="utf-8")
    names = {name for name, _ in _NAME.findall(text)}
    assert len(names) >= least
    assert names - collected.keys() == set()
    for start in _PATTERN.findall(text):
        assert any(each.startswith(f"{start}_") for each in collected)


@pytest.mark.parametrize("document", CLAIMS)
def test_every_row_of_what_is_claimed_names_a_test(document: str) -> None:
    rows = tables(document)
    assert len(rows) > 5
    assert [row for row in rows if not _NAME.search(row[-1])] == []


def test_every_clause_that_a_row_names_is_a_row_of_the_test(collected: dict[str, set[str]]) -> None:
    """As in `test_request` rows 5.6.1, 5.6.2 to 5.6.5."""
    absent, checked = [], 0
    for row in tables("twin.md"):
        match = _ROWS.search(row[-1])
        if match is None:
            continue
        told = row[-1][match.end() :].partition("`")[0]
        ids = {own.split(" ")[0] for own in collected[match[1]]}
        for first, last in re.findall(r"(\d+(?:\.\d+)+)(?: to (\d+(?:\.\d+)+))?", told):
            for clause in clauses(first, last):
                absent += [] if clause in ids else [f"{match[1]} has no row of {clause}: {row[0]}"]
                checked += 1
    assert absent == []
    assert checked > 30


def clauses(first: str, last: str) -> list[str]:
    start, end = first.rpartition("."), (last or first).rpartition(".")
    assert start[0] == end[0]
    return [f"{start[0]}.{number}" for number in range(int(start[2]), int(end[2]) + 1)]
