"""Feeds as they come: zips, folders, BOM, quotes, order, pieces; times beyond midnight."""

import csv
import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ldt_toolbox.errors import DataError, MissingFileError
from ldt_toolbox.mobility.gtfs import archive, scan
from ldt_toolbox.mobility.gtfs.read import read_feed
from small_feed import BASE, changed, write_folder, write_zip

TIMES = "stop_times.txt"


def test_folder_zip_and_nested_folder_are_the_same(tmp_path):
    folder = read_feed(write_folder(BASE, tmp_path / "feed"))
    for name, top in (("a.zip", ""), ("b.zip", "some/folder/")):
        other = read_feed(write_zip(BASE | {"__MACOSX/._x": ""}, tmp_path / name, top))
        for table, frame in folder.tables.items():
            pd.testing.assert_frame_equal(other[table], frame)
        for mine, its in zip(
            vars(folder.stop_times).values(), vars(other.stop_times).values(), strict=True
        ):
            np.testing.assert_array_equal(mine, its)


def test_numbers_of_the_small_feed(tmp_path):
    feed = read_feed(write_folder(BASE, tmp_path))
    times = feed.stop_times
    assert times.start.tolist() == [0, 3, 5, 8]
    assert " ".join(feed["stops"]["stop_id"][times.stop]) == "s1 s2 s3 s1 s3 s3 s2 s1"
    assert times.arrival_s[[0, 2, 3, 4]].tolist() == [28800, 29430, 24 * 3600 + 3000, 90060]
    assert times.departure_s[4] == 25 * 3600 + 120
    assert times.arrival_s[1] == scan.MISSING
    assert times.distance[:3].tolist() == [0, 1.1, 2.2]
    assert np.isnan(times.distance[5:]).all()
    assert times.timepoint.tolist() == [1, 0, 1, 1, 1, 1, 1, 1]
    assert (times.pickup == -1).all()
    assert feed["frequencies"]["start_time"].tolist() == [36000, 43200]
    assert feed["calendar"]["start_date"][0] == pd.Timestamp(2025, 1, 6)
    assert feed["stops"]["stop_lat"].dtype == np.float64


def test_bom_quotes_windows_lines_and_missing_last_newline(tmp_path):
    odd = {name: "\ufeff" + text.replace("\n", "\r\n").rstrip() for name, text in BASE.items()}
    odd["stops.txt"] = odd["stops.txt"].replace("Market", '"Market, ""old"" town"')
    odd[TIMES] = (
        odd[TIMES]
        .replace("t1,08:00:00,08", '"t1","8:00:00",08')
        .replace("timepoint", 'timepoint,"stop_headsign"')
        .replace("s1,1,0,1", 's1,1,0,1,"Hill,\n""up"""', 1)
    )
    rows = odd[TIMES].split("\r\n")
    odd[TIMES] = "\r\n".join([rows[0], rows[1], *[row + "," for row in rows[2:]]])
    feed, plain = (
        read_feed(write_folder(files, tmp_path / name))
        for name, files in (("odd", odd), ("plain", BASE))
    )
    assert feed.notices.counts() == {}
    assert feed["stops"]["stop_name"][2] == 'Market, "old" town'
    for mine, its in zip(
        vars(feed.stop_times).values(), vars(plain.stop_times).values(), strict=True
    ):
        np.testing.assert_array_equal(mine, its)


def test_rows_out_of_order_are_sorted_and_keep_their_number(tmp_path):
    lines = BASE[TIMES].splitlines()
    mixed = "\n".join([lines[0], *[lines[k] for k in (5, 8, 3, 1, 7, 2, 4, 6)]]) + "\n"
    feed = read_feed(write_folder(changed() | {TIMES: mixed}, tmp_path))
    assert feed.stop_times.sequence.tolist() == [1, 2, 5, 1, 2, 1, 2, 3]
    assert (feed.stop_times.row + 2).tolist() == [5, 7, 4, 8, 2, 9, 6, 3]


