"""Layers of a run that is replaced again and again, as by `ldt watch`: there or not, no fault."""

import itertools
import json
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import geopandas as gpd
import pytest
import requests
import shapely
from ldt_toolbox.twin.limits import Limits
from ldt_toolbox.twin.ogc.extension import ogc_apis
from ldt_toolbox.twin.serve import Twin

LAYER = "square.tiny.live.cells"
RECORD = {
    "@graph": [
        {"@id": "./", "@type": "Dataset"},
        {"@id": "#run-live", "@type": "CreateAction", "startTime": "2026-07-01T14:00:00+02:00"},
    ]
}


def write_run(root, *, features=9, name="live"):
    folder = root / "square" / "tiny" / name
    (folder / "layers").mkdir(parents=True)
    boxes = [shapely.box(7 + i / 1000, 43, 7 + (i + 1) / 1000, 43.001) for i in range(features)]
    frame = gpd.GeoDataFrame({"heat": range(features)}, geometry=boxes, crs="OGC:CRS84")
    frame.to_parquet(folder / "layers" / "cells.parquet")
    (folder / "ro-crate-metadata.json").write_text(json.dumps(RECORD))
    (folder / "report.html").write_text("<p>report")
    (folder / "indicators.json").write_text("{}")
    return folder


def test_its_time_is_that_of_its_record(tmp_path):
    write_run(tmp_path)
    with Twin(extensions=[ogc_apis(runs=tmp_path)]) as twin:

        def count(when):
            address = f"{twin.url}/collections/{LAYER}/items"
            found = requests.get(address, params={"datetime": when}, timeout=20).json()
            return found["numberMatched"]

        assert count("2026-07-01T12:00:00Z") == 9
        assert count("2026-07-02/..") == 0


@pytest.mark.slow
def test_a_run_that_is_replaced_meanwhile_is_no_fault(tmp_path):
    root, spare = tmp_path / "runs", tmp_path / "spare"
    folder = write_run(root)
    shutil.move(write_run(spare), tmp_path / "copy")
    stopped = threading.Event()

    def replace():
        while not stopped.is_set():
            shutil.rmtree(folder)
            shutil.copytree(tmp_path / "copy", folder)
            time.sleep(0.002)

    with Twin(extensions=[ogc_apis(runs=root)]) as twin:
        paths = itertools.cycle(
            [
                "/collections", f"/collections/{LAYER}", f"/collections/{LAYER}/items?heat=3",
                f"/collections/{LAYER}/items?bbox=7,43,7.01,44", f"/collections/{LAYER}/items/0",
                f"/collections/{LAYER}/queryables", "/?f=html",
            ]
        )  # fmt: skip

        def ask(path):
            return path, requests.get(f"{twin.url}{path}", timeout=20).status_code

        replacing = threading.Thread(target=replace)
        replacing.start()
        try:
            with ThreadPoolExecutor(4) as pool:
                answers = list(pool.map(ask, itertools.islice(paths, 1200)))
        finally:
            stopped.set()
            replacing.join()
        whole = {ask(path) for path, _ in answers}
    assert {path for path, status in answers if status not in (200, 404)} == set()
    assert {status for _, status in answers} == {200, 404}, "it was never caught in between"
    assert {status for _, status in whole} == {200}


def test_a_filter_on_a_large_layer_ends_in_time(tmp_path):
    write_run(tmp_path, features=3000)
    with Twin(extensions=[ogc_apis(runs=tmp_path)], limits=Limits(query_s=0.01)) as twin:
        address = f"{twin.url}/collections/{LAYER}/items"
        slow = {"filter": " OR ".join(["S_CONTAINS(geometry, POINT(0 0))"] * 100)}
        answer = requests.get(address, params=slow, timeout=20)
        assert answer.status_code == 403
        assert answer.json()["type"].endswith("TooComplexQuery")
        assert requests.get(address, timeout=20).json()["numberMatched"] == 3000
