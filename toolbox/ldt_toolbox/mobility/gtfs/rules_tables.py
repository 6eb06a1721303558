"""Rules on agencies, stops, routes, trips, services and frequencies of a feed."""

import datetime as dt

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldt_toolbox.mobility.gtfs.calendar import service_days
from ldt_toolbox.mobility.gtfs.notices import Notices
from ldt_toolbox.mobility.gtfs.read import Feed
from ldt_toolbox.mobility.gtfs.schema import DAYS

NEAR_ORIGIN_DEG, NEAR_POLE_DEG = 1.0, 89.0  # PointNear...Validator
LUMA_DIFFERENCE = 72  # RouteColorContrastValidator
SHORT_NAME_LENGTH = 12  # RouteNameValidator
PARENT_OF = {0: 1, 2: 1, 3: 1, 4: 0}  # location_type: that of its parent


def check_stops(feed: Feed, notices: Notices) -> None:
    """Positions, parents and use of stops."""
    stops = feed["stops"]
    kind = stops["location_type"].fillna(0).to_numpy(np.int64)
    for name, lat, lon in (
        ("stops", "stop_lat", "stop_lon"),
        ("shapes", "shape_pt_lat", "shape_pt_lon"),
    ):
        y, x = feed[name][lat].to_numpy(np.float64), feed[name][lon].to_numpy(np.float64)
        near = (np.abs(y) <= NEAR_ORIGIN_DEG) & (np.abs(x) <= NEAR_ORIGIN_DEG)
        notices.add_rows("point_near_origin", name, f"{lat}, {lon}", near)
        notices.add_rows("point_near_pole", name, lat, np.abs(y) >= NEAR_POLE_DEG)
    nowhere = (stops["stop_lat"].isna() | stops["stop_lon"].isna()).to_numpy() & (kind <= 2)
    notices.add_rows("stop_without_location", "stops", "stop_lat, stop_lon", nowhere)
    unnamed = stops["stop_name"].isna().to_numpy() & (kind <= 2)
    notices.add_rows("missing_required_field", "stops", "stop_name", unnamed)
    parent = stops["parent_station"].notna().to_numpy()
    notices.add_rows("station_with_parent_station", "stops", "parent_station", parent & (kind == 1))
    orphan = ~parent & (kind >= 2)
    notices.add_rows("location_without_parent_station", "stops", "parent_station", orphan)
    kinds = pd.Series(kind, index=stops["stop_id"])
    kinds = kinds[~kinds.index.duplicated()]
    of_parent = kinds.reindex(stops["parent_station"]).to_numpy()
    wanted = np.array([PARENT_OF.get(int(k), -1) for k in kind])
    wrong = parent & np.isfinite(of_parent) & (wanted >= 0) & (of_parent != wanted)
    notices.add_rows("wrong_parent_location_type", "stops", "parent_station", wrong)
    used = np.zeros(len(stops), bool)
    used[feed.stop_times.stop] = True
    notices.add_rows("stop_without_stop_time", "stops", "stop_id", ~used & (kind == 0))
    notices.add_rows("location_with_unexpected_stop_time", "stops", "stop_id", used & (kind != 0))
    empty = (kind == 1) & ~stops["stop_id"].isin(stops["parent_station"].dropna()).to_numpy()
    notices.add_rows("unused_station", "stops", "stop_id", empty)


def _luma(colours: pd.Series) -> NDArray[np.float64]:
    """Rec. 601 luma of six-digit colours, 0 to 255."""
    parts = np.array([list(bytes.fromhex(colour)) for colour in colours], np.float64)
    return np.asarray(parts.reshape(-1, 3) @ np.array([0.299, 0.587, 0.114]))


def check_routes(feed: Feed, notices: Notices) -> None:
    """Names and colours of routes, timezones of agencies."""
    routes = feed["routes"]
    short, long = routes["route_short_name"], routes["route_long_name"]
    column = "route_short_name, route_long_name"
    notices.add_rows(
        "route_both_short_and_long_name_missing", "routes", column, short.isna() & long.isna()
    )
    both = short.notna() & long.notna()
    same = both & (short.str.lower() == long.str.lower())
    notices.add_rows("route_short_and_long_name_equal", "routes", column, same)
    too_long = short.str.len().fillna(0) > SHORT_NAME_LENGTH
    notices.add_rows("route_short_name_too_long", "routes", "route_short_name", too_long)
    named = routes[["agency_id", "route_type", "route_short_name", "route_long_name"]]
    doubled = named.duplicated() & (short.notna() | long.notna())
    notices.add_rows("duplicate_route_name", "routes", column, doubled)
    coloured = routes["route_color"].notna() & routes["route_text_color"].notna()
    some = routes[coloured]
    close = np.abs(_luma(some["route_color"]) - _luma(some["route_text_color"])) < LUMA_DIFFERENCE
    weak = np.zeros(len(routes), bool)
    weak[np.flatnonzero(coloured)] = close
    notices.add_rows("route_color_contrast", "routes", "route_color, route_text_color", weak)
    zones = feed["agency"]["agency_timezone"].dropna().unique()
    if len(zones) > 1:
        notices.add(
            "inconsistent_agency_timezone", "agency", "agency_timezone", detail=", ".join(zones)
        )


