"""States of a flood run on disk, to go on after an interruption."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ldt_toolbox import __version__
from ldt_toolbox.errors import DataError, MissingFileError

FOLDER_VARIABLE = "LDT_CHECKPOINTS"


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


def state_file(parts: Iterable[Any]) -> Path | None:
    """Where the event of a use case keeps its state, None where nobody asked for it.

    The folder is that of the environment variable ``LDT_CHECKPOINTS``: where a state is kept
    changes no result, so it is no parameter. Its name holds a digest of all that the run depends
    on: a run with other data, parameters or another version of the package has a file of its own.

    Parameters
    ----------
    parts : iterable
        Numbers, words and arrays.

    Raises
    ------
    MissingFileError
        If the folder does not exist.
    """
    named = os.environ.get(FOLDER_VARIABLE, "")
    if not named:
        return None
    folder = Path(named)
    if not folder.is_dir():
        raise MissingFileError(
            f"{FOLDER_VARIABLE} names {folder}, which is no folder: make it, or unset the variable"
        )
    digest = hashlib.sha256(__version__.encode())
    for part in parts:
        array = np.ascontiguousarray(part)
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(array.tobytes())
    return folder / f"flood-{digest.hexdigest()[:24]}.npz"
