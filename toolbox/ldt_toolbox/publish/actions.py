"""Publish a run and undo it: entities to a broker, records and feed to a folder."""

import json
from collections.abc import Collection
from functools import partial
from pathlib import Path

from ldt_toolbox.clients.ngsi_ld import NgsiLd
from ldt_toolbox.errors import OutputError
from ldt_toolbox.publish.catalogue import Catalogue
from ldt_toolbox.publish.entities import Made, entities_of, run_urn
from ldt_toolbox.publish.files import write_text
from ldt_toolbox.publish.finished import ENTITIES, FinishedRun
from ldt_toolbox.publish.published import published_ids
from ldt_toolbox.publish.send import Outcome, Told, send, withdraw


def publish(
    run: FinishedRun,
    client: NgsiLd,
    *,
    layers: Collection[str] | None = None,
    catalogue: Path | None = None,
    catalogue_url: str = "",
    dry_run: bool = False,
    told: Told | None = None,
) -> Outcome:
    """Publish a run.

    Parameters
    ----------
    run : FinishedRun
        The run.
    client : NgsiLd
        Broker and tenant; credentials are its matter.
    layers : collection of str, optional
        Layers whose features are published; all that have a type if left out.
    catalogue : pathlib.Path, optional
        Folder for the DCAT-AP record, the STAC items, the feed and the files themselves.
    catalogue_url : str
        Address at which that folder is served; its records hold relative addresses without it.
    dry_run : bool
        Only read, and say what would be done.
    told : callable, optional
        Called with (entities dealt with, entities in all).

    Returns
    -------
    Outcome
        Each entity is in one of its lists, features that their type refuses among the failed. If
        a file cannot be written, `files` is among them, too.

    Raises
    ------
    ClientError
        If the broker cannot be asked at all.
    """
    folder = Catalogue(catalogue, url=catalogue_url) if catalogue is not None else None
    address_of = None
    if folder is not None and folder.url:
        address_of = partial(folder.address, run)
    made = entities_of(run, layers=layers, address_of=address_of)
    outcome = send(client, made.entities, dry_run=dry_run, told=told)
    if not dry_run:
        try:
            write_entities(run, made)
            if folder is not None:
                there = [one for one in made.entities if one["id"] not in outcome.failed]
                folder.add(run, run_urn(run), there)
        except OutputError as error:  # what became of the entities is still to be told
            outcome.failed["files"] = str(error)
    outcome.failed |= made.refused
    return outcome


def undo(
    run: FinishedRun,
    client: NgsiLd,
    *,
    catalogue: Path | None = None,
    dry_run: bool = False,
    told: Told | None = None,
) -> Outcome:
    """Delete exactly what a run published, whichever layers that were.

    Parameters
    ----------
    run : FinishedRun
        The run; its results may have been changed or deleted since, see `FinishedRun.read`.
    client, catalogue, dry_run, told
        As for `publish`.
    """
    ids = published_ids(client, run.case, run_urn(run))
    outcome = withdraw(client, ids, dry_run=dry_run, told=told)
    if catalogue is not None and not dry_run:
        try:
            Catalogue(catalogue).remove(run, run_urn(run), still_there=outcome.failed)
        except OutputError as error:
            outcome.failed["files"] = str(error)
    return outcome


def write_entities(run: FinishedRun, made: Made) -> Path:
    """Write `entities.jsonld` into the run's folder: one entity a line, in a JSON array."""
    path = run.folder / ENTITIES
    lines = [json.dumps(one, ensure_ascii=False, allow_nan=False) for one in made.entities]
    write_text(path, "[\n" + ",\n".join(lines) + "\n]\n")
    return path