def check_trips(feed: Feed, notices: Notices) -> None:
    """Trips without stops, shapes without trips."""
    length = np.diff(feed.stop_times.start)
    notices.add_rows("unused_trip", "trips", "trip_id", length == 0)
    notices.add_rows("unusable_trip", "trips", "trip_id", length == 1)
    shapes = feed["shapes"]["shape_id"]
    idle = ~shapes.isin(feed["trips"]["shape_id"].dropna()) & shapes.notna() & ~shapes.duplicated()
    notices.add_rows("unused_shape", "shapes", "shape_id", idle)


def check_services(feed: Feed, notices: Notices, *, today: dt.date | None) -> None:
    """Periods, weekdays and expiry of services and of the feed itself."""
    calendar, info = feed["calendar"], feed["feed_info"]
    backwards = (calendar["start_date"] > calendar["end_date"]).to_numpy(bool)
    code = "start_and_end_range_out_of_order"
    notices.add_rows(code, "calendar", "start_date, end_date", backwards)
    idle = (calendar[list(DAYS)] == 0).all(axis=1).fillna(False).to_numpy(bool)
    notices.add_rows("service_has_no_active_day_of_the_week", "calendar", ", ".join(DAYS), idle)
    notices.add("more_than_one_entity", "feed_info", count=max(len(info) - 1, 0))
    start, end = info["feed_start_date"], info["feed_end_date"]
    one = start.isna() != end.isna()
    notices.add_rows("missing_feed_info_date", "feed_info", "feed_start_date, feed_end_date", one)
    notices.add_rows(code, "feed_info", "feed_start_date, feed_end_date", start > end)
    if today is None:
        return
    now = pd.Timestamp(today)
    if len(calendar["end_date"].dropna()) + len(feed["calendar_dates"]["date"].dropna()):
        days = service_days(feed)
        last = pd.Series(
            [days.index[column.to_numpy()].max() for _, column in days.items()],
            index=days.columns,
        )  # NaT where a service has no day at all
        expired = last.index[(last < now).to_numpy(bool)]
        rows = np.flatnonzero(calendar["service_id"].isin(expired)) + 2
        notices.add("expired_calendar", "calendar", "end_date", count=len(expired),
                    rows=rows.tolist(), detail=f"ended before {today}")  # fmt: skip
    soon = (end <= now + pd.Timedelta(days=7)).to_numpy(bool)
    notices.add_rows("feed_expiration_date7_days", "feed_info", "feed_end_date", soon)
    later = (end <= now + pd.Timedelta(days=30)).to_numpy(bool) & ~soon
    notices.add_rows("feed_expiration_date30_days", "feed_info", "feed_end_date", later)


def check_frequencies(feed: Feed, notices: Notices) -> None:
    """Periods of frequencies.txt: in order, and none over another of the same trip."""
    table = feed["frequencies"]
    start, end = table["start_time"], table["end_time"]
    column = "start_time, end_time"
    for code, wrong in (
        ("start_and_end_range_out_of_order", start > end),
        ("start_and_end_range_equal", start == end),
    ):
        notices.add_rows(code, "frequencies", column, wrong.fillna(False))
    none = (table["headway_secs"] <= 0).fillna(False)
    notices.add_rows("number_out_of_range", "frequencies", "headway_secs", none)
    ordered = table[["trip_id", "start_time", "end_time"]].dropna()
    ordered = ordered.sort_values(["trip_id", "start_time"], kind="stable")
    before = ordered.shift()
    over = (ordered["trip_id"] == before["trip_id"]) & (ordered["start_time"] < before["end_time"])
    rows = np.zeros(len(table), bool)
    rows[ordered.index[over.to_numpy(bool, na_value=False)]] = True
    notices.add_rows("overlapping_frequency", "frequencies", column, rows)
