"""Publishes the runs of a watch in one place: the same ids, new values."""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from ldt_toolbox import publish
from ldt_toolbox.publish.send import withdraw

if TYPE_CHECKING:
    from ldt_toolbox.clients.ngsi_ld import NgsiLd
    from ldt_toolbox.territory import Territory
    from ldt_toolbox.use_case import UseCase


def publish_live(
    folder: Path,
    case: "UseCase",
    territory: "Territory",
    client: "NgsiLd",
    *,
    layers: Collection[str] = (),
) -> publish.Outcome:
    """Publish a run of a watch over the one before.

    Parameters
    ----------
    folder : pathlib.Path
        The run.
    case, territory
        What ran where.
    client : NgsiLd
        Broker and tenant.
    layers : collection of str
        Layers whose features go along.

    Returns
    -------
    Outcome
        What became of each entity; those of the run before that this one does not have are
        deleted.
    """
    run = publish.FinishedRun.read(folder, case=case, territory=territory)
    outcome = publish.publish(run, client, layers=layers)
    now = {*outcome.created, *outcome.updated, *outcome.unchanged, *outcome.failed}
    stale = [each for each in publish.published_ids(client, case, publish.run_urn(run))
             if each not in now]  # fmt: skip
    if stale:
        gone = withdraw(client, stale)
        outcome.deleted += gone.deleted
        outcome.failed |= gone.failed
    return outcome
