# ruff: noqa: E501
"""A feed without any fault, to break one thing at a time."""

import zipfile

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
