"""One broken feed for each rule: exactly that notice appears."""

import datetime as dt

import pytest
from ldt_toolbox.errors import DataError
from ldt_toolbox.mobility.gtfs import notices as codes
from ldt_toolbox.mobility.gtfs.read import read_feed
from ldt_toolbox.mobility.gtfs.rules import check
from small_feed import BASE, changed, write_folder

TODAY = dt.date(2025, 1, 20)
STOPS, ROUTES, TRIPS, TIMES = "stops.txt", "routes.txt", "trips.txt", "stop_times.txt"
WEEK, DATES, SHAPES = "calendar.txt", "calendar_dates.txt", "shapes.txt"
CHANGE, PATHS = "transfers.txt", "pathways.txt"
RULES = (
    "from_stop_id,to_stop_id,transfer_type,min_transfer_time,from_route_id,from_trip_id,"
    "to_trip_id\n"
)
# a station with a door, a hall and one platform
INSIDE = [(STOPS, "", "door,Door,43.70,7.40,2,hub\nhall,,,,3,hub\n")]
WAYS = "pathway_id,from_stop_id,to_stop_id,pathway_mode,is_bidirectional,traversal_time\n"
WALK = WAYS + "p1,door,hall,1,1,30\np2,hall,s1,2,1,\n"
REPEATS, INFO, AGENCY = "frequencies.txt", "feed_info.txt", "agency.txt"

