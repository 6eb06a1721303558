"""Where a redirect may lead, and what may go with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from ldt_toolbox.clients.errors import RedirectError
from ldt_toolbox.clients.links import as_utf8
from ldt_toolbox.clients.masking import mask_url

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_REDIRECTS = 10

# Everything else, known or not, may be a credential or a tenant and stays with its host.
_HARMLESS = frozenset(
    {
        "accept", "accept-language", "accept-encoding", "user-agent", "link", "range", "if-range",
        "if-none-match", "if-modified-since", "cache-control",
    }
)  # fmt: skip

_PORTS = {"http": 80, "https": 443}


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port: credentials stay inside one origin (RFC 6454, 4)."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme)


def harmless(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that may go to any host."""
    return {name: value for name, value in headers.items() if name.lower() in _HARMLESS}


@dataclass(frozen=True)
class Hop:
    """One request on the wire.

    Attributes
    ----------
    method, url : str
        What is asked, and where.
    headers : mapping
        Headers without those of the credentials.
    body : bytes or None
        What is sent.
    authorised : bool
        Whether the client's credentials go with it.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    authorised: bool

    @property
    def what(self) -> str:
        """Method and URL without secrets."""
        return f"{self.method} {mask_url(self.url)}"


def next_hop(hop: Hop, status: int, location: str) -> Hop:
    """The request that a redirect asks for (RFC 9110, 15.4).

    Parameters
    ----------
    hop : Hop
        The request that was answered.
    status : int
        301, 302, 303, 307 or 308.
    location : str
        The Location header, relative or absolute.

    Returns
    -------
    Hop
        With all headers inside the same origin; with harmless ones only, and without
        credentials from then on, at another.

    Raises
    ------
    RedirectError
        The target is no HTTP URL, drops TLS, or would take a body to where it was not sent.
    """
    target = as_utf8(location)
    told = f"{hop.what} was redirected ({status}) to {mask_url(target)}"
    try:
        target = urljoin(hop.url, target)
        same = origin(target) == origin(hop.url)
        parts = urlsplit(target)
    except ValueError:
        raise RedirectError(f"{told}, which is no URL; tell the operator") from None
    if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc:
        raise RedirectError(f"{told}, where no client may follow; check the address")
    if urlsplit(hop.url).scheme == "https" and parts.scheme == "http":
        raise RedirectError(f"{told}, without TLS; ask that address directly if you trust it")
    method, body, headers = hop.method, hop.body, dict(hop.headers)
    if method not in ("GET", "HEAD"):
        if status == 303:
            method, body = "GET", None
            headers = {k: v for k, v in headers.items() if not k.lower().startswith("content-")}
        elif status in (301, 302) or not same:
            # 301 and 302 would turn into a GET without the body in most clients
            raise RedirectError(
                f"{told}; send the {method} request to that address if you trust it"
            )
    if not same:
        headers = harmless(headers)
    return Hop(method, target, headers, body, hop.authorised and same)
