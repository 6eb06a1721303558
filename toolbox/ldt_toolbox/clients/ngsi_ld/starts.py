"""Whether a server counts the start of a window in time, as the standard does (GS CIM 009, 4.11).

One that leaves it out loses, without a word, what was observed at midnight of every day and at the
beginning of every hour that is asked for.
"""

from dataclasses import replace
from datetime import timedelta

from ldt_toolbox.clients.ngsi_ld.evolution import Entity, series_of, since
from ldt_toolbox.clients.ngsi_ld.windows import Ask, Part, Window

_STEP = timedelta(milliseconds=1)


def leaves_start_out(ask: Ask, part: Part, timeproperty: str) -> bool | None:
    """Whether what lies at the very start of a window does not come; None if nothing tells.

    Parameters
    ----------
    ask : callable
        Asks for a window.
    part : Part
        An answer: the first instance of one of its series is asked for again, by a window that
        starts at its time.
    timeproperty : str
        The time that windows are about.
    """
    found = series_of(part.entities, timeproperty)
    if not found:
        return None
    key, series = next(iter(found.items()))

    def comes(window: Window) -> bool:
        return key in series_of(ask(window, None).entities, timeproperty)

    end = series.first + _STEP
    return not comes(Window(series.first, end)) and comes(Window(series.first - _STEP, end))


def earlier(window: Window) -> Window:
    """The window from a millisecond before: what is at its start then lies inside."""
    return window if window.start is None else replace(window, start=window.start - _STEP)


def from_start(entity: Entity, window: Window, *, timeproperty: str) -> Entity:
    """Evolution without what `earlier` may have brought from before the window."""
    start = window.start
    if start is None:
        return entity
    before = any(each.first < start for each in series_of([entity], timeproperty).values())
    return since(entity, start, timeproperty=timeproperty) if before else entity
