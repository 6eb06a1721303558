"""What measures would change: closed streets, a new path, stop or line, another headway."""

from dataclasses import dataclass, replace
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from ldt_toolbox.errors import ParameterError
from ldt_toolbox.mobility import squares, steps, summary, transit_journeys, transit_steps
from ldt_toolbox.mobility.attach import with_line
from ldt_toolbox.mobility.network import Network
from ldt_toolbox.mobility.scenario_streets import (
    UNREACHED_MIN,
    named_streets,
    streets_under,
    without_streets,
)
from ldt_toolbox.mobility.secrecy import change_told_pp, share_told_pct
from ldt_toolbox.mobility.steps import Places, Site
from ldt_toolbox.mobility.street_rules import WALK_M_S
from ldt_toolbox.mobility.timetable_change import with_headway, with_stop
from ldt_toolbox.mobility.timetable_line import NewLine, drawn_lines, with_new_line
from ldt_toolbox.mobility.transit_journeys import Journeys
from ldt_toolbox.mobility.transit_steps import Offer
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.results import Note
from ldt_toolbox.sources import Inputs

ALL = "all"
NEW_PATH, NEW_STOP = "new path", "new stop"
_RING_M = 15.0  # as a stop is drawn


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
    lines : tuple of NewLine
        New lines of public transport.
    notes : tuple of Note
        What was chosen where nothing was asked.
    """

    closed: tuple[str, ...] = ()
    path: shapely.LineString | None = None
    stop: tuple[float, float] | None = None
    headway: tuple[str, float] | None = None
    lines: tuple[NewLine, ...] = ()
    notes: tuple[Note, ...] = ()

    @cached_property
    def measures(self) -> dict[str, "Plan"]:
        """Each measure alone, then all together."""
        alone = {
            "closed_streets": Plan(closed=self.closed) if self.closed else None,
            "new_path": Plan(path=self.path) if self.path is not None else None,
            "new_stop": Plan(stop=self.stop) if self.stop else None,
            "new_headway": Plan(headway=self.headway) if self.headway else None,
            "new_line": Plan(lines=self.lines) if self.lines else None,
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
    """Read the measures from the parameters and the roles `closed_streets` and `new_lines`.

    Parameters
    ----------
    inputs : Inputs
        `closed_streets` where another use case tells what is cut; `new_lines` of public transport.
    walk : Network
        Streets on foot.
    ranked : pandas.DataFrame or None
        From `critical_streets`; where nothing at all is asked for, the first of them is closed.
    parameters : Parameters
        `close_streets`, `open_path`, `new_stop`, `new_headway`.

    Raises
    ------
    ParameterError
        If a street is unknown, numbers don't make a place or a path, or a headway is asked for
        without a timetable.
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
        if "gtfs" not in inputs:
            raise ParameterError(
                f"new_headway = {headway}: no route is known without a timetable: add the role "
                "`gtfs`, or leave the headway out"
            )
    lines = drawn_lines(inputs.frame("new_lines")) if "new_lines" in inputs else ()
    found = Plan(
        tuple(sorted(closed)), path, (stop[0], stop[1]) if stop else None, told, lines
    )  # fmt: skip
    if _any(found) or "closed_streets" in inputs or ranked is None or ranked.empty:
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


def outcome(site: Site, here: Places, offered: Offer | None, parameters: Parameters) -> Outcome:
    """What homes have with these streets, stops and this timetable."""
    time = steps.minutes(site, here)
    ridden = None
    if offered is not None:
        timetable = transit_steps.timetable_of(offered, site, here, parameters)
        ridden = transit_journeys.journeys(
            timetable, site, here, time, parameters,
            stops_xy=transit_steps.stop_points(offered, site.network.edges.crs),
        )  # fmt: skip
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
        for line in one.lines:
            service = replace(service, feed=with_new_line(service.feed, service.date, line))
    if one.stop or one.lines:
        changed = replace(here, stops=_more_stops(here.stops, one, offered))
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
        site = without_streets(site, site.network.edges["street"].isin(one.closed).to_numpy(bool))
    return outcome(site, changed, service, parameters)


def _more_stops(
    stops: gpd.GeoDataFrame, one: Plan, offered: Offer | None
) -> gpd.GeoDataFrame:  # fmt: skip
    """Stops with those that a plan adds, numbered as the feed does that it changes."""
    new = [(NEW_STOP, "bus", one.stop)] if one.stop else []
    new += [(line.name, line.mode, place) for line in one.lines for place in line.places]
    names, modes, places = zip(*new, strict=True)
    points = gpd.GeoSeries(shapely.points(places), crs="EPSG:4326").to_crs(stops.crs)
    table: dict[str, object] = {"name": names, "mode": modes}
    if offered is not None:
        table["row"] = len(offered.feed["stops"]) + np.arange(len(new))
    more = gpd.GeoDataFrame(table, geometry=points.to_numpy(), crs=stops.crs)
    return pd.concat([stops, more], ignore_index=True)


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
        `near_pp`, `stop_pp`, `transit_pp` (NaN where it does not apply, or where it would tell of
        fewer residents than `fewest_people`).
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
    table = pd.DataFrame(rows)
    numbers = table.columns.drop("measure")
    # sums of what does not change differ in the last digits only
    return table.astype(dict.fromkeys(numbers, np.float64)).round(9), last


