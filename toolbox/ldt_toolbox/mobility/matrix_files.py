"""Matrices of ways and times that memory would not hold: rows to Parquet, block by block."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import ArrayLike

from ldt_toolbox.mobility.graph import Graph
from ldt_toolbox.mobility.search import reach_in_parts


def write_rows(path: Path, schema: pa.Schema, tables: Iterable[pa.Table]) -> int:
    """Write tables one after the other; the file appears when it is complete.

    Parameters
    ----------
    path : pathlib.Path
        File to write.
    schema : pyarrow.Schema
        Of each table.
    tables : iterable of pyarrow.Table
        Made one at a time, so that only one is held.

    Returns
    -------
    int
        Rows written.
    """
    part, rows = path.with_name(path.name + ".part"), 0
    try:
        with pq.ParquetWriter(part, schema, compression="zstd") as writer:
            for table in tables:
                writer.write_table(table)
                rows += table.num_rows
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return rows


def write_costs(
    graph: Graph, path: Path, *, limit: float, origins: ArrayLike | None = None, part: int = 2000
) -> int:
    """Stream the cost matrix of streets to Parquet: what `search.reach` finds, origin by origin.

    Parameters
    ----------
    graph : Graph
        Searched along its arcs.
    path : pathlib.Path
        File to write: columns ``origin``, ``node`` (numbers of the graph) and ``cost`` (its unit);
        pairs beyond the limit are left out.
    limit : float
        Farthest cost that still counts.
    origins : array_like of int, optional
        Nodes; by default every node.
    part : int
        Origins that are held at a time.

    Returns
    -------
    int
        Rows written.
    """
    schema = pa.schema(
        [("origin", pa.int32()), ("node", pa.int32()), ("cost", pa.float64())]
    )  # fmt: skip

    def tables() -> Iterator[pa.Table]:
        for start, found in reach_in_parts(graph, origins, limit=limit, part=part):
            origin = np.repeat(start.astype(np.int32), np.diff(found.start))
            columns = [pa.array(one) for one in (origin, found.node, found.cost)]
            yield pa.table(columns, schema=schema)

    return write_rows(path, schema, tables())
