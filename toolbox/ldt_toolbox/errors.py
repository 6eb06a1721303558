"""The errors of the toolbox: one family, each also a builtin, so that both worlds can catch it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class LDTError(Exception):
    """Base of every error that the toolbox raises on purpose.

    The message names the thing, the value and the next step; the command line shows it
    without a traceback.
    """


class WrongUseError(LDTError, ValueError):
    """The caller asked for something that does not exist or cannot be (exit code 2)."""


class ParameterError(WrongUseError):
    """A parameter is unknown, of the wrong type or out of its range."""


class DataError(LDTError, ValueError):
    """Data that came in cannot be used as it is."""


class CRSError(DataError):
    """A coordinate reference system is missing, geographic where metres are needed, or differs."""


class MissingColumnError(DataError, KeyError):
    """A table lacks a column that its role asks for."""

    def __str__(self) -> str:
        # KeyError shows the repr of its message; people want the message.
        return str(self.args[0]) if self.args else ""


class MissingRoleError(DataError, LookupError):
    """A use case needs a role for which the territory names no source."""


class MissingFileError(DataError, FileNotFoundError):
    """A file that a document names is not there."""


class RunError(LDTError, RuntimeError):
    """A run did not come to its end (exit code 1)."""


class OutputError(LDTError, OSError):
    """Results cannot be written where they were asked for."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a document.

    Attributes
    ----------
    line : int or None
        Line in the document, counted from 1.
    message : str
        The thing, the value and the next step.
    """

    line: int | None
    message: str


class DocumentError(WrongUseError):
    """All problems of one document, shown together with their lines.

    Parameters
    ----------
    path : pathlib.Path
        The document.
    problems : sequence of Problem
        At least one.
    """

    def __init__(self, path: Path, problems: Sequence[Problem]) -> None:
        self.path = path
        self.problems = tuple(sorted(problems, key=lambda p: (p.line or 0, p.message)))
        count = len(self.problems)
        head = f"{path}: {count} problem{'s' if count != 1 else ''}"
        lines = [
            f"  {path.name}:{p.line}: {p.message}" if p.line else f"  {path.name}: {p.message}"
            for p in self.problems
        ]
        super().__init__("\n".join([head, *lines]))

    def __reduce__(self) -> tuple[type["DocumentError"], tuple[Path, tuple[Problem, ...]]]:
        # an error of a worker process comes back by pickle, which knows the message only
        return type(self), (self.path, self.problems)
