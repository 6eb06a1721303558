"""`ldt twin up`: starts, says where, and ends cleanly."""

import os
import signal
import subprocess
import sys

import pytest
import requests

LDT = [sys.executable, "-m", "ldt_toolbox.cli", "twin", "up"]


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_interrupted_and_leaves_one_file(tmp_path, sent):
    store = tmp_path / "twin.sqlite"
    process = subprocess.Popen(
        [*LDT, "--port", "0", "--store", store, "--runs", tmp_path / "runs"],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    with process:
        url = process.stdout.readline().split()[1].rstrip("/")
        entity = {"id": "urn:x", "type": "Tree"}
        answer = requests.post(f"{url}/ngsi-ld/v1/entities", json=entity, timeout=20)
        assert answer.status_code == 201
        assert requests.get(f"{url}/collections/Tree/items", timeout=20).json()["numberMatched"]
        process.send_signal(sent)
        assert process.wait(20) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["twin.sqlite"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--host", "0.0.0.0"], "--token-env"),  # noqa: S104 - it is to be refused
        (["--token-env", "NOT_SET_HERE"], "not set"),
        (["--host", "0.0.0.0", "--token-env", "SHORT"], "shorter than 16"),  # noqa: S104
    ],
)
def test_it_refuses_to_be_open(options, reason):
    done = subprocess.run(
        [*LDT, *options], capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "SHORT": "abc"},
    )  # fmt: skip
    assert done.returncode == 2
    assert reason in done.stderr


def test_a_token_is_needed_for_writing_only(tmp_path):
    secret = "a-token-of-this-test"  # noqa: S105
    process = subprocess.Popen(
        [*LDT, "--port", "0", "--runs", tmp_path, "--token-env", "SECRET"],
        stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "SECRET": secret},
    )  # fmt: skip
    with process:
        url = process.stdout.readline().split()[1].rstrip("/")
        assert requests.get(f"{url}/processes", timeout=20).status_code == 200
        path = f"{url}/processes/heat-islands/execution"
        assert requests.post(path, json={}, timeout=20).status_code == 401
        assert requests.delete(f"{url}/jobs/x", timeout=20).status_code == 401
        headers = {"Authorization": f"Bearer {secret}"}
        assert requests.post(path, json={}, headers=headers, timeout=20).status_code == 400
        process.terminate()
        process.wait(20)
