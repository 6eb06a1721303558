"""What a watch knows of the entities of a subscription, to tell news from repetition."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ldt_toolbox.watch.brokers import Interest, State, states


@dataclass
class Known:
    """The entities of one subscription as they were last told.

    Attributes
    ----------
    interest : Interest
        What was subscribed to.
    heard : float
        When the broker last told something, in seconds of `time.monotonic`.
    """

    interest: Interest
    heard: float = 0.0
    _states: dict[State, Any] = field(default_factory=dict)

    def news(self, entities: Iterable[Mapping[str, Any]]) -> set[State]:
        """Take entities, and tell which of their attributes are new or otherwise than before."""
        fresh = {
            key: state
            for entity in entities
            for key, state in states(entity, self.interest.attributes).items()
            if self._states.get(key) != state
        }
        self._states |= fresh
        return set(fresh)

    def gone(self, entities: Iterable[Mapping[str, Any]]) -> set[State]:
        """Forget what is not among all the entities that there are, and tell it."""
        there = {str(entity.get("id", "")) for entity in entities}
        lost = {key for key in self._states if key[0] not in there}
        for key in lost:
            del self._states[key]
        return lost
