"""An answer of a server, read to its end and checked."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

from requests.structures import CaseInsensitiveDict

from ldt_toolbox.clients.errors import InvalidAnswer
from ldt_toolbox.clients.imperfect import (
    InvalidNumberWarning,
    WrongContentTypeWarning,
    report,
)
from ldt_toolbox.clients.links import as_utf8, parse_links


@dataclass(frozen=True, repr=False)
class Answer:
    """A complete answer.

    Attributes
    ----------
    status : int
        HTTP status.
    url : str
        Where the answer came from in the end; secrets are masked.
    headers : CaseInsensitiveDict
        Headers, without cookies. Repeated ones are joined with a comma.
    content : bytes
        The decompressed body.
    from_cache : bool
        Whether the body came from the cache.
    """

    status: int
    url: str
    headers: CaseInsensitiveDict[str]
    content: bytes
    from_cache: bool = field(default=False, compare=False)

    def __repr__(self) -> str:
        kind = self.content_type or "no type"
        return f"<Answer {self.status} {self.url} {kind} {len(self.content)} bytes>"

    @property
    def content_type(self) -> str:
        """Media type in lower case without its parameters; empty if the server named none."""
        return str(self.headers.get("Content-Type", "")).partition(";")[0].strip().lower()

    @property
    def location(self) -> str:
        """Absolute URL of the Location header; empty if there is none."""
        target = as_utf8(str(self.headers.get("Location", "")))
        return urljoin(self.url, target) if target else ""

    @property
    def text(self) -> str:
        """The body as text, in the declared character set or else UTF-8."""
        try:
            return self.content.decode(self._charset())
        except (LookupError, UnicodeDecodeError):
            return self.content.decode("utf-8", errors="replace")

    def json(self) -> Any:
        """Body as JSON.

        Returns
        -------
        object
            What the body holds.

        Raises
        ------
        InvalidAnswer
            The body is empty or no JSON.

        Warns
        -----
        WrongContentTypeWarning
            It is JSON, but declared as something else.
        InvalidNumberWarning
            It holds NaN or Infinity (RFC 8259, section 6, knows neither); they stay floats.
        """
        odd: set[str] = set()

        def constant(name: str) -> float:
            odd.add(name)
            return float(name.replace("Infinity", "inf"))

        if not self.content.strip():
            raise self._no_json("the body is empty")
        value, reason = None, ""
        try:
            value = json.loads(self._json_text(), parse_constant=constant)
        except RecursionError:
            reason = "it is nested too deeply"
        except ValueError as error:
            reason = _where(error, self.content)
        if reason:
            # Raised out here, it doesn't drag along the error that holds the whole body
            raise self._no_json(reason)
        self._check_type()
        if odd:
            report(
                InvalidNumberWarning(
                    f"{self.url}: the JSON holds {', '.join(sorted(odd))}, which is no JSON "
                    "number; check these values before using them"
                )
            )
        return value

    def links(self, rel: str) -> list[str]:
        """Targets of the links with a relation (RFC 8288), in the order of the headers.

        Parameters
        ----------
        rel : str
            Relation, such as `next`; case does not matter.

        Returns
        -------
        list of str
            Absolute URLs; relative ones are resolved against `url`. Links about another
            resource (`anchor`) are left out.
        """
        found = []
        for link in parse_links(as_utf8(self.headers.get("Link", ""))):
            anchor = link.parameters.get("anchor")
            if anchor is not None and urljoin(self.url, anchor) != self.url:
                continue
            if rel.lower() in link.relations:
                found.append(urljoin(self.url, link.target))
        return found

    def _charset(self) -> str:
        for part in str(self.headers.get("Content-Type", "")).split(";")[1:]:
            name, _, value = part.partition("=")
            if name.strip().lower() == "charset":
                return value.strip().strip("\"'") or "utf-8"
        return "utf-8"

    def _json_text(self) -> str | bytes:
        try:
            self.content.decode("utf-8-sig")
        except UnicodeDecodeError:
            # RFC 8259 asks for UTF-8; older servers declare what they send instead
            return self.text if self._charset().lower() not in ("utf-8", "utf8") else self.content
        return self.content.decode("utf-8-sig")

    def _check_type(self) -> None:
        kind = self.content_type
        if kind == "application/json" or kind.endswith("+json"):
            return
        report(
            WrongContentTypeWarning(
                f"{self.url}: JSON declared as {kind or 'nothing'}; "
                "the server should say application/json or a type ending in +json"
            ),
            stacklevel=3,
        )

    def _no_json(self, reason: str) -> InvalidAnswer:
        kind = self.content_type or "no Content-Type"
        return InvalidAnswer(
            f"{self.url} did not answer with JSON (status {self.status}, {kind}, "
            f"{len(self.content)} bytes): {reason}; check the address and the Accept header"
        )


def _where(error: ValueError, content: bytes) -> str:
    # The body is never quoted: servers echo what they were sent, credentials too.
    if content.lstrip()[:1] == b"<":
        return "it is HTML or XML, perhaps a login page"
    if isinstance(error, json.JSONDecodeError):
        at_end = error.pos >= len(error.doc.rstrip())
        place = f"line {error.lineno} column {error.colno}"
        return f"{error.msg} at {place}" + (", where the body ends" if at_end else "")
    return "its characters are not valid in the declared character set"
