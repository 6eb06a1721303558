"""Context brokers (ETSI GS CIM 009 V1.8.1): what territory.yaml says of them, and reading.

A broker yields stations: positions and names of entities, and the mean of their observations in a
period; or, for a role that is a table, a row an entity and instant. The answer is as good as a file
and is cleaned in the same way.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ldt_toolbox.clients.masking import has_secret_query
from ldt_toolbox.clients.named_auth import NAMED
from ldt_toolbox.errors import DataError
from ldt_toolbox.models.times import read_date_time

if TYPE_CHECKING:
    from datetime import datetime

    from ldt_toolbox.documents import Document, Where
    from ldt_toolbox.sources.protocols import Loaded
    from ldt_toolbox.territory import Source, Territory
    from ldt_toolbox.use_case import Role

KEYS = (
    "tenant", "context", "type", "from", "until", "hours", "q", "scope", "auth", "snapshot",
)  # fmt: skip
REQUIRED = ("url", "type", "from", "until")
_AUTH = tuple(key for way, (more, also) in NAMED.items() for key in (way, *more, *also))
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,63}")


def check(doc: "Document", where: "Where") -> Mapping[str, Any]:
    """Check the keys of a broker.

    Parameters
    ----------
    doc : Document
        territory.yaml.
    where : tuple
        The source.

    Returns
    -------
    mapping
        `type`, `tenant`, `context`, `from`, `until`, `period`, `hours`, `q`, `scope`, `auth`; names
        of environment variables, never their values.
    """
    _check_address(doc, (*where, "url"), "https://broker.example.org")
    if doc.text((*where, "context")):
        _check_address(doc, (*where, "context"), "https://example.org/context.jsonld")
    snapshot = doc.text((*where, "snapshot"))
    if snapshot and not (doc.path.parent / snapshot).is_file():
        doc.problem((*where, "snapshot"), f"{where[-1]}: no file {snapshot} beside territory.yaml")
    start, end = _moment(doc, (*where, "from")), _moment(doc, (*where, "until"))
    if start and end and start >= end:
        doc.problem((*where, "until"), f"{where[-1]}: `until` must be later than `from`")
    first, last = doc.text((*where, "from")), doc.text((*where, "until"))
    return {
        "type": doc.text((*where, "type"), pattern=r"[^\s,;|()]+", example="WeatherObserved"),
        "tenant": doc.text((*where, "tenant"), pattern=r"[\x21-\x7e]+", example="nice"),
        "context": doc.text((*where, "context")),
        "from": first,
        "until": last,
        "period": f"{first}/{last}",
        "hours": _hours(doc, (*where, "hours")),
        "q": doc.text((*where, "q")),
        "scope": doc.text((*where, "scope")),
        "auth": _auth(doc, (*where, "auth")),
    }


def read(source: "Source", role: "Role", territory: "Territory") -> "Loaded":
    """Load a role of points or a table; see `broker_stations` and `broker_table`.

    Raises
    ------
    DataError, MissingColumnError, MissingFileError
        Naming role, address and next step.
    """
    # both import geopandas
    if role.kind == "table":
        from ldt_toolbox.sources.broker_table import read_rows

        return read_rows(source, role, territory)
    if "vector" not in role.kind or role.geometry != "point":
        raise DataError(
            f"{role.id} must be {role.kind}, but `ngsi-ld` yields stations, one point each, or a "
            "table: give a file"
        )
    from ldt_toolbox.sources.broker_stations import read_stations

    return read_stations(source, role, territory)


def _check_address(doc: "Document", where: "Where", example: str) -> None:
    # what is wrong is never repeated: it may hold a password
    url = doc.text(where)
    if not url:
        return
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        doc.problem(where, f"`{where[-1]}` is no address, for example `{example}`")
        return
    if parts.username or parts.password or has_secret_query(url):
        doc.problem(
            where,
            f"`{where[-1]}` holds credentials: remove them and change them; name an environment "
            "variable with `auth: {token_env: ...}`",
        )
    elif parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", url):
        doc.problem(where, f"`{where[-1]}` is no http or https address, for example `{example}`")


def _moment(doc: "Document", where: "Where") -> "datetime | None":
    text = doc.text(where)
    if not text:
        return None
    found = read_date_time(text)
    if found is None or found.tzinfo is None:
        doc.problem(
            where,
            f"`{where[-1]}: {text}` is no time with its offset from UTC, for example "
            "`2025-07-01T00:00:00+02:00`",
        )
        return None
    return found


def _hours(doc: "Document", where: "Where") -> tuple[int, ...]:
    given = doc.items(where)
    whole = all(isinstance(one, int) and not isinstance(one, bool) for one in given)
    if given and (
        len(given) != 2 or not whole or not all(0 <= one <= 24 for one in given)
        or given[0] == given[1]
    ):  # fmt: skip
        doc.problem(
            where,
            f"`hours: {given}` must be the first hour that counts and the first that counts no "
            "more, local time, for example `[22, 6]`",
        )
        return ()
    return tuple(given)


def _auth(doc: "Document", where: "Where") -> dict[str, str]:
    if isinstance(doc.at(where), str):
        doc.problem(where, "`auth` must name an environment variable: `{token_env: BROKER_TOKEN}`")
        return {}
    given = doc.mapping(where, known=_AUTH)
    if not given:
        return {}
    for key in given:
        # a token that was written here by mistake is not shown
        if key.endswith("_env") and not _VARIABLE.fullmatch(doc.text((*where, key))):
            doc.problem(
                (*where, key),
                f"`{key}` must be the name of an environment variable, such as BROKER_TOKEN, "
                "never the secret itself: if this was one, change it",
            )
    ways = [key for key in NAMED if key in given]
    if len(ways) > 1:
        doc.problem(where, f"`auth` has `{ways[0]}` and `{ways[1]}`: keep one")
    elif not ways:
        doc.mapping(where, required=("token_env",))
    else:
        required, optional = NAMED[ways[0]]
        fitting = (*ways, *required, *optional)
        doc.mapping(where, required=required)
        for key in (one for one in given if one in _AUTH and one not in fitting):
            doc.problem((*where, key), f"`{key}` means nothing beside `{ways[0]}`: remove it")
    if "token_url" in given:
        _check_address(doc, (*where, "token_url"), "https://keys.example.org/token")
    if "header" in given and not _HEADER.fullmatch(doc.text((*where, "header"))):
        # nor is this: it may be the key
        doc.problem(
            (*where, "header"), "`header` must be the name of a header, such as `X-API-Key`"
        )
    return {key: doc.text((*where, key)) for key in given}
