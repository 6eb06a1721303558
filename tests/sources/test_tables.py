from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from ldt_toolbox.errors import DataError, MissingColumnError, MissingFileError
from ldt_toolbox.sources.tables import read_normals, read_table
from ldt_toolbox.territory import Source, Territory, bundled_territories
from ldt_toolbox.use_case import Role

BuildSource = Callable[..., Source]
BuildRole = Callable[..., Role]
COLUMNS = {"month": (True, "C62"), "temperature_c": (True, "CEL"), "note": (False, "")}
TEXT = "month,temperature_c,note\n1,5.5,091\n2,-0.5,\n"


@pytest.fixture
def wanted(role: BuildRole) -> Role:
    return role("table", columns=COLUMNS)


def write(source: Source, text: str | bytes) -> Source:
    source.path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return source


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        "\ufeff" + TEXT,  # with the mark that spreadsheets put before UTF-8
        TEXT.replace("\n", "\r\n"),
        TEXT.replace(",", ";").replace(".", ","),  # as spreadsheets of most of Europe write
        TEXT.replace(",", ";"),
    ],
)
def test_commas_semicolons_and_decimal_commas_give_the_same_table(
    source: BuildSource, wanted: Role, text: str
) -> None:
    frame, notes = read_table(write(source("t.csv"), text), wanted)
    assert notes == []
    assert frame["month"].tolist() == [1, 2]
    assert frame["temperature_c"].tolist() == [5.5, -0.5]
    assert frame["temperature_c"].dtype == np.float64


def test_parquet_gives_the_same_table(source: BuildSource, wanted: Role) -> None:
    frame = pd.DataFrame({"m": [1, 2], "t": ["5.5", "-0.5"]})
    frame.to_parquet(source("t.parquet").path)
    given = source("t.parquet", columns={"month": "m", "temperature_c": "t"})
    result, _ = read_table(given, wanted)
    assert result.columns.tolist() == ["month", "temperature_c"]
    assert result["temperature_c"].tolist() == [5.5, -0.5]


@pytest.mark.parametrize("bad", ["mild", "inf", "5.5 °C"])
def test_text_in_a_number_column_is_told_with_its_row(
    source: BuildSource, wanted: Role, bad: str
) -> None:
    with pytest.raises(DataError) as caught:
        read_table(write(source("t.csv"), TEXT.replace("-0.5", bad)), wanted)
    for part in (
        "thing (t.csv)",
        "`temperature_c`",
        bad,
        "row 2 of 2",
        "number",
        "correct the file",
    ):
        assert part in str(caught.value)


def test_a_missing_column_names_what_is_there(source: BuildSource, wanted: Role) -> None:
    given = write(source("t.csv"), "mois,temp\n1,5\n")
    with pytest.raises(MissingColumnError) as caught:
        read_table(given, wanted)
    for part in (
        "thing (t.csv) has no column `month`", "it has: mois, temp", "`columns: {month: ...}`",
    ):  # fmt: skip
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "cannot be read as a table"),
        (TEXT.split("\n", 1)[0].encode() + b"\n", "holds no row"),
        (TEXT.encode("utf-16"), "cannot be read as a table"),
    ],
)
def test_empty_and_foreign_files_are_told(
    source: BuildSource, wanted: Role, content: bytes, part: str
) -> None:
    with pytest.raises(DataError, match=rf"thing \(t\.csv\) {part}"):
        read_table(write(source("t.csv"), content), wanted)


def test_a_missing_file_is_told(source: BuildSource, wanted: Role) -> None:
    with pytest.raises(MissingFileError, match=r"thing: .*absent\.csv does not exist: check"):
        read_table(source("absent.csv"), wanted)


def test_every_bundled_territory_has_its_nearest_land_cell() -> None:
    hottest = {}
    for name, _ in bundled_territories():
        frame, notes = read_normals("cru-normals", lonlat=Territory.find(name).center_lonlat)
        assert frame["month"].tolist() == list(range(1, 13))
        assert frame["temperature_c"].notna().all()
        assert notes[0].kind == "assumption"
        hottest[name] = float(frame["temperature_c"].max())
    assert len(hottest) == 4
    # July means 1991-2020: about 17 to 18 degrees in Helsinki and London, above 20 at the Riviera
    # where the cell is not in the Alps, cooler in the Pyrenees; a degree and more either way
    assert 16 < hottest["helsinki-centre"] < 20
    assert 16 < hottest["east-london"] < 20
    assert 17 < hottest["monaco"] < 26
    assert hottest["andorra-la-vella"] < hottest["monaco"]


def test_a_place_at_sea_takes_the_nearest_land_cell_and_says_how_far() -> None:
    # Monaco's own cell is centred at 7.25 E, 43.75 N
    frame, notes = read_normals("cru-normals", lonlat=(7.42, 43.73))
    same, same_notes = read_normals("cru-normals", lonlat=(7.25, 43.75))
    assert "7.25, 43.75, 14 km" in notes[0].text["en"]
    assert "7.25, 43.75, 0 km" in same_notes[0].text["en"]
    assert frame["temperature_c"].tolist() == same["temperature_c"].tolist()
    assert "à 14 km" in notes[0].text["fr"]


@pytest.mark.parametrize("lonlat", [(-74.0, 40.7), (151.2, -33.9), (0.0, 0.0), (-179.9, 52.0)])
def test_places_outside_of_europe_are_refused(lonlat: tuple[float, float]) -> None:
    with pytest.raises(DataError) as caught:
        read_normals("cru-normals", lonlat=lonlat)
    for part in ("cru-normals", f"{lonlat[0]:.3f}", "km from", "cover Europe", "give a file"):
        assert part in str(caught.value)
