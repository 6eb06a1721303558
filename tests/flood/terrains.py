"""Terrains made up for the tests."""

import numpy as np
from ldt_toolbox.space.geotiff import read_geotiff
from ldt_toolbox.territory import bundled_territories

STEPS = {1: (0, 1), 2: (1, 1), 4: (1, 0), 8: (1, -1), 16: (0, -1), 32: (-1, -1), 64: (-1, 0)}
STEPS[128] = (-1, 1)


def rough(rows, columns, seed, *, beta=3.0, dtype=np.float32):
    """Fractal hills, some 10 m high."""
    rng = np.random.default_rng(seed)
    wave = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns)[None])
    wave[0, 0] = 1
    field = np.fft.rfft2(rng.standard_normal((rows, columns))) * wave ** (-beta / 2)
    z = np.fft.irfft2(field, s=(rows, columns))
    return (10 * (z - z.mean()) / z.std()).astype(dtype)


def with_holes(z, seed, share=0.02):
    """Some cells missing, and one block."""
    rng = np.random.default_rng(seed)
    z = z.copy()
    z[rng.random(z.shape) < share] = np.nan
    if z.size > 100:
        z[z.shape[0] // 3 : z.shape[0] // 3 + 5, :4] = np.nan
    return z


def outlets_of(z):
    """Cells at the edge of the grid or beside a missing one."""
    around = np.pad(z, 1, constant_values=np.nan)
    rows, columns = z.shape
    missing = np.zeros(z.shape, bool)
    for i in range(3):
        for j in range(3):
            missing |= np.isnan(around[i : i + rows, j : j + columns])
    return missing & ~np.isnan(z)


def planchon_darboux(z, outlets=None):
    """Lower water that stands everywhere until nothing moves (Planchon & Darboux 2001)."""
    ends = outlets_of(z) if outlets is None else outlets_of(z) | (outlets & ~np.isnan(z))
    w = np.where(ends, z, np.inf)
    w[np.isnan(z)] = np.nan
    rows, columns = z.shape
    while True:
        around = np.pad(np.where(np.isnan(w), np.inf, w), 1, constant_values=np.inf)
        lowest = np.min(
            [around[i : i + rows, j : j + columns] for i in range(3) for j in range(3)], axis=0
        )
        new = np.where(ends | np.isnan(z), w, np.minimum(w, np.maximum(z, lowest)))
        if np.array_equal(new, w, equal_nan=True):
            return w.astype(z.dtype)
        w = new


def path_from(directions, row, column):
    """Cells on the way down; fails if the way is longer than the grid has cells."""
    way = [(row, column)]
    while directions[row, column] != 0:
        down, right = STEPS[int(directions[row, column])]
        row, column = row + down, column + right
        way.append((row, column))
        assert len(way) <= directions.size, "a circle"
    return way


def valleys(rows=300, columns=260, seed=0):
    """Four valleys side by side that fall to the north; every cell has one steepest descent."""
    y, x = np.mgrid[:rows, :columns].astype(float)
    hills = 0.3 * y + 5 * (1 - np.cos(2 * np.pi * x / 65)) + 3 * np.sin(y / 40)
    return 50 + hills + 0.004 * rough(rows, columns, seed, beta=1.0, dtype=np.float64)


def bundled():
    """Heights and cell size of the terrains that come with the toolbox, by territory."""
    found = {}
    for name, folder in bundled_territories():
        path = folder / "data" / "terrain.tif"
        if path.exists():
            raster = read_geotiff(path)
            z = raster.values.astype(np.float32)
            if raster.nodata is not None:
                z[raster.values == raster.nodata] = np.nan
            found[name] = z, raster.cell_size_m
    assert found.keys() >= {"andorra-la-vella", "east-london"}
    return found


class Whitebox:
    """Tools of whitebox-workflows on arrays; cells of 1 m."""

    def __init__(self, folder):
        import rasterio
        import whitebox_workflows
        from affine import Affine

        self.raster = whitebox_workflows.Raster
        self.tools = whitebox_workflows.WbEnvironment()
        self.folder, self.rasterio, self.affine = (
            folder,
            rasterio,
            Affine(1, 0, 500_000, 0, -1, 5_000_000),
        )

    def read(self, array, name):
        path = self.folder / f"{name}.tif"
        rows, columns = array.shape
        with self.rasterio.open(
            path, "w", driver="GTiff", height=rows, width=columns, count=1, crs="EPSG:32631",
            dtype=array.dtype, transform=self.affine, nodata=-9999,
        ) as target:  # fmt: skip
            target.write(np.nan_to_num(array, nan=-9999), 1)
        return self.tools.read_raster(str(path))

    def array(self, raster):
        values = raster.to_numpy(dtype="float64")
        return np.where(values == raster.metadata().nodata, np.nan, values)
