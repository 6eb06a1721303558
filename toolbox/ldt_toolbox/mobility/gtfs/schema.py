"""Files, columns and keys of GTFS Schedule, as far as this package reads them.

GTFS Schedule Reference, https://gtfs.org/documentation/schedule/reference/
"""

from dataclasses import dataclass, field

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ROUTE_TYPES = frozenset({0, 1, 2, 3, 4, 5, 6, 7, 11, 12})
OTHER_FILES = frozenset({
    "fare_attributes.txt", "fare_rules.txt", "timeframes.txt", "rider_categories.txt",
    "fare_media.txt", "fare_products.txt", "fare_leg_rules.txt", "fare_leg_join_rules.txt",
    "fare_transfer_rules.txt", "areas.txt", "stop_areas.txt", "networks.txt",
    "route_networks.txt", "levels.txt", "location_groups.txt", "location_group_stops.txt",
    "locations.geojson", "booking_rules.txt", "translations.txt", "attributions.txt",
})  # fmt: skip


@dataclass(frozen=True)
class FileSpec:
    """What a file holds.

    Attributes
    ----------
    columns : dict of str to str
        Kind of each column: text, id, int, float, date, time, colour, latitude, longitude,
        timezone, or an enumeration like ``0|1|2``.
    required : tuple of str
        Columns that must be there and have a value in each row.
    key : tuple of str
        Columns that together name a row.
    foreign : dict of str to tuple of str
        Column: the file and column where its values must be found.
    presence : str
        required, recommended, or optional.
    """

    columns: dict[str, str]
    required: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    foreign: dict[str, tuple[str, str]] = field(default_factory=dict)
    presence: str = "optional"


def _columns(**kinds: str) -> dict[str, str]:
    return {name: kind for kind, names in kinds.items() for name in names.split()}


FILES: dict[str, FileSpec] = {
    "agency": FileSpec(
        _columns(id="agency_id", timezone="agency_timezone",
                 text="agency_name agency_url agency_lang agency_phone agency_fare_url "
                      "agency_email cemv_support"),
        ("agency_name", "agency_url", "agency_timezone"), ("agency_id",), presence="required",
    ),
    "stops": FileSpec(
        _columns(id="stop_id parent_station level_id zone_id", latitude="stop_lat",
                 longitude="stop_lon", timezone="stop_timezone",
                 text="stop_code stop_name tts_stop_name stop_desc stop_url platform_code "
                      "stop_access")
        | {"location_type": "0|1|2|3|4", "wheelchair_boarding": "0|1|2"},
        ("stop_id",), ("stop_id",), {"parent_station": ("stops", "stop_id")}, "required",
    ),
    "routes": FileSpec(
        _columns(id="route_id agency_id network_id", colour="route_color route_text_color",
                 int="route_sort_order continuous_pickup continuous_drop_off cemv_support",
                 text="route_short_name route_long_name route_desc route_url")
        | {"route_type": "|".join(map(str, sorted(ROUTE_TYPES)))},
        ("route_id", "route_type"), ("route_id",), {"agency_id": ("agency", "agency_id")},
        "required",
    ),
    "calendar": FileSpec(
        _columns(id="service_id", date="start_date end_date") | dict.fromkeys(DAYS, "0|1"),
        ("service_id", *DAYS, "start_date", "end_date"), ("service_id",),
    ),
    "calendar_dates": FileSpec(
        _columns(id="service_id", date="date") | {"exception_type": "1|2"},
        ("service_id", "date", "exception_type"), ("service_id", "date"),
    ),
    "trips": FileSpec(
        _columns(id="route_id service_id trip_id block_id shape_id",
                 text="trip_headsign trip_short_name")
        | {"direction_id": "0|1", "wheelchair_accessible": "0|1|2", "bikes_allowed": "0|1|2",
           "cars_allowed": "0|1|2"},
        ("route_id", "service_id", "trip_id"), ("trip_id",),
        {"route_id": ("routes", "route_id"), "shape_id": ("shapes", "shape_id")}, "required",
    ),
    "shapes": FileSpec(
        _columns(id="shape_id", latitude="shape_pt_lat", longitude="shape_pt_lon",
                 int="shape_pt_sequence", float="shape_dist_traveled"),
        ("shape_id", "shape_pt_lat", "shape_pt_lon", "shape_pt_sequence"),
        ("shape_id", "shape_pt_sequence"),
    ),
    "frequencies": FileSpec(
        _columns(id="trip_id", time="start_time end_time", int="headway_secs")
        | {"exact_times": "0|1"},
        ("trip_id", "start_time", "end_time", "headway_secs"), ("trip_id", "start_time"),
        {"trip_id": ("trips", "trip_id")},
    ),
    "transfers": FileSpec(
        _columns(id="from_stop_id to_stop_id from_route_id to_route_id from_trip_id to_trip_id",
                 int="min_transfer_time")
        | {"transfer_type": "0|1|2|3|4|5"},
        (), ("from_stop_id", "to_stop_id", "from_trip_id", "to_trip_id", "from_route_id",
             "to_route_id"),
        {"from_stop_id": ("stops", "stop_id"), "to_stop_id": ("stops", "stop_id"),
         "from_route_id": ("routes", "route_id"), "to_route_id": ("routes", "route_id"),
         "from_trip_id": ("trips", "trip_id"), "to_trip_id": ("trips", "trip_id")},
    ),
    "pathways": FileSpec(
        _columns(id="pathway_id from_stop_id to_stop_id", float="length max_slope min_width",
                 int="traversal_time stair_count", text="signposted_as reversed_signposted_as")
        | {"pathway_mode": "1|2|3|4|5|6|7", "is_bidirectional": "0|1"},
        ("pathway_id", "from_stop_id", "to_stop_id", "pathway_mode", "is_bidirectional"),
        ("pathway_id",),
        {"from_stop_id": ("stops", "stop_id"), "to_stop_id": ("stops", "stop_id")},
    ),
    "feed_info": FileSpec(
        _columns(date="feed_start_date feed_end_date",
                 text="feed_publisher_name feed_publisher_url feed_lang default_lang "
                      "feed_version feed_contact_email feed_contact_url"),
        ("feed_publisher_name", "feed_publisher_url", "feed_lang"), presence="recommended",
    ),
}  # fmt: skip

STOP_TIME_COLUMNS = frozenset(
    _columns(
        x="trip_id arrival_time departure_time stop_id location_group_id location_id stop_sequence "
        "stop_headsign start_pickup_drop_off_window end_pickup_drop_off_window pickup_type "
        "drop_off_type continuous_pickup continuous_drop_off shape_dist_traveled timepoint "
        "pickup_booking_rule_id drop_off_booking_rule_id"
    )
)