# code, how often, changes of the base feed
BROKEN = [
    ("missing_required_file", 1, [(AGENCY, "", None), (ROUTES, ",A,", ",,")]),
    ("missing_recommended_file", 1, [(INFO, "", None)]),
    ("missing_calendar_and_calendar_date_files", 1, [(WEEK, "", None), (DATES, "", None)]),
    ("unknown_file", 1, [("notes.txt", "", "a\n1\n")]),
    ("empty_file", 1, [(REPEATS, BASE[REPEATS], "\n")]),
    ("missing_required_column", 1, [(AGENCY, "agency_name,", ""), (AGENCY, "Town,", "")]),
    ("missing_required_column", 1, [(TIMES, BASE[TIMES], "trip_id,stop_id\n"),
                                    (SHAPES, "", None), (REPEATS, "", None),
                                    (TRIPS, BASE[TRIPS], BASE[TRIPS].split("\n")[0] + "\n"),
                                    (STOPS, BASE[STOPS], BASE[STOPS].split("\n")[0] + "\n")]),
    ("missing_required_field", 1, [(AGENCY, "A,Town,", "A,,")]),
    ("missing_required_field", 1, [(STOPS, "s2,Market,", "s2,,")]),
    ("missing_required_field", 1, [(TIMES, "t1,,,s2,2,", "t1,,,,2,")]),
    ("missing_required_field", 1, [(TIMES, "t1,,,s2,2,", "t1,,,s2,,")]),
    ("unknown_column", 1, [(AGENCY, "agency_timezone\n", "agency_timezone,colour\n"),
                           (AGENCY, "Europe/Paris\n", "Europe/Paris,red\n")]),
    ("duplicated_column", 1, [(AGENCY, "agency_timezone\n", "agency_timezone,agency_name\n"),
                              (AGENCY, "Europe/Paris\n", "Europe/Paris,Town\n")]),
    ("duplicated_column", 1, [(TIMES, "timepoint\n", "timepoint,timepoint\n"),
                              *[(TIMES, f",{k}\n", f",{k},{k}\n") for k in (0, 1)]]),
    ("empty_column_name", 1, [(AGENCY, "agency_timezone\n", "agency_timezone,\n"),
                              (AGENCY, "Europe/Paris\n", "Europe/Paris,\n")]),
    ("invalid_row_length", 1, [(AGENCY, "", "B,Town\n")]),
    ("invalid_row_length", 1, [(TIMES, "s2,2,1.1,0\n", "s2,2,1.1,0,,\n")]),
    ("leading_or_trailing_whitespaces", 1, [(AGENCY, "A,Town,", "A, Town,")]),
    ("leading_or_trailing_whitespaces", 1, [(TIMES, "t1,,,s2,2,", "t1,,,s2 ,2,")]),
    ("duplicate_key", 1, [(DATES, "", "week,20250111,1\n")]),
    ("duplicate_key", 1, [(TIMES, "t3,09:05:00,09:06:00,s2,2,", "t3,09:05:00,09:06:00,s2,1,")]),
    ("foreign_key_violation", 2, [(ROUTES, ",A,", ",B,")]),
    ("foreign_key_violation", 1, [(TRIPS, "r2,week,t3", "r9,week,t3")]),
    ("foreign_key_violation", 1, [(TRIPS, "r2,week,t3", "r2,never,t3")]),
    ("foreign_key_violation", 1, [(TIMES, "t1,,,s2,2,", "t1,,,s9,2,")]),
    ("foreign_key_violation", 1, [(TIMES, "", "t9,08:00:00,08:00:00,s2,9,,1\n")]),
    ("foreign_key_violation", 1, [(STOPS, "s2,Market,43.71,7.40,,", "s2,Market,43.71,7.40,,hu")]),
    ("invalid_date", 1, [(DATES, "20250114", "20250230")]),
    ("invalid_date", 1, [(DATES, "20250114", "14/1/25")]),
    ("invalid_time", 2, [(TIMES, "09:05:00,09:06:00,s2,2,,1", "9h05,09:61:00,s2,2,,0")]),
    ("invalid_time", 1, [(REPEATS, "0,12:00:00,1200", "0,noon,1200")]),
    ("invalid_integer", 1, [(REPEATS, "13:00:00,900", "13:00:00,15min")]),
    ("invalid_integer", 1, [(TIMES, "s2,2,1.1", "s2,two,1.1")]),
    ("invalid_float", 1, [(SHAPES, "7.40,2,1.1", "7.40,2,1k1")]),
    ("invalid_float", 1, [(TIMES, "s2,2,1.1", "s2,2,1k1")]),
    ("invalid_color", 1, [(ROUTES, "000000,FFFFFF", "black,FFFFFF")]),
    ("invalid_timezone", 1, [(AGENCY, "Europe/Paris", "Paris time")]),
    ("unexpected_enum_value", 1, [(ROUTES, "Station,0,", "Station,900,")]),
    ("unexpected_enum_value", 1, [(TIMES, "2.2,1\nt2", "2.2,7\nt2")]),
    ("number_out_of_range", 1, [(SHAPES, "7.40,1,0", "7.40,1,-2")]),
    ("number_out_of_range", 1, [(TIMES, "s1,1,0,1\nt1", "s1,1,-1,1\nt1")]),
    ("number_out_of_range", 1, [(REPEATS, "13:00:00,900", "13:00:00,0")]),
    ("point_near_origin", 1, [(STOPS, "hub,Station,43.70,7.40", "hub,Station,0.7,0.4")]),
    ("point_near_pole", 1, [(STOPS, "hub,Station,43.70,7.40", "hub,Station,89.7,7.40")]),
    ("stop_without_location", 1, [(STOPS, "hub,Station,43.70,7.40", "hub,Station,,")]),
    ("station_with_parent_station", 1, [(STOPS, "7.40,1,\n", "7.40,1,hub\n")]),
    ("wrong_parent_location_type", 1, [(STOPS, "43.71,7.40,,", "43.71,7.40,,s3")]),
    ("location_without_parent_station", 1, [(STOPS, "", "e1,Door,43.70,7.40,2,\n")]),
    ("stop_without_stop_time", 1, [(STOPS, "", "s4,Wood,43.73,7.40,0,\n")]),
    ("location_with_unexpected_stop_time", 1, [(STOPS, "43.71,7.40,,", "43.71,7.40,2,hub")]),
    ("unused_station", 1, [(STOPS, "", "hall,Hall,43.70,7.40,1,\n")]),
    ("route_both_short_and_long_name_missing", 1, [(ROUTES, "r2,A,2,Hill - Station", "r2,A,,")]),
    ("route_short_and_long_name_equal", 1, [(ROUTES, "2,Hill - Station", "Tram,tram")]),
    ("route_short_name_too_long", 1, [(ROUTES, "A,2,Hill", "A,Line number 2,Hill")]),
    ("duplicate_route_name", 1, [(ROUTES, "", "r3,A,2,Hill - Station,0,,\n")]),
    ("route_color_contrast", 1, [(ROUTES, "000000,FFFFFF", "000000,222222")]),
    ("inconsistent_agency_timezone", 1, [(AGENCY, "", "B,C,https://example.org,Europe/Rome\n")]),
    ("unused_trip", 1, [(TRIPS, "", "r1,week,t4,0,\n")]),
    ("unusable_trip", 1, [(TRIPS, "", "r1,week,t4,0,\n"),
                          (TIMES, "", "t4,07:00:00,07:00:00,s1,1,,1\n")]),
    ("unused_shape", 1, [(SHAPES, "", "other,43.70,7.40,1,0\nother,43.71,7.40,2,1\n")]),
    ("start_and_end_range_out_of_order", 1, [(INFO, "20250106,20251231", "20260106,20251231")]),
    ("start_and_end_range_out_of_order", 1, [(REPEATS, "10:00:00,12", "13:00:00,12")]),
    ("start_and_end_range_equal", 1, [(REPEATS, "10:00:00,12:00:00", "10:00:00,10:00:00")]),
    ("overlapping_frequency", 1, [(REPEATS, "10:00:00,12:00:00", "10:00:00,12:00:01")]),
    ("service_has_no_active_day_of_the_week", 1, [(WEEK, "1,1,1,1,1,", "0,0,0,0,0,"),
                                                  (DATES, "20250111", "20250130")]),
    ("missing_feed_info_date", 1, [(INFO, "20250106,20251231", ",20251231")]),
    ("more_than_one_entity", 1, [(INFO, "", "Town,https://example.org,fr,20250106,20251231\n")]),
    ("expired_calendar", 1, [(WEEK, "20250131", "20250117")]),
    ("feed_expiration_date7_days", 1, [(INFO, "20251231", "20250125")]),
    ("feed_expiration_date30_days", 1, [(INFO, "20251231", "20250210")]),
    ("missing_trip_edge", 1, [(TIMES, "t2,25:01:00,25:02:00,s3,2,2.2,1", "t2,,,s3,2,2.2,0")]),
    ("stop_time_with_only_arrival_or_departure_time", 1,
     [(TIMES, "t3,09:05:00,09:06:00,s2,2,,1", "t3,09:05:00,,s2,2,,0")]),
    ("stop_time_timepoint_without_times", 1, [(TIMES, "t1,,,s2,2,1.1,0", "t1,,,s2,2,1.1,1")]),
    ("stop_time_with_arrival_before_previous_departure_time", 1,
     [(TIMES, "09:05:00,09:06:00", "09:05:00,09:13:00")]),
    ("decreasing_or_equal_stop_time_distance", 1, [(TIMES, "s2,2,1.1", "s2,2,0")]),
    ("fast_travel_between_consecutive_stops", 1,
     [(TIMES, "t3,09:05:00,09:06:00", "t3,09:00:10,09:06:00")]),
    ("decreasing_shape_distance", 1, [(SHAPES, "7.40,2,1.1", "7.40,2,2.3")]),
    ("equal_shape_distance_diff_coordinates", 1, [(SHAPES, "7.40,2,1.1", "7.40,2,0")]),
    ("equal_shape_distance_same_coordinates", 1,
     [(SHAPES, "line,43.72,7.40,3,2.2\n", "line,43.72,7.40,3,2.2\nline,43.72,7.40,4,2.2\n")]),
    ("stop_too_far_from_shape", 1, [(STOPS, "s2,Market,43.71,7.40", "s2,Market,43.71,7.4014")]),
    ("missing_required_field", 1, [(CHANGE, "", RULES + "s1,,2,60,,,\n")]),
    ("missing_required_field", 1, [(CHANGE, "", RULES + "s1,s1,4,,,t1,\n")]),
    ("foreign_key_violation", 1, [(CHANGE, "", RULES + "s1,s9,2,60,,,\n")]),
    ("foreign_key_violation", 1, [(CHANGE, "", RULES + "s1,s2,2,60,r9,,\n")]),
    ("number_out_of_range", 1, [(CHANGE, "", RULES + "s1,s2,2,-60,,,\n")]),
    ("unexpected_enum_value", 1, [(CHANGE, "", RULES + "s1,s2,9,,,,\n")]),
    ("transfer_with_invalid_stop_location_type", 1,
     [*INSIDE, (PATHS, "", WALK), (CHANGE, "", RULES + "s1,door,2,60,,,\n")]),
    ("transfer_with_invalid_trip_and_route", 1, [(CHANGE, "", RULES + "s1,s2,2,60,r2,t1,\n")]),
    ("transfer_distance_above_2_km", 1, [(CHANGE, "", RULES + "s1,s3,0,,,,\n")]),
    ("transfer_distance_too_large", 1, [(STOPS, "hub,Station,43.70", "hub,Station,43.81"),
                                        (CHANGE, "", RULES + "hub,s2,0,,,,\n")]),
    ("pathway_to_wrong_location_type", 1, [*INSIDE, (PATHS, "", WALK + "p3,door,hub,1,1,9\n")]),
    ("pathway_to_platform_with_boarding_areas", 1,
     [*INSIDE, (STOPS, "", "area,,,,4,s1\n"), (PATHS, "", WALK + "p3,hall,area,1,1,9\n")]),
    ("pathway_unreachable_location", 1, [*INSIDE, (PATHS, "", WALK.replace("2,1,", "2,0,"))]),
    ("pathway_dangling_generic_node", 1,
     [*INSIDE, (STOPS, "", "end,,,,3,hub\n"), (PATHS, "", WALK + "p3,hall,end,1,1,9\n")]),
    ("pathway_loop", 1, [*INSIDE, (PATHS, "", WALK + "p3,hall,hall,1,1,9\n")]),
    ("bidirectional_exit_gate", 1, [*INSIDE, (PATHS, "", WALK.replace("2,1,", "7,1,"))]),
    ("number_out_of_range", 1, [*INSIDE, (PATHS, "", WALK.replace(",30", ",0"))]),
]  # fmt: skip


