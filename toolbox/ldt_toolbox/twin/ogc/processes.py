"""OGC API Processes part 1 (18-062r2): each use case is a process.

An execution runs the use case's notebook as `ldt run` does, in a process of its own. Results are
links to the files of the run.
"""

import contextlib
import re
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from starlette.responses import FileResponse, Response

from ldt_toolbox.errors import LDTError
from ldt_toolbox.territory import Territory
from ldt_toolbox.twin.ngsi_ld.call import Call
from ldt_toolbox.twin.ngsi_ld.routing import Table as Routes
from ldt_toolbox.twin.ogc.answers import (
    HTML,
    JSON,
    Page,
    Table,
    address,
    answer,
    check_parameters,
    link,
    media_of,
    refused,
)
from ldt_toolbox.twin.ogc.jobs import Job, Jobs, bounds
from ldt_toolbox.twin.ogc.layers import RunFolder, run_folders
from ldt_toolbox.twin.ogc.process import inputs, outputs, results, summary, territories, use_cases
from ldt_toolbox.twin.ogc.times import Period, instant_key
from ldt_toolbox.twin.problems import ProblemError
from ldt_toolbox.use_case import UseCase

_EXCEPTIONS = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
_RESULTS = "http://www.opengis.net/def/rel/ogc/1.0/results"
_EXECUTE = "http://www.opengis.net/def/rel/ogc/1.0/execute"
_STATUSES = ("accepted", "running", "successful", "failed", "dismissed")
_SYNC_S = 300.0
_SYNC_AT_ONCE = 4
_MEDIA = {
    ".html": HTML, ".json": JSON, ".csv": "text/csv", ".tif": "image/tiff; application=geotiff",
    ".parquet": "application/vnd.apache.parquet", ".ipynb": "application/x-ipynb+json",
    ".png": "image/png", ".svg": "image/svg+xml", ".txt": "text/plain",
}  # fmt: skip


class ProcessError(ProblemError):
    """A problem with a type of OGC API Processes, such as ``no-such-job``."""

    def __init__(self, name: str, detail: str, *, status: int) -> None:
        super().__init__("", detail, status=status)
        self._name = name

    def document(self) -> dict[str, Any]:
        """The problem as RFC 9457 writes it."""
        return {**super().document(), "type": _EXCEPTIONS + self._name, "title": self._name}


