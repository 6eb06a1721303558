"""States of a flood run on disk, to go on after an interruption."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ldt_toolbox.errors import DataError, MissingFileError


@dataclass(frozen=True)
class Checkpoint:
    """Everything that the rest of a run depends on.

    Attributes
    ----------
    arrays : dict of str to numpy.ndarray
        Copies; their names are the run's own affair.
    """

    arrays: dict[str, NDArray[np.generic]]

    def write(self, path: Path) -> None:
        """Write to a file ``.npz``; a file of this name is replaced when all is written."""
        part = path.with_name(path.name + ".part")
        with part.open("wb") as stream:
            np.savez(stream, **self.arrays)  # type: ignore[arg-type]
        part.replace(path)

    @classmethod
    def read(cls, path: Path) -> "Checkpoint":
        """Read back.

        Raises
        ------
        MissingFileError
            If there is no such file.
        DataError
            If it is no checkpoint or damaged.
        """
        if not path.exists():
            raise MissingFileError(
                f"{path}: there is no checkpoint; start the run from the beginning"
            )
        try:
            with np.load(path, allow_pickle=False) as stored:
                return cls({name: stored[name] for name in stored.files})
        except Exception as error:
            raise DataError(
                f"{path} is no checkpoint or damaged ({error}): start the run from the beginning"
            ) from error
