"""Answers of the OGC APIs: JSON or a page for people, with links, and refusals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import orjson
from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.responses import Response

from ldt_toolbox import __version__
from ldt_toolbox.paths import package_root
from ldt_toolbox.twin.ngsi_ld.call import Call
from ldt_toolbox.twin.problems import ProblemError

JSON = "application/json"
HTML = "text/html"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True)
class Table:
    """A table of a page.

    Attributes
    ----------
    title : str
        Above it.
    heads : sequence of str
        Of the columns.
    rows : sequence of sequence
        Cells; a `(text, href)` pair is a link.
    """

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Page:
    """What people see instead of JSON.

    Attributes
    ----------
    title, lead : str
        Heading and the sentence below it.
    tables : sequence of Table
        In order.
    template : str
        File in ``twin/web/``.
    more : mapping
        More for the template.
    """

    title: str
    lead: str = ""
    tables: Sequence[Table] = ()
    template: str = "document.html.jinja"
    more: Mapping[str, Any] = field(default_factory=dict)


def refused(detail: str, *, status: int = 400) -> ProblemError:
    """Problem of a request."""
    return ProblemError("", detail, status=status)


def base(call: Call) -> str:
    """Scheme and host that the request came to, without a slash at the end."""
    parts = urlsplit(call.url)
    return f"{parts.scheme}://{parts.netloc}"


def address(call: Call, path: str, **params: Any) -> str:
    """Absolute address of a path, which is escaped, with parameters."""
    query = urlencode({name: value for name, value in params.items() if value is not None})
    return base(call) + quote(path, safe="/:.-_~") + ("?" + query if query else "")


def link(call: Call, path: str, rel: str, media: str, title: str, **params: Any) -> dict[str, str]:
    """Link object of OGC API Common."""
    href = address(call, path, **params)
    return {"href": href, "rel": rel, "type": media, "title": title}


def check_parameters(call: Call, *known: str) -> None:
    """Refuse parameters that are not known, and any that is given twice.

    Raises
    ------
    ProblemError
        400 that names it.
    """
    seen = set()
    for name, _ in call.params.multi_items():
        if name not in known:
            raise refused(f"there is no parameter {name!r:.80}; there are {', '.join(known)}")
        if name in seen:
            raise refused(f"parameter {name!r:.80} is given more than once")
        seen.add(name)


def media_of(call: Call, *offered: str) -> str:
    """Media type of the answer: by the parameter `f`, else by Accept.

    Raises
    ------
    ProblemError
        400 for an unknown `f`, 406 if the request takes none.
    """
    wanted = call.params.get("f")
    if wanted is None:
        return call.accepting(*offered)
    short = {"html" if media == HTML else "json": media for media in reversed(offered)}
    if wanted not in short:
        raise refused(f"f = {wanted!r:.40}: this comes as {' or '.join(short)}")
    return short[wanted]


def answer(
    call: Call,
    document: Any,
    page: Page,
    *,
    media: str = JSON,
    headers: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    """Answer with a document, or with the page if people ask.

    Parameters
    ----------
    call : Call
        The request.
    document : Any
        JSON.
    page : Page
        The same for people.
    media : str
        Media type of the JSON.
    headers : mapping, optional
        More headers.
    status : int
        HTTP status.
    """
    offered = (media, HTML) if media == JSON else (media, HTML, JSON)
    chosen = media_of(call, *offered)
    said = {"Vary": "Accept", **(headers or {})}
    if chosen == HTML:
        return html(call, document, page, headers=said, status=status)
    return Response(orjson.dumps(document), status, said, media if chosen == JSON else chosen)


def html(
    call: Call, document: Any, page: Page, *, headers: Mapping[str, str], status: int = 200
) -> Response:
    """Page of a document; it loads nothing from elsewhere and runs no script but the twin's."""
    links = document.get("links", ()) if isinstance(document, dict) else ()
    text = _templates().get_template(page.template).render(
        page=page, links=links, version=__version__, base=base(call), **page.more
    )  # fmt: skip
    said = {**headers, "Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"}
    return Response(text, status, said, HTML)


@cache
def _templates() -> Environment:
    loader = FileSystemLoader(package_root() / "twin" / "web")
    # pages are HTML whatever the name of their file
    return Environment(
        loader=loader, autoescape=select_autoescape(default=True), trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip


def shown(value: Any) -> str:
    """Value of a property as a cell of a table."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= 120 else text[:117] + "..."
