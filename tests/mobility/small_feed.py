# ruff: noqa: E501
"""A feed without any fault, to break one thing at a time."""

import datetime as dt
import zipfile
from dataclasses import replace

from ldt_toolbox.mobility.gtfs.read import read_feed
from ldt_toolbox.mobility.timetable_change import with_headway

DAY = dt.date(2025, 1, 7)  # a day of service
# in Monaco, along the Avenue Princesse Grace and the Boulevard Albert 1er, from east to west
STOPS = ((7.4350, 43.7480), (7.4280, 43.7410), (7.4210, 43.7350))
STOPS_TXT = "stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station\n" + "".join(
    f"s{i + 1},Stop {i + 1},{lat},{lon},0,\n" for i, (lon, lat) in enumerate(STOPS)
)
BASE = {
    "agency.txt": """agency_id,agency_name,agency_url,agency_timezone
A,Town,https://example.org,Europe/Paris
""",
    "stops.txt": """stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station
hub,Station,43.70,7.40,1,
s1,Platform,43.70,7.40,0,hub
s2,Market,43.71,7.40,,
s3,Hill,43.72,7.40,0,
""",
    "routes.txt": """route_id,agency_id,route_short_name,route_long_name,route_type,route_color,route_text_color
r1,A,1,Station - Hill,3,000000,FFFFFF
r2,A,2,Hill - Station,0,,
""",
    "trips.txt": """route_id,service_id,trip_id,direction_id,shape_id
r1,week,t1,0,line
r1,week,t2,0,line
r2,week,t3,1,
""",
    "stop_times.txt": """trip_id,arrival_time,departure_time,stop_id,stop_sequence,shape_dist_traveled,timepoint
t1,08:00:00,08:00:00,s1,1,0,1
t1,,,s2,2,1.1,0
t1,08:10:30,08:10:30,s3,5,2.2,1
t2,24:50:00,24:50:00,s1,1,0,1
t2,25:01:00,25:02:00,s3,2,2.2,1
t3,09:00:00,09:00:00,s3,1,,1
t3,09:05:00,09:06:00,s2,2,,1
t3,09:12:00,09:12:00,s1,3,,1
""",
    "calendar.txt": """service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date
week,1,1,1,1,1,0,0,20250106,20250131
""",
    "calendar_dates.txt": """service_id,date,exception_type
week,20250111,1
week,20250114,2
""",
    "shapes.txt": """shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence,shape_dist_traveled
line,43.70,7.40,1,0
line,43.71,7.40,2,1.1
line,43.72,7.40,3,2.2
""",
    "frequencies.txt": """trip_id,start_time,end_time,headway_secs,exact_times
t3,10:00:00,12:00:00,1200,0
t3,12:00:00,13:00:00,900,1
""",
    "feed_info.txt": """feed_publisher_name,feed_publisher_url,feed_lang,feed_start_date,feed_end_date
Town,https://example.org,fr,20250106,20251231
""",
}  # fmt: skip


def changed(*changes):
    """Files of the base feed with replacements (file, old, new).

    An empty `old` appends; None for `new` removes the file.
    """
    files = dict(BASE)
    for name, old, new in changes:
        if new is None:
            del files[name]
        elif not old:
            files[name] = files.get(name, "") + new
        else:
            assert files[name].count(old) >= 1, (name, old)
            files[name] = files[name].replace(old, new)
    return files


def write_folder(files, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        data = text if isinstance(text, bytes) else text.encode()
        (folder / name).write_bytes(data)
    return folder


def write_zip(files, path, top=""):
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(top + name, text)
    return path


def feed_in_monaco(folder):
    """The feed, its three stops put into Monaco."""
    files = changed(("shapes.txt", "", None), ("trips.txt", "line", ""))
    files["stops.txt"] = STOPS_TXT
    return read_feed(write_folder(files, folder))


def busy(feed):
    """A bus every ten minutes in each direction, from 6 to 22 hours."""
    for route in ("1", "2"):
        feed = with_headway(feed, DAY, route, 10)
    table = feed["frequencies"]
    whole_day = table.assign(start_time=6 * 3600, end_time=22 * 3600)
    return replace(feed, tables={**feed.tables, "frequencies": whole_day})
