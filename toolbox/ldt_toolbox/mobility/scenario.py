"""What measures would change: closed streets, a new path, a new stop, another headway."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from ldt_toolbox.documents import nearest
from ldt_toolbox.errors import ParameterError
from ldt_toolbox.mobility import steps, summary, transit_journeys, transit_steps
from ldt_toolbox.mobility.attach import with_line
from ldt_toolbox.mobility.network import Network, without_edges
from ldt_toolbox.mobility.steps import Places, Site
from ldt_toolbox.mobility.street_rules import WALK_M_S
from ldt_toolbox.mobility.timetable_change import with_headway, with_stop
from ldt_toolbox.mobility.transit_journeys import Journeys
from ldt_toolbox.mobility.transit_steps import Offer
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.results import Note
from ldt_toolbox.sources import Inputs

ALL = "all"
NEW_PATH = "new path"
UNREACHED_MIN = 60.0
_NEAR_CLOSURE_M = 2.0  # a line drawn along a street closes it


@dataclass(frozen=True)
class Plan:
    """Measures that were asked for.

    Attributes
    ----------
    closed : tuple of str
        Ids of the streets that are closed.
    path : shapely.LineString or None
        New path in the territory's CRS.
    stop : tuple of float or None
        Longitude and latitude of a new stop.
    headway : tuple of (str, float) or None
        Route and minutes.
    notes : tuple of Note
        What was chosen where nothing was asked.
    """

    closed: tuple[str, ...] = ()
    path: shapely.LineString | None = None
    stop: tuple[float, float] | None = None
    headway: tuple[str, float] | None = None
    notes: tuple[Note, ...] = ()

    @property
    def measures(self) -> dict[str, "Plan"]:
        """Each measure alone, then all together."""
        alone = {
            "closed_streets": Plan(closed=self.closed) if self.closed else None,
            "new_path": Plan(path=self.path) if self.path is not None else None,
            "new_stop": Plan(stop=self.stop) if self.stop else None,
            "new_headway": Plan(headway=self.headway) if self.headway else None,
        }
        return {name: one for name, one in alone.items() if one} | {ALL: self}


@dataclass(frozen=True)
class Outcome:
    """What homes have, today or with a measure.

    Attributes
    ----------
    time : pandas.DataFrame
        Minutes on foot from each home to each class.
    near_stop : numpy.ndarray of bool
        Homes with a stop nearby.
    near_pct : numpy.ndarray
        Share of all residents or floors near each home.
    ridden : Journeys or None
        Travel times by public transport.
    """

    time: pd.DataFrame
    near_stop: NDArray[np.bool_]
    near_pct: NDArray[np.float64]
    ridden: Journeys | None


def plan(
    inputs: Inputs, walk: Network, ranked: pd.DataFrame | None, parameters: Parameters
) -> Plan:
    """Read the measures from the parameters and the role `closed_streets`.

    Parameters
    ----------
    inputs : Inputs
        `closed_streets` where another use case tells what is cut.
    walk : Network
        Streets on foot.
    ranked : pandas.DataFrame or None
        From `critical_streets`; where nothing at all is asked for, the first of them is closed.
    parameters : Parameters
        `close_streets`, `open_path`, `new_stop`, `new_headway`.

    Raises
    ------
    ParameterError
        If a street is unknown, or numbers don't make a place or a path.
    """
    closed = set(named_streets(walk, list(parameters.close_streets)))
    if "closed_streets" in inputs:
        closed |= set(streets_under(walk, inputs.frame("closed_streets")))
    path = _path(list(parameters.open_path), walk)
    stop = list(parameters.new_stop)
    if stop and len(stop) != 2:
        raise ParameterError(f"new_stop = {stop}: give longitude and latitude, two numbers")
    headway = list(parameters.new_headway)
    told = None
    if headway:
        told = _headway(headway)
    found = Plan(
        tuple(sorted(closed)), path, (stop[0], stop[1]) if stop else None, told
    )  # fmt: skip
    asked = closed or path is not None or stop or headway or "closed_streets" in inputs
    if asked or ranked is None or ranked.empty:
        return found
    worst = str(ranked["street"].iloc[0])
    note = Note(
        "assumption",
        {
            "en": f"No measure was asked for: the scenario closes {worst}, the street whose "
            "closure costs most among those compared.",
            "fr": f"Aucune mesure n'est demandée : le scénario ferme {worst}, la rue dont la "
            "fermeture coûte le plus parmi celles comparées.",
        },
    )
    return replace(found, closed=tuple(named_streets(walk, [worst])), notes=(note,))


def named_streets(network: Network, names: Sequence[str]) -> list[str]:
    """Ids of streets given by name or id.

    Raises
    ------
    ParameterError
        If one is unknown; names the nearest.
    """
    edges = network.edges
    out: list[str] = []
    for name in names:
        mine = (edges["name"] == name) | (edges["street"] == name)
        if not mine.any():
            known = sorted({str(n) for n in edges["name"].dropna()})
            raise ParameterError(
                f"close_streets: no street on foot is called {name!r}: {nearest(name, known)}"
            )
        out += edges.loc[mine, "street"].unique().tolist()
    return out


def streets_under(network: Network, cut: gpd.GeoDataFrame) -> list[str]:
    """Ids of streets that touch an area, or along which a line lies."""
    shapes = cut.geometry.to_numpy()
    lines = shapely.get_dimensions(shapes) < 2
    shapes[lines] = shapely.buffer(shapes[lines], _NEAR_CLOSURE_M)
    edges = network.edges
    which, edge = edges.sindex.query(shapes, predicate="intersects")
    part = shapely.length(shapely.intersection(edges.geometry.to_numpy()[edge], shapes[which]))
    # a line that only crosses a street does not close it
    enough = ~lines[which] | (part > 4 * _NEAR_CLOSURE_M + 1)
    return sorted(set(edges["street"].to_numpy()[edge[enough]].tolist()))


def _path(numbers: list[float], walk: Network) -> shapely.LineString | None:
    if not numbers:
        return None
    if len(numbers) < 4 or len(numbers) % 2:
        raise ParameterError(
            f"open_path = {numbers}: give longitude and latitude of each point in turn, two points "
            "or more"
        )
    points = gpd.GeoSeries.from_xy(numbers[::2], numbers[1::2], crs="EPSG:4326")
    return shapely.LineString(points.to_crs(walk.edges.crs).tolist())


def _headway(words: list[str]) -> tuple[str, float]:
    try:
        route, minutes = words[0], float(words[1])
    except (IndexError, ValueError):
        minutes = np.nan
    if len(words) != 2 or not 0.5 <= minutes <= 1440:
        raise ParameterError(
            f"new_headway = {words}: give the route and the minutes, for example ['7', '10']"
        )
    return route, minutes


def critical_streets(
    site: Site, here: Places, time: pd.DataFrame, *, count: int
) -> pd.DataFrame | None:
    """Named streets by what their closure would cost people on foot.

    Parameters
    ----------
    site, here
        Streets on foot with all places.
    time : pandas.DataFrame
        Minutes to each class today.
    count : int
        The longest streets that are compared.

    Returns
    -------
    pandas.DataFrame or None
        `street`, `length_m`, `extra_min` (mean over residents or floors and classes; places out of
        reach count as an hour), `cut_off_pct` (homes that lose a class), most costly first. None
        where no class is known.
    """
    if not here.classes:
        return None
    edges = site.network.edges
    named = edges[edges["name"].notna()]
    longest = named.groupby("name")["length_m"].sum().sort_values(ascending=False)[:count]
    weight = here.homes.weight
    today = time.clip(upper=UNREACHED_MIN).to_numpy()
    rows = []
    for name, length in longest.items():
        shut = _closed(site, (edges["name"] == name).to_numpy(bool))
        then = steps.minutes(shut, here).clip(upper=UNREACHED_MIN).to_numpy()
        extra = np.average((then - today).mean(axis=1), weights=weight)
        lost = ((then >= UNREACHED_MIN) & (today < UNREACHED_MIN)).any(axis=1)
        rows.append((name, length, float(extra), steps.share_pct(weight, np.asarray(lost))))
    table = pd.DataFrame(rows, columns=["street", "length_m", "extra_min", "cut_off_pct"])
    return table.sort_values("extra_min", ascending=False, kind="stable").reset_index(drop=True)


def _closed(site: Site, edges: NDArray[np.bool_]) -> Site:
    network = without_edges(site.network, edges)
    return replace(site, network=network, graph=network.graph())


def outcome(site: Site, here: Places, offered: Offer | None, parameters: Parameters) -> Outcome:
    """What homes have with these streets, stops and this timetable."""
    time = steps.minutes(site, here)
    ridden = None
    if offered is not None:
        timetable = transit_steps.timetable_of(offered, site, here, parameters)
        ridden = transit_journeys.journeys(timetable, site, here, time, parameters)
    near = summary.near_stop(
        site, here, stop_m=parameters.stop_distance_m, station_m=parameters.station_distance_m
    )
    pct = summary.reached_weight(site, here, limit_min=parameters.near_minutes)
    return Outcome(time, near, pct, ridden)


def with_measure(
    one: Plan, walk: Network, site: Site, here: Places, offered: Offer | None,
    parameters: Parameters,
) -> Outcome:  # fmt: skip
    """Apply measures and look again at what homes have.

    Doors stay where they are: a new path lets people through, it does not move their street.

    Parameters
    ----------
    one : Plan
        Measures.
    walk, site, here, offered, parameters
        As in the steps, without any measure.
    """
    changed, service = here, offered
    if service is not None:
        if one.stop:
            service = replace(service, feed=with_stop(service.feed, *one.stop))
        if one.headway:
            service = replace(service, feed=with_headway(service.feed, service.date, *one.headway))
    if one.stop:
        changed = replace(here, stops=_one_more(here.stops, one.stop, service))
        site = steps.join(walk, changed, parameters)
    if one.path is not None:
        network = with_line(site.network, one.path, name=NEW_PATH)
        new = network.edges["street"] == NEW_PATH
        pace = np.where(new, WALK_M_S / parameters.walking_speed_m_s, 1.0)
        network = replace(
            network, edges=network.edges.assign(**steps.slower(network.edges, pace))
        )  # fmt: skip
        site = replace(site, network=network, graph=network.graph())
    if one.closed:
        site = _closed(site, site.network.edges["street"].isin(one.closed).to_numpy(bool))
    return outcome(site, changed, service, parameters)


def _one_more(
    stops: gpd.GeoDataFrame, lonlat: tuple[float, float], service: Offer | None
) -> gpd.GeoDataFrame:
    place = gpd.GeoSeries.from_xy([lonlat[0]], [lonlat[1]], crs="EPSG:4326").to_crs(stops.crs)
    row: dict[str, list[object]] = {"name": ["new stop"], "mode": ["bus"]}
    if service is not None:
        row["row"] = [len(service.feed["stops"]) - 1]
    return pd.concat(
        [stops, gpd.GeoDataFrame(row, geometry=place.to_numpy(), crs=stops.crs)], ignore_index=True
    )


def compare(
    today: Outcome,
    measures: dict[str, Plan],
    walk: Network,
    site: Site,
    here: Places,
    offered: Offer | None,
    parameters: Parameters,
) -> tuple[pd.DataFrame, Outcome]:
    """Compare each measure with today.

    Returns
    -------
    pandas.DataFrame
        A row for each measure: `measure`, `share_all_pp`, `extra_min`, `better_pct`, `worse_pct`,
        `near_pp`, `stop_pp`, `transit_pp` (NaN where it does not apply).
    Outcome
        With all measures.
    """
    rows, last = [], today
    for name, one in measures.items():
        # one measure alone is all there is: it is not searched twice
        if not (name == ALL and len(measures) == 2):
            last = today
            if _any(one):
                last = with_measure(one, walk, site, here, offered, parameters)
        rows.append({"measure": name} | _difference(today, last, here, parameters))
    return pd.DataFrame(rows), last


def _any(one: Plan) -> bool:
    return bool(one.closed or one.path is not None or one.stop or one.headway)


def _difference(
    today: Outcome, then: Outcome, here: Places, parameters: Parameters
) -> dict[str, float | None]:
    weight, limit = here.homes.weight, parameters.near_minutes
    near = np.average(then.near_pct - today.near_pct, weights=weight)
    out: dict[str, float | None] = {"share_all_pp": None, "extra_min": None}
    if here.classes:
        before, after = (x.time.clip(upper=UNREACHED_MIN).to_numpy() for x in (today, then))
        step = (after - before).mean(axis=1)
        full = [(x <= limit).all(axis=1) for x in (before, after)]
        out["share_all_pp"] = _pp(weight, full[0], full[1])
        out["extra_min"] = float(np.average(step, weights=weight))
        out["better_pct"] = steps.share_pct(weight, step < -0.05)
        out["worse_pct"] = steps.share_pct(weight, step > 0.05)
    out["near_pp"] = float(near)
    out["stop_pp"] = _pp(weight, today.near_stop, then.near_stop) if len(here.stops) else None
    if today.ridden is not None and then.ridden is not None:
        gain = then.ridden.reached_pct[:, 1] - today.ridden.reached_pct[:, 1]
        out["transit_pp"] = float(np.average(gain, weights=today.ridden.squares["weight"]))
    return out


def _pp(
    weight: NDArray[np.float64], before: NDArray[np.bool_], after: NDArray[np.bool_]
) -> float:  # fmt: skip
    return 100 * float(weight[after].sum() - weight[before].sum()) / float(weight.sum())


def change_frame(
    today: Outcome, then: Outcome, here: Places, parameters: Parameters
) -> gpd.GeoDataFrame:
    """Change with all measures in squares of 100 m.

    Returns
    -------
    geopandas.GeoDataFrame
        `weight`, `extra_min` (mean minutes more to a class; NaN where none is known), `near_pp`
        (change of the share of all residents or floors nearby), `suppressed`, geometry.
    """
    table = steps.squares(here, cell_m=steps.CELL_M)
    values = {"near_pp": then.near_pct - today.near_pct}
    if here.classes:
        before, after = (x.time.clip(upper=UNREACHED_MIN).to_numpy() for x in (today, then))
        values["extra_min"] = (after - before).mean(axis=1)
    means = {
        name: steps.square_mean(table, value, here).round(3) for name, value in values.items()
    }  # fmt: skip
    return steps.square_frame(
        here, table, cell_m=steps.CELL_M, fewest=parameters.fewest_people, **means
    )


def works(one: Plan, walk: Network) -> gpd.GeoDataFrame:
    """Lines of what the scenario closes and opens: `what` (1 closed, 2 new), `name`, geometry."""
    edges = walk.edges
    shut = edges[edges["street"].isin(one.closed)]
    frame = gpd.GeoDataFrame(
        {"what": 1, "name": shut["name"].fillna(shut["street"]).to_numpy()},
        geometry=shut.geometry.to_numpy(), crs=edges.crs,
    )  # fmt: skip
    if one.path is None:
        return frame
    new = gpd.GeoDataFrame(
        {"what": [2], "name": [NEW_PATH]}, geometry=[one.path], crs=edges.crs
    )  # fmt: skip
    return pd.concat([frame, new], ignore_index=True) if len(frame) else new
