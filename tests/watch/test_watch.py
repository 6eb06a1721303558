"""A watch against a running twin: what changes is loaded again, nothing runs twice at once."""

import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from ldt_toolbox.clients.errors import TimedOut
from ldt_toolbox.clients.ngsi_ld import NgsiLd, observations
from ldt_toolbox.errors import ParameterError, WrongUseError
from ldt_toolbox.models.types import catalogue
from ldt_toolbox.publish import read_indicators
from ldt_toolbox.results import Results
from ldt_toolbox.territory import Territory
from ldt_toolbox.twin.serve import Twin
from ldt_toolbox.use_case import UseCase
from ldt_toolbox.watch.thresholds import Threshold
from ldt_toolbox.watch.watcher import Watch

# a process starts in each of them
pytestmark = pytest.mark.slow


@pytest.fixture
def watching(case, place, tmp_path):
    """Make a watch with a short debounce and its log."""

    def make(**options):
        log = []
        options = {"debounce_s": 0.3, "out": tmp_path / "results", "log": log.append, **options}
        return Watch(case, place, **options), log

    return make


def events(log, name):
    return [event for event in log if event["event"] == name]


def test_a_reading_changes_the_indicator_and_only_its_part_runs_again(watching, stations, report):
    watch, log = watching()
    with watch:
        first = watch.next_run()
        report(stations[0], 30.0, 1)
        second = watch.next_run()
    assert first.indicators["warmth"] == 22.0
    assert first.changed == {}
    # the first station has the mean of 20 and 30 now
    assert second.changed == {"warmth": (22.0, 24.5)}
    assert second.roles == ("stations",)
    start, again = events(log, "ran")
    assert sorted(start["loaded"]) == ["buildings", "stations"]
    assert again["loaded"] == ["stations"]
    assert [start["steps"], again["steps"]] == [
        ["mean_warmth.warmth", "mean_warmth.houses"],
        ["mean_warmth.warmth"],
    ]
    assert again["changed"] == {"warmth": [22.0, 24.5]}
    assert Results.read(second.folder).indicators["warmth"].value == 24.5
    json.dumps(log)  # every event can be written
    assert [event["event"] for event in log][-2:] == ["unsubscribed", "ended"]


def test_subscription_is_deleted_at_the_end(watching, sky):
    watch, _ = watching()
    with watch:
        [held] = sky.subscriptions.list()
        assert held["entities"][0]["type"] == "WeatherObserved"
    assert sky.subscriptions.list() == []


def test_changes_that_come_together_are_one_run(watching, stations, report, case):
    watch, log = watching(debounce_s=1.0)
    with watch:
        watch.next_run()
        for hour in range(1, 6):
            report(stations[hour % 2], 20.0 + hour, hour)
        watch.next_run()
        with pytest.raises(TimedOut, match="no run of mean-warmth"):
            watch.next_run(timeout_s=2)
    assert len(events(log, "came")) >= 2
    assert len(events(log, "ran")) == 2


def test_changes_during_a_run_lead_to_one_more_and_never_to_two_at_once(
    watching, stations, report, case
):
    watch, log = watching(given={"pause_s": 1.5}, debounce_s=0.1)
    with watch:
        watch.next_run()
        report(stations[0], 25.0, 1)
        while len(events(log, "run")) < 2:
            time.sleep(0.02)
        for hour in range(2, 6):  # while it runs
            report(stations[0], 26.0, hour)
            time.sleep(0.15)
        second, third = watch.next_run(), watch.next_run()
        with pytest.raises(TimedOut):
            watch.next_run(timeout_s=2.5)
    assert third.indicators["warmth"] == pytest.approx(((20 + 25 + 4 * 26) / 6 + 24) / 2, abs=1e-3)
    assert second.number == 1
    lines = (case.path.parent / "running.txt").read_text().split()
    assert lines == ["start", "end"] * 3


def test_a_repeated_notification_is_no_news(watching, stations, report):
    watch, log = watching()
    with watch:
        watch.next_run()
        report(stations[0], 20.0, 0)  # what it says already
        time.sleep(1)
        assert all(not event["counts"] for event in events(log, "came"))
    assert len(events(log, "run")) == 1


