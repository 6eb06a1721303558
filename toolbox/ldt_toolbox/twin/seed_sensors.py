"""Synthetic sensors of a territory: where they stand and what they report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from shapely.geometry import Point

from ldt_toolbox.publish.vocabulary import Entity, link, number, text, urn, with_context
from ldt_toolbox.twin import seed_signals as signals
from ldt_toolbox.twin.seed_places import drivable, features, road_urn

if TYPE_CHECKING:
    from ldt_toolbox.territory import Territory

BUSIEST_PER_H = {
    "NATIONAL_HIGHWAY": 1600.0, "MAJOR_CITY_ROAD": 700.0, "MINOR_CITY_ROAD": 150.0,
    "SERVICE_ROAD": 40.0,
}  # fmt: skip
_FREE_KMH = {"NATIONAL_HIGHWAY": 70.0, "MAJOR_CITY_ROAD": 45.0}
_NEAR_M = 250.0
_DENSE_SHARE = 0.4
_DENSE_EXCESS_K = 2.5
# where a territory has no climate normals; the toolbox's own, a mild coast
_MILD_C = (8.0, 8.5, 10.5, 13.0, 16.5, 20.0, 23.0, 23.0, 20.0, 16.0, 12.0, 9.0)

Readings = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Sensor:
    """A synthetic sensor.

    Attributes
    ----------
    id, kind, name : str
        URN, entity type and name.
    place : shapely.Point
        Longitude and latitude, EPSG:4326.
    method : str
        Names what its readings are; part of `dataProvider`.
    seed : int
        Of its noise.
    units : mapping of str to str
        UN/CEFACT code by attribute; the first one is the headline.
    read : callable
        Readings by attribute for times in seconds since 1970, and the step in seconds.
    links : mapping of str to str
        Entity by relationship.
    """

    id: str
    kind: str
    name: str
    place: Point
    method: str
    seed: int
    units: dict[str, str]
    read: Callable[[NDArray[np.int64], int], Readings]
    links: dict[str, str] = field(default_factory=dict)

    def entity(self, at: datetime, *, step_s: int) -> Entity:
        """The sensor with its reading of one instant."""
        evolution = self._evolution([at], step_s)
        latest = {name: instances[0] for name, instances in evolution.items()}
        return with_context(
            {
                "id": self.id,
                "type": self.kind,
                "name": text(self.name),
                "location": {
                    "type": "GeoProperty",
                    "value": {"type": "Point", "coordinates": list(self.place.coords[0])},
                },
                "dataProvider": text(f"synthetic:{self.method}@{self.seed}"),
                "source": text("made up by ldt-toolbox; no sensor stands here"),
                "dateObserved": text(self._date(at, step_s)),
                **latest,
                **{name: link(target) for name, target in self.links.items()},
            }
        )

    def evolution(self, times: Sequence[datetime], *, step_s: int) -> Entity:
        """The sensor's readings of many instants, as the temporal API takes them."""
        return with_context({"id": self.id, "type": self.kind, **self._evolution(times, step_s)})

    def _evolution(self, times: Sequence[datetime], step_s: int) -> dict[str, list[dict[str, Any]]]:
        """Instances by attribute; a counter also keeps the interval of each of its counts."""
        seconds = np.array([int(at.timestamp()) for at in times], dtype=np.int64)
        readings = self.read(seconds, step_s)
        told: dict[str, list[dict[str, Any]]] = {
            name: [number(value, unit) for value in readings[name].tolist()]
            for name, unit in self.units.items()
        }
        if self.kind == "TrafficFlowObserved":
            first = [at - timedelta(seconds=step_s) for at in times]
            told["dateObservedFrom"] = [text(instant(at)) for at in first]
            told["dateObservedTo"] = [text(instant(at)) for at in times]
        return {
            name: [
                value | {"observedAt": instant(at)} for at, value in zip(times, values, strict=True)
            ]
            for name, values in told.items()
        }

    def _date(self, at: datetime, step_s: int) -> str:
        if self.kind != "TrafficFlowObserved":
            return instant(at)
        return f"{instant(at - timedelta(seconds=step_s))}/{instant(at)}"


