"""What every request to a context broker has in common: address, tenant, @context, errors."""

import json
import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Literal, Self
from urllib.parse import quote, unquote, urlsplit

import numpy as np

from ldt_toolbox.clients.answer import Answer
from ldt_toolbox.clients.errors import HttpStatusError, InvalidAnswer, OfflineError
from ldt_toolbox.clients.http import HttpClient
from ldt_toolbox.clients.imperfect import CapabilityWarning, ImperfectServerWarning, report
from ldt_toolbox.clients.masking import mask_url
from ldt_toolbox.clients.ngsi_ld.context_links import (
    CORE_CONTEXT,
    Context,
    context_link,
    link_of,
)
from ldt_toolbox.clients.ngsi_ld.deviations import READ, WRITTEN, check_answer
from ldt_toolbox.clients.ngsi_ld.query import instant
from ldt_toolbox.clients.ngsi_ld.refusals import error_name, nothing_there, read_refusal
from ldt_toolbox.errors import WrongUseError

Method = Literal["GET", "POST", "PATCH", "PUT", "DELETE"]

_TENANT = re.compile(r"[\x21-\x7e]+")

# Resources whose URI the standard writes with a slash at the end (6.4.2, 6.6.2, 6.8.2, ...);
# most servers take either, some only one of the two
_SLASHED = re.compile(
    r"(temporal/)?entities(/[^/]+/attrs)?|types|attributes|subscriptions|csourceRegistrations"
    r"|jsonldContexts"
)


def api_root(base_url: str) -> str:
    """Address that ends in `/ngsi-ld/v1` (GS CIM 009, 6.2), whether it was written out or not."""
    root = base_url.rstrip("/")
    if not root:
        raise WrongUseError("base_url is empty; give the broker's address, such as https://host")
    return root if root.endswith("/ngsi-ld/v1") else f"{root}/ngsi-ld/v1"


def segment(name: str) -> str:
    """Part of a path, percent-encoded whole: an id holds colons, perhaps slashes."""
    if not name or name in (".", ".."):
        raise WrongUseError(f"{name!r} cannot be part of an address; give an id or a name")
    return quote(name, safe=":")


