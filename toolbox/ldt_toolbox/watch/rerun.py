"""What a watch tells of each of its runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

Change = tuple[float | int | None, float | int | None]
"""Value of an indicator before and after."""


@dataclass(frozen=True)
class Rerun:
    """A run of a watch.

    Attributes
    ----------
    number : int
        0 is the one at the start.
    roles : tuple of str
        Whose data had changed.
    changed : mapping of str to tuple
        Indicators before and after, where they differ.
    indicators : mapping of str to float or None
        All of them.
    seconds : float
        From start to end, without publishing.
    folder : pathlib.Path or None
        Its results.
    problem : str
        Why there are none, or why they could not be published; else empty.
    """

    number: int
    roles: tuple[str, ...]
    changed: Mapping[str, Change] = field(default_factory=dict)
    indicators: Mapping[str, float | int | None] = field(default_factory=dict)
    seconds: float = 0.0
    folder: Path | None = None
    problem: str = ""
