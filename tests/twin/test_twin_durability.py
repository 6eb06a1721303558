"""What was acknowledged is in the file after kill -9; a closed file is its own backup."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from ldt_toolbox.errors import WrongUseError
from ldt_toolbox.twin.guard import is_loopback
from ldt_toolbox.twin.serve import Twin, token_for
from ldt_toolbox.twin.store import Store
from ldt_toolbox.twin.store.schema import StoreVersionError

SERVER = """
import sys
from ldt_toolbox.twin.serve import Twin
with Twin(sys.argv[1]) as twin:
    print(twin.url, flush=True)
    sys.stdin.read()
"""


def entity(name: str, value: int = 0) -> dict[str, Any]:
    return {"id": f"urn:x:{name}", "type": "T", "v": {"type": "Property", "value": value}}


def started(path: Path) -> tuple["subprocess.Popen[str]", str]:
    """A twin in a process of its own, and its address."""
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout
    return server, server.stdout.readline().strip()


def kill_once(
    server: "subprocess.Popen[str]",
    write: Callable[[int], None],
    writers: Iterable[int],
    enough: Callable[[], bool],
) -> None:
    """Let writers write at once, and kill the twin under them."""
    threads = [threading.Thread(target=write, args=(n,)) for n in writers]
    for each in threads:
        each.start()
    until = time.monotonic() + 20
    while not enough() and time.monotonic() < until:
        time.sleep(0.01)
    os.kill(server.pid, signal.SIGKILL)
    for each in threads:
        each.join()
    server.wait()
    assert server.stdin
    assert server.stdout
    server.stdin.close()
    server.stdout.close()


def test_kill_9_loses_nothing_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "twin.sqlite"
    server, url = started(path)
    acknowledged: list[str] = []

    def write(writer: int) -> None:
        with requests.Session() as session:
            for number in range(10_000):
                own = f"{writer}-{number}"
                try:
                    answer = session.post(f"{url}/ngsi-ld/v1/entities", json=entity(own), timeout=5)
                except requests.RequestException:
                    return
                if answer.status_code == 201:
                    acknowledged.append(own)

    kill_once(server, write, range(4), lambda: len(acknowledged) >= 50)
    assert len(acknowledged) >= 50
    with Twin(path) as twin:
        for own in acknowledged:
            assert requests.get(f"{twin.url}/ngsi-ld/v1/entities/urn:x:{own}", timeout=5).ok


def test_kill_9_loses_no_batch_and_none_of_its_history(tmp_path: Path) -> None:
    """Batches that write over each other: state and history of what was acknowledged, and no less.

    Each batch gives five entities one value. After the kill each of them holds the last value that
    was acknowledged, or the next one, which was on its way; the history holds all before.
    """
    path = tmp_path / "twin.sqlite"
    server, url = started(path)
    names = {writer: [f"{writer}-{n}" for n in range(5)] for writer in range(3)}
    last = dict.fromkeys(names, -1)

    def write(writer: int) -> None:
        with requests.Session() as session:
            for number in range(10_000):
                batch = [entity(own, number) for own in names[writer]]
                address = f"{url}/ngsi-ld/v1/entityOperations/upsert"
                try:
                    answer = session.post(address, json=batch, timeout=5)
                except requests.RequestException:
                    return
                assert answer.status_code in (201, 204)
                last[writer] = number

    kill_once(server, write, names, lambda: min(last.values()) >= 20)
    assert min(last.values()) >= 20
    span = {"timeproperty": "modifiedAt", "timerel": "after", "timeAt": "2020-01-01T00:00:00Z"}
    with Twin(path) as twin, requests.Session() as session:
        for writer, own in names.items():
            ends = set()
            for name in own:
                address = f"{twin.url}/ngsi-ld/v1/entities/urn:x:{name}"
                ends.add(session.get(address, timeout=5).json()["v"]["value"])
                history = f"{twin.url}/ngsi-ld/v1/temporal/entities/urn:x:{name}"
                told = session.get(history, params=span, timeout=5).json()["v"]
                values = [each["value"] for each in told]
                assert values == list(range(values[-1] + 1))
                assert values[-1] in ends
            assert len(ends) == 1, "a batch is one write of the file"
            assert ends <= {last[writer], last[writer] + 1}


def test_a_disk_that_is_full_refuses_writes_and_nothing_else(tmp_path: Path) -> None:
    """What was acknowledged stays, nobody waits for ever, and it goes on when there is space."""

    def pages(most: str) -> Callable[[Any], None]:
        def job(write: Any) -> None:
            (count,) = write.connection.execute("PRAGMA page_count").fetchone()
            write.connection.execute(f"PRAGMA max_page_count = {most.format(count + 30)}")

        return job

    with Twin(tmp_path / "twin.sqlite") as twin, ThreadPoolExecutor(6) as pool:
        base = f"{twin.url}/ngsi-ld/v1"

        def large(number: int) -> dict[str, Any]:
            return entity(str(number), number) | {"text": {"type": "Property", "value": "x" * 3000}}

        def create(number: int) -> int:
            address = f"{base}/entities"
            return requests.post(address, json=large(number), timeout=20).status_code

        assert create(0) == 201
        twin.store.write(pages("{}")).result()
        answers = list(pool.map(create, range(1, 60)))
        assert set(answers) == {201, 507}
        batch = [large(number) for number in range(100, 160)]
        refused = requests.post(f"{base}/entityOperations/upsert", json=batch, timeout=20)
        assert refused.status_code == 507
        assert "disk" in refused.json()["detail"]
        made = {f"urn:x:{n}" for n, answer in enumerate(answers, 1) if answer == 201} | {"urn:x:0"}
        found = requests.get(f"{base}/entities", {"type": "T", "limit": 1000}, timeout=20).json()
        assert {each["id"] for each in found} == made
        twin.store.write(pages("1000000000")).result()
        again = requests.post(f"{base}/entityOperations/upsert", json=batch, timeout=20)
        assert again.status_code == 201
        assert len(again.json()) == 60


def test_a_group_that_cannot_begin_keeps_nobody_waiting(tmp_path: Path) -> None:
    """Another process holds the file for longer than SQLite waits."""
    with Store(tmp_path / "twin.sqlite") as store:
        store.write(lambda write: write.connection.execute("PRAGMA busy_timeout = 50") and None)
        store.write(lambda write: write.put("", DOC)).result()
        other = sqlite3.connect(tmp_path / "twin.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            store.write(lambda write: write.put("", {**DOC, "id": "urn:x:2"})).result(20)
        other.execute("ROLLBACK")
        other.close()
        store.write(lambda write: write.put("", {**DOC, "id": "urn:x:3"})).result(20)
        assert store.get("", "urn:x:2") is None
        assert store.get("", "urn:x:3")


def test_a_closed_file_is_its_own_backup(tmp_path: Path) -> None:
    with Twin(tmp_path / "a.sqlite") as twin:
        requests.post(f"{twin.url}/ngsi-ld/v1/entities", json=entity("1", 7), timeout=5)
        twin.store.backup(tmp_path / "live.sqlite")
    assert not (tmp_path / "a.sqlite-wal").exists()
    shutil.copy(tmp_path / "a.sqlite", tmp_path / "b.sqlite")
    for name in ("b", "live"):
        with Store(tmp_path / f"{name}.sqlite") as store:
            doc = store.get("", "urn:x:1")
            assert doc
            assert next(iter(doc["attrs"].values()))[0]["value"] == 7


def test_a_file_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "twin.sqlite"
    store = Store(path)
    store.write(lambda write: write.connection.execute("PRAGMA user_version = 999") and None)
    store.close()
    before = path.read_bytes()
    with pytest.raises(StoreVersionError, match="999"):
        Store(path)
    assert path.read_bytes() == before


def test_writes_at_once_lose_no_update(ask) -> None:
    """Twenty clients append an attribute each, a hundred in all, to one entity."""
    ask.put(entity("1"))

    def append(number: int) -> int:
        body = {f"a{number}": {"type": "Property", "value": number}}
        return ask("POST", "entities/urn:x:1/attrs", json=body).status_code

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(append, range(100))) == {204}
    found = ask.get("urn:x:1", format="simplified")
    assert {found[f"a{n}"] for n in range(100)} == set(range(100))


def test_of_creators_at_once_one_wins(ask) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = list(
            pool.map(lambda n: ask("POST", "entities", json=entity("1", n)).status_code, range(20))
        )
    assert sorted(answers) == [201] + [409] * 19


def test_a_write_that_fails_is_undone_alone(tmp_path: Path) -> None:
    with Store(tmp_path / "twin.sqlite") as store:

        def fails(write: Any) -> None:
            write.put("", {**DOC, "id": "urn:x:bad"})
            raise KeyError("on purpose")

        futures = [store.write(lambda write: write.put("", DOC)), store.write(fails)]
        futures.append(store.write(lambda write: write.put("", {**DOC, "id": "urn:x:2"})))
        futures[0].result()
        futures[2].result()
        with pytest.raises(KeyError):
            futures[1].result()
        assert store.get("", "urn:x:bad") is None
        assert store.get("", "urn:x:2")


DOC = {"id": "urn:x:1", "type": ["urn:t"], "createdAt": "", "modifiedAt": "", "attrs": {}}


def test_outside_of_loopback_writes_need_a_token() -> None:
    assert token_for("127.0.0.1", None) is None
    made = token_for("0.0.0.0", None)  # noqa: S104 - nothing is bound
    assert made
    assert len(made) >= 32
    assert not is_loopback("192.0.2.1")
    with pytest.raises(WrongUseError):
        token_for("127.0.0.1", "short")


def test_a_token_is_asked_of_writes_and_of_no_reads() -> None:
    with Twin(token="correct horse battery staple") as twin:  # noqa: S106
        url = f"{twin.url}/ngsi-ld/v1"
        wrong = [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {twin.token}"}]
        for headers in wrong:
            answer = requests.post(f"{url}/entities", json=entity("1"), headers=headers, timeout=5)
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        right = {"Authorization": f"Bearer {twin.token}"}
        answer = requests.post(f"{url}/entities", json=entity("1"), headers=right, timeout=5)
        assert answer.status_code == 201
        assert requests.get(f"{url}/entities/urn:x:1", timeout=5).status_code == 200
        query = {"type": "Query", "entities": [{"type": "T"}]}
        assert requests.post(f"{url}/entityOperations/query", json=query, timeout=5).ok
