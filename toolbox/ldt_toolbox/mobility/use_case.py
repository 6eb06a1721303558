"""The mobility use case as one function: inputs and parameters in, results out."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldt_toolbox.mobility import (
    caveats,
    scenario,
    scenario_streets,
    squares,
    steps,
    story,
    summary,
    traffic_steps,
    transit_journeys,
    transit_steps,
    transit_summary,
)
from ldt_toolbox.mobility.equity import group_gap
from ldt_toolbox.mobility.network import Network
from ldt_toolbox.mobility.scenario import Outcome, Plan
from ldt_toolbox.mobility.secrecy import share_told_pct
from ldt_toolbox.mobility.shared_supply import shared_places
from ldt_toolbox.mobility.steps import Places, Site
from ldt_toolbox.mobility.traffic_steps import Traffic
from ldt_toolbox.mobility.transit_journeys import Journeys
from ldt_toolbox.mobility.transit_steps import Offer
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.results import Indicator, Results
from ldt_toolbox.sources import Inputs


@dataclass(frozen=True)
class Access:
    """Who reaches what, by each way of moving.

    Attributes
    ----------
    minutes : dict of str to pandas.DataFrame
        `walk`, `bike`, `calm_bike`: minutes from each home to each class.
    near_pct : numpy.ndarray
        Share of all residents or floors near each home on foot.
    jobs : numpy.ndarray
        Jobs or workplaces near each home on foot.
    cells : geopandas.GeoDataFrame
        From `squares.cells`.
    """

    minutes: dict[str, pd.DataFrame]
    near_pct: NDArray[np.float64]
    jobs: NDArray[np.float64]
    cells: gpd.GeoDataFrame


def compute(inputs: Inputs, parameters: Parameters) -> Results:
    """Answer who reaches what, who is left out, and what would change it.

    Parameters
    ----------
    inputs : Inputs
        Layers by role, as the manifest of the use case describes them.
    parameters : Parameters
        Validated.

    Returns
    -------
    Results
        Every output of the manifest.

    Raises
    ------
    MissingRoleError, DataError, ParameterError
        Naming what is missing or wrong.
    """
    do = inputs.step
    walk = do(steps.streets, inputs, parameters)
    bike = do(steps.streets, inputs, parameters, "bike")
    offered = do(transit_steps.offer, inputs, parameters)
    counted = do(traffic_steps.traffic, inputs, parameters)
    here = do(
        steps.places, inputs, walk, parameters, stops=None if offered is None else offered.stops
    )  # fmt: skip
    site = do(steps.join, walk, here, parameters)
    found = do(access, site, here, bike, parameters)
    ridden = do(ride, offered, site, here, found, parameters)
    plan, ranked = do(measures, inputs, walk, site, here, found, parameters)
    today = do(scenario_today, site, here, found, ridden, parameters)
    table, then = do(scenario.compare, today, plan.measures, walk, site, here, offered, parameters)
    return assemble(
        inputs, parameters, walk=walk, bike=bike, here=here, site=site, found=found,
        offered=offered, ridden=ridden, counted=counted, plan=plan, ranked=ranked, table=table,
        today=today, then=then,
    )  # fmt: skip


def measures(
    inputs: Inputs,
    walk: Network,
    site: Site,
    here: Places,
    found: Access,
    parameters: Parameters,
) -> tuple[Plan, pd.DataFrame | None]:
    """Measures of the scenario, and the streets whose closure would cost most."""
    ranked = scenario_streets.critical_streets(
        site,
        here,
        found.minutes["walk"],
        count=parameters.ranked_places,
        fewest=parameters.fewest_people,
    )
    return scenario.plan(inputs, walk, ranked, parameters), ranked


def scenario_today(
    site: Site, here: Places, found: Access, ridden: Journeys | None, parameters: Parameters
) -> Outcome:
    """What homes have today, as the scenario compares it."""
    near = summary.near_stop(
        site, here, stop_m=parameters.stop_distance_m, station_m=parameters.station_distance_m
    )
    return Outcome(found.minutes["walk"], near, found.near_pct, ridden)


def ride(
    offered: Offer | None, site: Site, here: Places, found: Access, parameters: Parameters
) -> Journeys | None:
    """Travel times by `transit_journeys.journeys`; None without a timetable."""
    if offered is None:
        return None
    timetable = transit_steps.timetable_of(offered, site, here, parameters)
    return transit_journeys.journeys(
        timetable, site, here, found.minutes["walk"], parameters,
        stops_xy=transit_steps.stop_points(offered, site.network.edges.crs),
    )  # fmt: skip


def access(site: Site, here: Places, bike: Network, parameters: Parameters) -> Access:
    """Travel times on foot, by bike and by bike on calm streets, and what is near on foot."""
    ridden = steps.join(bike, here, parameters)
    calm = steps.join(steps.calm_only(bike), here, parameters)
    time = {
        "walk": steps.minutes(site, here),
        "bike": steps.minutes(ridden, here),
        "calm_bike": steps.minutes(calm, here),
    }
    limit = parameters.near_minutes
    return Access(
        time,
        summary.reached_weight(site, here, limit_min=limit),
        steps.jobs_within(site, here, limit_min=limit),
        squares.cells(here, time["walk"], minutes_limit=limit, fewest=parameters.fewest_people),
    )


def assemble(
    inputs: Inputs,
    parameters: Parameters,
    *,
    walk: Network,
    bike: Network,
    here: Places,
    site: Site,
    found: Access,
    offered: Offer | None,
    ridden: Journeys | None,
    counted: Traffic | None,
    plan: Plan,
    ranked: pd.DataFrame | None,
    table: pd.DataFrame,
    today: Outcome,
    then: Outcome,
) -> Results:
    """Join what the steps yield into the outputs of the manifest.

    Parameters
    ----------
    inputs, parameters
        As in `compute`.
    walk, bike, here, site, found, offered, ridden, counted, plan, ranked, table, today, then
        What the steps of `compute` return.
    """
    result = Results(weight=dict(here.homes.unit))
    node, name = steps.centre(site, here, parameters)
    limits = tuple(parameters.isochrone_minutes)
    stress = steps.bike_stress(bike)
    result.layers = {
        "isochrones": steps.reachable(site, node, name, minutes_limits=limits),
        "bike_stress": stress,
    }
    result.tables = {
        "network": summary.network_table({"walk": site.network.report, "bike": bike.report}),
        "equity": equity(here, found, parameters),
    }
    curve = summary.lorenz_table(
        found.near_pct, found.jobs if len(here.jobs) else None, here.homes,
        fewest=parameters.fewest_people,
    )  # fmt: skip
    if curve is not None:
        result.tables["lorenz"] = curve
    _numbers(result, here, site, found, walk, stress, fewest=parameters.fewest_people)
    near = found.near_pct
    if here.classes:
        within = found.minutes["walk"].to_numpy() <= parameters.near_minutes
        near = 100.0 * within.all(axis=1)
    if gap := income_gap(here, near, parameters):
        result.indicators["income_gap"] = gap
    if here.classes:
        _classes(result, here, site, found, walk, parameters)
    if len(here.stops):
        _stops(result, inputs, here, site, parameters)
    result.notes = caveats.notes(inputs, here, parameters)
    if counted is not None:
        traffic_steps.add(result, counted)
    if offered is not None and ridden is not None:
        transit_summary.add(result, offered, ridden, site, here, parameters)
    _scenario(result, plan, ranked, table, here)
    change = scenario.change_frame(today, then, here, parameters)
    result.layers["scenario_change"] = change
    ride_change = scenario.transit_change_frame(today, then, here, parameters)
    if ride_change is not None:
        result.layers["scenario_transit_change"] = ride_change
    changed = summary.most_changed(change, walk, count=parameters.ranked_places)
    if len(changed):
        result.tables["scenario_places"] = changed
    result.layers["scenario_works"] = scenario.works(plan, walk)
    caveats.mark_synthetic(inputs, result)
    result.answer = story.answer(inputs.territory.names, here, result, parameters)
    return result


def equity(here: Places, found: Access, parameters: Parameters) -> pd.DataFrame:
    """How evenly what is near on foot is spread over residents or floors."""
    weight = here.homes.weight
    rows = [summary.spread("residents or floors near on foot", found.near_pct, weight)]
    if len(here.jobs):
        what = "jobs" if here.jobs_are_counted else "workplaces"
        rows.append(summary.spread(f"{what} near on foot", found.jobs, weight))
    if here.classes:
        near = (found.minutes["walk"].to_numpy() <= parameters.near_minutes).sum(axis=1)
        rows.append(summary.spread("classes near on foot", near.astype(np.float64), weight))
    return pd.DataFrame(rows)


def income_gap(here: Places, near: NDArray[np.float64], parameters: Parameters) -> Indicator | None:
    """Gap between the poorest and the richest fifth, with its bootstrap interval.

    Parameters
    ----------
    here : Places
        Homes with the income of their area.
    near : numpy.ndarray, shape (homes,)
        What each home has, per cent.
    parameters : Parameters
        `bootstrap_draws`, `seed`.

    Returns
    -------
    Indicator or None
        Mean of the poorest fifth of residents minus that of the richest, over squares of 100 m;
        None where income is not known, a fifth lies in one square, or counts fewer residents than
        may be told of.
    """
    if here.homes.income is None:
        return None
    table = squares.squares(here, cell_m=squares.CELL_M)
    income = squares.square_mean(table, here.homes.income, here)
    weight = table["weight"].to_numpy(np.float64)
    told = np.isfinite(income)
    bounds = [summary.weighted_quantile(income[told], weight[told], q) for q in (0.2, 0.8)]
    if bounds[0] is None or bounds[0] >= (bounds[1] or 0.0):
        return None
    ends = [weight[told & (income <= bounds[0])], weight[told & (income > (bounds[1] or 0.0))]]
    if min(len(end) for end in ends) < 2:  # one square is no group
        return None
    if here.homes.people and min(end.sum() for end in ends) < parameters.fewest_people:
        return None
    group = np.select([income <= bounds[0], income > (bounds[1] or 0.0)], ["poor", "rich"], "other")
    gap = group_gap(
        squares.square_mean(table, near, here), np.where(told, group, "other"), "poor", "rich",
        people=weight, draws=parameters.bootstrap_draws, seed=parameters.seed,
    )  # fmt: skip
    meaning = f"2.5th to 97.5th percentile of {parameters.bootstrap_draws} draws (bootstrap)"
    return Indicator(gap.gap, gap.low, gap.high, meaning)


def _numbers(
    result: Results,
    here: Places,
    site: Site,
    found: Access,
    walk: Network,
    stress: gpd.GeoDataFrame,
    *,
    fewest: int,
) -> None:
    weight = here.homes.weight
    calm = stress["level"] <= steps.LOW_STRESS
    length = stress["length_m"]
    result.indicators = {
        "calm_street_share": Indicator(100 * float(length[calm].sum() / length.sum())),
        "reach_median": Indicator(summary.weighted_quantile(found.near_pct, weight, 0.5)),
        "reach_gini": Indicator(float(result.tables["equity"]["gini"].iloc[0])),
        "unattached_share": Indicator(share_told_pct(here.homes, site.home < 0, fewest=fewest)),
        "network_km": Indicator(float(walk.edges["length_m"].sum()) / 1000),
    }
    if len(here.jobs):
        middle = summary.weighted_quantile(found.jobs, weight, 0.5)
        result.indicators["workplaces_median"] = Indicator(middle)


def _classes(
    result: Results,
    here: Places,
    site: Site,
    found: Access,
    walk: Network,
    parameters: Parameters,
) -> None:
    table = summary.class_table(
        here, found.minutes, limit_min=parameters.near_minutes, fewest=parameters.fewest_people
    )
    every = table.iloc[-1]
    time = found.minutes["walk"]
    shared = shared_places(
        site, here, limit_min=parameters.near_minutes, fewest=parameters.fewest_people
    )
    result.tables["classes"] = table.merge(shared, on="class", how="left")
    result.tables["least_served"] = summary.least_served(
        found.cells, here, time, walk, count=parameters.ranked_places
    )
    result.layers["access"] = found.cells
    if "use" in here.homes.places or "id" in here.homes.places:
        result.layers["buildings"] = _buildings(here, time, parameters)
    result.indicators |= {
        "share_all_near": Indicator(summary.number(every["walk_pct"])),
        "minutes_all_median": Indicator(summary.number(every["median_min"])),
        "share_all_near_bike": Indicator(summary.number(every["bike_pct"])),
        "share_all_near_calm": Indicator(summary.number(every["calm_bike_pct"])),
    }


def _scenario(
    result: Results,
    plan: Plan,
    ranked: pd.DataFrame | None,
    table: pd.DataFrame,
    here: Places,
) -> None:
    result.tables["scenarios"] = table
    if ranked is not None:
        result.tables["critical_streets"] = ranked
    every = table.iloc[-1]
    result.indicators["scenario_near"] = Indicator(float(every["near_pp"]))
    if here.classes:
        result.indicators["scenario_share"] = Indicator(summary.number(every["share_all_pp"]))
        result.indicators["scenario_worse"] = Indicator(summary.number(every["worse_pct"]))
    if "transit_pp" in table:
        result.indicators["scenario_transit"] = Indicator(float(every["transit_pp"]))
    result.notes += plan.notes


def _buildings(here: Places, time: pd.DataFrame, parameters: Parameters) -> gpd.GeoDataFrame:
    frame = here.homes.places
    kept = [c for c in ("id", "name", "use") if c in frame]
    shown = time.replace(np.inf, np.nan).round(2).add_prefix("minutes_")
    near = (time.to_numpy() <= parameters.near_minutes).sum(axis=1)
    last = time.max(axis=1).replace(np.inf, np.nan).round(2)
    out = frame[[*kept, "geometry"]].join(shown)
    return out.assign(minutes_all=last, classes_near=near)


def _stops(
    result: Results, inputs: Inputs, here: Places, site: Site, parameters: Parameters
) -> None:
    limits = {"stop_m": parameters.stop_distance_m, "station_m": parameters.station_distance_m}
    # routes of the map are no measure beside a timetable, which has its own
    routes = inputs.table("routes") if "routes" in inputs and "gtfs" not in inputs else None
    fewest = parameters.fewest_people
    result.tables["stops_by_mode"] = summary.mode_table(
        site, here, routes=routes, fewest=fewest, **limits
    )
    covered = share_told_pct(here.homes, summary.near_stop(site, here, **limits), fewest=fewest)
    result.indicators["stop_coverage"] = Indicator(covered)
