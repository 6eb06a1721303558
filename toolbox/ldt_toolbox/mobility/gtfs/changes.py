"""How passengers change between stops: through stations, and by the rules of transfers.txt.

GTFS Schedule Reference, transfers.txt and pathways.txt
(https://gtfs.org/documentation/schedule/reference/).
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldt_toolbox.mobility.graph import build_graph
from ldt_toolbox.mobility.gtfs.read import Feed
from ldt_toolbox.mobility.gtfs.supply import distance_m
from ldt_toolbox.mobility.search import reach
from ldt_toolbox.mobility.timetable import Ints, Walks, walks

NEVER_S = 2**30  # change time where changing is forbidden: beyond every journey
POSSIBLE, TIMED, MINIMUM, FORBIDDEN = 0, 1, 2, 3  # transfer_type between stops
BOARDING_AREA = 4  # location_type
DETOUR = 1.3  # way along streets over straight line; an assumption
STAIR_S = 0.5  # one stair; an assumption
LONGEST_IN_STATION_S = 1800.0

_Longs = NDArray[np.int64]
_Floats = NDArray[np.float64]
Pairs = tuple[_Longs, _Longs, _Floats]  # row of stops where a change begins, where it ends, seconds


class Changes(NamedTuple):
    """Changing between stops, for `build_timetable`.

    Attributes
    ----------
    footpaths : Walks
        Between rows of stops.
    change_s : numpy.ndarray of int32, shape (stops,)
        At the same stop; `NEVER_S` where that is forbidden.
    """

    footpaths: Walks
    change_s: Ints


def changes(
    feed: Feed,
    locations: pd.DataFrame,
    on_foot: Pairs,
    *,
    change_s: int = 0,
    walking_speed_m_s: float = 1.33,
) -> Changes:
    """Join ways along streets with those through stations and the rules of the feed.

    Parameters
    ----------
    feed : Feed
        Its stops, `pathways` and `transfers`.
    locations : pandas.DataFrame
        All rows of stops.txt, also stations, entrances and stops that nothing serves.
    on_foot : tuple of numpy.ndarray
        Rows of the feed's stops where walks along streets begin and end, and their seconds.
    change_s : int
        At the same stop, where the feed says nothing.
    walking_speed_m_s : float
        For pathways and connections of which the feed gives no time.

    Notes
    -----
    Between platforms that pathways connect, the quickest way through them stands for the way
    along the street: where a station has any, the standard wants all of them. transfers.txt comes
    last: a minimum time stands for whatever was found (it includes the walk), a forbidden change
    is taken out, and a recommended one without a time opens a walk of `DETOUR` times the straight
    line where none was found. A rule for a station holds for all its stops, unless there is one
    for the stops themselves.
    """
    stops = len(feed["stops"])
    begin, end, seconds = on_foot
    inside = through_stations(feed, locations, walking_speed_m_s=walking_speed_m_s)
    begin, end, seconds = _instead((begin, end, seconds), inside, stops)
    at_stop = np.full(stops, change_s, np.int32)
    rules = stop_rules(feed, locations)
    if len(rules):
        same = (rules["begin"] == rules["end"]).to_numpy(bool)
        told = np.isfinite(rules["seconds"].to_numpy())
        closed = (rules["kind"] == FORBIDDEN).to_numpy(bool)
        row = rules["begin"].to_numpy(np.int64)
        at_stop[row[same & told]] = np.ceil(rules["seconds"].to_numpy()[same & told])
        at_stop[row[same & closed]] = NEVER_S
        begin, end, seconds = _without((begin, end, seconds), rules[closed & ~same], stops)
        timed = rules[told & ~same]
        times = (
            timed["begin"].to_numpy(np.int64), timed["end"].to_numpy(np.int64),
            timed["seconds"].to_numpy(np.float64),
        )  # fmt: skip
        begin, end, seconds = _instead((begin, end, seconds), times, stops)
        known = set((begin * stops + end).tolist())
        rest = rules[~told & ~closed & ~same]
        new = ~(rest["begin"] * stops + rest["end"]).isin(known).to_numpy(bool)
        a, b = (rest[c].to_numpy(np.int64)[new] for c in ("begin", "end"))
        straight = DETOUR * _straight_m(feed["stops"], a, b) / walking_speed_m_s
        found = np.isfinite(straight)
        begin, end, seconds = (
            np.concatenate(both)
            for both in ((begin, a[found]), (end, b[found]), (seconds, straight[found]))
        )
    apart = begin != end
    footpaths = walks(begin[apart], end[apart], seconds[apart], places=stops, stops=stops)
    return Changes(footpaths, at_stop)


def stop_rules(feed: Feed, locations: pd.DataFrame) -> pd.DataFrame:
    """Rules of transfers.txt between stops, stations spelled out.

    Parameters
    ----------
    feed, locations
        As in `changes`.

    Returns
    -------
    pandas.DataFrame
        A row for each pair of stops: `begin`, `end` (rows of the feed's stops), `kind`
        (transfer_type) and `seconds` (NaN where no time is given). Of rules that are alike
        the last stands. Rules for single routes or trips are left out: see `rules_left_out`.
    """
    table = feed["transfers"]
    plain = table[_between_stops(table)]
    kind = plain["transfer_type"].fillna(POSSIBLE).to_numpy(np.int64)
    given = plain["min_transfer_time"].to_numpy(np.float64, na_value=np.nan)
    counts = np.where(kind == MINIMUM, given >= 0, (kind < MINIMUM) & (given > 0))
    rules = pd.DataFrame(
        {
            "from": plain["from_stop_id"].to_numpy(object),
            "to": plain["to_stop_id"].to_numpy(object),
            "kind": kind,
            "seconds": np.where(counts, given, np.nan),
            "line": np.arange(len(plain)),
        }
    )
    rows = pd.DataFrame({"id": feed["stops"]["stop_id"].to_numpy(object)}).reset_index(names="row")
    parent = locations.drop_duplicates("stop_id").set_index("stop_id")["parent_station"]
    children = rows.assign(id=parent.reindex(rows["id"]).to_numpy(object), direct=0)
    members = pd.concat([rows.assign(direct=1), children.dropna(subset=["id"])])
    out = rules.merge(members.add_prefix("begin_"), left_on="from", right_on="begin_id")
    out = out.merge(members.add_prefix("end_"), left_on="to", right_on="end_id")
    out["direct"] = out["begin_direct"] + out["end_direct"]
    out = out.sort_values(["direct", "line"]).rename(
        columns={"begin_row": "begin", "end_row": "end"}
    )
    out = out.drop_duplicates(["begin", "end"], keep="last")
    return out[["begin", "end", "kind", "seconds"]].reset_index(drop=True)


def _between_stops(table: pd.DataFrame) -> NDArray[np.bool_]:
    """Rules that hold for whoever changes there, whatever the route or trip."""
    of = ["from_route_id", "to_route_id", "from_trip_id", "to_trip_id"]
    special = table[of].notna().any(axis=1) | (table["transfer_type"] > FORBIDDEN).fillna(False)
    return np.asarray(~special, bool)


def rules_left_out(feed: Feed) -> int:
    """How many rules of transfers.txt are about single routes or trips, and so not followed."""
    return int((~_between_stops(feed["transfers"])).sum())


def pathway_seconds(
    paths: pd.DataFrame, locations: pd.DataFrame, *, walking_speed_m_s: float
) -> tuple[_Floats, NDArray[np.bool_]]:
    """Time that each pathway takes, and whether it is estimated.

    Returns
    -------
    tuple of numpy.ndarray
        `traversal_time`; where the feed gives none, its length, or the straight line between its
        ends, at walking speed, and `STAIR_S` for each stair. NaN where nothing is known.
    """
    told = paths["traversal_time"].to_numpy(np.float64, na_value=np.nan)
    place = locations.drop_duplicates("stop_id").set_index("stop_id")[["stop_lon", "stop_lat"]]
    ends = [place.reindex(paths[c]).to_numpy(np.float64).T for c in ("from_stop_id", "to_stop_id")]
    length = paths["length"].to_numpy(np.float64)
    length = np.where(np.isfinite(length), length, distance_m(*ends[0], *ends[1]))
    stairs = np.nan_to_num(paths["stair_count"].to_numpy(np.float64, na_value=np.nan))
    guess = length / walking_speed_m_s + STAIR_S * np.abs(stairs)
    known = told > 0
    return np.where(known, told, guess), ~known


def through_stations(
    feed: Feed, locations: pd.DataFrame, *, walking_speed_m_s: float = 1.33
) -> Pairs:
    """Quickest way through the pathways from each platform to each other.

    Parameters
    ----------
    feed, locations, walking_speed_m_s
        As in `changes`.

    Returns
    -------
    tuple of numpy.ndarray
        Row of the feed's stops where it begins and ends, and seconds. A boarding area stands for
        its platform.
    """
    paths = feed["pathways"].dropna(subset=["from_stop_id", "to_stop_id"])
    seconds, _ = pathway_seconds(paths, locations, walking_speed_m_s=walking_speed_m_s)
    paths, seconds = paths[np.isfinite(seconds)], seconds[np.isfinite(seconds)]
    if paths.empty:
        nothing = np.empty(0, np.int64)
        return nothing, nothing, np.empty(0)
    names = pd.Index(pd.unique(paths[["from_stop_id", "to_stop_id"]].to_numpy(object).ravel()))
    tail, head = (names.get_indexer(paths[c]) for c in ("from_stop_id", "to_stop_id"))
    back = (paths["is_bidirectional"] == 1).fillna(False).to_numpy(bool)
    graph = build_graph(
        len(names), np.r_[tail, head[back]], np.r_[head, tail[back]], np.r_[seconds, seconds[back]]
    )
    found = reach(graph, limit=LONGEST_IN_STATION_S)
    known = locations.drop_duplicates("stop_id").set_index("stop_id")
    area = (known["location_type"] == BOARDING_AREA).fillna(False)
    platform = known["parent_station"].where(area, pd.Series(known.index, known.index))
    number = {stop: k for k, stop in reversed(list(enumerate(feed["stops"]["stop_id"])))}
    row = np.array([number.get(one, -1) for one in platform.reindex(names)], np.int64)
    begin, end = np.repeat(row, np.diff(found.start)), row[found.node]
    both = (begin >= 0) & (end >= 0) & (begin != end)
    return _least(begin[both], end[both], found.cost[both], len(feed["stops"]))


def _least(begin: _Longs, end: _Longs, seconds: _Floats, stops: int) -> Pairs:
    order = np.lexsort((seconds, begin * stops + end))
    _, first = np.unique((begin * stops + end)[order], return_index=True)
    kept = order[first]
    return begin[kept], end[kept], seconds[kept]


def _without(pairs: Pairs, rules: pd.DataFrame, stops: int) -> Pairs:
    key = rules["begin"].to_numpy(np.int64) * stops + rules["end"].to_numpy(np.int64)
    kept = ~np.isin(pairs[0] * stops + pairs[1], key)
    return pairs[0][kept], pairs[1][kept], pairs[2][kept]


def _instead(pairs: Pairs, better: Pairs, stops: int) -> Pairs:
    """Pairs, of which some have another time."""
    told = pd.DataFrame({"begin": better[0], "end": better[1]})
    begin, end, seconds = _without(pairs, told, stops)
    return np.r_[begin, better[0]], np.r_[end, better[1]], np.r_[seconds, better[2]]


def _straight_m(stops: pd.DataFrame, begin: _Longs, end: _Longs) -> _Floats:
    place = stops[["stop_lon", "stop_lat"]].to_numpy(np.float64)
    return distance_m(*place[begin].T, *place[end].T)
