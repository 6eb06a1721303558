"""Check a feed by the canonical rules before anything is computed from it.

The rules are those of MobilityData's GTFS validator (RULES.md) that concern what this package
computes: codes, severities and thresholds are its own; ``stop_too_far_from_shape`` is simpler
(nearest point of the shape instead of an ordered match).
"""

import datetime as dt

from ldt_toolbox.mobility.gtfs.notices import Notices
from ldt_toolbox.mobility.gtfs.read import Feed
from ldt_toolbox.mobility.gtfs.rules_paths import check_shapes, check_speed, check_times
from ldt_toolbox.mobility.gtfs.rules_stations import check_pathways, check_transfers
from ldt_toolbox.mobility.gtfs.rules_tables import (
    check_frequencies,
    check_routes,
    check_services,
    check_stops,
    check_trips,
)


def check(feed: Feed, *, today: dt.date | None = None) -> Notices:
    """Everything that is wrong with a feed.

    Parameters
    ----------
    feed : Feed
        From ``read_feed``.
    today : datetime.date, optional
        Day by which services are judged as expired; without it they are not.

    Returns
    -------
    Notices
        What reading found, then what the rules find. ``require_no_errors`` blocks.
    """
    notices = Notices(list(feed.notices))
    check_routes(feed, notices)
    check_stops(feed, notices)
    check_trips(feed, notices)
    check_services(feed, notices, today=today)
    check_frequencies(feed, notices)
    check_transfers(feed, notices)
    check_pathways(feed, notices)
    check_times(feed, notices)
    check_speed(feed, notices)
    check_shapes(feed, notices)
    return notices