def test_what_cannot_be_a_feed(tmp_path):
    with pytest.raises(MissingFileError, match="nothing here"):
        read_feed(tmp_path / "nothing here")
    (tmp_path / "text.zip").write_text("no zip")
    with pytest.raises(DataError, match="is no zip file"):
        read_feed(tmp_path / "text.zip")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"holds no \.txt file"):
        read_feed(tmp_path / "empty")
    for name in ("a", "b"):
        write_folder(BASE, tmp_path / "two" / name)
    with pytest.raises(DataError, match="several feeds"):
        read_feed(tmp_path / "two")


TEXT = st.text(st.sampled_from('ab1,"\n é'), max_size=4)
FIELDS = st.tuples(
    st.sampled_from(["t1", 't"2', "t,3", "é4", ""]),
    st.one_of(st.none(), st.integers(0, 400_000)),
    st.sampled_from(["s1", "s22", "nowhere"]),
    st.one_of(st.none(), st.integers(0, 10**6)),
    st.one_of(st.none(), st.floats(0, 1e6, allow_nan=False).map(lambda x: round(x, 4))),
    TEXT,
)


@settings(max_examples=200, deadline=None)
@given(rows=st.lists(FIELDS, max_size=12), size=st.integers(1, 60), last=st.booleans())
def test_scanner_agrees_with_the_csv_module_wherever_the_file_is_cut(rows, size, last):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        ["trip_id", "note", "arrival_time", "stop_id", "stop_sequence", "shape_dist_traveled"]
    )
    for trip, time, stop, sequence, distance, note in rows:
        clock = "" if time is None else f"{time // 3600}:{time // 60 % 60:02d}:{time % 60:02d}"
        writer.writerow([trip, note, clock, stop, sequence, distance])
    data = out.getvalue().encode()
    if last and data.endswith(b"\n"):
        data = data[:-1]
    trips, stops = ["t1", 't"2', "t,3", "é4"], ["s1", "s22"]
    _, found = scan.scan_stop_times(
        (data[k : k + size] for k in range(0, len(data), size)),
        *(scan.hashed_ids(pa.chunked_array([pa.array(ids)])) for ids in (trips, stops)),
    )
    missing = scan.MISSING
    assert found.trip.tolist() == [trips.index(r[0]) if r[0] else scan.NO_ID for r in rows]
    assert found.arrival.tolist() == [missing if r[1] is None else r[1] for r in rows]
    assert found.stop.tolist() == [
        stops.index(r[2]) if r[2] in stops else scan.UNKNOWN_ID for r in rows
    ]
    assert found.sequence.tolist() == [missing if r[3] is None else r[3] for r in rows]
    expected = [np.nan if r[4] is None else r[4] for r in rows]
    # decimal digits are gathered in a float64 and divided once: an ulp or two
    np.testing.assert_allclose(found.distance, expected, rtol=1e-15)
    assert not (found.problem & ~np.uint8(scan.PADDED)).any()


def test_large_feed_is_read_piece_by_piece(tmp_path, monkeypatch):
    """Pieces of 1 kB, many trips: the same as in one piece."""
    rows = [
        f"trip{t},{5 + t % 20:02d}:{s:02d}:00,{5 + t % 20:02d}:{s:02d}:30,s{s % 3 + 1},{s}"
        for t in range(300)
        for s in range(5)
    ]
    files = changed() | {
        "trips.txt": "trip_id,route_id,service_id\n"
        + "".join(f"trip{t},r1,week\n" for t in range(300)),
        TIMES: "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n" + "\n".join(rows),
    }
    write_folder(files, tmp_path)
    whole = read_feed(tmp_path).stop_times
    monkeypatch.setattr(archive.FeedFiles.chunks, "__defaults__", (1024,))
    pieces = read_feed(tmp_path).stop_times
    assert len(whole) == len(pieces) == 1500
    np.testing.assert_array_equal(whole.arrival_s, pieces.arrival_s)
    np.testing.assert_array_equal(whole.stop, pieces.stop)
    assert whole.arrival_s[5 * 7 + 3] == 12 * 3600 + 180
