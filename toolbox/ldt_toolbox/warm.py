"""Compile the kernels once, so that nobody waits for the compiler later.

Binder runs ``python -m ldt_toolbox.warm`` while it builds the image. What numba compiles is kept
beside the package.
"""

from ldt_toolbox.sources import load
from ldt_toolbox.territory import Territory, bundled_territories
from ldt_toolbox.use_case import UseCase, use_case_folders


def warm() -> list[str]:
    """Compute each use case on the first bundled territory that can serve it.

    Returns
    -------
    list of str
        `<use case> on <territory>`, in the order of the runs.
    """
    territories = [Territory.read(folder) for _, folder in bundled_territories()]
    done = []
    for _, folder in use_case_folders():
        case = UseCase.read(folder)
        required = {role.id for role in case.roles.values() if role.required}
        for territory in territories:
            if required <= territory.sources.keys():
                case.compute(load(case, territory), case.validate(territory=territory))
                done.append(f"{case.id} on {territory.id}")
                break
    _warm_flood()
    _warm_comfort()
    _warm_observations()
    _warm_timetables()
    return done


def _warm_flood() -> None:
    """Compile what the bundled territories do not ask for: large grids, both schemes on them."""
    import numpy as np

    from ldt_toolbox.flood.event import Options, Rates
    from ldt_toolbox.flood.simulation import simulate

    large = np.zeros((320, 320))  # enough tiles for two bands of rows
    for scheme, losses in (("inertial", None), ("inertial", 1.0), ("shallow-water", None)):
        simulate(
            large, cell_m=5.0, duration_s=2.0, rain=Rates([0], [10.0]),
            losses=None if losses is None else Rates([0], [losses]),
            options=Options(scheme=scheme),  # type: ignore[arg-type]
        )  # fmt: skip


def _warm_comfort() -> None:
    """Compile thermal comfort, for which no bundled territory has the weather."""
    import numpy as np

    from ldt_toolbox.heat.comfort import utci

    one = np.ones((1, 1), dtype=np.float32)
    utci(30 * one, 40 * one, 2 * one, 50 * one)


def _warm_observations() -> None:
    """Compile what reads the history of a broker's entities."""
    import numpy as np

    from ldt_toolbox.models.frames.instants import instants
    from ldt_toolbox.models.frames.scan import scan

    scan(np.frombuffer(b"[]", np.uint8), timeproperty="observedAt")
    instants(["2024-01-01T00:00:00Z"] * 50_000)


FEED = {
    "agency": "agency_id,agency_name,agency_url,agency_timezone\na,A,https://example.org,UTC\n",
    "stops": "stop_id,stop_name,stop_lat,stop_lon\nx,X,43.70,7.40\ny,Y,43.71,7.40\n",
    "routes": "route_id,agency_id,route_short_name,route_type\nr,a,1,3\n",
    "trips": "route_id,service_id,trip_id,shape_id\nr,s,t,l\nr,s,u,l\n",
    "stop_times": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    "t,08:00:00,08:00:00,x,1\nt,08:05:00,08:05:00,y,2\n"
    "u,09:00:00,09:00:00,y,2\nu,08:50:00,08:50:00,x,1\n",
    "calendar": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,"
    "start_date,end_date\ns,1,1,1,1,1,1,1,20250106,20250112\n",
    "shapes": "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\n"
    "l,43.70,7.40,1\nl,43.71,7.40,2\n",
}


def _warm_timetables() -> None:
    """Compile what reads, checks and searches timetables, which no bundled territory has."""
    from pathlib import Path
    from tempfile import TemporaryDirectory

    import numpy as np

    from ldt_toolbox.mobility.gtfs.calendar import representative_day
    from ldt_toolbox.mobility.gtfs.day import day_timetable
    from ldt_toolbox.mobility.gtfs.read import read_feed
    from ldt_toolbox.mobility.gtfs.rules import check
    from ldt_toolbox.mobility.gtfs.supply import route_supply, stop_supply
    from ldt_toolbox.mobility.raptor import earliest_arrivals
    from ldt_toolbox.mobility.timetable import walks
    from ldt_toolbox.mobility.transit_access import TransitQuery, travel_times

    with TemporaryDirectory() as folder:
        for name, text in FEED.items():
            Path(folder, f"{name}.txt").write_text(text, encoding="utf-8")
        feed = read_feed(folder)
    check(feed)
    day = representative_day(feed)
    stop_supply(feed, day)
    route_supply(feed, day)
    feet = walks([0], [1], [900], places=2, stops=2)
    timetable = day_timetable(feed, day, footpaths=feet, change_s=60)
    leave = np.array([28_000, 28_600])
    earliest_arrivals(timetable, [0], [0], leave)
    here = walks([0, 1], [0, 1], [0, 0], places=2, stops=2)
    for percentiles in ((50,), None):
        travel_times(TransitQuery(timetable, here, here, leave), percentiles=percentiles)


if __name__ == "__main__":
    for line in warm():
        print(line)
