"""Resources of the standard that the twin does not have: they answer 501 and say so."""

from starlette.responses import Response

from ldt_toolbox.twin.ngsi_ld.call import Call
from ldt_toolbox.twin.ngsi_ld.routing import Table
from ldt_toolbox.twin.problems import ProblemError

_PATHS = {
    "/csourceRegistrations": "registration of context sources (5.9, 5.10)",
    "/csourceSubscriptions": "subscriptions to registrations (5.11)",
    "/entityMaps": "entity maps (5.14)",
    "/temporal/entityMaps": "entity maps (5.14)",
    "/snapshots": "snapshots (5.15)",
    "/info/sourceIdentity": "identity of context sources (5.16)",
}
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def _without(what: str) -> Table:
    def handler(_: Call) -> Response:
        raise ProblemError("", f"the twin is one broker: it has no {what}", status=501)

    return tuple((method, "", handler) for method in _METHODS)


ELSEWHERE: Table = tuple(
    (method, path + tail, handler)
    for path, what in _PATHS.items()
    for tail in ("", "/{rest:path}")
    for method, _, handler in _without(what)
)
