"""The shipped flood use case, run again when a gauge of the twin passes its threshold."""

import json
from datetime import UTC, datetime

import pytest
from ldt_toolbox.clients.errors import TimedOut
from ldt_toolbox.clients.ngsi_ld import NgsiLd
from ldt_toolbox.models import contexts
from ldt_toolbox.publish import read_indicators
from ldt_toolbox.territory import Territory
from ldt_toolbox.twin.seed_sensors import sensors
from ldt_toolbox.use_case import UseCase
from ldt_toolbox.watch.thresholds import Threshold
from ldt_toolbox.watch.watcher import Watch

pytestmark = pytest.mark.slow

PATIENCE_S = 240
RUN = "urn:ngsi-ld:SimulationRun:flood-risk:east-london:live"


def test_a_gauge_that_passes_its_threshold_runs_the_flood_model_again(twin, tmp_path):
    """The gauge that `ldt twin seed` makes: low water, a wave, and back."""
    place = Territory.find("east-london")
    [gauge] = [one for one in sensors(place, count=3) if one.kind == "WaterObserved"]
    entity = gauge.entity(datetime(2025, 7, 15, tzinfo=UTC), step_s=3600)
    water = contexts.context_of("WaterObserved")[0]
    log = []

    def report(value, hour):
        level = {"type": "Property", "value": value, "unitCode": "MTR",
                 "observedAt": f"2025-07-15T{hour:02d}:00:00Z"}  # fmt: skip
        client.entities.update_attributes(entity["id"], {"height": level})

    with NgsiLd(twin.ngsi_ld, context=water) as client:
        client.entities.create({**entity, "height": {**entity["height"], "value": 0.4}})
        watch = Watch(
            UseCase.find("flood-risk"), place, out=tmp_path / "results", debounce_s=0.3,
            thresholds=[Threshold.parse("WaterObserved.height=1.5~0.2")], gauges=client,
            publish_to=client, log=log.append,
        )  # fmt: skip
        with watch:
            first = watch.next_run(timeout_s=PATIENCE_S)
            assert first.problem == ""
            report(1.2, 1)  # high, but not over
            with pytest.raises(TimedOut):
                watch.next_run(timeout_s=1.5)
            report(1.6, 2)
            report(1.7, 3)
            second = watch.next_run(timeout_s=PATIENCE_S)
            report(1.4, 4)  # within the hysteresis
            with pytest.raises(TimedOut):
                watch.next_run(timeout_s=1.5)
            report(1.2, 5)
            third = watch.next_run(timeout_s=PATIENCE_S)
            assert read_indicators(client, RUN).keys() == third.indicators.keys()
    assert [one.problem for one in (second, third)] == ["", ""]
    told = [(one["side"], one["value"]) for one in log if one["event"] == "passed"]
    assert told == [("above", 1.6), ("below", 1.2)]
    # the gauge starts the run and is no input: nothing is loaded again, and the numbers stay
    start, *again = [one for one in log if one["event"] == "ran"]
    assert "terrain" in start["loaded"]
    assert [one["loaded"] for one in again] == [[], []]
    assert second.changed == third.changed == {}
    json.dumps(log)
