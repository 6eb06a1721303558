"""From what a caller asks for to one request on the wire."""

import json as json_text
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import requests

from ldt_toolbox.clients.masking import is_secret_name, mask_url
from ldt_toolbox.clients.redirects import Hop, harmless, origin
from ldt_toolbox.errors import WrongUseError

Params = Mapping[str, Any] | Sequence[tuple[str, Any]]


class Target:
    """Where a client's requests go, and which of its headers may go there.

    Parameters
    ----------
    base_url : str
        Address before all relative ones; may be empty.
    headers : mapping
        Headers of the client.
    with_auth : bool
        Whether the client has credentials besides.

    Raises
    ------
    WrongUseError
        The address is unusable, or there are credentials and no address to bind them to.
    """

    def __init__(self, base_url: str, headers: Mapping[str, str], *, with_auth: bool) -> None:
        self.base_url = base_url
        self._headers = _checked(headers)
        self._with_auth = with_auth
        if base_url:
            _check_url(base_url)
            if "?" in base_url or "#" in base_url:
                raise WrongUseError(
                    f"base_url = {mask_url(base_url)!r}: put the query into params of each request"
                )
        elif with_auth or any(map(is_secret_name, headers)):
            raise WrongUseError(
                "credentials need a base_url, so that they go to no other host; name it"
            )

    def hop(
        self,
        method: str,
        url: str,
        params: Params | None,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> Hop:
        """The request of a caller, with the client's headers where they may go.

        Raises
        ------
        WrongUseError
            The URL or a header cannot be sent, or a credential would go to another host.
        """
        full = self._absolute(url, params)
        home = not self.base_url or origin(full) == origin(self.base_url)
        given = _checked(headers)
        if not home and (names := [name for name in given if is_secret_name(name)]):
            raise WrongUseError(
                f"header {names[0]} holds a credential and would go to {mask_url(full)}, which is "
                f"not at {mask_url(self.base_url)}; use a client of its own for that host"
            )
        own = self._headers if home else harmless(self._headers)
        taken = {name.lower() for name in given}
        merged = {name: value for name, value in own.items() if name.lower() not in taken} | given
        return Hop(method, full, merged, body, self._with_auth and home)

    def _absolute(self, url: str, params: Params | None) -> str:
        if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", url.partition("/")[0]):
            if not self.base_url:
                raise WrongUseError(f"url = {mask_url(url)!r} is relative and there is no base_url")
            tail = url if not url or url[0] == "?" else "/" + url.lstrip("/")
            url = self.base_url.rstrip("/") + tail
        _check_url(url)
        prepared = requests.PreparedRequest()
        try:
            prepared.prepare_url(url, params)
        except (requests.exceptions.RequestException, ValueError):
            full = None
        else:
            full = prepared.url
        if not full:
            raise WrongUseError(f"url = {mask_url(url)!r} is no usable address; check it")
        return full.partition("#")[0]


def encode_body(
    json: Any, content: bytes | None, headers: Mapping[str, str]
) -> tuple[bytes | None, dict[str, str]]:
    """Body and headers of a request.

    Raises
    ------
    WrongUseError
        Two bodies, or a value that JSON cannot hold.
    """
    given = dict(headers)
    if json is None:
        return content, given
    if content is not None:
        raise WrongUseError("give either json or content, not both")
    try:
        body = json_text.dumps(json, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, TypeError) else "NaN, infinity or a circle"
        raise WrongUseError(
            f"json cannot be written as JSON: {reason}; replace that value"
        ) from None
    if not any(name.lower() == "content-type" for name in given):
        given["Content-Type"] = "application/json"
    return body, given


def _check_url(url: str) -> None:
    """Raise `WrongUseError` unless this is an HTTP URL without credentials."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or re.search(r"[\x00-\x20\x7f]", url):
        raise WrongUseError(f"url = {mask_url(url)!r} is no http or https address; check it")
    if "@" in parts.netloc:
        raise WrongUseError(
            f"url = {mask_url(url)!r} holds a user or password; take them out and use auth="
        )


def _checked(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers that can be sent; the error names them without their values."""
    for name, value in headers.items():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            raise WrongUseError(f"header name {name!r} is none (RFC 9110, 5.1); check its spelling")
        if not re.fullmatch(r"[\t\x20-\x7e\x80-\xff]*", value) or value != value.strip():
            raise WrongUseError(
                f"header {name}: its value holds line breaks, outer blanks or characters beyond "
                "Latin-1; percent-encode it"
            )
    return dict(headers)
