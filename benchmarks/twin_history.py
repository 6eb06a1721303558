"""How fast the twin answers from a history of a million observations.

python benchmarks/twin_history.py --sensors 100 --each 10000
"""

import argparse
import resource
import statistics
import time
from datetime import UTC, datetime, timedelta

import requests
from ldt_toolbox.twin.serve import Twin
from ldt_toolbox.twin.store import Store, Transaction
from ldt_toolbox.twin.temporal.record import Recording

START = datetime(2026, 1, 1, tzinfo=UTC)
OWN = "https://uri.etsi.org/ngsi-ld/default-context/"


def text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def fill(store: Store, sensors: int, each: int) -> float:
    """Put observations every 10 minutes; returns how many a second."""

    def job_of(number: int) -> object:
        def job(write: Transaction) -> None:
            recording = Recording(write, "")
            own = {"id": f"urn:ngsi-ld:Sensor:{number}", "type": [f"{OWN}Sensor"]}
            evolution, new = recording.evolution(own)
            states = (
                {
                    "type": "Property",
                    "value": 20 + (7 * n + number) % 100 / 10,
                    "observedAt": text(START + timedelta(minutes=10 * n)),
                }
                for n in range(each)
            )
            recording.add(evolution, ((f"{OWN}t", state) for state in states), new=new)
            recording.finish()

        return store.write(job).result()

    began = time.perf_counter()
    for number in range(sensors):
        job_of(number)
    return sensors * each / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sensors", type=int, default=100)
    parser.add_argument("--each", type=int, default=10_000)
    given = parser.parse_args()
    day = {"timerel": "between", "timeAt": text(START + timedelta(days=40)), "endTimeAt": text(START + timedelta(days=41))}  # fmt: skip  # noqa: E501
    ever = {"timerel": "after", "timeAt": text(START)}
    several = {"type": "Sensor", "limit": 100}
    pairs = {"format": "temporalValues"}
    averages = {"format": "aggregatedValues", "aggrMethods": "avg,max,totalCount"}
    questions = (
        ("one sensor, a day", 50, True, {**day, **pairs}),
        ("one sensor, the last 10", 50, True, {"lastN": 10, **pairs}),
        ("one sensor, all", 10, True, pairs),
        ("one sensor, days aggregated", 10, True, {**averages, "aggrPeriodDuration": "P1D"}),
        ("all sensors, the last one", 10, False, {**ever, **several, **pairs, "lastN": 1}),
        ("all sensors, a day", 10, False, {**day, **several, **pairs}),
        ("all sensors, first part (206)", 5, False, {**ever, **several, **pairs}),
        (
            "all sensors, weeks aggregated",
            3,
            False,
            {**ever, **several, **averages, "aggrPeriodDuration": "P7D"},
        ),
        ("all sensors, q over all times", 3, False, {**ever, **several, "q": "t>100"}),
    )
    with Store() as store, requests.Session() as session:
        print(f"{fill(store, given.sensors, given.each):,.0f} observations/s recorded")
        with Twin(store) as twin:
            base = f"{twin.url}/ngsi-ld/v1/temporal/entities"
            for name, times, single, params in questions:
                took = []
                for number in range(times):
                    url = f"{base}/urn:ngsi-ld:Sensor:{number}" if single else base
                    began = time.perf_counter()
                    answer = session.get(url, params=params, timeout=60)
                    took.append(1000 * (time.perf_counter() - began))
                    answer.raise_for_status()
                median = statistics.median(took)
                print(f"{name}: {median:.1f} ms, {len(answer.content) / 1000:.0f} kB")
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
