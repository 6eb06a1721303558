"""Reader of the Link header (RFC 8288, section 3 and the algorithms of its appendix B)."""

from collections.abc import Mapping
from dataclasses import dataclass

_SPACE = " \t\r\n"


@dataclass(frozen=True)
class Link:
    """One link of a Link header.

    Attributes
    ----------
    target : str
        Target as written, relative or absolute.
    parameters : mapping
        Parameters by lower-case name; of a repeated one the first counts (RFC 8288, 3.3).
    """

    target: str
    parameters: Mapping[str, str]

    @property
    def relations(self) -> tuple[str, ...]:
        """Relation types in lower case."""
        return tuple(self.parameters.get("rel", "").lower().split())


def as_utf8(header: str) -> str:
    """Undo the Latin-1 reading of a header whose bytes are UTF-8, as servers send them."""
    try:
        return header.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return header


def parse_links(header: str) -> list[Link]:
    """Read a Link header, several of them joined with commas included.

    Parameters
    ----------
    header : str
        Value of the header(s).

    Returns
    -------
    list of Link
        In the order of the header. What follows a part that is no link is left out, as
        appendix B.2 asks; no text makes this function fail.
    """
    links: list[Link] = []
    at = 0
    while True:
        at = _skip(header, at, _SPACE + ",")
        if header[at : at + 1] != "<":
            return links
        end = header.find(">", at)
        if end < 0:
            return links
        target = header[at + 1 : end].strip()
        parameters, at = _parameters(header, end + 1)
        links.append(Link(target, parameters))


def _skip(text: str, at: int, characters: str) -> int:
    while at < len(text) and text[at] in characters:
        at += 1
    return at


def _parameters(text: str, at: int) -> tuple[dict[str, str], int]:
    """Parameters that follow a target (B.3), and the place after them."""
    found: dict[str, str] = {}
    while True:
        at = _skip(text, at, _SPACE)
        if text[at : at + 1] != ";":
            return found, at
        at = _skip(text, at + 1, _SPACE)
        start = at
        while at < len(text) and text[at] not in _SPACE + "=;,":
            at += 1
        name = text[start:at].lower()
        at = _skip(text, at, _SPACE)
        value = ""
        if text[at : at + 1] == "=":
            at = _skip(text, at + 1, _SPACE)
            if text[at : at + 1] == '"':
                value, at = _quoted(text, at)
            else:
                start = at
                while at < len(text) and text[at] not in ";,":
                    at += 1
                value = text[start:at].rstrip(_SPACE)
        if name:
            found.setdefault(name, value)


def _quoted(text: str, at: int) -> tuple[str, int]:
    """Quoted string that starts here (B.4), and the place after it."""
    value: list[str] = []
    at += 1
    while at < len(text):
        if text[at] == '"':
            return "".join(value), at + 1
        if text[at] == "\\" and at + 1 < len(text):
            at += 1
        value.append(text[at])
        at += 1
    return "".join(value), at