def _any(one: Plan) -> bool:
    return bool(one.closed or one.path is not None or one.stop or one.headway or one.lines)


def _difference(
    today: Outcome, then: Outcome, here: Places, parameters: Parameters
) -> dict[str, float | None]:
    weight, limit = here.homes.weight, parameters.near_minutes
    fewest = parameters.fewest_people
    out: dict[str, float | None] = {"share_all_pp": None, "extra_min": None}
    if here.classes:
        before, after = (x.time.clip(upper=UNREACHED_MIN).to_numpy() for x in (today, then))
        step = (after - before).mean(axis=1)
        full = [(x <= limit).all(axis=1) for x in (before, after)]
        out["share_all_pp"] = change_told_pp(here.homes, full[0], full[1], fewest=fewest)
        out["extra_min"] = float(np.average(step, weights=weight))
        out["better_pct"] = share_told_pct(here.homes, step < -0.05, fewest=fewest)
        out["worse_pct"] = share_told_pct(here.homes, step > 0.05, fewest=fewest)
    out["near_pp"] = float(np.average(then.near_pct - today.near_pct, weights=weight))
    out["stop_pp"] = None
    if len(here.stops):
        near = (today.near_stop, then.near_stop)
        out["stop_pp"] = change_told_pp(here.homes, *near, fewest=fewest)
    if today.ridden is not None and then.ridden is not None:
        gain = then.ridden.reached_pct[:, 1] - today.ridden.reached_pct[:, 1]
        out["transit_pp"] = float(np.average(gain, weights=today.ridden.squares["weight"]))
    return out


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
    table = squares.squares(here, cell_m=squares.CELL_M)
    values = {"near_pp": then.near_pct - today.near_pct}
    if here.classes:
        before, after = (x.time.clip(upper=UNREACHED_MIN).to_numpy() for x in (today, then))
        values["extra_min"] = (after - before).mean(axis=1)
    means = {
        name: squares.square_mean(table, value, here).round(3) for name, value in values.items()
    }  # fmt: skip
    return squares.square_frame(
        here, table, cell_m=squares.CELL_M, fewest=parameters.fewest_people,
        weight=squares.told_weight(table), **means,
    )  # fmt: skip


def transit_change_frame(
    today: Outcome, then: Outcome, here: Places, parameters: Parameters
) -> gpd.GeoDataFrame | None:
    """Change of what public transport lets one reach, in the squares where journeys start.

    Returns
    -------
    geopandas.GeoDataFrame or None
        `reached_pp` (percentage points, usual departure), `suppressed`, geometry; None without a
        timetable.
    """
    if today.ridden is None or then.ridden is None:
        return None
    gain = then.ridden.reached_pct[:, 1] - today.ridden.reached_pct[:, 1]
    return squares.square_frame(
        here, today.ridden.squares, cell_m=parameters.transit_cell_m,
        fewest=parameters.fewest_people, reached_pp=np.round(gain, 3),
    )  # fmt: skip


def works(one: Plan, walk: Network) -> gpd.GeoDataFrame:
    """Lines of what the scenario closes and opens; a new stop is a ring.

    Returns
    -------
    geopandas.GeoDataFrame
        `what` (1 closed, 2 new), `name`, geometry.
    """
    edges = walk.edges
    shut = edges[edges["street"].isin(one.closed)]
    frame = gpd.GeoDataFrame(
        {"what": 1, "name": shut["name"].fillna(shut["street"]).to_numpy()},
        geometry=shut.geometry.to_numpy(), crs=edges.crs,
    )  # fmt: skip
    drawn = gpd.GeoSeries([shapely.LineString(line.places) for line in one.lines], crs="EPSG:4326")
    names = [line.name for line in one.lines]
    shapes = drawn.to_crs(edges.crs).tolist()
    if one.path is not None:
        names, shapes = [NEW_PATH, *names], [one.path, *shapes]
    if one.stop:
        place = gpd.GeoSeries([shapely.Point(one.stop)], crs="EPSG:4326").to_crs(edges.crs)
        names, shapes = [*names, NEW_STOP], [*shapes, place.iloc[0].buffer(_RING_M).exterior]
    if not names:
        return frame
    new = gpd.GeoDataFrame({"what": 2, "name": names}, geometry=shapes, crs=edges.crs)
    return pd.concat([frame, new], ignore_index=True) if len(frame) else new
