"""Choice of a media type (RFC 9110, 12.5.1)."""

from collections.abc import Sequence


def choose(accept: str, offered: Sequence[str]) -> str | None:
    """Best of the offered media types for an Accept header.

    Parameters
    ----------
    accept : str
        The header; empty takes all.
    offered : sequence of str
        Media types, the preferred one first.

    Returns
    -------
    str or None
        None if none is taken.
    """
    if not accept.strip():
        return offered[0]
    ranges = [_range(each) for each in accept.split(",") if each.strip()]
    best: tuple[float, int] | None = None
    chosen = None
    for order, media in enumerate(offered):
        fitting = [(len(r.rstrip("*")), q) for r, q in ranges if _fits(media, r)]
        if fitting:
            quality = max(fitting)[1]
            if quality > 0 and (best is None or (quality, -order) > best):
                best, chosen = (quality, -order), media
    return chosen


def _range(text: str) -> tuple[str, float]:
    media, *parameters = (part.strip().lower() for part in text.split(";"))
    for each in parameters:
        if each.startswith("q="):
            try:
                return media, min(1.0, max(0.0, float(each[2:])))
            except ValueError:
                return media, 0.0
    return media, 1.0


def _fits(media: str, wanted: str) -> bool:
    return wanted in ("*/*", "*") or media == wanted or (
        wanted.endswith("/*") and media.startswith(wanted[:-1])
    )  # fmt: skip
