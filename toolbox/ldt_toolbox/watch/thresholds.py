"""Thresholds that count when they are passed, and not while a value stays beyond them."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ldt_toolbox.errors import WrongUseError

Side = Literal["above", "below"]

DEFAULT_HYSTERESIS = 0.05
"""As a share of the threshold: readings that tremble around it shall not start a run each."""

_FORM = re.compile(
    r"(?:(?P<type>\w+)\.)?(?P<attribute>\w+)=(?P<value>[^~\s]+)(?:~(?P<hysteresis>\S+))?"
)


@dataclass(frozen=True)
class Threshold:
    """A value of an attribute whose passing matters.

    Attributes
    ----------
    attribute : str
        Name as the broker sends it, for example `height`.
    value : float
        In the unit in which the attribute comes.
    hysteresis : float
        A value counts as below again only when it is this much lower.
    type : str
        Entity type, if it is not an input of the use case; else empty.
    """

    attribute: str
    value: float
    hysteresis: float
    type: str = ""

    @classmethod
    def parse(cls, text: str) -> "Threshold":
        """Read `[TYPE.]ATTRIBUTE=VALUE[~HYSTERESIS]`.

        Raises
        ------
        WrongUseError
            If it has another form.

        Examples
        --------
        >>> Threshold.parse("WaterObserved.height=1.5~0.2")
        Threshold(attribute='height', value=1.5, hysteresis=0.2, type='WaterObserved')
        """
        match = _FORM.fullmatch(text.strip())
        try:
            value = float(match["value"]) if match else math.nan
            given = match["hysteresis"] if match else None
            hysteresis = abs(value) * DEFAULT_HYSTERESIS if given is None else float(given)
        except ValueError:
            value = hysteresis = math.nan
        if match is None or not math.isfinite(value) or not 0 <= hysteresis < math.inf:
            raise WrongUseError(
                f"threshold {text!r} is none: write [TYPE.]ATTRIBUTE=VALUE[~HYSTERESIS], for "
                "example WaterObserved.height=1.5~0.2"
            )
        return cls(match["attribute"], value, hysteresis, match["type"] or "")

    def side(self, value: float, before: Side | None) -> Side:
        """On which side a value lies, given where the one before it was."""
        if value >= self.value:
            return "above"
        if before == "above" and value > self.value - self.hysteresis:
            return "above"
        return "below"


@dataclass(frozen=True)
class Passing:
    """A threshold was passed.

    Attributes
    ----------
    threshold : Threshold
        Which one.
    entity : str
        Id of the entity.
    value : float
        The first value on the new side.
    side : {"above", "below"}
        Where it is now.
    """

    threshold: Threshold
    entity: str
    value: float
    side: Side


@dataclass
class Sides:
    """Where each entity stands against each threshold."""

    thresholds: tuple[Threshold, ...]
    _known: dict[tuple[Threshold, str], Side] = field(default_factory=dict)

    def attributes(self, type_name: str = "") -> set[str]:
        """Attributes of which only passings count."""
        return {one.attribute for one in self.thresholds if one.type in ("", type_name)}

    def passings(self, entity_id: str, values: Mapping[str, Any]) -> list[Passing]:
        """Take values of an entity, and tell what they passed.

        Parameters
        ----------
        entity_id : str
            The entity; the first value of each is where it stands, and passes only upwards.
        values : mapping of str to object
            By attribute; what is no number is passed over.
        """
        found = []
        for one in self.thresholds:
            value = values.get(one.attribute)
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            before = self._known.get((one, entity_id))
            side = one.side(float(value), before)
            self._known[(one, entity_id)] = side
            if side != (before or "below"):
                found.append(Passing(one, entity_id, float(value), side))
        return found
