"""Observations of one entity at one instant beside each other: a row an instant."""

import pandas as pd

ID, INSTANT = "id", "observedAt"


def by_instant(frame: pd.DataFrame) -> pd.DataFrame:
    """Put the attributes of one entity at one instant beside each other.

    Parameters
    ----------
    frame : pandas.DataFrame
        `entity_id`, `attribute`, `time` and `value`, as `temporal_frame` gives them.

    Returns
    -------
    pandas.DataFrame
        `id`, `observedAt` (datetime64, UTC; NaT where none is told) and a column of objects each
        attribute, by entity and instant. What came twice for one instant makes a further row.
    """
    wanted = ["entity_id", "attribute", "time", "value"]
    table = frame[wanted].astype({"entity_id": str, "attribute": str, "value": object})
    again = table.groupby(["entity_id", "time", "attribute"], dropna=False).cumcount()
    return (
        table.assign(again=again)  # noqa: PD010  (values of any type, none to aggregate)
        .set_index(["entity_id", "time", "again", "attribute"])["value"]
        .unstack("attribute")
        .reset_index()
        .drop(columns="again")
        .rename(columns={"entity_id": ID, "time": INSTANT})
        .rename_axis(columns=None)
    )