class Processes:
    """Resources of OGC API Processes.

    Parameters
    ----------
    jobs : Jobs
        The queue.
    places : iterable of pathlib.Path
        Territories beyond the bundled ones.
    """

    def __init__(self, jobs: Jobs, places: Iterable[Path]) -> None:
        self._jobs = jobs
        self._places = territories(places)
        self._sync = threading.BoundedSemaphore(_SYNC_AT_ONCE)

    def table(self) -> Routes:
        """Routes."""
        return (
            ("GET", "/processes", self.list),
            ("GET", "/processes/{processId}", self.describe),
            ("POST", "/processes/{processId}/execution", self.execute),
            ("GET", "/jobs", self.jobs),
            ("GET", "/jobs/{jobId}", self.status),
            ("DELETE", "/jobs/{jobId}", self.dismiss),
            ("GET", "/jobs/{jobId}/results", self.results),
            ("GET", "/runs/{territory}/{useCase}/{run}/{file:path}", self.file),
        )

    def list(self, call: Call) -> Response:
        """List the processes: the use cases of this installation."""
        check_parameters(call, "f", "limit")
        limit = _limit(call)
        found = []
        for case in list(use_cases().values())[:limit]:
            path = f"/processes/{case.id}"
            links = [link(call, path, "self", JSON, "Description of the process")]
            found.append({**summary(case), "links": links})
        document = {
            "processes": found,
            "links": [
                link(call, "/processes", "self", JSON, "Processes"),
                link(call, "/processes", "alternate", HTML, "As a page", f="html"),
            ],
        }
        rows = [
            ((each["title"], address(call, f"/processes/{each['id']}", f="html")),
             each["description"])
            for each in found
        ]  # fmt: skip
        page = Page("Processes", "The use cases", [Table("", ("Use case", "Question"), rows)])
        return answer(call, document, page)

    def describe(self, call: Call) -> Response:
        """Describe a process: inputs with ranges, defaults and units, and outputs."""
        check_parameters(call, "f")
        case = self._case(call)
        path = f"/processes/{case.id}"
        taken = inputs(case, self._places)
        given = outputs(case)
        links = [
            link(call, path, "self", JSON, "This description"),
            link(call, path, "alternate", HTML, "This description for people", f="html"),
            link(call, f"{path}/execution", _EXECUTE, JSON, "Execute it (POST)"),
        ]
        document = {**summary(case), "inputs": taken, "outputs": given, "links": links}
        rows = [
            (name, each["description"], each["schema"].get("x-ogc-unit", ""),
             str(each["schema"].get("default", "")))
            for name, each in taken.items()
        ]  # fmt: skip
        tables = [
            Table("Inputs", ("Name", "Meaning", "Unit", "Default"), rows),
            Table("Outputs", ("Name", "What"), [(k, v["title"]) for k, v in given.items()]),
        ]
        return answer(call, document, Page(case.title["en"], case.question["en"], tables))

    def execute(self, call: Call) -> Response:
        """Execute a process: now, or as a job with `Prefer: respond-async`."""
        check_parameters(call)
        case = self._case(call)
        if call.content_type != JSON:
            # a page of another site could send any simple type without asking
            raise refused(f"send the request as {JSON}", status=415)
        job = self._job(call, case)
        preferences = re.split(r"[,;]\s*", call.headers.get("prefer", "").lower())
        if "respond-async" in preferences:
            self._jobs.submit(job)
            headers = {
                "Location": address(call, f"/jobs/{job.id}"),
                "Preference-Applied": "respond-async",
            }
            return answer(call, _status(call, job), Page(""), status=201, headers=headers)
        if not self._sync.acquire(blocking=False):
            raise refused("too many wait for results: send Prefer: respond-async", status=503)
        try:
            self._jobs.submit(job)
            ended = job.ended.wait(_SYNC_S)
        finally:
            self._sync.release()
        if not ended:
            self._jobs.dismiss(job)
            raise refused("it takes too long to wait: send Prefer: respond-async", status=503)
        return self._results(call, job, case)

    def jobs(self, call: Call) -> Response:
        """List the jobs, the newest first."""
        check_parameters(
            call, "f", "limit", "offset", "type", "processID", "status", "datetime",
            "minDuration", "maxDuration",
        )  # fmt: skip
        limit, offset = _limit(call), _whole(call, "offset", 0)
        found = [job for job in self._jobs.all() if self._asked(call, job)]
        page = found[offset : offset + limit]
        given = {name: value for name, value in call.params.items() if name != "f"}
        links = [
            link(call, "/jobs", "self", JSON, "Jobs", **given),
            link(call, "/jobs", "alternate", HTML, "Jobs for people", **given, f="html"),
        ]
        if offset + limit < len(found):
            after = given | {"offset": str(offset + limit)}
            links.append(link(call, "/jobs", "next", JSON, "Next page", **after))
        rows = [
            ((job.id, address(call, f"/jobs/{job.id}", f="html")), job.process, job.status,
             f"{job.progress} %", job.message)
            for job in page
        ]  # fmt: skip
        table = Table("", ("Job", "Process", "Status", "Progress", "Message"), rows)
        document = {"jobs": [_status(call, job) for job in page], "links": links}
        return answer(call, document, Page("Jobs", "", [table]))

    def status(self, call: Call) -> Response:
        """Status and progress of a job."""
        check_parameters(call, "f")
        job = self._one(call)
        return answer(call, _status(call, job), _job_page(call, job))

    def dismiss(self, call: Call) -> Response:
        """Dismiss a job: end it if it runs, forget it if it has ended."""
        check_parameters(call, "f")
        job = self._one(call)
        self._jobs.dismiss(job)
        document = {**_status(call, job), "status": "dismissed"}
        return answer(call, document, _job_page(call, job))

    def results(self, call: Call) -> Response:
        """Results of a job: links to the files of its run."""
        check_parameters(call, "f")
        job = self._one(call)
        if not job.ended.is_set():
            detail = f"job {job.id} is {job.status} ({job.progress} %): ask again later"
            raise ProcessError("result-not-ready", detail, status=404)
        case = use_cases().get(job.process)
        if case is None:
            raise ProcessError("no-such-process", "its use case is not here now", status=404)
        return self._results(call, job, case)

    def file(self, call: Call) -> Response:
        """File of a run."""
        parts = call.parts
        wanted = (parts["territory"], parts["useCase"], parts["run"])
        for run in run_folders(self._jobs.root):
            if (run.territory, run.use_case, run.run) == wanted:
                path = run.files().get(parts["file"])
                with contextlib.suppress(FileNotFoundError):  # `ldt watch` replaces its run
                    if path is not None:
                        return _file(path)
        raise refused("there is no such file of a run", status=404)

    def _case(self, call: Call) -> UseCase:
        name, known = call.parts["processId"], use_cases()
        if name not in known:
            detail = f"there is no process {name!r:.80}; there are {', '.join(known)}"
            raise ProcessError("no-such-process", detail, status=404)
        return known[name]

    def _one(self, call: Call) -> Job:
        job = self._jobs.get(call.parts["jobId"])
        if job is None:
            detail = f"there is no job {call.parts['jobId']!r:.80}: see /jobs"
            raise ProcessError("no-such-job", detail, status=404)
        return job

    def _job(self, call: Call, case: UseCase) -> Job:
        """The job that a request asks for, with its inputs checked."""
        body = call.json
        if not isinstance(body, dict) or not isinstance(body.get("inputs", {}), dict):
            raise refused('the body is an object such as {"inputs": {"territory": "monaco"}}')
        unknown = sorted(body.keys() - {"inputs", "outputs", "response", "subscriber", "process"})
        if unknown or "subscriber" in body:
            what = unknown[0] if unknown else "subscriber"
            raise refused(f"the twin knows no {what!r:.80} in an execution")
        form = body.get("response", "document")
        if form not in ("document", "raw"):
            raise refused(f"response = {form!r:.40}: document or raw")
        given = {
            name: value["value"] if isinstance(value, dict) and set(value) == {"value"} else value
            for name, value in body.get("inputs", {}).items()
        }
        place = given.pop("territory", None)
        if not isinstance(place, str) or place not in self._places:
            detail = f"inputs.territory = {place!r:.80}: one of {', '.join(self._places)}"
            raise refused(detail)
        try:
            values = case.validate(given, territory=Territory.find(self._places[place]))
        except LDTError as error:
            raise refused(f"inputs: {error}") from None
        memory, seconds = bounds(case.resources)
        task = {
            "use_case": str(case.path),
            "territory": self._places[place],
            "given": {name: values[name] for name in given},
        }
        return Job(
            case.id, task, memory, seconds, outputs=_wanted(body.get("outputs"), case),
            raw=form == "raw",
        )  # fmt: skip

    def _results(self, call: Call, job: Job, case: UseCase) -> Response:
        if job.status != "successful":
            raise ProcessError("job-results-failed", f"{job.status}: {job.message}", status=422)
        run = RunFolder(*job.place, self._jobs.root.joinpath(*job.place))
        if not run.folder.is_dir():
            raise refused("the results of this job were deleted: execute it again", status=410)
        document: dict[str, Any] = {
            key: {"href": address(call, f"{run.path}/{name}"), "type": media}
            for key, (name, media) in results(case, run).items()
            if not job.outputs or key in job.outputs
        }
        links = [f'<{address(call, f"/jobs/{job.id}")}>; rel="monitor"']
        if job.raw and media_of(call, JSON, HTML) == JSON:
            links += [
                f'<{each["href"]}>; rel="{_RESULTS}"; type="{each["type"]}"; title="{key}"'
                for key, each in document.items()
            ]
            return Response(status_code=204, headers={"Link": ", ".join(links)})
        rows = [((key, each["href"]), each["type"]) for key, each in document.items()]
        page = Page("Results", job.id, [Table("", ("Output", "Type"), rows)])
        return answer(call, document, page, headers={"Link": links[0]})

    def _asked(self, call: Call, job: Job) -> bool:
        params = call.params
        statuses = params.get("status", ",".join(_STATUSES)).split(",")
        if any(each not in _STATUSES for each in statuses):
            raise refused(f"status: {', '.join(_STATUSES)}")
        if params.get("type", "process") != "process":
            return False
        if "processID" in params and job.process not in params["processID"].split(","):
            return False
        if "datetime" in params and not Period.read(params["datetime"]).meets(
            job.created, job.created
        ):
            return False
        took = _seconds(job)
        if "minDuration" in params and took < _whole(call, "minDuration", 0):
            return False
        if "maxDuration" in params and took > _whole(call, "maxDuration", 0):
            return False
        return job.status in statuses


