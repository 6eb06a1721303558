"""OGC API Processes: use cases described, run in a process of their own, ended, and read back."""

import importlib.util
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import psutil
import pytest
import requests
from ldt_toolbox.twin.ogc.extension import ogc_apis
from ldt_toolbox.twin.ogc.jobs import Job, Jobs
from ldt_toolbox.twin.serve import Twin
from ldt_toolbox.twin.store import Store

_spec = importlib.util.spec_from_file_location(
    "tiny", Path(__file__).parents[1] / "run" / "tiny.py"
)
tiny = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tiny)

EXCEPTIONS = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
# a cold kernel and the imports of a run take about 4 s on an idle machine
PATIENCE_S = 60
ASYNC = {"Prefer": "respond-async"}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def base(tmp_path_factory, root):
    folder = tmp_path_factory.mktemp("given")
    tiny.write_use_case(folder / "cases")
    place = tiny.write_territory(folder / "square")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LDT_USE_CASES", str(folder / "cases"))
        with Twin(extensions=[ogc_apis(runs=root, territories=[place])]) as twin:
            yield twin.url


def get(base, path, status=200, **params):
    answer = requests.get(f"{base}{path}", params=params, timeout=PATIENCE_S)
    assert answer.status_code == status, answer.text
    return answer.json()


def execute(base, status, headers=None, more=None, **inputs):
    body = {"inputs": {"territory": "square"} | inputs} | (more or {})
    answer = requests.post(
        f"{base}/processes/tiny/execution", json=body, headers=headers, timeout=PATIENCE_S
    )
    assert answer.status_code == status, answer.text
    return answer


@pytest.fixture(scope="module")
def finished(base):
    """Answer of a run that went well."""
    return execute(base, 200, count=7)


def workers():
    """Workers of jobs and the kernels that they started."""
    found = []
    for each in psutil.Process().children(recursive=True):
        try:
            found.append(" ".join(each.cmdline()))
        except psutil.Error:
            continue
    return [line for line in found if "ogc.worker" in line or "ipykernel" in line]


def test_each_use_case_is_a_process(base):
    listed = {each["id"]: each for each in get(base, "/processes")["processes"]}
    assert {"tiny", "heat-islands"} <= set(listed)
    assert listed["tiny"]["version"] == "1.0.0"
    assert len(get(base, "/processes", limit=1)["processes"]) == 1
    problem = get(base, "/processes/nothing", status=404)
    assert problem["type"] == f"{EXCEPTIONS}no-such-process"


def test_a_description_says_what_the_manifest_says(base):
    described = get(base, "/processes/tiny")
    assert described["inputs"]["count"]["schema"] == {
        "type": "integer", "minimum": 0, "maximum": 10, "default": 3,
    }  # fmt: skip
    assert described["inputs"]["behaviour"]["schema"]["enum"][0] == "good"
    assert {"monaco", "square"} <= set(described["inputs"]["territory"]["schema"]["enum"])
    assert set(described["outputs"]) == {"indicators", "report"}
    heat = get(base, "/processes/heat-islands")
    assert heat["inputs"]["cell_size_m"]["schema"]["x-ogc-unit"] == "MTR"
    for each in [*heat["inputs"].values(), *described["inputs"].values()]:
        schema = each["schema"]
        jsonschema.Draft7Validator.check_schema(schema)
        if schema.get("default") is not None:
            jsonschema.validate(schema["default"], schema)


@pytest.mark.parametrize(
    "body",
    [
        [], {"inputs": []}, {"inputs": {}}, {"inputs": {"territory": "../square"}},
        {"inputs": {"territory": "square", "count": 11}},
        {"inputs": {"territory": "square", "colour": 1}},
        {"inputs": {"territory": "square", "behaviour": {"a": 1}}},
        {"inputs": {"territory": "square"}, "outputs": {"nothing": {}}},
        {"inputs": {"territory": "square"}, "outputs": {"report": {"transmissionMode": "value"}}},
        {"inputs": {"territory": "square"}, "response": "values"},
        {"inputs": {"territory": "square"}, "subscriber": {"successUri": "http://x"}},
    ],
)  # fmt: skip
def test_wrong_executions_are_refused_before_anything_runs(base, body):
    answer = requests.post(f"{base}/processes/tiny/execution", json=body, timeout=20)
    assert answer.status_code == 400, answer.text
    assert answer.json()["detail"]
    assert workers() == []