class Connection:
    """One broker, one tenant, one @context.

    Parameters
    ----------
    base_url : str
        Address of the broker, with or without `/ngsi-ld/v1`.
    http : HttpClient
        Sends the requests.
    tenant : str or None
        Tenant (4.14, 6.3.14); None for the default one.
    context : str, list, dict or None
        @context by which names are shortened; None for the core @context.
    """

    def __init__(
        self, base_url: str, http: HttpClient, *, tenant: str | None, context: Context
    ) -> None:
        self.root = api_root(base_url)
        self.http = http
        self.tenant = tenant
        self.context = context
        # How the server takes the wish for a representation; found out with the first one
        self.style: Literal["format", "options"] = "format"
        # Whether it knows lists by their URI with a slash at the end only
        self._slash = False
        if tenant is not None and not _TENANT.fullmatch(tenant):
            raise WrongUseError(f"tenant {tenant!r} holds blanks or no characters at all; check it")
        if isinstance(context, str):
            context_link(context)

    def __repr__(self) -> str:
        tenant = f", tenant={self.tenant!r}" if self.tenant is not None else ""
        return f"NgsiLd({mask_url(self.root)!r}{tenant})"

    def beside(self, *, tenant: str | None, context: Context) -> Self:
        """The same broker with another tenant or @context."""
        return type(self)(self.root, self.http, tenant=tenant, context=context)

    def url(self, path: str) -> str:
        """Absolute address of a resource."""
        return f"{self.root}/{path}"

    def ask(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        accept: str = "application/json",
        expected: Collection[int] = (200,),
        feature: str = "",
        named: bool = True,
    ) -> Answer:
        """GET a resource; the @context goes into the Link header (6.3.5).

        Parameters
        ----------
        path : str
            Path below the root, or an absolute URL below it.
        params : mapping of str to str, optional
            URL parameters.
        accept : str
            Media type of the answer.
        expected : collection of int
            Statuses that are no error.
        feature : str
            What is asked for; names it when the server does not have it.
        named : bool
            Whether names go to and fro that an @context explains.
        """
        headers = self._headers() | {"Accept": accept}
        link = link_of(self.context) if named else ""
        if link:
            headers["Link"] = link
        allowed = {*expected, *READ}
        answer = self._request("GET", path, params, headers, None, allowed, feature)
        return check_answer(answer, expected)

    def send(
        self,
        method: Method,
        path: str,
        payload: Any = None,
        params: Mapping[str, str] | None = None,
        *,
        accept: str = "application/json",
        expected: Collection[int] = (200, 201, 204, 207),
        feature: str = "",
        idempotent: bool | None = None,
        named: bool = True,
    ) -> Answer:
        """POST, PATCH, PUT or DELETE; the @context goes where the Content-Type wants it (6.3.5).

        `named` is False where the request holds no names that an @context would explain.
        """
        headers = self._headers() | {"Accept": accept}
        content: bytes | None = None
        if payload is None:
            link = link_of(self.context) if named else ""
            if link:
                headers["Link"] = link
        elif isinstance(payload, Body):
            headers |= payload.headers
            content = payload.content
        else:
            body = self.body(payload)
            headers |= body.headers
            content = body.content
        allowed = {*expected, *(READ if idempotent else WRITTEN)}
        answer = self._request(
            method, path, params, headers, content, allowed, feature, idempotent=idempotent
        )
        return check_answer(answer, expected)

    def body(self, payload: Any) -> "Body":
        """Payload as it is sent: with a Link header as JSON, or with its @context as JSON-LD."""
        if self.embeds(payload):
            payload = (
                [self.with_context(item) for item in payload]
                if isinstance(payload, list)
                else self.with_context(payload)
            )
            return Body(encode(payload), {"Content-Type": "application/ld+json"})
        headers = {"Content-Type": "application/json"}
        link = link_of(self.context)
        if link:
            headers["Link"] = link
        return Body(encode(payload), headers)

    def embeds(self, payload: Any) -> bool:
        """Whether the @context has to be in the body, because an URL cannot stand for it."""
        if self.context is not None and not isinstance(self.context, str):
            return _holds_members(payload)
        return _has_context(payload)

    def with_context(self, item: Any) -> Any:
        """JSON-LD object that has an @context."""
        if not isinstance(item, Mapping) or "@context" in item:
            return item
        return {**item, "@context": self.context if self.context is not None else CORE_CONTEXT}

    def older_style(self) -> None:
        """Choose representations by `options` from now on, as before 1.8 (Table 6.3.7-1)."""
        self.style = "options"
        report(
            CapabilityWarning(
                f"{self!r} does not know the parameter format (GS CIM 009 V1.8.1, 6.3.7); "
                "options of earlier versions are used"
            ),
            stacklevel=3,
        )

    def _headers(self) -> dict[str, str]:
        return {} if self.tenant is None else {"NGSILD-Tenant": self.tenant}

    def _request(
        self,
        method: Method,
        path: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str],
        content: bytes | None,
        expected: Collection[int],
        feature: str,
        *,
        idempotent: bool | None = None,
    ) -> Answer:
        own = path.removeprefix(f"{self.root}/")
        slashed = _SLASHED.fullmatch(own) is not None

        def sent(end: str) -> Answer:
            return self.http.request(
                method,
                self.url(f"{own}{end}"),
                params=params,
                headers=headers,
                content=content,
                expected=expected,
                idempotent=idempotent,
            )

        with read_refusal(feature):
            if not slashed or self._slash:
                return sent("/" if slashed else "")
            try:
                return sent("")
            except (HttpStatusError, OfflineError) as error:
                if not nothing_there(error):
                    raise
                try:
                    answer = sent("/")
                except (HttpStatusError, OfflineError) as other:
                    if nothing_there(other):
                        raise error from None
                    self._slash = error_name(other) != ""
                    raise other from None
                self._slash = True
                return answer


