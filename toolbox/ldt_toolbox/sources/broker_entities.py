"""Entities that a context broker selects: where they stand, what is kept, what has to be told."""

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from ldt_toolbox.clients.masking import mask_url
from ldt_toolbox.errors import DataError, MissingColumnError
from ldt_toolbox.models.positions import Area, fault
from ldt_toolbox.sources.broker import Answers, Broker, Entity, Snapshot, attribute_value
from ldt_toolbox.sources.file import checked_hash
from ldt_toolbox.sources.received import Received, sha256_of
from ldt_toolbox.sources.series import Reject, reject_notes

if TYPE_CHECKING:
    from ldt_toolbox.territory import Source


class Placed(NamedTuple):
    """An entity, and its geometry in EPSG:4326 (None where positions do not matter)."""

    entity: Entity
    geometry: BaseGeometry | None


def selected(source: "Source") -> tuple[str, Answers, list[Entity]]:
    """Ask a broker, or the snapshot of its answer, for the entities of a source.

    Returns
    -------
    str
        Role and host, for messages.
    Answers
        Where their evolutions come from.
    list of dict
        The entities.

    Raises
    ------
    DataError, MissingFileError
        If there is none, or the broker does not give them.
    """
    name = f"{source.role} ({urlsplit(source.url).hostname})"
    asked = Snapshot(source, name) if source.path is not None else Broker(source, name)
    entities = asked.entities()
    if not entities:
        raise DataError(
            f"{name} has no entity of type {source.settings['type']}"
            f"{' in tenant ' + source.settings['tenant'] if source.settings['tenant'] else ''}"
            f" at {mask_url(source.url)}: check `type`, `tenant`, `context`, `q` and `scope`"
        )
    return name, asked, entities


def places(
    entities: Iterable[Entity], area: Area | None, *, clip: bool = False
) -> tuple[dict[str, Placed], list[Reject]]:
    """Tell entities at a place from those that are no place on Earth.

    Parameters
    ----------
    entities : iterable of dict
        As the broker gives them.
    area : Area or None
        Where the territory is; None: positions do not matter, and are not read.
    clip : bool
        Whether those outside of the area are rejected too.

    Returns
    -------
    dict of str to Placed
        By id.
    list of Reject
        All others.
    """
    found: dict[str, Placed] = {}
    rejects = []
    for entity in entities:
        one = str(entity.get("id") or "")
        geometry = None if area is None else attribute_value(entity.get("location"), "")
        wrong = None if area is None else fault(geometry, area=area)
        if not one:
            rejects.append(Reject("no-id", "", "", json.dumps(entity)[:80]))
        elif one in found:
            rejects.append(Reject("same-id", one))
        elif wrong is not None and (clip or wrong.code != "outside-territory"):
            value = "" if geometry is None else json.dumps(geometry)[:80]
            rejects.append(Reject(wrong.code, one, "", value))
        else:
            found[one] = Placed(entity, None if geometry is None else shape(geometry))
    return found, rejects


def nowhere(name: str, rejects: Sequence[Reject]) -> DataError:
    """No entity stands where it can be used."""
    return DataError(
        f"{name} has no entity at a place that can be used: {_told(name, rejects)}; correct them "
        "in the broker"
    )


def nothing(
    source: "Source",
    name: str,
    column: str,
    attribute: str,
    entities: Iterable[Entity],
    rejects: Sequence[Reject],
) -> DataError:
    """No observation of an attribute can be used.

    Parameters
    ----------
    source : Source
        The query.
    name : str
        Role and host.
    column, attribute : str
        Of the role, and of the entities.
    entities : iterable of dict
        To tell which attributes there are.
    rejects : sequence of Reject
        Observations that came and are of no use.
    """
    have = sorted({key for one in entities for key in one} - {"id", "type", "@context"})
    settings = source.settings
    period = f"from {settings['from']} until {settings['until']}"
    if settings["hours"]:
        period += f", hours {settings['hours'][0]} to {settings['hours'][1]}"
    if rejects:
        hint = " and `unit: ...`" if any(one.reason == "no-unit" for one in rejects) else ""
        return DataError(
            f"{name}: no observation of `{attribute}` {period} can be used: "
            f"{_told(name, rejects)}; correct them in the broker, or the query{hint} in "
            "territory.yaml"
        )
    if attribute not in have:
        return MissingColumnError(
            f"{name} has no attribute `{attribute}` (its entities have: {', '.join(have)}): name "
            f"the right one with `columns: {{{column}: ...}}` in territory.yaml"
        )
    return DataError(
        f"{name} has no observation of `{attribute}` {period}: choose another period, or check "
        "that the broker keeps the history of this attribute"
    )


def _told(name: str, rejects: Sequence[Reject]) -> str:
    notes = reject_notes(rejects, name)
    return "; ".join(note.text["en"].removeprefix(f"{name}: ") for note in notes)


def received_of(
    source: "Source", content: bytes, rejects: Iterable[Reject], accessed: str
) -> Received:
    """What came, with its hash and all that was not used.

    Raises
    ------
    DataError
        If its hash is another one than territory.yaml states.
    """
    digest = sha256_of(content)
    if source.path is not None:
        checked_hash(source)
    elif source.sha256 and digest != source.sha256:
        raise DataError(
            f"{source.role}: the answer of {mask_url(source.url)} has the hash {digest[:12]}..., "
            f"territory.yaml states {source.sha256[:12]}...: the broker's data changed; name the "
            "snapshot of the earlier answer with `snapshot:`, or remove `sha256`"
        )
    left_out = {"auth", "period"}
    query = {key: value for key, value in source.settings.items() if value and key not in left_out}
    return Received(
        role=source.role,
        protocol=source.protocol,
        endpoint=mask_url(source.url),
        query=query | ({"columns": dict(source.columns)} if source.columns else {}),
        accessed=accessed,
        sha256=digest,
        rejects=tuple(one._asdict() for one in rejects),
        content=content,
    )