def test_only_json_is_taken(base):
    """A form of another site's page cannot start a run: browsers ask first for this type."""
    answer = requests.post(
        f"{base}/processes/tiny/execution", data='{"inputs": {"territory": "square"}}',
        headers={"Content-Type": "text/plain"}, timeout=20,
    )  # fmt: skip
    assert answer.status_code == 415


def test_run_now_and_read_the_results_by_their_links(base, root, finished):
    results = finished.json()
    assert set(results) == {"indicators", "report"}
    document = requests.get(results["indicators"]["href"], timeout=20).json()
    assert [each["value"] for each in document["indicators"]] == [7]
    report = requests.get(results["report"]["href"], timeout=20)
    assert report.headers["Content-Type"].startswith("text/html")
    assert "sandbox" in report.headers["Content-Security-Policy"]
    job_id = finished.headers["Link"].split(">")[0].rpartition("/")[2]
    assert get(base, f"/jobs/{job_id}")["progress"] == 100
    assert get(base, f"/jobs/{job_id}/results") == results
    end = time.monotonic() + PATIENCE_S
    while list((root / ".jobs").iterdir()) and time.monotonic() < end:
        time.sleep(0.05)  # the process ends after it has told its results
    assert list((root / ".jobs").iterdir()) == []
    assert len(list(root.glob("square/tiny/*/report.html"))) == 1


@pytest.mark.usefixtures("finished")
def test_no_path_leaves_a_run(base, root):
    (root / "secret.txt").write_text("secret")
    run = next(root.glob("square/tiny/*Z-*"))
    (run / "link.txt").symlink_to(root / "secret.txt")
    (run / ".hidden").write_text("secret")
    start = f"/runs/square/tiny/{run.name}"
    for path in (
        f"{start}/link.txt", f"{start}/.hidden", f"{start}/%2e%2e/%2e%2e/%2e%2e/secret.txt",
        f"{start}/..%2f..%2f..%2fsecret.txt", "/runs/..%2f../x/y/secret.txt",
        "/runs/square/tiny/%2e%2e/secret.txt", f"{start}//etc/passwd", f"{start}/",
    ):  # fmt: skip
        session = requests.Session()
        request = requests.Request("GET", base).prepare()
        request.url = base + path  # as it is: a client's own tidying would hide the trick
        answer = session.send(request, timeout=20)
        assert answer.status_code == 404, path
        assert "secret" not in answer.text.replace("secret.txt", "")


def test_a_job_in_the_background_tells_how_far_it_is(base):
    answer = execute(base, 201, headers=ASYNC, count=5)
    assert answer.headers["Preference-Applied"] == "respond-async"
    job = answer.json()
    assert answer.headers["Location"] == f"{base}/jobs/{job['jobID']}"
    assert job["status"] in ("accepted", "running")
    early = get(base, f"/jobs/{job['jobID']}/results", status=404)
    assert early["type"] == f"{EXCEPTIONS}result-not-ready"
    seen = set()
    while (job := get(base, f"/jobs/{job['jobID']}"))["status"] in ("accepted", "running"):
        seen.add(job["progress"])
        time.sleep(0.02)
    assert job["status"] == "successful"
    assert len(seen) > 2, "progress was not told"
    assert job["created"] <= job["started"] <= job["finished"]
    links = {link["rel"].rpartition("/")[2]: link["href"] for link in job["links"]}
    assert "indicators" in requests.get(links["results"], timeout=20).json()


@pytest.mark.slow
def test_raw_results_are_links_in_headers(base):
    """process-execute-sync-raw-ref, job-results-async-raw-ref: 204, a Link for each output."""
    asked = {"response": "raw", "outputs": {"indicators": {"transmissionMode": "reference"}}}
    answer = execute(base, 204, more=asked, count=4)
    assert answer.content == b""

    def told(answer):
        links = requests.utils.parse_header_links(answer.headers["Link"])
        return {each["title"]: each for each in links if each["rel"].endswith("/results")}

    [(name, link)] = told(answer).items()
    assert (name, link["type"]) == ("indicators", "application/json")
    document = requests.get(link["url"], timeout=20).json()
    assert [each["value"] for each in document["indicators"]] == [4]
    monitor = requests.utils.parse_header_links(answer.headers["Link"])[0]
    assert monitor["rel"] == "monitor"
    later = requests.get(f"{monitor['url']}/results", timeout=20)
    assert later.status_code == 204
    assert told(later) == {name: link}
    page = requests.get(f"{monitor['url']}/results?f=html", timeout=20)
    assert link["url"] in page.text


