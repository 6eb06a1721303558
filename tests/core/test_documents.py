import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldt_toolbox.documents import Document, dotted, nearest
from ldt_toolbox.errors import DocumentError, MissingFileError, Problem


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "place.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("NO", "NO"),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("091", "091"),
        ("0x1F", "0x1F"),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("2023-12-26", "2023-12-26"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("7", 7),
        ("-7", -7),
        ("0", 0),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("-2.5E-1", -0.25),
    ],
)
def test_scalars_are_those_of_yaml_1_2(tmp_path: Path, written: str, read: object) -> None:
    value = Document(write(tmp_path, f"key: {written}\n")).data["key"]
    assert value == read
    assert type(value) is type(read)


@pytest.mark.parametrize("code", ["12E45", "10.10", "007", "1e5", "+33", "2A004"])
def test_a_code_is_read_as_it_is_written(tmp_path: Path, code: str) -> None:
    document = Document(write(tmp_path, f"codes: {{lau: {code}}}\n"))
    assert document.text(("codes", "lau")) == code
    assert document.problems == []


def test_every_problem_is_told_at_once_with_its_line_and_the_nearest_name(tmp_path: Path) -> None:
    document = Document(
        write(
            tmp_path,
            "id: a\n"  # 1
            "contry: FR\n"  # 2 misspelt
            "id: b\n"  # 3 twice
            "kind: vektor\n"  # 4 misspelt
            "list: text\n"  # 5 no list
            "size: big\n"  # 6 no number
            "flag: yes\n"  # 7 no flag
            "count: !!int seven\n"  # 8 no number at all
            "code: UPPER\n",  # 9 wrong form
        )
    )
    known = ("id", "country", "kind", "list", "size", "flag", "count", "code", "name")
    document.mapping((), known=known, required=("id", "name"))
    document.choice(("kind",), ("vector", "raster"))
    assert document.items(("list",)) == []
    assert document.number(("size",)) is None
    assert document.flag(("flag",), default=True) is True
    document.text(("code",), pattern="[a-z]+", example="lower")
    with pytest.raises(DocumentError) as caught:
        document.finish()
    problems = caught.value.problems
    assert [p.line for p in problems] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    expected = [
        ["lacks `name`", "add it"],
        ["`contry`", "did you mean `country`?"],
        ["`id` stands twice", "keep one"],
        ["`kind: vektor`", "did you mean `vector`?"],
        ["`list`", "such as [a, b]", "'text'"],
        ["`size`", "number", "'big'"],
        ["`flag`", "true or false", "'yes'"],
        ["`seven`", "int"],
        ["`code: UPPER`", "`lower`"],
    ]
    for problem, parts in zip(problems, expected, strict=True):
        for part in parts:
            assert part in problem.message
    text = str(caught.value)
    assert text.splitlines()[0].endswith("place.yaml: 9 problems")
    assert "  place.yaml:4: " in text
    assert len(text.splitlines()) == 10


def test_one_problem_is_told_once(tmp_path: Path) -> None:
    document = Document(write(tmp_path, "sources:\n  trees: [a]\n"))
    for _ in range(3):
        assert document.mapping(("sources", "trees"), known=("path",), required=("path",)) == {}
    # absent `path` is not told beside: an entry of the wrong kind has no keys to lack
    assert [p.line for p in document.problems if "key: value" in p.message] == [2]
    assert len(document.problems) == len(set(document.problems)) == 1


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("a: [1, 2\nb: 3\n", 2, "not YAML"),
        ("a:\n\t- b\n", 2, "not YAML"),
        ("a: !python/object:os.system b\n", 1, "constructor"),
        ("a: 1\n---\nb: 2\n", 2, "another document"),
        ("a: 1\nb: \x01\n", 2, "\\x01"),
        ("- a\n- b\n", 1, "key: value"),
        ("just words\n", 1, "key: value"),
        ("a: &loop [*loop]\n", 1, "nested"),
        ("a: " + "[" * 3000 + "]" * 3000, 1, "nested"),
    ],
)
def test_what_is_no_yaml_is_answered_with_a_line(
    tmp_path: Path, text: str, line: int, part: str
) -> None:
    with pytest.raises(DocumentError) as caught:
        Document(write(tmp_path, text))
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].line == line
    assert part in caught.value.problems[0].message


def test_other_encodings_folders_and_absent_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"not UTF-8 at byte 8: save the file as UTF-8"):
        Document(write(tmp_path, "name: Évry\n".encode("latin-1").replace(b"\xc9", b"ab\xc9")))
    with pytest.raises(DocumentError, match="Is a directory"):
        Document(tmp_path)
    with pytest.raises(MissingFileError, match=r"absent\.yaml does not exist: check the path"):
        Document(tmp_path / "absent.yaml")
    assert Document(write(tmp_path, "\ufeffname: Évry\n")).data == {"name": "Évry"}
    assert Document(write(tmp_path, "")).data == {}


def test_the_line_of_an_absent_place_is_that_of_its_parent(tmp_path: Path) -> None:
    document = Document(write(tmp_path, "a: 1\nb:\n  - c: 2\n  - c: 3\n"))
    assert document.line(("b", 1, "c")) == 4
    assert document.line(("b", 1, "absent", "deeper")) == 4
    assert document.line(("b",)) == 2
    assert document.line(("absent",)) == 1
    assert document.at(("b", 1, "c")) == 3
    assert document.at(("b", 7)) is None
    assert document.at(("a", "c")) is None
    assert dotted(("b", 1, "c")) == "b[1].c"


@given(st.lists(st.text("abcdefgh", min_size=1), min_size=1, unique=True), st.data())
def test_the_nearest_word_is_always_a_valid_one(valid: list[str], data: st.DataObject) -> None:
    word = data.draw(st.sampled_from(valid))
    assert nearest(word, valid) == f"did you mean `{word}`?"
    answer = nearest("zzzz", valid)
    assert answer.count("`") == 2 * len(valid)
    assert nearest("word", []) == "none is allowed here"


def test_problems_without_a_line_come_first() -> None:
    error = DocumentError(Path("x.yaml"), [Problem(3, "c"), Problem(None, "a"), Problem(1, "b")])
    assert [p.message for p in error.problems] == ["a", "b", "c"]


def test_an_error_of_a_worker_process_comes_back_whole() -> None:
    error = DocumentError(Path("x.yaml"), [Problem(3, "c"), Problem(1, "b")])
    sent = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert isinstance(sent, DocumentError)
    assert (str(sent), sent.problems) == (str(error), error.problems)
