"""Page sizes that servers refuse, and what they say of it."""

import re

from ldt_toolbox.clients.errors import HttpStatusError

PAGE_SIZES = (1000, 500, 100, 50, 20, 10)
"""Page sizes that are tried, largest first, when a server refuses one."""


def complains(error: HttpStatusError, words: str) -> bool:
    """Whether a refusal may be about the page size: it says nothing, or one of some words.

    Parameters
    ----------
    error : HttpStatusError
        The refusal.
    words : str
        Regular expression.
    """
    told = " ".join(str(error.problem.get(part, "")) for part in ("title", "detail")).lower()
    return not told.strip() or bool(re.search(words, told))


def smaller(error: HttpStatusError, size: int) -> list[int]:
    """Page sizes to try after one that was refused, the one that the complaint names first."""
    numbers = re.findall(r"\b\d{1,6}\b", str(error.problem.get("detail", "")))
    named = max((int(n) for n in numbers if 0 < int(n) < size), default=None)
    rest = [other for other in PAGE_SIZES if other < size and other != named]
    return rest if named is None else [named, *rest]
