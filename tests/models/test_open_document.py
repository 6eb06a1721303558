"""OpenDocument spreadsheets as LibreOffice writes them: repeated cells, groups, spans, comments."""

import zipfile
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ldt_toolbox.errors import DocumentError, MissingFileError, WrongUseError
from ldt_toolbox.models import mapping_table
from ldt_toolbox.models.mapping import Mapping
from ldt_toolbox.models.open_document import sheets

HERE = Path(__file__).parent
SPACES = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for short, name in (("office", "office"), ("table", "table"), ("text", "text"))
)
REST = '<table:table-cell table:number-columns-repeated="16380"/>'


def write(path, **tables):
    inner = "".join(
        f"<table:table table:name={quoteattr(name)}>{rows}</table:table>"
        for name, rows in tables.items()
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {SPACES}><office:body>'
        f"<office:spreadsheet>{inner}</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
    return path


def cell(text, **more):
    attributes = "".join(f" table:{name.replace('_', '-')}='{n}'" for name, n in more.items())
    return f"<table:table-cell{attributes}><text:p>{text}</text:p></table:table-cell>"


def row(*cells):
    return f"<table:table-row>{''.join(cells)}{REST}</table:table-row>"


def test_what_a_spreadsheet_shows_is_read(tmp_path):
    link = "<text:p>see <text:a>the <text:span>docs</text:span></text:a>, now</text:p>"
    rows = (
        row(cell("a"), cell("b", number_columns_repeated=2), "<table:covered-table-cell/>",
            cell("two<text:s text:c='2'/>blanks<text:tab/>tab<text:line-break/>line"))
        + f"<table:table-row table:number-rows-repeated='3'>{REST}</table:table-row>"
        + "<table:table-row-group><table:table-header-rows>"
        + row("<table:table-cell table:number-columns-repeated='2'/>",
              "<table:table-cell><office:annotation><text:p>a comment</text:p></office:annotation>"
              + link + "<text:p>&amp; more</text:p></table:table-cell>")
        + "</table:table-header-rows></table:table-row-group>"
        + f"<table:table-row table:number-rows-repeated='2'>{cell('12,5')}{REST}</table:table-row>"
        + f"<table:table-row table:number-rows-repeated='1048000'>{REST}</table:table-row>"
    )  # fmt: skip
    found = sheets(write(tmp_path / "x.ods", notes="", data=rows))
    assert found == {
        "notes": [],
        "data": [
            (1, ["a", "b", "b", "", "two  blanks\ttab\nline"]),
            (5, ["", "", "see the docs, now\n& more"]),
            (6, ["12,5"]),
            (7, ["12,5"]),
        ],
    }


texts = st.text("ab <&>'|", max_size=6).map(str.strip).filter(lambda text: "  " not in text)


@settings(max_examples=50)
@given(st.lists(st.lists(texts, max_size=4), max_size=5))
def test_texts_come_back(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("ods") / "x.ods"
    write(path, data="".join(row(*(cell(escape(text)) for text in line)) for line in lines))
    held = [(number, line) for number, line in enumerate(lines, 1) if any(line)]
    read = dict(sheets(path)["data"])
    assert list(read) == [number for number, _ in held]
    for number, line in held:
        assert read[number] + [""] * (len(line) - len(read[number])) == line


@pytest.mark.parametrize("sheet", ["", "mapping"])
def test_a_mapping_table_is_read(tmp_path, sheet):
    counters = Mapping.read(HERE / "counters.csv")
    headings = ["Champ source", "Entité.propriété", "Ontologie", "Règle de transformation",
                "Nom de la feature", "Contrôle qualité"]  # fmt: skip
    lines = [headings, *([one[c] for c in mapping_table.COLUMNS] for one in counters.table())]
    rows = "".join(row(*(cell(escape(text)) for text in line)) for line in lines)
    path = write(tmp_path / "x.ods", mapping=rows, notes="")
    assert Mapping.read(path, sheet=sheet).table() == counters.table()
    with pytest.raises(WrongUseError, match="did you mean `mapping`"):
        Mapping.read(path, sheet="maping")


BILLION = '<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>'


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (None, "not a zip file"),
        ({"mimetype": "x"}, "content.xml"),
        ({"content.xml": "<a>"}, "no element found"),
        ({"content.xml": BILLION}, "declares a document type"),
    ],
)
def test_files_that_are_none(tmp_path, files, told):
    path = tmp_path / "x.ods"
    if files is None:
        path.write_text("no spreadsheet")
    else:
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in files.items():
                archive.writestr(name, text)
    with pytest.raises(DocumentError, match=f"is no OpenDocument spreadsheet .*{told}"):
        Mapping.read(path)


def test_a_row_without_an_end_is_refused(tmp_path):
    rows = f"<table:table-row table:number-rows-repeated='1048576'>{cell('a')}</table:table-row>"
    with pytest.raises(DocumentError, match="repeated 1048576 times"):
        Mapping.read(write(tmp_path / "x.ods", data=rows))
    with pytest.raises(MissingFileError, match="check the path"):
        Mapping.read(tmp_path / "none.ods")