def test_threshold_counts_only_when_passed(watching, stations, report):
    watch, log = watching(thresholds=[Threshold("temperature", 28.0, 2.0)])
    with watch:
        watch.next_run()
        report(stations[0], 25.0, 1)
        report(stations[0], 27.9, 2)
        with pytest.raises(TimedOut):
            watch.next_run(timeout_s=1.5)
        report(stations[0], 28.0, 3)
        up = watch.next_run()
        report(stations[0], 29.0, 4)
        report(stations[0], 26.5, 5)
        with pytest.raises(TimedOut):
            watch.next_run(timeout_s=1.5)
        report(stations[0], 25.9, 6)
        down = watch.next_run()
    assert [(one["side"], one["value"]) for one in events(log, "passed")] == [
        ("above", 28.0), ("below", 25.9)
    ]  # fmt: skip
    # readings that did not count are in the mean once something counts
    assert up.indicators["warmth"] == pytest.approx(((20 + 25 + 27.9 + 28) / 4 + 24) / 2, abs=1e-3)
    assert down.number == 2


def test_a_gauge_that_is_no_input_starts_a_run(watching, twin):
    gauge = {
        "id": "urn:ngsi-ld:WaterObserved:g", "type": "WaterObserved",
        "height": {"type": "Property", "value": 0.5, "unitCode": "MTR"},
    }  # fmt: skip
    from ldt_toolbox.models import contexts

    water = contexts.context_of("WaterObserved")[0]
    with NgsiLd(twin.ngsi_ld, context=water) as client:
        client.entities.create(gauge)
        watch, log = watching(
            thresholds=[Threshold.parse("WaterObserved.height=1.5~0.2")], gauges=client
        )
        with watch:
            watch.next_run()
            for value in (1.0, 1.6, 1.7):
                level = {"type": "Property", "value": value, "unitCode": "MTR"}
                client.entities.update_attributes(gauge["id"], {"height": level})
            run = watch.next_run()
            assert client.subscriptions.list()
        assert client.subscriptions.list() == []
    assert run.roles == ("stations",)
    [passed] = events(log, "passed")
    assert (passed["entity"], passed["value"], passed["side"]) == (gauge["id"], 1.6, "above")


def test_what_the_broker_did_not_tell_is_found(watching, stations, report, sky):
    """A notification that gets lost, as when a broker ends: the subscription sleeps meanwhile."""
    watch, log = watching(check_s=0.5)
    with watch:
        watch.next_run()
        [held] = sky.subscriptions.list()
        sky.subscriptions.pause(held["id"])
        report(stations[0], 30.0, 1)
        second = watch.next_run()
    assert second.changed == {"warmth": (22.0, 24.5)}
    [came] = events(log, "came")
    assert came["missed"]
    assert (came["entities"], came["attributes"]) == ([stations[0]], ["temperature"])
    assert not events(log, "lost")


def test_a_subscription_that_the_broker_forgot_is_made_anew(watching, stations, report, sky):
    watch, log = watching(check_s=0.5)
    with watch:
        watch.next_run()
        [held] = sky.subscriptions.list()
        sky.subscriptions.delete(held["id"])
        while not events(log, "lost"):
            time.sleep(0.02)
        report(stations[0], 30.0, 1)
        second = watch.next_run()
        assert len(sky.subscriptions.list()) == 1
    assert second.changed == {"warmth": (22.0, 24.5)}
    assert sky.subscriptions.list() == []
    assert events(log, "lost")[0]["subscription"] == held["id"]
    first, renewed = events(log, "subscribed")
    assert first["subscription"] == held["id"] != renewed["subscription"]


def test_a_subscription_is_prolonged_and_expires_with_the_watch(watching, stations, report, sky):
    watch, log = watching(check_s=0.3)
    with watch:
        watch.next_run()
        [held] = sky.subscriptions.list()
        first = datetime.fromisoformat(held["expiresAt"])
        assert 2 < (first - datetime.now(UTC)).total_seconds() + 3 * 0.3 < 4.5
        # one that expired, as when the machine slept, is taken up again
        soon = datetime.now(UTC) + timedelta(seconds=0.1)
        sky.subscriptions.update(held["id"], {"expiresAt": soon.isoformat()})
        time.sleep(4)
        [held] = sky.subscriptions.list()
        assert datetime.fromisoformat(held["expiresAt"]) > first
        assert held["status"] == "active"
        report(stations[0], 30.0, 1)
        assert watch.next_run().indicators["warmth"] == 24.5
    assert not events(log, "lost")


