"""Rules on changing between stops and on ways through stations."""

from collections import deque

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldt_toolbox.mobility.gtfs.notices import Notices
from ldt_toolbox.mobility.gtfs.read import Feed
from ldt_toolbox.mobility.gtfs.rules_paths import positions
from ldt_toolbox.mobility.gtfs.supply import distance_m

TOO_FAR_M, FAR_M = 10_000.0, 2_000.0  # TransferDistanceValidator
STOP, STATION, ENTRANCE, NODE, AREA = range(5)  # location_type
EXIT_GATE = 7  # pathway_mode
IN_SEAT = (4, 5)  # transfer_type: whether passengers may stay on board


def check_transfers(feed: Feed, notices: Notices) -> None:
    """Ends of the rules for changing: there, of a fitting kind, and not too far apart."""
    table = feed["transfers"]
    if table.empty:
        return
    known = feed["stops"].drop_duplicates("stop_id")
    kind = known.set_index("stop_id")["location_type"].fillna(STOP)
    on_board = table["transfer_type"].isin(IN_SEAT).to_numpy(bool)
    places = pd.DataFrame(positions(feed), index=feed["stops"]["stop_id"])
    places = places[~places.index.duplicated()]
    ends = []
    for side in ("from", "to"):
        stop, trip, route = (f"{side}_{what}_id" for what in ("stop", "trip", "route"))
        gone = table[stop].isna().to_numpy(bool)
        notices.add_rows("missing_required_field", "transfers", stop, gone & ~on_board)
        lacks = table[trip].isna().to_numpy(bool) & on_board
        notices.add_rows("missing_required_field", "transfers", trip, lacks)
        wrong = kind.reindex(table[stop]).fillna(STOP).to_numpy() > STATION
        notices.add_rows("transfer_with_invalid_stop_location_type", "transfers", stop, wrong)
        trips = feed["trips"].drop_duplicates("trip_id").set_index("trip_id")["route_id"]
        other = trips.reindex(table[trip]).to_numpy(object)
        differ = pd.notna(other) & table[route].notna().to_numpy(bool)
        differ &= other != table[route].to_numpy(object)
        notices.add_rows("transfer_with_invalid_trip_and_route", "transfers", route, differ)
        ends.append(places.reindex(table[stop]).to_numpy().T)
    away = np.nan_to_num(distance_m(*ends[0], *ends[1]))
    column = "from_stop_id, to_stop_id"
    notices.add_rows("transfer_distance_too_large", "transfers", column, away > TOO_FAR_M)
    far = (away > FAR_M) & (away <= TOO_FAR_M)
    notices.add_rows("transfer_distance_above_2_km", "transfers", column, far)
    negative = (table["min_transfer_time"] < 0).fillna(False)
    notices.add_rows("number_out_of_range", "transfers", "min_transfer_time", negative)


def check_pathways(feed: Feed, notices: Notices) -> None:
    """Ways through stations: their ends, and whether all platforms can be reached and left."""
    paths = feed["pathways"]
    if paths.empty:
        return
    stops = feed["stops"].drop_duplicates("stop_id").set_index("stop_id")
    kind = stops["location_type"].fillna(STOP)
    parents = set(stops["parent_station"].dropna())
    begin, end = paths["from_stop_id"], paths["to_stop_id"]
    for column, ids in (("from_stop_id", begin), ("to_stop_id", end)):
        of_end = kind.reindex(ids).to_numpy(np.float64, na_value=np.nan)
        notices.add_rows("pathway_to_wrong_location_type", "pathways", column, of_end == STATION)
        divided = (of_end == STOP) & ids.isin(parents).to_numpy(bool)
        notices.add_rows("pathway_to_platform_with_boarding_areas", "pathways", column, divided)
    loop = (begin == end).fillna(False)
    notices.add_rows("pathway_loop", "pathways", "from_stop_id, to_stop_id", loop)
    both = (paths["is_bidirectional"] == 1).fillna(False).to_numpy(bool)
    gate = (paths["pathway_mode"] == EXIT_GATE).fillna(False).to_numpy(bool)
    notices.add_rows("bidirectional_exit_gate", "pathways", "is_bidirectional", gate & both)
    none = (paths["traversal_time"] <= 0).fillna(False)
    notices.add_rows("number_out_of_range", "pathways", "traversal_time", none)
    frame = feed["stops"]
    dangling = (frame["location_type"] == NODE).fillna(False).to_numpy(bool)
    beside = pd.concat([pd.DataFrame({"a": begin, "b": end}), pd.DataFrame({"a": end, "b": begin})])
    neighbours = beside.drop_duplicates()["a"].value_counts()
    dangling &= neighbours.reindex(frame["stop_id"]).to_numpy(np.float64) == 1
    notices.add_rows("pathway_dangling_generic_node", "stops", "stop_id", dangling)
    locked = _locked(feed, paths, both)
    notices.add_rows("pathway_unreachable_location", "stops", "stop_id", locked)


def _locked(feed: Feed, paths: pd.DataFrame, both: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Platforms, areas and nodes of stations with pathways that have no way in or no way out."""
    stops = feed["stops"]
    parent = stops.drop_duplicates("stop_id").set_index("stop_id")["parent_station"]
    kind = stops["location_type"].fillna(STOP).to_numpy(np.int64)
    ids = stops["stop_id"]
    above = parent.reindex(stops["parent_station"]).to_numpy(object)
    station = np.where(pd.notna(above), above, stops["parent_station"].to_numpy(object))
    station = np.where(kind == STATION, ids.to_numpy(object), station)
    has_paths = ids.isin(pd.concat([paths["from_stop_id"], paths["to_stop_id"]]))
    with_paths = set(station[has_paths.to_numpy(bool) & pd.notna(station)])
    told = (kind == NODE) | (kind == AREA)
    told |= (kind == STOP) & ~ids.isin(stops["parent_station"].dropna()).to_numpy(bool)
    told &= np.array([one in with_paths for one in station], bool)
    doors = ids[kind == ENTRANCE].tolist()
    ways = list(zip(paths["from_stop_id"], paths["to_stop_id"], both, strict=True))
    entered = _reached(doors, [(a, b) for a, b, _ in ways] + [(b, a) for a, b, two in ways if two])
    left = _reached(doors, [(b, a) for a, b, _ in ways] + [(a, b) for a, b, two in ways if two])
    return np.asarray(told & ~ids.isin(entered & left).to_numpy(bool), bool)


def _reached(doors: list[str], ways: list[tuple[str, str]]) -> set[str]:
    leads: dict[str, list[str]] = {}
    for begin, end in ways:
        leads.setdefault(begin, []).append(end)
    seen, queue = set(doors), deque(doors)
    while queue:
        for one in leads.get(queue.popleft(), []):
            if one not in seen:
                seen.add(one)
                queue.append(one)
    return seen