@pytest.mark.slow
def test_a_job_gives_the_outputs_that_were_asked_for(base):
    job = execute(base, 201, headers=ASYNC, more={"outputs": {"report": {}}}).headers["Location"]
    end = time.monotonic() + PATIENCE_S
    while requests.get(job, timeout=20).json()["status"] in ("accepted", "running"):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert set(requests.get(f"{job}/results", timeout=20).json()) == {"report"}


@pytest.mark.slow
def test_owslib_executes_a_process(base):
    """A client of another hand: lists, describes, executes at once and as a job."""
    from owslib.ogcapi.processes import Processes

    client = Processes(f"{base}/", timeout=PATIENCE_S)
    assert "tiny" in [each["id"] for each in client.processes()]
    assert client.process("tiny")["inputs"]["count"]["schema"]["maximum"] == 10
    inputs = {"territory": "square", "count": 8}
    results = client.execute("tiny", inputs, outputs={"indicators": {}})
    document = requests.get(results["indicators"]["href"], timeout=20).json()
    assert [each["value"] for each in document["indicators"]] == [8]
    job = client.execute("tiny", inputs, async_=True)
    assert job["processID"] == "tiny"
    assert job["status"] in ("accepted", "running")
    assert requests.delete(f"{base}/jobs/{job['jobID']}", timeout=20).ok


def test_a_failure_says_why(base):
    answer = execute(base, 422, behaviour="fail")
    assert answer.json()["type"] == f"{EXCEPTIONS}job-results-failed"
    assert "seven is no even number" in answer.json()["detail"]


def test_jobs_wait_and_a_dismissed_one_ends_with_its_kernel(base):
    first = execute(base, 201, headers=ASYNC, behaviour="sleep").json()["jobID"]
    second = execute(base, 201, headers=ASYNC).json()["jobID"]
    end = time.monotonic() + PATIENCE_S
    while len(workers()) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    assert any("ipykernel" in line for line in workers())
    assert get(base, f"/jobs/{second}")["status"] == "accepted"
    listed = get(base, "/jobs", limit=1)
    assert [job["jobID"] for job in listed["jobs"]] == [second]
    running = requests.get(f"{base}/jobs", params={"status": "running"}, timeout=20).json()
    assert [job["jobID"] for job in running["jobs"]] == [first]
    assert get(base, "/jobs", processID="nothing")["jobs"] == []
    for job_id in (second, first):
        answer = requests.delete(f"{base}/jobs/{job_id}", timeout=PATIENCE_S)
        assert (answer.status_code, answer.json()["status"]) == (200, "dismissed")
    while workers() and time.monotonic() < end:
        time.sleep(0.05)
    assert workers() == []
    assert get(base, f"/jobs/{first}")["status"] == "dismissed"
    requests.delete(f"{base}/jobs/{first}", timeout=20)
    assert get(base, f"/jobs/{first}", status=404)["type"] == f"{EXCEPTIONS}no-such-job"


@pytest.mark.parametrize(
    "query", ["status=x", "limit=0", "limit=x", "minDuration=x", "datetime=x", "colour=1"]
)
def test_wrong_parameters_of_the_list_are_refused(base, query):
    assert requests.get(f"{base}/jobs?{query}", timeout=20).status_code == 400


def test_a_job_that_takes_too_much_memory_or_time_is_ended(tmp_path):
    """A worker of Python with its libraries takes more than 10 MB and longer than 0.1 s."""
    store = Store()
    jobs = Jobs(tmp_path, store)
    cases = tiny.write_use_case(tmp_path / "cases")
    place = tiny.write_territory(tmp_path / "square")
    # a notebook that sleeps for minutes: no job is through before somebody looks at its memory
    task = {
        "use_case": str(cases / "use-case.yaml"),
        "territory": str(place),
        "given": {"behaviour": "sleep"},
    }
    greedy, slow = Job("tiny", task, 1e7, 60), Job("tiny", task, 1e12, 0.01)
    for job in (greedy, slow):
        jobs.submit(job)
    for job in (greedy, slow):
        assert job.ended.wait(PATIENCE_S)
        assert job.status == "failed"
    jobs.close()
    store.close()
    assert "memory" in greedy.message
    assert "longer" in slow.message


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_worker_that_something_else_kills_is_told_with_its_exit_code(tmp_path):
    """Whoever watches the worker must not take the exit code from the one who reports it."""
    cases = tiny.write_use_case(tmp_path / "cases")
    place = tiny.write_territory(tmp_path / "square")
    store = Store()
    jobs = Jobs(tmp_path, store)
    task = {"use_case": str(cases / "use-case.yaml"), "territory": str(place)}
    job = Job("tiny", {**task, "given": {"behaviour": "sleep"}}, 1e12, 600)
    jobs.submit(job)
    until = time.monotonic() + PATIENCE_S
    while not (workers := [p for p in psutil.Process().children() if is_worker(p)]):
        assert time.monotonic() < until
        time.sleep(0.05)
    time.sleep(0.5)  # the watch looks at it several times
    (worker,) = workers
    worker.send_signal(signal.SIGKILL)
    assert job.ended.wait(PATIENCE_S)
    jobs.close()
    store.close()
    assert job.status == "failed"
    assert job.message.startswith("the process ended early (exit code -9")


