"""The files of a feed, in a zip or a folder."""

import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO, Self

from ldt_toolbox.errors import DataError, MissingFileError

CHUNK = 8 << 20  # bytes


class FeedFiles(AbstractContextManager["FeedFiles"]):
    """Text files of a GTFS zip or folder; a single folder inside is looked into.

    Parameters
    ----------
    path : pathlib.Path
        Zip file or folder.

    Raises
    ------
    MissingFileError
        If there is nothing.
    DataError
        If the file is no zip, or holds no .txt file or several feeds.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._zip: zipfile.ZipFile | None = None
        if path.is_dir():
            found = [p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file()]
        elif path.is_file():
            try:
                self._zip = zipfile.ZipFile(path)
            except zipfile.BadZipFile as error:
                raise DataError(f"{path} is no zip file: give a GTFS zip or folder") from error
            found = [name for name in self._zip.namelist() if not name.endswith("/")]
        else:
            raise MissingFileError(f"{path} is not there: give a GTFS zip or folder")
        files = [PurePosixPath(name) for name in found]
        files = [f for f in files if "__MACOSX" not in f.parts and not f.name.startswith(".")]
        homes = {f.parent for f in files if f.suffix == ".txt"}
        if not homes:
            self.close()
            raise DataError(f"{path} holds no .txt file: give a GTFS zip or folder")
        top = min(homes, key=lambda home: (len(home.parts), str(home)))
        if sum(len(home.parts) == len(top.parts) for home in homes) > 1:
            self.close()
            raise DataError(f"{path} holds several feeds ({', '.join(map(str, sorted(homes)))})")
        self._members = {f.name: str(f) for f in files if f.parent == top}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.close()

    def __enter__(self) -> Self:
        return self

    def close(self) -> None:
        """Close the zip."""
        if self._zip is not None:
            self._zip.close()

    @property
    def names(self) -> list[str]:
        """Names of the files, with suffix."""
        return sorted(self._members)

    def open(self, name: str) -> IO[bytes]:
        """Open one file for reading."""
        member = self._members[name]
        return self._zip.open(member) if self._zip else (self.path / member).open("rb")

    def size(self, name: str) -> int:
        """Bytes of a file, unpacked."""
        member = self._members[name]
        if self._zip:
            return self._zip.getinfo(member).file_size
        return (self.path / member).stat().st_size

    def read(self, name: str) -> bytes:
        """Whole content of a file, without byte-order mark."""
        with self.open(name) as file:
            return file.read().removeprefix(b"\xef\xbb\xbf")

    def chunks(self, name: str, size: int = CHUNK) -> Iterator[bytes]:
        """Content of a file piece by piece, without byte-order mark."""
        with self.open(name) as file:
            first = True
            while piece := file.read(size):
                yield piece.removeprefix(b"\xef\xbb\xbf") if first else piece
                first = False