class Body:
    """Encoded payload with the headers that describe it."""

    def __init__(self, content: bytes, headers: Mapping[str, str]) -> None:
        self.content = content
        self.headers = dict(headers)


def encode(payload: Any) -> bytes:
    """Payload as UTF-8 JSON; instants become UTC, numbers of frames numbers.

    Raises
    ------
    WrongUseError
        JSON cannot hold a value of it.
    """
    try:
        return json.dumps(
            payload, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain
        ).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise WrongUseError(f"the payload cannot be written as JSON: {error}; replace it") from None


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, datetime):
        return instant(value)
    kind = type(value).__name__
    hint = ", write it by shapely.geometry.mapping" if hasattr(value, "__geo_interface__") else ""
    raise TypeError(f"{kind} is no JSON{hint}")


def _holds_members(payload: Any) -> bool:
    if isinstance(payload, list):
        return any(isinstance(item, Mapping) for item in payload)
    return isinstance(payload, Mapping)


def _has_context(payload: Any) -> bool:
    items = payload if isinstance(payload, list) else [payload]
    return any(isinstance(item, Mapping) and "@context" in item for item in items)


def elements(answer: Answer, what: str) -> list[Any]:
    """Answer that has to be a list of objects, or of addresses of @contexts.

    A GeoJSON FeatureCollection gives its features.

    Raises
    ------
    InvalidAnswer
        It is something else.
    """
    value = answer.json()
    if isinstance(value, Mapping) and value.get("type") == "FeatureCollection":
        value = value.get("features")
    if isinstance(value, Mapping) and "id" in value and "type" in value:
        # JSON-LD compaction makes a list of one into its element
        report(ImperfectServerWarning(f"{answer.url} answered with one object, not a list of it"))
        value = [dict(value)]
    if not isinstance(value, list):
        raise InvalidAnswer(
            f"{answer.url} answered with {type(value).__name__} where a list of {what} is due; "
            "check that the address is that of an NGSI-LD broker"
        )
    known = Mapping | str if what == "@contexts" else Mapping
    odd = [one for one in value if not isinstance(one, known)]
    if odd:
        raise InvalidAnswer(
            f"{answer.url} answered with {type(odd[0]).__name__} among {what}; "
            "check that the address is that of an NGSI-LD broker"
        )
    return value


def element(answer: Answer, what: str) -> dict[str, Any]:
    """Answer that has to be an object.

    Raises
    ------
    InvalidAnswer
        It is something else.
    """
    value = answer.json()
    if not isinstance(value, dict):
        raise InvalidAnswer(
            f"{answer.url} answered with {type(value).__name__} where {what} is due; "
            "check that the address is that of an NGSI-LD broker"
        )
    return value


def created_id(answer: Answer, otherwise: str) -> str:
    """Id at the end of a Location header, relative or absolute (6.4.3.1).

    Raises
    ------
    InvalidAnswer
        There is no such header, and the caller knows no id either.
    """
    path = urlsplit(answer.headers.get("Location", "")).path.rstrip("/")
    # An id such as http://host/x may stand there unencoded: then the resource's name ends it
    for resource in ("entities", "subscriptions", "jsonldContexts", "csourceRegistrations"):
        _, named, tail = path.partition(f"/{resource}/")
        if named:
            return unquote(tail)
    found = unquote(path.rpartition("/")[2]) or otherwise
    if not found:
        raise InvalidAnswer(
            f"{answer.url} created something and names no Location; list what is there to find it"
        )
    return found


def result_count(answer: Answer) -> int | None:
    """Number of all results (6.3.13); None if the server does not say."""
    named = answer.headers.get("NGSILD-Results-Count")
    # Brokers that grew out of NGSI v2 kept its name for the same number
    text = (named or answer.headers.get("Fiware-Total-Count", "")).strip()
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None