def found(files, folder):
    return check(read_feed(write_folder(files, folder)), today=TODAY)


def test_base_feed_has_no_fault(tmp_path):
    result = found(BASE, tmp_path)
    assert result.table().to_dict("records") == []
    result.require_no_errors()


@pytest.mark.parametrize(
    ("code", "count", "changes"), BROKEN, ids=[f"{k}-{b[0]}" for k, b in enumerate(BROKEN)]
)
def test_exactly_that_notice(tmp_path, code, count, changes):
    result = found(changed(*changes), tmp_path)
    assert result.counts() == {code: count}


def test_a_station_with_ways_and_rules_for_changing_has_no_fault(tmp_path):
    rules = "s1,s2,2,60,,,\nhub,s1,3,,,,\ns1,s1,4,,r1,t1,t3\n"
    files = changed(*INSIDE, (PATHS, "", WALK), (CHANGE, "", RULES + rules))
    assert found(files, tmp_path).table().to_dict("records") == []


def test_far_stops_too_fast_are_named_once_a_trip(tmp_path):
    """24 km between neighbours within 5 min: the hop is too fast as well, as in the original."""
    files = changed((STOPS, "s3,Hill,43.72", "s3,Hill,43.92"), (SHAPES, "43.72", "43.92"))
    counts = found(files, tmp_path).counts()
    assert counts["fast_travel_between_far_stops"] == 1
    assert set(counts) == {
        "fast_travel_between_far_stops", "fast_travel_between_consecutive_stops",
    }  # fmt: skip


def test_not_utf8_is_read_and_noted(tmp_path):
    files = changed() | {STOPS: BASE[STOPS].replace("Market", "Marché").encode("latin-1")}
    feed = read_feed(write_folder(files, tmp_path))
    assert feed.notices.counts() == {"invalid_character": 1}
    assert feed["stops"]["stop_name"][2] == "Marché"


def test_errors_block_with_file_and_rows_and_warnings_do_not(tmp_path):
    wrong = found(changed((TIMES, "t1,,,s2,2,", "t1,,,s9,2,")), tmp_path / "a")
    with pytest.raises(DataError, match=r"stop_times\.txt stop_id: foreign_key_violation x 1.*3"):
        wrong.require_no_errors()
    found(changed((INFO, "", None)), tmp_path / "b").require_no_errors()


def test_every_code_that_is_reported_is_broken_once():
    """The list above covers each code of the package."""
    here = {code for code, _, _ in BROKEN} | {"fast_travel_between_far_stops", "invalid_character"}
    known = codes.ERRORS | codes.WARNINGS | codes.INFOS
    assert here == known
    assert not codes.ERRORS & codes.WARNINGS
