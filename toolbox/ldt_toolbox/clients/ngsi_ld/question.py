"""What is asked of temporal evolutions, as URL parameters and as a body (6.18.3.2, 6.24)."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from ldt_toolbox.clients.ngsi_ld.selection import Selection
from ldt_toolbox.clients.ngsi_ld.windows import Window
from ldt_toolbox.errors import WrongUseError

Form = Literal["normalized", "concise", "temporalValues"]
"""Form of the instances: 4.5.7, its concise variant, and 4.5.9."""

TimeProperty = Literal["observedAt", "createdAt", "modifiedAt", "deletedAt"]
"""Time that counts (4.8)."""

Style = Literal["format", "options"]
"""How the form is asked for; `options` before 1.8, and both there `format` counts (6.3.7)."""


@dataclass(frozen=True)
class Question:
    """Everything that is asked but the window in time, which changes while an answer is gathered.

    Attributes
    ----------
    chosen : Selection
        Entities and attributes.
    last_n : int or None
        Latest instances of each attribute only.
    form : str
        Form of the instances.
    timeproperty : str
        Time that counts.
    """

    chosen: Selection
    last_n: int | None = None
    form: Form = "normalized"
    timeproperty: TimeProperty = "observedAt"

    def __post_init__(self) -> None:
        if self.last_n is not None and self.last_n < 1:
            raise WrongUseError(f"last_n = {self.last_n}: give 1 or more")
        if self.form not in ("normalized", "concise", "temporalValues"):
            raise WrongUseError(
                f"form = {self.form!r}: choose normalized, concise or temporalValues"
            )
        if self.timeproperty not in ("observedAt", "createdAt", "modifiedAt", "deletedAt"):
            raise WrongUseError(f"timeproperty = {self.timeproperty!r}: none of clause 4.8")

    @property
    def filtered(self) -> bool:
        """Whether there are conditions on values, which a server applies to each window."""
        return bool(self.chosen.q or self.chosen.geo or self.chosen.scope_q)

    def about(self, ids: tuple[str, ...]) -> "Question":
        """The same of some entities only."""
        return replace(self, chosen=self.chosen.narrowed(id=ids, id_pattern=""))

    def params(self, window: Window, latest: int | None, style: Style) -> dict[str, str]:
        """URL parameters for a window and a number of latest instances."""
        params = self.chosen.params() | window.params() | self._shape(style)
        if latest is not None:
            params["lastN"] = str(latest)
        if self.timeproperty != "observedAt":
            params["timeproperty"] = self.timeproperty
        return params

    def body(self, window: Window, latest: int | None) -> dict[str, Any]:
        """Query with a TemporalQuery (5.2.23, 5.2.21)."""
        when: dict[str, Any] = {**window.params(), "timeproperty": self.timeproperty}
        if latest is not None:
            when["lastN"] = latest
        return {**self.chosen.member(), "temporalQ": when}

    def body_params(self, style: Style) -> dict[str, str]:
        """URL parameters that go with the body."""
        return self.chosen.post_params() | self._shape(style)

    def _shape(self, style: Style) -> dict[str, str]:
        return {} if self.form == "normalized" else {str(style): self.form}
