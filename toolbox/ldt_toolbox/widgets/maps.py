"""Maps that work without a network: outlines and images in the page itself, drawn to scale."""

import base64
import io
import json
import math
import os
import socket
import threading
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import ipyleaflet
import numpy as np
import shapely
from affine import Affine
from matplotlib import colormaps
from matplotlib.colors import to_rgb
from numpy.typing import NDArray
from PIL import Image
from pyproj import CRS, Transformer

from ldt_toolbox.report.colours import ColourScale
from ldt_toolbox.space.raster import Raster

OFFLINE_VARIABLE = "LDT_OFFLINE"
TILE_HOST = "tile.openstreetmap.org"
TILE_URL = f"https://{TILE_HOST}/{{z}}/{{x}}/{{y}}.png"
TILE_CREDIT = "© OpenStreetMap contributors"
WORLD_PIXELS = 256.0
MAXIMUM_ZOOM = 18
WEB_MERCATOR = CRS.from_epsg(3857)

# Shares of the largest value at which a colour begins: fine where values are small, round always.
_EDGES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)
_WARMER = "#d95f02"

Bounds = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class CoolingScale:
    """Colours of a cooling, in fixed steps, so that two scenarios can be compared.

    Attributes
    ----------
    edges_k : tuple of float
        Where a colour begins, K below today, smallest first; weaker changes are clear.
    colours : tuple of str
        One for each edge: the last one holds everything beyond.
    warmer : str
        Colour of any warming beyond the first edge.
    """

    edges_k: tuple[float, ...]
    colours: tuple[str, ...]
    warmer: str = _WARMER

    @classmethod
    def up_to(cls, strongest_k: float) -> "CoolingScale":
        """Build a scale that reaches the next round number beyond the strongest cooling.

        Parameters
        ----------
        strongest_k : float
            K, positive.
        """
        power = 10.0 ** math.floor(math.log10(max(strongest_k, 1e-3)))
        top = next(
            power * m for m in (1, 2, 3, 4, 5, 6, 8, 10) if power * m >= strongest_k * (1 - 1e-9)
        )
        edges = tuple(float(f"{top * share:.3g}") for share in _EDGES)
        shades = colormaps["YlGnBu"](np.linspace(0.12, 1, len(edges)))
        return cls(edges, tuple("#{:02x}{:02x}{:02x}".format(*_bytes(s)) for s in shades))

    @property
    def palette(self) -> tuple[str, ...]:
        """Colours by code, without the clear one."""
        return (*self.colours, self.warmer)

    def codes(self, change_k: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Number of the colour of each cell: 0 clear, 1 to n cooler, n + 1 warmer.

        Parameters
        ----------
        change_k : numpy.ndarray
            K, negative is cooler; NaN is clear.
        """
        known = np.nan_to_num(change_k, nan=0.0)
        codes = np.digitize(-known, np.asarray(self.edges_k)).astype(np.uint8)
        codes[known >= self.edges_k[0]] = len(self.edges_k) + 1
        return codes

    def legend(self, title: str, *, warmer: str, decimal_mark: str = ".") -> str:
        """Draw the colour bar as SVG with its unit.

        Parameters
        ----------
        title : str
            What is shown, with unit.
        warmer : str
            Name of the last colour.
        decimal_mark : str
            Of the reader's language.
        """
        wide, x0 = 34, 4
        parts = []
        for i, (edge, colour) in enumerate(zip(self.edges_k, self.colours, strict=True)):
            x = x0 + i * wide
            parts.append(f'<rect x="{x}" y="20" width="{wide}" height="12" fill="{colour}"/>')
            if i % 2 == 0:
                label = f"−{edge:g}".replace(".", decimal_mark)
                parts.append(f'<path d="M{x} 20v16" stroke="#333"/>')
                parts.append(f'<text x="{x}" y="47">{label}</text>')
        end = x0 + len(self.edges_k) * wide + 12
        parts.append(f'<rect x="{end}" y="20" width="{wide}" height="12" fill="{self.warmer}"/>')
        parts.append(f'<text x="{end}" y="47">{warmer}</text>')
        return (
            f'<svg role="img" aria-label="{title}" width="{end + 52}" height="54" '
            'font-family="sans-serif" font-size="11" fill="#222">'
            f'<text x="{x0}" y="13" font-weight="bold">{title}</text>{"".join(parts)}</svg>'
        )


@dataclass(frozen=True)
class DepthScale:
    """Colours of water depth, the same as on the maps of the report.

    Attributes
    ----------
    levels_m : tuple of float
        Where a colour begins, m; shallower water is clear.
    colours : tuple of str
        One for each: the last one holds everything beyond.
    """

    levels_m: tuple[float, ...]
    colours: tuple[str, ...]

    @classmethod
    def of(cls, scale: ColourScale) -> "DepthScale":
        """Take over the classes of a report's map."""
        return cls(scale.levels, scale.colours)

    @property
    def palette(self) -> tuple[str, ...]:
        """Colours by code, without the clear one."""
        return self.colours

    def codes(self, depth_m: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Number of the colour of each cell, 0 where it is dry.

        Parameters
        ----------
        depth_m : numpy.ndarray
            m; NaN is clear.
        """
        return np.digitize(np.nan_to_num(depth_m), np.asarray(self.levels_m)).astype(np.uint8)

    def legend(self, title: str, *, language: str = "en") -> str:
        """Draw the classes as SVG, each with the depth at which it begins.

        Parameters
        ----------
        title : str
            What is shown, with unit.
        language : str
            ``en`` or ``fr``: decimal mark.
        """
        parts = []
        for i, (level, colour) in enumerate(zip(self.levels_m, self.colours, strict=True)):
            x, label = 4 + 46 * i, f"{level:g}".replace(".", "," if language == "fr" else ".")
            parts.append(
                f'<rect x="{x}" y="20" width="46" height="12" fill="{colour}"/>'
                f'<path d="M{x} 20v16" stroke="#333"/><text x="{x}" y="47">{label}</text>'
            )
        return (
            f'<svg role="img" aria-label="{title}" width="{46 * len(self.colours) + 40}" '
            'height="54" font-family="sans-serif" font-size="11" fill="#222">'
            f'<text x="4" y="13" font-weight="bold">{title}</text>{"".join(parts)}</svg>'
        )


class MercatorImage:
    """Turns grids of one shape into images that lie right on a web map.

    Parameters
    ----------
    grid : Raster
        Template in a projected CRS.
    shown : numpy.ndarray of bool
        Cells that may be shown; the image is cut to them.
    """

    def __init__(self, grid: Raster, shown: NDArray[np.bool_]) -> None:
        from rasterio.warp import calculate_default_transform

        rows, columns = np.flatnonzero(shown.any(1)), np.flatnonzero(shown.any(0))
        self._cut = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        self._shown = shown[self._cut]
        cell, corner = grid.cell_size_m, grid.transform
        west, north = corner.c + columns[0] * cell, corner.f - rows[0] * cell
        self._transform = Affine(cell, 0.0, west, 0.0, -cell, north)
        self._crs = grid.crs
        height, width = self._shown.shape
        self._target, self._width, self._height = calculate_default_transform(
            grid.crs, WEB_MERCATOR, width, height,
            left=west, bottom=north - height * cell, right=west + width * cell, top=north,
        )  # fmt: skip

    @property
    def bounds(self) -> Bounds:
        """South-west and north-east corner as (latitude, longitude)."""
        west, north = self._target.c, self._target.f
        east = west + self._width * self._target.a
        south = north + self._height * self._target.e
        back = Transformer.from_crs(WEB_MERCATOR, 4326, always_xy=True)
        (w, e), (s, n) = back.transform([west, east], [south, north])
        return (s, w), (n, e)

    def data_uri(self, values: NDArray[np.float32], scale: CoolingScale | DepthScale) -> str:
        """Warp a grid to the web map's projection and paint it.

        Parameters
        ----------
        values : numpy.ndarray, shape of the template
            In the scale's unit.
        scale : CoolingScale or DepthScale
            Its colours.

        Returns
        -------
        str
            ``data:image/png;base64,...``
        """
        from rasterio.enums import Resampling
        from rasterio.warp import reproject

        codes = np.where(self._shown, scale.codes(values[self._cut]), np.uint8(0))
        warped = np.zeros((self._height, self._width), np.uint8)
        reproject(
            codes, warped, src_transform=self._transform, src_crs=self._crs,
            dst_transform=self._target, dst_crs=WEB_MERCATOR, resampling=Resampling.nearest,
        )  # fmt: skip
        image = Image.fromarray(warped, mode="P")
        colours = ["#ffffff", *scale.palette]
        image.putpalette([byte for colour in colours for byte in _bytes(to_rgb(colour))])
        buffer = io.BytesIO()
        image.save(buffer, "PNG", transparency=0, optimize=False)
        return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def outline_layer(
    frame: gpd.GeoDataFrame | gpd.GeoSeries,
    *,
    name: str,
    colour: str,
    width_px: float = 0.6,
    maximum_bytes: int = 600_000,
) -> Any:
    """Draw polygons as thin lines, simplified until they are small enough for a notebook.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame or geopandas.GeoSeries
        Polygons in a projected CRS.
    name : str
        Of the layer.
    colour : str
        Of the lines.
    width_px : float
        Of the lines.
    maximum_bytes : int
        Largest GeoJSON. Beyond it lines become coarser, then the smallest polygons go.

    Returns
    -------
    ipyleaflet.GeoJSON
        One multi-part feature.
    """
    shapes = shapely.get_parts(np.asarray(frame.geometry.array))
    shapes = shapes[np.argsort(-shapely.area(shapes), kind="stable")]
    tolerance_m = 0.5
    while True:
        lonlat = gpd.GeoSeries(shapely.simplify(shapes, tolerance_m), crs=frame.crs).to_crs(4326)
        joined = shapely.MultiPolygon(
            [p for p in shapely.get_parts(lonlat.to_numpy()) if p.geom_type == "Polygon"]
        )
        exact = shapely.transform(joined, lambda xy: xy.round(6))
        geometry = json.loads(shapely.to_geojson(exact))
        if len(json.dumps(geometry)) <= maximum_bytes or len(shapes) <= 1:
            break
        tolerance_m, shapes = tolerance_m * 2, shapes[: len(shapes) * 9 // 10]
    feature = {"type": "Feature", "properties": {}, "geometry": geometry}
    return ipyleaflet.GeoJSON(
        data={"type": "FeatureCollection", "features": [feature]}, name=name,
        style={"color": colour, "weight": width_px, "fill": False, "interactive": False},
    )  # fmt: skip


def fitted_map(bounds: Bounds, *, width_px: int = 760, height_px: int = 480) -> Any:
    """Build an empty map that shows all of the bounds; a background only where there is a network.

    Parameters
    ----------
    bounds : tuple
        South-west and north-east corner as (latitude, longitude).
    width_px, height_px : int
        Room that the map can count on.

    Returns
    -------
    ipyleaflet.Map
        With a metric scale bar.
    """
    (south, west), (north, east) = bounds
    forth = Transformer.from_crs(4326, WEB_MERCATOR, always_xy=True)
    (x0, x1), (y0, y1) = forth.transform([west, east], [south, north])
    metres = 2 * math.pi * 6378137.0
    share = max((x1 - x0) / (width_px - 20), (y1 - y0) / (height_px - 20)) / metres
    zoom = math.floor(4 * -math.log2(share * WORLD_PIXELS)) / 4
    drawn = ipyleaflet.Map(
        layers=(), center=((south + north) / 2, (west + east) / 2),
        zoom=min(zoom, MAXIMUM_ZOOM), zoom_snap=0.25, zoom_delta=0.5, max_zoom=MAXIMUM_ZOOM,
        scroll_wheel_zoom=False, layout={"height": f"{height_px}px"},
    )  # fmt: skip
    if network_reachable():
        tiles = ipyleaflet.TileLayer(url=TILE_URL, attribution=TILE_CREDIT, name="OpenStreetMap")
        tiles.opacity = 0.5
        drawn.add(tiles)
    drawn.add(ipyleaflet.ScaleControl(position="bottomleft", imperial=False))
    return drawn


def network_reachable(host: str = TILE_HOST, *, timeout_s: float = 1.0) -> bool:
    """Whether the server of the background map answers in time.

    Parameters
    ----------
    host : str
        Asked on port 443; nothing is sent.
    timeout_s : float
        Names can take long to resolve: after this time the answer is no.

    Returns
    -------
    bool
        False at once if the environment variable ``LDT_OFFLINE`` is set to anything but 0.
    """
    if os.environ.get(OFFLINE_VARIABLE, "0") not in ("", "0"):
        return False
    answers: list[bool] = []

    def ask() -> None:
        try:
            socket.create_connection((host, 443), timeout=timeout_s).close()
            answers.append(True)
        except (OSError, RuntimeError):  # RuntimeError: a test that forbids sockets
            answers.append(False)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(timeout_s)
    return answers == [True]


def _bytes(colour: Any) -> tuple[int, int, int]:
    red, green, blue = (round(255 * float(part)) for part in tuple(colour)[:3])
    return red, green, blue