def _file(path: Path) -> Response:
    # a report may run its own scripts, but not speak for the twin
    headers = {
        "Content-Security-Policy": "sandbox allow-scripts allow-popups",
        "X-Content-Type-Options": "nosniff",
    }
    media = _MEDIA.get(path.suffix, "application/octet-stream")
    return FileResponse(path, headers=headers, media_type=media, stat_result=path.stat())


def _seconds(job: Job) -> float:
    first, last = (instant_key(text, end=False) for text in (job.started, job.updated))
    if not first or not last:
        return 0.0
    return (int.from_bytes(last[1:], "big") - int.from_bytes(first[1:], "big")) / 1e6


def _whole(call: Call, name: str, default: int) -> int:
    text = call.params.get(name, str(default))
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise refused(f"{name} = {text!r:.40}: a whole number")
    return int(text)


def _limit(call: Call) -> int:
    limit = _whole(call, "limit", 100)
    if limit < 1:
        raise refused("limit = 0: 1 or more")
    return min(limit, call.limits.largest_page)


def _wanted(given: Any, case: UseCase) -> tuple[str, ...]:
    """Names of the outputs that an execution asks for; all if it says nothing."""
    if given is None:
        return ()
    known = outputs(case)
    if not isinstance(given, dict) or any(name not in known for name in given):
        raise refused(f"outputs: an object whose members are among {', '.join(known)}")
    for name, how in given.items():
        mode = how.get("transmissionMode", "reference") if isinstance(how, dict) else None
        if mode != "reference":
            raise refused(f"outputs.{name}: results come by reference")
    return tuple(given)


def _status(call: Call, job: Job) -> dict[str, Any]:
    path = f"/jobs/{job.id}"
    links = [
        link(call, path, "self", JSON, "This status"),
        link(call, path, "alternate", HTML, "This status for people", f="html"),
    ]
    if job.status == "successful":
        links.append(link(call, f"{path}/results", _RESULTS, JSON, "Results"))
    times: Mapping[str, str] = {
        name: getattr(job, name) for name in ("created", "started", "finished", "updated")
    }
    return {
        "processID": job.process,
        "type": "process",
        "jobID": job.id,
        "status": job.status,
        "message": job.message,
        "progress": job.progress,
        **{name: at for name, at in times.items() if at},
        "links": links,
    }


def _job_page(call: Call, job: Job) -> Page:
    shown = _status(call, job)
    rows = [(name, str(value)) for name, value in shown.items() if name != "links"]
    return Page(f"Job {job.id}", "", [Table("", ("", ""), rows)])
