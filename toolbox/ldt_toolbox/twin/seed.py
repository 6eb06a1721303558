"""Fill a broker with a territory: what stands still, synthetic sensors, their history, their play.

Works with any broker: everything goes through the NGSI-LD client. Written twice, nothing changes.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ldt_toolbox.clients.errors import NotFound, NotImplementedByServer
from ldt_toolbox.clients.ngsi_ld import NgsiLd
from ldt_toolbox.errors import WrongUseError
from ldt_toolbox.models.types import catalogue
from ldt_toolbox.publish.send import Outcome, send
from ldt_toolbox.twin.seed_places import places
from ldt_toolbox.twin.seed_sensors import Sensor, instant, sensors

if TYPE_CHECKING:
    from ldt_toolbox.territory import Territory

Told = Callable[[int, int, str], None]

_READINGS_A_REQUEST = 1000


@dataclass
class Seeded:
    """What seeding did.

    Attributes
    ----------
    outcome : Outcome
        What became of each entity.
    sensors : list of Sensor
        The synthetic ones, for `play`.
    left_out : dict of str to int
        Features of the territory that are no entity, by reason.
    readings, there : int
        Instants of sensors that were written to the history, and that were in it before.
    no_history : str
        Why the broker keeps no history, or empty.
    """

    outcome: Outcome
    sensors: list[Sensor]
    left_out: dict[str, int] = field(default_factory=dict)
    readings: int = 0
    there: int = 0
    no_history: str = ""

    def __str__(self) -> str:
        history = f"{self.readings} readings written, {self.there} were there"
        return f"{self.outcome}; {self.no_history or history}"


def seed(
    territory: "Territory",
    client: NgsiLd,
    *,
    count: int = 6,
    seed: int = 1,
    days: float = 7,
    until: datetime | None = None,
    step_s: int = 3600,
    told: Told | None = None,
) -> Seeded:
    """Write a territory's entities and the history of its synthetic sensors.

    Parameters
    ----------
    territory : Territory
        The place.
    client : NgsiLd
        Broker and tenant.
    count : int
        Weather stations, and as many traffic counters; a gauge where there is an open stream.
    seed : int
        Of places and noise; part of the sensors' ids.
    days : float
        Length of the history; 0 writes the last reading only.
    until : datetime.datetime, optional
        Last reading, with a time zone; now, to a whole step, if left out.
    step_s : int
        Seconds between readings.
    told : callable, optional
        Called with (done, in all, what).

    Returns
    -------
    Seeded
        What was done, and the sensors.

    Raises
    ------
    WrongUseError
        If a number is out of range or `until` has no time zone.
    ClientError
        If the broker cannot be asked at all.
    """
    if count < 0 or days < 0 or step_s <= 0:
        raise WrongUseError(
            f"count = {count}, days = {days}, step_s = {step_s}: give numbers that are not negative"
        )
    last = last_step(until, step_s)
    still = places(territory)
    chosen = sensors(territory, count=count, seed=seed) if count else []
    entities = still.entities + [one.entity(last, step_s=step_s) for one in chosen]
    outcome = send(client, entities, told=_named(told, "entities"))
    found = Seeded(outcome, chosen, still.left_out)
    times = [
        last - timedelta(seconds=step_s * back)
        for back in range(round(days * 86400 / step_s), -1, -1)
    ]
    try:
        for done, sensor in enumerate(chosen, 1):
            _remember(client, sensor, times, step_s, found)
            if told:
                told(done, len(chosen), "histories")
    except (NotImplementedByServer, NotFound) as error:
        found.no_history = f"the broker keeps no history: {error}"
    return found


def play(
    client: NgsiLd,
    chosen: Sequence[Sensor],
    *,
    start: datetime,
    end: datetime | None = None,
    speed: float = 1.0,
    step_s: int = 3600,
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[datetime]:
    """Let sensors report one reading after the other, live or faster than time.

    Parameters
    ----------
    client : NgsiLd
        Broker and tenant.
    chosen : sequence of Sensor
        Those that `seed` returned.
    start, end : datetime.datetime
        First and last reading; without an end it goes on until it is stopped.
    speed : float
        Seconds that pass for the sensors in one second; 1 is live.
    step_s : int
        Seconds between readings, for the sensors.
    pause, clock : callable
        How to wait and what time it is.

    Yields
    ------
    datetime.datetime
        Each instant, after its readings were written. A broker that is too slow for the speed
        gets all readings, later.

    Raises
    ------
    WrongUseError
        If `speed` is not above 0.
    ClientError
        If a reading cannot be written.
    """
    if not (speed > 0 and math.isfinite(speed)):
        raise WrongUseError(f"speed = {speed}: give a number above 0; 1 is live")
    began, number = clock(), 0
    while end is None or start + timedelta(seconds=number * step_s) <= end:
        at = start + timedelta(seconds=number * step_s)
        if (early := began + number * step_s / speed - clock()) > 0:
            pause(early)
        result = client.batch.upsert([one.entity(at, step_s=step_s) for one in chosen])
        result.raise_for_errors()
        yield at
        number += 1


def last_step(until: datetime | None, step_s: int) -> datetime:
    """The last whole step, in UTC.

    Raises
    ------
    WrongUseError
        If `until` has no time zone.
    """
    if until is None:
        until = datetime.now(UTC)
    if until.tzinfo is None:
        raise WrongUseError(f"until = {until.isoformat()} has no time zone: add Z or +02:00")
    return datetime.fromtimestamp(until.timestamp() // step_s * step_s, UTC)


def _remember(
    client: NgsiLd, sensor: Sensor, times: Sequence[datetime], step_s: int, found: Seeded
) -> None:
    """Add to a sensor's history what it lacks; brokers add what is sent again once more."""
    known = _known(client, sensor, times)
    lacking = [at for at in times if instant(at) not in known]
    for first in range(0, len(lacking), _READINGS_A_REQUEST):
        some = lacking[first : first + _READINGS_A_REQUEST]
        client.temporal.create(sensor.evolution(some, step_s=step_s))
    found.readings += len(lacking)
    found.there += len(times) - len(lacking)


def _known(client: NgsiLd, sensor: Sensor, times: Sequence[datetime]) -> set[str]:
    """Instants of which the broker has the sensor's headline."""
    model = catalogue()[sensor.kind]
    headline = model.attributes[next(iter(sensor.units))].iri
    try:
        evolutions = client.temporal.query(
            type=model.iri, id=[sensor.id], attrs=[headline], start=times[0],
            end=times[-1] + timedelta(seconds=1),
        )  # fmt: skip
    except NotFound:
        return set()
    return {
        moment(written)
        for evolution in evolutions
        for value in (evolution.get(headline, ()),)
        for each in (value if isinstance(value, list) else [value])
        if (written := str(each.get("observedAt", "")))
    }


def moment(written: str) -> str:
    """An instant as a broker wrote it, in the form in which it was sent."""
    return instant(datetime.fromisoformat(written))


def _named(told: Told | None, what: str) -> Callable[[int, int], None] | None:
    if told is None:
        return None
    say = told

    def count(done: int, total: int) -> None:
        say(done, total, what)

    return count