def instant(at: datetime) -> str:
    """ISO 8601 in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def sensors(territory: "Territory", *, count: int = 6, seed: int = 1) -> list[Sensor]:
    """Choose places and signals of synthetic sensors.

    Parameters
    ----------
    territory : Territory
        Stations stand on its streets, counters on the larger ones, a gauge on its longest open
        stream; its climate normals, if it names any, give the warmth of the months.
    count : int
        Weather stations, and as many traffic counters where there are streets for them.
    seed : int
        Another seed chooses other places and other weather.

    Returns
    -------
    list of Sensor
        The same territory, count and seed give the same.
    """
    streets = features(territory, "streets")
    roads = None if streets is None else drivable(streets)
    if roads is not None:
        middles = roads.geometry.interpolate(0.5, normalized=True)
        there = middles.within(territory.boundary_geometry) & _open_air(roads)
        roads = roads[there].reset_index(drop=True)
    found = _stations(territory, roads, count, seed)
    found += _gauge(territory, seed)
    if roads is not None and len(roads):
        found += _counters(territory, roads, count, seed)
    return found


def _stations(
    territory: "Territory", roads: gpd.GeoDataFrame | None, count: int, seed: int
) -> list[Sensor]:
    if roads is not None and len(roads):
        lines = roads.geometry
        middles = gpd.GeoSeries(lines.interpolate(0.5, normalized=True), crs=territory.crs)
    else:
        center = territory.boundary_geometry.representative_point()
        middles = gpd.GeoSeries([center], crs=territory.crs)
    chosen = _spread(middles, count, signals.key_of(seed, territory.id, "stations"))
    spots = middles.iloc[chosen]
    excess = _excess_k(territory, spots)
    normals = _normals(territory)
    made = []
    for rank, (where, warmer) in enumerate(zip(spots.to_crs(4326), excess, strict=True), 1):
        name = f"Weather station {rank} (synthetic)"

        def read(
            times: NDArray[np.int64], step_s: int, *, lon: float = where.x,
            excess_k: float = warmer, name: str = name,
        ) -> Readings:  # fmt: skip
            air = signals.temperature_c(
                times, normals_c=normals, lon=lon, excess_k=excess_k, seed=seed, name=name
            )
            damp = signals.humidity_percent(times, air, normals_c=normals, seed=seed)
            return {"temperature": air, "relativeHumidity": damp}

        made.append(
            Sensor(
                urn("WeatherObserved", territory.id, f"synthetic-{seed}-{rank}"),
                "WeatherObserved", name, _rounded(where), "diurnal-temperature", seed,
                {"temperature": "CEL", "relativeHumidity": "P1"}, read,
            )
        )  # fmt: skip
    return made


def _gauge(territory: "Territory", seed: int) -> list[Sensor]:
    rivers = features(territory, "rivers")
    if rivers is None:
        return []
    open_air = rivers[_open_air(rivers)]
    inside = open_air.geometry.intersection(territory.boundary_geometry)
    if inside.empty or not inside.length.max() > 0:
        return []
    longest = inside.length.idxmax()
    where = gpd.GeoSeries([inside[longest].interpolate(0.5, normalized=True)], crs=territory.crs)
    stream = open_air.loc[longest, "name"]
    name = f"Gauge {stream} (synthetic)" if isinstance(stream, str) else "Gauge 1 (synthetic)"

    def read(times: NDArray[np.int64], step_s: int) -> Readings:
        return {"height": signals.stage_m(times, seed=seed, name=name)}

    return [
        Sensor(
            urn("WaterObserved", territory.id, f"synthetic-{seed}-1"), "WaterObserved", name,
            _rounded(where.to_crs(4326).iloc[0]), "stage-with-waves", seed, {"height": "MTR"}, read,
        )
    ]  # fmt: skip


def _counters(
    territory: "Territory", roads: gpd.GeoDataFrame, count: int, seed: int
) -> list[Sensor]:
    large = roads[roads["road_class"].isin(("NATIONAL_HIGHWAY", "MAJOR_CITY_ROAD"))]
    where = (large if len(large) else roads).reset_index(drop=True)
    middles = gpd.GeoSeries(where.geometry.interpolate(0.5, normalized=True), crs=territory.crs)
    chosen = _spread(middles, count, signals.key_of(seed, territory.id, "counters"))
    zone = ZoneInfo(territory.timezone)
    made = []
    for rank, at in enumerate(chosen, 1):
        kind, street = where.loc[at, "road_class"], where.loc[at, "name"]
        label = f", {street}" if isinstance(street, str) else ""
        name = f"Traffic counter {rank}{label} (synthetic)"

        def read(
            times: NDArray[np.int64], step_s: int, *, kind: str = kind, name: str = name
        ) -> Readings:
            local = _local(times, zone)
            seen = signals.vehicles(
                times, local, busiest_per_h=BUSIEST_PER_H[kind], step_s=step_s, seed=seed, name=name
            )
            speed = signals.speed_kmh(
                times, local, free_kmh=_FREE_KMH.get(kind, 30.0), step_s=step_s, seed=seed,
                name=name,
            )  # fmt: skip
            return {"intensity": seen, "averageVehicleSpeed": speed}

        made.append(
            Sensor(
                urn("TrafficFlowObserved", territory.id, f"synthetic-{seed}-{rank}"),
                "TrafficFlowObserved", name, _rounded(middles.to_crs(4326).iloc[at]),
                "rush-hours", seed, {"intensity": "C62", "averageVehicleSpeed": "KMH"}, read,
                {"refRoadSegment": road_urn(territory, str(where.loc[at, "id"]))},
            )
        )  # fmt: skip
    return made


def _open_air(lines: gpd.GeoDataFrame) -> pd.Series:
    """Whether each does not run in a tunnel."""
    outside: pd.Series = ~lines["tunnel"].isin([True])
    return outside


def _spread(points: gpd.GeoSeries, count: int, key: int) -> list[int]:
    """Points far from each other: a first one by chance, then always the farthest from all."""
    places = np.column_stack([points.x, points.y])
    first = int(signals.uniform(key, np.zeros(1, np.int64))[0] * len(places))
    chosen = [first]
    distance = np.hypot(*(places - places[first]).T)
    while len(chosen) < min(count, len(places)) and distance.max() > 0:
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.hypot(*(places - places[chosen[-1]]).T))
    return chosen[:count]


def _excess_k(territory: "Territory", spots: gpd.GeoSeries) -> list[float]:
    """How much warmer each place is at night: by the share of ground around it that is built."""
    buildings = features(territory, "buildings")
    if buildings is None:
        return [0.0] * len(spots)
    around = gpd.GeoDataFrame(geometry=spots.buffer(_NEAR_M).reset_index(drop=True))
    met = gpd.overlay(around.reset_index(names="spot"), buildings[["geometry"]], how="intersection")
    built = met.area.groupby(met["spot"]).sum().reindex(range(len(spots)), fill_value=0.0)
    share = built / (np.pi * _NEAR_M**2)
    return [float(one) for one in (_DENSE_EXCESS_K * (share / _DENSE_SHARE).clip(upper=1)).round(3)]


def _normals(territory: "Territory") -> tuple[float, ...]:
    source = territory.sources.get("air_temperature")
    if source is None or not source.use:
        return _MILD_C
    from ldt_toolbox.sources.tables import read_normals

    table, _ = read_normals(source.use, lonlat=territory.center_lonlat)
    return tuple(float(one) for one in table.sort_values("month")["temperature_c"])


def _local(times: NDArray[np.int64], zone: ZoneInfo) -> NDArray[np.int64]:
    shifts = [
        int((datetime.fromtimestamp(int(at), zone).utcoffset() or timedelta()).total_seconds())
        for at in times
    ]
    return times + np.array(shifts, dtype=np.int64)


def _rounded(place: Point) -> Point:
    return Point(round(place.x, 6), round(place.y, 6))
