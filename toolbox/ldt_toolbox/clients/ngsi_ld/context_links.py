"""Which @context a Link header can name (GS CIM 009 V1.8.1, 4.4 and 6.3.5)."""

import re
from typing import Any

from ldt_toolbox.errors import WrongUseError

CORE_CONTEXT = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.8.jsonld"
"""Core @context of the version that this client speaks (GS CIM 009 V1.8.1, annex B)."""

CONTEXT_RELATION = "http://www.w3.org/ns/json-ld#context"
"""Link relation that carries an @context (JSON-LD 1.1, section 6.1)."""

Context = str | list[Any] | dict[str, Any] | None
"""URL of an @context, or an @context itself."""

_CORE = re.compile(r"https?://uri\.etsi\.org/ngsi-ld/(v1/)?ngsi-ld-core-context[\w.-]*\.jsonld")


def context_link(url: str) -> str:
    """Link header that names an @context (GS CIM 009, 6.3.5).

    Raises
    ------
    WrongUseError
        The URL is none, or could end the header early.
    """
    if not re.fullmatch(r"https?://[^\s<>\"]+", url):
        raise WrongUseError(f"@context {url!r} is no http or https URL; give one that is hosted")
    return f'<{url}>; rel="{CONTEXT_RELATION}"; type="application/ld+json"'


def link_of(context: Context) -> str:
    """Link header for an @context; empty if it needs none.

    The core @context is part of every @context (4.4): beside one other it need not be named.

    Raises
    ------
    WrongUseError
        One Link header cannot name it.
    """
    listed: list[Any] = context if isinstance(context, list) else [context] if context else []
    others = [one for one in listed if not (isinstance(one, str) and _CORE.fullmatch(one))]
    if not others:
        return context_link(listed[-1]) if listed else ""
    if len(others) == 1 and isinstance(others[0], str):
        return context_link(others[0])
    raise WrongUseError(
        "this request can only name one hosted @context (GS CIM 009, 6.3.5), but the client "
        "has several or a literal one: host it with client.contexts.add(...) and use its URL"
    )
