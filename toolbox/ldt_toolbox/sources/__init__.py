"""Load what a use case needs from what a territory has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from ldt_toolbox.errors import DataError, MissingRoleError
from ldt_toolbox.results import Note
from ldt_toolbox.sources.file import checked_hash, file_sha256
from ldt_toolbox.sources.memory import Memory
from ldt_toolbox.sources.protocols import way
from ldt_toolbox.sources.received import Received, keep
from ldt_toolbox.territory import Source, Territory
from ldt_toolbox.use_case import Role, UseCase

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from ldt_toolbox.mobility.gtfs.read import Feed
    from ldt_toolbox.space.raster import Raster

__all__ = ["Inputs", "Layer", "Memory", "Received", "file_sha256", "load", "load_role"]

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Layer:
    """Data of one role, and everything that a reader has to know of it.

    Attributes
    ----------
    role : str
        The role that it serves.
    data : geopandas.GeoDataFrame, Raster, pandas.DataFrame or Feed
        In the territory's CRS.
    source : Source
        Licence, origin, date, provenance and unit.
    sha256 : str
        Hash of the file that was read, or of what a server sent.
    notes : tuple of Note
        What was mended or assumed while reading.
    received : Received or None
        What a server sent; None where a file was read.
    """

    role: str
    data: "gpd.GeoDataFrame | Raster | pd.DataFrame | Feed"
    source: Source
    sha256: str
    notes: tuple[Note, ...] = ()
    received: Received | None = None


@dataclass(frozen=True)
class Inputs:
    """All layers of a run.

    Attributes
    ----------
    territory : Territory
        The place.
    layers : mapping of str to Layer
        By role.
    missing : mapping of str to Role
        Optional roles for which the territory names no source.
    memory : Memory or None
        What earlier runs have worked out; None where each run stands alone.
    """

    territory: Territory
    layers: Mapping[str, Layer]
    missing: Mapping[str, Role] = field(default_factory=dict)
    memory: Memory | None = None

    def __contains__(self, role: str) -> bool:
        return role in self.layers

    def step(self, step: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """Do a step of a use case, or take its result from an earlier run (see `Memory`).

        Parameters
        ----------
        step : callable
            A function of its arguments alone that changes none of them.
        *args, **named
            These inputs, parameters, results of other steps.
        """
        if self.memory is None:
            return step(*args, **named)
        return self.memory.step(self, step, args, named)

    def frame(self, role: str) -> "gpd.GeoDataFrame":
        """Vector data of a role."""
        return self._data(role)

    def table(self, role: str) -> "pd.DataFrame":
        """Table of a role."""
        table: pd.DataFrame = self._data(role)
        return table

    def raster(self, role: str) -> "Raster":
        """Raster of a role."""
        raster: Raster = self._data(role)
        return raster

    def feed(self, role: str) -> "Feed":
        """Timetable of a role."""
        feed: Feed = self._data(role)
        return feed

    def _data(self, role: str) -> Any:
        if role not in self.layers:
            raise MissingRoleError(
                f"{self.territory.id} has no source for the role `{role}`: "
                f"add `sources: {role}:` to {self.territory.path}"
            )
        return self.layers[role].data

    @property
    def synthetic(self) -> frozenset[str]:
        """Roles whose data are made up, and `boundary` if the territory's own line is."""
        made_up = {
            role for role, one in self.layers.items() if one.source.provenance == "synthetic"
        }
        line = {"boundary"} if self.territory.boundary.provenance == "synthetic" else set()
        return frozenset(made_up | line)

    def summary(self) -> "pd.DataFrame":
        """One line a role: what it is, from where, when, on which terms.

        Returns
        -------
        pandas.DataFrame
            Index `role`; `records`, `source`, `date`, `licence`, `provenance`.
        """
        import pandas as pd

        rows = [
            {
                "role": role,
                "records": _records(layer.data),
                "source": layer.source.source,
                "date": layer.source.date,
                "licence": layer.source.licence,
                "provenance": layer.source.provenance,
            }
            for role, layer in self.layers.items()
        ]
        return pd.DataFrame(rows).set_index("role")

    def notes(self) -> list[Note]:
        """What was mended or assumed while reading, and what is lost with missing roles."""
        notes = [note for layer in self.layers.values() for note in layer.notes]
        notes += [
            Note(
                "gap",
                {
                    "en": f"No {role.id.replace('_', ' ')}: {role.without.get('en', '')}.",
                    "fr": f"Pas de données « {role.id} » : {role.without.get('fr', '')}.",
                },
            )
            for role in self.missing.values()
        ]
        return notes


def _records(data: Any) -> int | str:
    if hasattr(data, "columns"):
        return len(data)
    if hasattr(data, "stop_times"):
        return f"{len(data.stop_times)} stop times"
    return " x ".join(map(str, data.shape)) + " cells"


def load(case: UseCase, territory: Territory) -> Inputs:
    """Load every role of a use case that the territory can serve.

    Parameters
    ----------
    case : UseCase
        Says what is needed.
    territory : Territory
        Says where it comes from.

    Raises
    ------
    MissingRoleError
        With every required role for which there is no source.
    DataError, CRSError, MissingFileError, MissingColumnError
        If data cannot be used; names role, file and what to do.
    """
    absent = [r for r in case.roles.values() if r.required and r.id not in territory.sources]
    if absent:
        lines = "\n".join(
            f"  {role.id}: {role.help.get('en', '')} (accepts {', '.join(role.accepts)})"
            for role in absent
        )
        raise MissingRoleError(
            f"{case.id} needs roles for which {territory.id} names no source:\n{lines}\n"
            f"add them under `sources:` in {territory.path}"
        )
    checked_hash(territory.boundary)
    layers = {
        role.id: load_role(role, territory)
        for role in case.roles.values()
        if role.id in territory.sources
    }
    missing = {role.id: role for role in case.roles.values() if role.id not in layers}
    return Inputs(territory=territory, layers=layers, missing=missing)


def load_role(role: Role, territory: Territory) -> Layer:
    """Load the data of one role.

    Raises
    ------
    MissingRoleError
        If the territory names no source for it.
    DataError
        If the hash of a file or answer differs from the one that territory.yaml states, it does
        not fit the role, or a server does not give it.
    """
    if role.id not in territory.sources:
        raise MissingRoleError(f"{territory.id} names no source for `{role.id}`")
    source = territory.sources[role.id]
    accepted = source.use or source.protocol
    if accepted not in role.accepts:
        raise DataError(
            f"{role.id} comes by `{accepted}`, but this use case accepts {', '.join(role.accepts)}"
        )
    if source.use:
        from ldt_toolbox.sources.tables import read_normals

        data, notes = read_normals(source.use, lonlat=territory.center_lonlat)
        return Layer(role.id, data, source, "", tuple(notes))
    loaded = way(source.protocol).read(source, role, territory)
    if loaded.received is not None:
        keep(loaded.received)
    return Layer(role.id, loaded.data, source, loaded.sha256, loaded.notes, loaded.received)
