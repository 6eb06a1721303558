"""A request, read and checked, and the answer to it (GS CIM 009 V1.8.1, 6.3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import orjson
from starlette.datastructures import Headers, QueryParams
from starlette.responses import Response

from ldt_toolbox.models.contexts import CORE_URL
from ldt_toolbox.twin.limits import Limits
from ldt_toolbox.twin.ngsi_ld.accept import choose
from ldt_toolbox.twin.ngsi_ld.headers import context_of_link
from ldt_toolbox.twin.ngsi_ld.namespace import Namespace
from ldt_toolbox.twin.problems import ProblemError, bad
from ldt_toolbox.twin.store import Store

if TYPE_CHECKING:
    from ldt_toolbox.twin.ngsi_ld.hosted import ContextBook

JSON = "application/json"
JSON_LD = "application/ld+json"
GEO_JSON = "application/geo+json"
MERGE_PATCH = "application/merge-patch+json"
PROBLEM = "application/problem+json"

_LINK = '<{}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'


@dataclass(frozen=True)
class Services:
    """What handlers work with.

    Attributes
    ----------
    store : Store
        The file.
    contexts : ContextBook
        All @contexts at hand.
    limits : Limits
        Of the twin.
    root : str
        Address of the API below the host, without a slash at the end.
    """

    store: Store
    contexts: "ContextBook"
    limits: Limits
    root: str = "/ngsi-ld/v1"


@dataclass(frozen=True)
class Call:
    """One request.

    Attributes
    ----------
    method, path : str
        As they came.
    parts : mapping of str to str
        Parameters of the path, decoded.
    params : QueryParams
        Parameters of the query.
    headers : Headers
        Of the request.
    body : bytes
        Of the request.
    url : str
        The request's address.
    services : Services
        The twin's.
    """

    method: str
    path: str
    parts: Mapping[str, str]
    params: QueryParams
    headers: Headers
    body: bytes
    url: str
    services: Services
    _memo: dict[str, Any] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        """The twin's file."""
        return self.services.store

    @property
    def limits(self) -> Limits:
        """The twin's limits."""
        return self.services.limits

    @property
    def tenant(self) -> str:
        """Tenant that the request is for (6.3.14); empty for the default one."""
        name = self.headers.get("ngsild-tenant", "")
        if len(name) > 200 or not name.isprintable():
            raise bad("NGSILD-Tenant is a short printable name")
        return name

    def read_tenant(self) -> str:
        """Tenant of a request that needs it to exist already.

        Raises
        ------
        ProblemError
            NonexistentTenant if nothing was ever written to it.
        """
        name = self.tenant
        if name and name not in self.store.tenants():
            raise ProblemError("NonexistentTenant", f"tenant {name!r} has no data yet")
        return name

    @cached_property
    def json(self) -> Any:
        """The body as JSON.

        Raises
        ------
        ProblemError
            InvalidRequest if it is none, BadRequestData if it is nested too deeply.
        """
        try:
            value = orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise ProblemError("InvalidRequest", f"the body is no JSON: {error}") from None
        check_depth(value, self.limits.depth)
        return value

    @cached_property
    def content_type(self) -> str:
        """Media type of the body, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def require_json(self, *, patch: bool = False) -> None:
        """Raise 415 unless the body is of a type that is taken (6.3.4)."""
        taken = [JSON, JSON_LD, *([MERGE_PATCH] if patch else [])]
        if self.content_type not in taken:
            raise ProblemError(
                "",
                f"Content-Type {self.content_type or 'of nothing'!r}: send {' or '.join(taken)}",
                status=415,
                headers={"Accept-Patch" if patch else "Accept-Post": ", ".join(taken)},
            )

    @cached_property
    def link_context(self) -> str | None:
        """Address of the @context in the Link header (6.3.5), if any."""
        return context_of_link(self.headers.getlist("link"))

    @cached_property
    def namespace(self) -> Namespace:
        """Names of this request: of its Link header, or of its body if that is JSON-LD."""
        if self.body and self.content_type in (JSON, JSON_LD, MERGE_PATCH):
            return self.namespace_of(self.json)
        return self.services.contexts.namespace(self.link_context)

    def namespace_of(self, value: Any) -> Namespace:
        """Names of one object of the body, by the rules of 6.3.5."""
        has = isinstance(value, dict) and "@context" in value
        if self.content_type != JSON_LD:
            if has:
                raise bad("a body of application/json holds no @context: use ld+json (6.3.5)")
            return self.services.contexts.namespace(self.link_context)
        if self.link_context:
            raise bad("application/ld+json has its @context in the body, not in a Link (6.3.5)")
        if not has:
            raise bad("a body of application/ld+json holds an @context (6.3.5)")
        return self.services.contexts.namespace(value["@context"])

    @cached_property
    def accept(self) -> str:
        """Media type of the answer.

        Raises
        ------
        ProblemError
            406 if none of those that the request takes is there.
        """
        return self.accepting(JSON, JSON_LD)

    def accepting(self, *offered: str) -> str:
        """Best of the offered media types; 406 if the request takes none."""
        found = choose(self.headers.get("accept", ""), offered)
        if found is None:
            raise ProblemError("", f"Accept: this comes as {' or '.join(offered)}", status=406)
        return found

    def answer(
        self,
        value: Any,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        media: str = "",
        context: Any = None,
    ) -> Response:
        """Answer with JSON and its @context: in the body of JSON-LD, else in a Link (6.3.6).

        Parameters
        ----------
        value : Any
            JSON; of an object or of each object of a list that is JSON-LD, @context is added.
        status : int
            HTTP status.
        headers : mapping, optional
            More headers.
        media : str
            Media type; that of `accept` if left out.
        context : Any
            Value of @context; the request's if left out.
        """
        media = media or self.accept
        said = dict(headers or {})
        if self.tenant:
            said["NGSILD-Tenant"] = self.tenant
        if media == JSON_LD:
            value = with_context(value, context or self.namespace.body)
        else:
            links = [said["Link"]] if "Link" in said else []
            said["Link"] = ", ".join(
                [_LINK.format(self.context_address(self.namespace.context)), *links]
            )
        return Response(orjson.dumps(value), status, said, media)

    def context_address(self, context: Any) -> str:
        """Address of a @context, which is hosted from now on if it has none."""
        if not context:
            return CORE_URL
        if isinstance(context, list) and len(context) == 1:
            context = context[0]
        if isinstance(context, str):
            return context
        base = self.url.split("?")[0].removesuffix(self.path) + self.services.root
        return self.services.contexts.kept_address(context, f"{base}/jsonldContexts")

    def plain(self, value: Any, *, status: int = 200) -> Response:
        """Answer with JSON that no @context goes with."""
        said = {"NGSILD-Tenant": self.tenant} if self.tenant else {}
        return Response(orjson.dumps(value), status, said, JSON)

    def done(self, status: int = 204, *, headers: Mapping[str, str] | None = None) -> Response:
        """Answer without a body."""
        said = dict(headers or {})
        if self.tenant:
            said["NGSILD-Tenant"] = self.tenant
        return Response(b"", status, said)


def with_context(value: Any, context: Any) -> Any:
    """JSON-LD of an answer: each object gets its @context; a FeatureCollection gets one."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [with_context(each, context) for each in value]
    return {**value, "@context": context} if isinstance(value, dict) else value


def check_depth(value: Any, most: int) -> None:
    """Raise BadRequestData if JSON is nested more deeply than `most`."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(most):
        level = [
            member
            for each in level
            for member in (each.values() if isinstance(each, dict) else each)
            if isinstance(member, dict | list)
        ]
        if not level:
            return
    raise bad(f"JSON is nested more than {most} deep")


def problem_response(problem: ProblemError) -> Response:
    """Answer with an error."""
    body = orjson.dumps(problem.document())
    return Response(body, problem.status, problem.headers, PROBLEM)
