"""The twin's file: it is upgraded in place, and a copy of it is a backup."""

import shutil
import sqlite3
import threading
from pathlib import Path
from typing import Any

import geopandas as gpd
import orjson
import pytest
import requests
import shapely
from ldt_toolbox.errors import DataError
from ldt_toolbox.twin.serve import Twin
from ldt_toolbox.twin.store import Store
from ldt_toolbox.twin.store.schema import UPGRADES

AT = "2026-01-01T00:00:00.000000Z"
NAME = "https://uri.etsi.org/ngsi-ld/default-context/"


def old_file(path: Path, version: int) -> None:
    """A file as the twin of an earlier version left it, with three rooms along a line."""
    old = sqlite3.connect(path, isolation_level=None)
    for script in UPGRADES[:version]:
        for statement in script.split(";\n"):
            old.execute(statement)
    old.execute(f"PRAGMA user_version = {version}")
    old.execute("INSERT INTO tenant VALUES (1, ''), (2, 'other')")
    place = "https://uri.etsi.org/ngsi-ld/location"
    terms = [NAME + "Room", NAME + "size", place]
    old.executemany("INSERT INTO term VALUES (?, 1, ?)", enumerate(terms, 1))
    for number in (1, 2, 3):
        stamp = {"createdAt": AT, "modifiedAt": AT}
        point = {"type": "Point", "coordinates": [number, 45]}
        doc = {
            "id": f"urn:x:{number}", "type": [NAME + "Room"], **stamp,
            "attrs": {
                NAME + "size": [{"type": "Property", "value": number, **stamp}],
                place: [{"type": "GeoProperty", "value": point, **stamp}],
            },
        }  # fmt: skip
        body = orjson.dumps(doc)
        old.execute("INSERT INTO entity VALUES (?, 1, ?, ?)", (number, doc["id"], body))
        old.execute("INSERT INTO entity_type VALUES (1, ?)", (number,))
        old.execute("INSERT INTO entity_attribute VALUES (2, ?1), (3, ?1)", (number,))
        old.execute("INSERT INTO entity_value VALUES (2, ?1, ?1)", (number,))
        old.execute("INSERT INTO entity_place VALUES (?1, ?1, 3, 0)", (number,))
        old.execute("INSERT INTO place VALUES (?1, ?1, ?1, 45, 45, 3, 3, ?1)", (number,))
    old.close()


def test_a_file_of_each_earlier_version_is_upgraded_in_place(tmp_path: Path) -> None:
    for version in range(1, len(UPGRADES)):
        path = tmp_path / f"{version}.sqlite"
        old_file(path, version)
        for _ in range(2):  # the second start finds nothing left to do
            with Twin(path) as twin:
                base = f"{twin.url}/ngsi-ld/v1/entities"
                near = {
                    "georel": "near;maxDistance==1000", "geometry": "Point",
                    "coordinates": "[2,45]", "type": "Room",
                }  # fmt: skip
                assert [e["id"] for e in requests.get(base, near, timeout=5).json()] == ["urn:x:2"]
                larger = requests.get(base, {"q": "size>1", "options": "sysAttrs"}, timeout=5)
                assert [e["id"] for e in larger.json()] == ["urn:x:2", "urn:x:3"]
                assert larger.json()[0]["size"]["modifiedAt"] == AT
                change = {"size": {"type": "Property", "value": 1}}
                answer = requests.patch(f"{base}/urn:x:1", json=change, timeout=5)
                assert answer.status_code == 204
                assert twin.store.tenants() == ["", "other"]
        read = sqlite3.connect(path)
        assert read.execute("PRAGMA user_version").fetchone() == (len(UPGRADES),)
        read.close()


def foreign_database(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE trees (id INTEGER)")
    other.commit()
    other.close()


def geopackage(path: Path) -> None:
    frame = gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.Point(7, 43)], crs="EPSG:4326")
    frame.to_file(path, driver="GPKG")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.write_text("no database, but some text of a person"), "not a database"),
        (foreign_database, "another program"),
        (geopackage, "another program"),
        (lambda path: path.mkdir(), "cannot be the twin's file"),
    ],
)
def test_a_file_that_is_not_the_twins_is_left_as_it_is(
    tmp_path: Path, make: Any, said: str
) -> None:
    path = tmp_path / "given.gpkg"
    make(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(DataError, match=said) as refused:
        Twin(path)
    assert str(path) in str(refused.value)
    assert (path.read_bytes() if path.is_file() else b"") == before
    assert [each.name for each in tmp_path.iterdir()] == ["given.gpkg"]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="in a folder that is there"):
        Twin(tmp_path / "none" / "twin.sqlite")


def test_an_upgrade_that_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "twin.sqlite"
    old_file(path, len(UPGRADES))
    broken = "CREATE TABLE half (id INTEGER);\nCREATE TABLE entity (id INTEGER);\n"
    monkeypatch.setattr("ldt_toolbox.twin.store.schema.UPGRADES", (*UPGRADES, broken))
    try:
        Store(path)
    except sqlite3.OperationalError as error:
        assert "entity" in str(error)  # noqa: PT017 - the file is looked at below
    else:
        raise AssertionError("a table was made twice")
    read = sqlite3.connect(path)
    assert read.execute("PRAGMA user_version").fetchone() == (len(UPGRADES),)
    names = {name for (name,) in read.execute("SELECT name FROM sqlite_master")}
    read.close()
    assert "half" not in names


def test_a_backup_while_it_runs_is_a_whole_state(tmp_path: Path) -> None:
    """While pairs are written, each backup has both of every pair, and passes SQLite's check."""
    with Twin(tmp_path / "a.sqlite") as twin:
        done = threading.Event()
        acknowledged = [0]

        def write() -> None:
            with requests.Session() as session:
                while not done.is_set():
                    number = acknowledged[0] + 1
                    pair = [{"id": f"urn:x:{s}{number}", "type": s} for s in ("L", "R")]
                    url = f"{twin.url}/ngsi-ld/v1/entityOperations/create"
                    assert session.post(url, json=pair, timeout=10).status_code == 201
                    acknowledged[0] = number

        writer = threading.Thread(target=write)
        writer.start()
        least = []
        for number in range(4):
            while acknowledged[0] < 5 * (number + 1):
                assert writer.is_alive()
            least.append(acknowledged[0])
            twin.store.backup(tmp_path / f"backup{number}.sqlite")
        done.set()
        writer.join()
    for number, least_pairs in enumerate(least):
        copied = tmp_path / f"moved{number}.sqlite"
        shutil.copy(tmp_path / f"backup{number}.sqlite", copied)
        read = sqlite3.connect(copied)
        assert read.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        read.close()
        with Twin(copied) as twin:
            base = f"{twin.url}/ngsi-ld/v1/entities"
            left, right = (
                requests.get(base, {"type": s, "limit": 0, "count": "true"}, timeout=5).headers[
                    "NGSILD-Results-Count"
                ]
                for s in ("L", "R")
            )
        assert left == right
        assert int(left) >= least_pairs