SERVER = """
import sys, time
from pathlib import Path
from ldt_toolbox.twin.ogc.extension import ogc_apis
from ldt_toolbox.twin.serve import Twin
apis = ogc_apis(runs=Path(sys.argv[1]), territories=[Path(sys.argv[2])])
with Twin(sys.argv[3], extensions=[apis]) as twin:
    print(twin.url, flush=True)
    time.sleep(600)
"""


def runs(process, program):
    try:
        return program in " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # some processes live for a moment only
        return False


def is_kernel(process):
    return runs(process, "ipykernel")


def is_worker(process):
    return runs(process, "ldt_toolbox.twin.ogc.worker")


@pytest.mark.slow
def test_a_twin_that_is_killed_leaves_no_process_and_forgets_no_job(tmp_path, monkeypatch):
    """kill -9: worker and kernel end, their files go; what waited is done by the next twin."""
    tiny.write_use_case(tmp_path / "cases")
    place = tiny.write_territory(tmp_path / "square")
    runs, store = tmp_path / "results", tmp_path / "twin.sqlite"
    monkeypatch.setenv("LDT_USE_CASES", str(tmp_path / "cases"))
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(runs), str(place), str(store)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with server:
        url = server.stdout.readline().strip()
        done = execute(url, 200, more={"outputs": {"report": {}}}, count=6)
        job_ids = [done.headers["Link"].split(">")[0].rpartition("/")[2]]
        for behaviour in ("sleep", "good", "good"):
            job = execute(url, 201, headers=ASYNC, behaviour=behaviour, count=2).json()
            job_ids.append(job["jobID"])
        assert requests.delete(f"{url}/jobs/{job_ids[3]}", timeout=20).status_code == 200
        end = time.monotonic() + PATIENCE_S
        started = []
        try:
            while not any(is_kernel(each) for each in started):
                assert time.monotonic() < end, "no kernel was started"
                time.sleep(0.05)
                started = psutil.Process(server.pid).children(recursive=True)
            assert list((runs / ".jobs").iterdir())
        finally:
            server.kill()
    _, alive = psutil.wait_procs(started, timeout=PATIENCE_S)
    assert alive == []
    assert list((runs / ".jobs").iterdir()) == []
    with Twin(store, extensions=[ogc_apis(runs=runs, territories=[place])]) as twin:
        listed = [each["jobID"] for each in get(twin.url, "/jobs")["jobs"]]
        assert listed == job_ids[::-1], "none is forgotten, and their order stays"
        first, ran, waited, dismissed = job_ids
        assert set(get(twin.url, f"/jobs/{first}/results")) == {"report"}
        failed = get(twin.url, f"/jobs/{ran}")
        assert (failed["status"], failed["started"] <= failed["finished"]) == ("failed", True)
        assert "the twin ended" in failed["message"]
        assert get(twin.url, f"/jobs/{dismissed}")["status"] == "dismissed"
        end = time.monotonic() + PATIENCE_S
        while get(twin.url, f"/jobs/{waited}")["status"] in ("accepted", "running"):
            assert time.monotonic() < end
            time.sleep(0.05)
        results = get(twin.url, f"/jobs/{waited}/results")
        document = requests.get(results["indicators"]["href"], timeout=20).json()
        assert [each["value"] for each in document["indicators"]] == [2]
        shutil.rmtree(runs / "square")
        assert "deleted" in get(twin.url, f"/jobs/{first}/results", status=410)["detail"]
        requests.delete(f"{twin.url}/jobs/{first}", timeout=20)
    with Twin(store, extensions=[ogc_apis(runs=runs, territories=[place])]) as twin:
        assert len(get(twin.url, "/jobs")["jobs"]) == 3
        get(twin.url, f"/jobs/{first}", status=404)