def test_a_killed_watch_leaves_no_subscription_for_long(case, place, stations, sky, tmp_path):
    command = [
        sys.executable, "-m", "ldt_toolbox.cli", "watch", str(case.path), "--check", "0.3",
        "--territory", str(place.path), "--out", str(tmp_path / "results"),
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["event"] == "subscribed"
        assert sky.subscriptions.list()[0]["status"] == "active"
        process.kill()
    end = time.monotonic() + 20
    while any(one["status"] == "active" for one in sky.subscriptions.list()):
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_broker_that_starts_anew_without_a_memory(watching, twin, stations, report, sky):
    there = sky.entities.query(type="WeatherObserved")
    watch, log = watching(check_s=0.5)
    with watch:
        watch.next_run()
        twin.close()
        while not events(log, "failed"):
            time.sleep(0.05)
        with Twin(port=int(twin.url.rpartition(":")[2])):
            sky.batch.upsert(there).raise_for_errors()
            while not events(log, "lost"):
                time.sleep(0.05)
            report(stations[0], 30.0, 1)
            # what was lost and came back may have started a run before this one
            while (run := watch.next_run(timeout_s=30)).indicators.get("warmth") != 24.5:
                assert run.number < 5
            watch.close()
    assert "asked again in 0.5 s" in events(log, "failed")[0]["reason"]


def test_an_entity_that_is_deleted_is_noticed(watching, stations, sky):
    watch, log = watching(check_s=0.5)
    with watch:
        watch.next_run()
        sky.temporal.delete(stations[1])
        sky.entities.delete(stations[1])
        second = watch.next_run()
        with pytest.raises(TimedOut):
            watch.next_run(timeout_s=1.5)
    assert second.changed == {"warmth": (22.0, 20.0)}
    [came] = events(log, "came")
    assert came["missed"]
    assert came["entities"] == [stations[1]]


def test_looking_when_nothing_happened_starts_nothing(watching, stations):
    watch, log = watching(check_s=0.1)
    with watch:
        watch.next_run()
        time.sleep(1.5)
    assert [one["event"] for one in log] == ["subscribed", "run", "ran", "unsubscribed", "ended"]


def test_failed_run_is_told_and_the_next_one_works(watching, stations, report, case):
    watch, log = watching()
    with watch:
        watch.next_run()
        (case.path.parent / "fail.txt").touch()
        report(stations[0], 30.0, 1)
        failed = watch.next_run()
        report(stations[0], 31.0, 2)
        good = watch.next_run()
    assert failed.problem == "the stations make no sense: check them"
    assert events(log, "failed")[0]["reason"] == failed.problem
    # against the last run that had results
    assert good.changed == {"warmth": (22.0, 25.5)}


def test_dead_process_is_told_and_replaced(watching, stations, report, case):
    watch, log = watching()
    with watch:
        watch.next_run()
        (case.path.parent / "die.txt").touch()
        report(stations[0], 30.0, 1)
        dead = watch.next_run()
        report(stations[0], 31.0, 2)
        alive = watch.next_run()
    assert "ended with 9" in dead.problem
    assert events(log, "failed")[0]["what"] == "run 1"
    assert alive.problem == ""
    assert alive.changed == {"warmth": (22.0, 25.5)}
    assert sorted(events(log, "ran")[-1]["loaded"]) == ["buildings", "stations"]


def test_published_indicators_keep_their_ids_and_get_a_history(watching, stations, report, twin):
    with NgsiLd(twin.ngsi_ld) as broker:
        watch, log = watching(publish_to=broker)
        with watch:
            watch.next_run()
            report(stations[0], 30.0, 1)
            second = watch.next_run()
        run = "urn:ngsi-ld:SimulationRun:mean-warmth:east-london:live"
        assert read_indicators(broker, run)["warmth"].value == second.indicators["warmth"] == 24.5
        value = catalogue()["RiskIndicator"].attributes["indicatorValue"].iri
        evolution = broker.temporal.get(
            f"{run.replace('SimulationRun', 'RiskIndicator')}:warmth", attrs=[value],
            start="2020-01-01T00:00:00Z", end="2099-01-01T00:00:00Z",
        )  # fmt: skip
        assert [one.value for one in observations(evolution)] == [22.0, 24.5]
    first, again = events(log, "published")
    assert "created" in first["outcome"]
    assert "created" not in again["outcome"]


def test_what_could_not_be_published_is_published_later(watching, stations, report):
    """The broker of the results is away when the run ends; nothing changes afterwards."""
    with Twin() as away:
        port = int(away.url.rpartition(":")[2])
    with NgsiLd(away.url) as broker:
        watch, log = watching(publish_to=broker, check_s=0.5)
        with watch:
            first = watch.next_run()
            assert first.problem.startswith("not published: ")
            with Twin(port=port):
                while not events(log, "published"):
                    time.sleep(0.05)
                run = "urn:ngsi-ld:SimulationRun:mean-warmth:east-london:live"
                assert read_indicators(broker, run)["warmth"].value == 22.0
                time.sleep(1.5)
    assert len(events(log, "published")) == len(events(log, "ran")) == 1
    assert events(log, "failed")[0]["what"] == "publish run 0"


def test_last_days_follow_the_latest_reading(watching, stations, report):
    watch, _ = watching(last_days=0.125)
    with watch:
        assert watch.next_run().indicators["warmth"] == 22.0
        report(stations[0], 30.0, 12)
        report(stations[1], 32.0, 12)
        # the readings of midnight are more than three hours old
        assert watch.next_run().indicators["warmth"] == 31.0


def test_a_long_run_is_ended_at_once(watching, stations):
    watch, log = watching(given={"pause_s": 50})
    start = time.monotonic()
    with watch:
        while not events(log, "run"):
            time.sleep(0.02)
        time.sleep(1)
    assert time.monotonic() - start < 15
    assert events(log, "ended")
    assert not events(log, "ran")


def test_wrong_use_is_refused_before_anything_is_asked(case, place):
    with pytest.raises(WrongUseError, match="takes nothing from a broker"):
        Watch(UseCase.find("heat-islands"), Territory.find("monaco"))
    with pytest.raises(WrongUseError, match="debounce_s = -1"):
        Watch(case, place, debounce_s=-1)
    with pytest.raises(WrongUseError, match="check_s = 0"):
        Watch(case, place, check_s=0)
    with pytest.raises(ParameterError):
        Watch(case, place, given={"no_such": 1})


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_command_logs_and_ends_on_ctrl_c(case, place, stations, report, sky, tmp_path, sent):
    log = tmp_path / "watch.jsonl"
    command = [
        sys.executable, "-m", "ldt_toolbox.cli", "watch", str(case.path),
        "--territory", str(place.path), "--debounce", "0.3", "--out", str(tmp_path / "results"),
        "--log", str(log), "--publish", "--to", place.sources["stations"].url,
    ]  # fmt: skip

    def told(name):
        lines = log.read_text().splitlines() if log.exists() else []
        return [line for line in map(json.loads, lines) if line["event"] == name]

    def until(name, number=1):
        end = time.monotonic() + 40
        while len(told(name)) < number:
            assert time.monotonic() < end, log.read_text() if log.exists() else "no log"
            time.sleep(0.05)

    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        until("published")
        report(stations[0], 30.0, 1)
        until("published", 2)
        process.send_signal(sent)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 130, said
    assert told("ran")[1]["changed"] == {"warmth": [22.0, 24.5]}
    assert told("ended")
    assert sky.subscriptions.list() == []


def test_once_ends_after_the_first_change(case, place, stations, report, sky, tmp_path):
    command = [
        sys.executable, "-m", "ldt_toolbox.cli", "watch", str(case.path), "--once",
        "--territory", str(place.path), "--debounce", "0.3", "--out", str(tmp_path / "results"),
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        seen = []
        for line in process.stdout:
            seen.append(json.loads(line)["event"])
            if seen == ["subscribed", "run", "ran"]:
                report(stations[0], 30.0, 1)
        process.wait(20)
    assert process.returncode == 0
    assert seen == ["subscribed", "run", "ran", "came", "run", "ran", "unsubscribed", "ended"]
    assert sky.subscriptions.list() == []
