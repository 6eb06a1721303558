"""Link headers of requests (RFC 8288) that name a @context."""

import re
from collections.abc import Sequence

from ldt_toolbox.twin.problems import bad

_LINK = re.compile(r"<([^>]*)>\s*((?:;\s*[\w*-]+\s*(?:=\s*(?:\"[^\"]*\"|[^\s;,\"]+))?\s*)*)")
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))", re.IGNORECASE)
CONTEXT_REL = "http://www.w3.org/ns/json-ld#context"


def context_of_link(headers: Sequence[str]) -> str | None:
    """Address of the @context that Link headers name.

    Raises
    ------
    ProblemError
        BadRequestData if they name several (JSON-LD 1.1, 6.2).
    """
    found = []
    for header in headers:
        for target, parameters in _LINK.findall(header[:8000]):
            relation = _REL.search(parameters)
            if relation and CONTEXT_REL in (relation[1] or relation[2] or "").split():
                found.append(target.strip())
    if len(set(found)) > 1:
        raise bad("the Link headers name several @contexts; one is allowed")
    return found[0] if found else None
