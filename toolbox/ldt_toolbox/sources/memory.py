"""What a use case has worked out already: a step is done again when what it was made of changes."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from ldt_toolbox.sources import Inputs, Layer

T = TypeVar("T")

_INPUTS = object()  # stands for the inputs among the arguments that are kept
_PLAIN = (str, int, float, bool, type(None))


class _Reads(Mapping[str, "Layer"]):
    """Layers that notes down which of them a step has looked at, or looked for."""

    def __init__(self, layers: Mapping[str, "Layer"]) -> None:
        self._layers = layers
        self.read: dict[str, Layer | None] = {}

    def __getitem__(self, role: str) -> "Layer":
        self.read[role] = self._layers.get(role)
        return self._layers[role]

    def __iter__(self) -> Iterator[str]:
        return iter(self._layers)

    def __len__(self) -> int:
        return len(self._layers)


@dataclass(frozen=True)
class _Made:
    step: Callable[..., Any]
    arguments: tuple[Any, ...]
    roles: frozenset[str]
    read: Mapping[str, "Layer | None"]
    result: Any

    def holds(
        self, step: Callable[..., Any], arguments: tuple[Any, ...], layers: Mapping[str, "Layer"]
    ) -> bool:
        return (
            self.step is step
            and len(self.arguments) == len(arguments)
            and all(_same(*pair) for pair in zip(self.arguments, arguments, strict=True))
            and self.roles == frozenset(layers)
            and all(layers.get(role) is layer for role, layer in self.read.items())
        )


def _same(old: Any, new: Any) -> bool:
    return old is new or (isinstance(old, _PLAIN) and type(old) is type(new) and old == new)


class Memory:
    """Results of the steps of one use case on one territory, from one run to the next.

    A step is a function of inputs, parameters and results of other steps that changes none of
    them. Its result is taken again while every layer that it looked at, and every other argument,
    is the same object as before; so a new reading of a station leaves alone what rests on
    buildings, and the results of steps that were not done again let others rest as well.

    Attributes
    ----------
    done : list of str
        Names of the steps that were done since `begin`, in order.
    """

    def __init__(self) -> None:
        self._made: dict[tuple[str, int], _Made] = {}
        self._calls: Counter[str] = Counter()
        self.done: list[str] = []

    def begin(self) -> None:
        """Begin a run."""
        self._calls.clear()
        self.done = []

    def step(
        self,
        inputs: "Inputs",
        step: Callable[..., T],
        args: tuple[Any, ...],
        named: Mapping[str, Any],
    ) -> T:
        """Result of a step, from memory where it still holds.

        Parameters
        ----------
        inputs : Inputs
            Of this run.
        step : callable
            What is to be done.
        args, named : tuple, mapping
            Its arguments; those that are `inputs` are watched.
        """
        name = f"{step.__module__}.{step.__qualname__}".removeprefix("ldt_toolbox.")
        key = (name, self._calls[name])
        self._calls[name] += 1
        given = (*args, *named, *named.values())
        arguments = tuple(_INPUTS if each is inputs else each for each in given)
        made = self._made.get(key)
        if made is not None and made.holds(step, arguments, inputs.layers):
            found: T = made.result
            return found
        reads = _Reads(inputs.layers)
        watched = replace(inputs, layers=reads, memory=None)

        def seen(value: Any) -> Any:
            return watched if value is inputs else value

        result = step(*map(seen, args), **{name: seen(value) for name, value in named.items()})
        self._made[key] = _Made(step, arguments, frozenset(inputs.layers), reads.read, result)
        self.done.append(name)
        return result
