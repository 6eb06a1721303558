"""Monthly temperature normals of Europe from the CRU TS grid."""

from pathlib import Path

import numpy as np
import pandas as pd
from bundle_files import write_table

MEMBER = "supy/ext_data/CRU_TS4.06_1991_2020.parquet"
NAME = "cru_ts4.06_normals_1991_2020.parquet"
WEST, SOUTH, EAST, NORTH = -25.0, 34.0, 45.0, 72.0


def build(source: Path, target: Path) -> Path:
    """Write one row a land cell: ``lon``, ``lat`` (centre, degrees), ``t01`` ... ``t12`` (degC).

    Parameters
    ----------
    source : pathlib.Path
        Long table with Month, Latitude, Longitude, NormalTemperature (degC) of the world.
    target : pathlib.Path
        Folder of the result.
    """
    table = pd.read_parquet(source)
    inside = table["Longitude"].between(WEST, EAST) & table["Latitude"].between(SOUTH, NORTH)
    # unstack stops at a cell that has a month twice, pivot_table would average it away
    wide = table[inside].set_index(["Latitude", "Longitude", "Month"])["NormalTemperature"]
    wide = wide.unstack("Month").sort_index()  # noqa: PD010
    if wide.isna().to_numpy().any() or list(wide.columns) != list(range(1, 13)):
        raise SystemExit(f"{source.name}: expected 12 complete months in every land cell")
    months = {f"t{m:02d}": wide[m].round(2).to_numpy(dtype=np.float32) for m in range(1, 13)}
    grid = wide.index.to_frame(index=False).astype(np.float32)
    cells = pd.DataFrame({"lon": grid["Longitude"], "lat": grid["Latitude"], **months})
    path = target / NAME
    write_table(cells, path)
    print(f"{'climate normals':18} {len(cells):17} cells {path.stat().st_size:20} B")
    return path
