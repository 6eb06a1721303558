"""The driver: resume, refusals, peaks, buildings, notes."""

import numpy as np
import pytest
from ldt_toolbox.errors import DataError, ParameterError, RunError
from ldt_toolbox.flood import simulation
from ldt_toolbox.flood.boundaries import Inflow, Open, Series, Sides, constant
from ldt_toolbox.flood.buildings import Buildings
from ldt_toolbox.flood.checkpoint import Checkpoint
from ldt_toolbox.flood.event import Options, Rates
from ldt_toolbox.flood.ledger import Ledger
from ldt_toolbox.flood.peaks import Peaks
from ldt_toolbox.flood.simulation import memory_needed, simulate
from ldt_toolbox.flood.validity import Froude, notes

BED = np.random.default_rng(5).random((40, 70)) + 0.02 * np.arange(70)
RAIN = Rates([0, 300], [80.0, 0.0])


def small(**changes):
    arguments = {
        "cell_m": 5.0,
        "duration_s": 900.0,
        "manning_n": 0.04,
        "rain": RAIN,
        "losses": Rates([0], [10.0]),
        "inflows": [Inflow([20], [60], constant(1.5))],
        "sides": Sides(west=Open()),
    } | changes
    return simulate(arguments.pop("terrain_m", BED), **arguments)


@pytest.mark.parametrize("scheme", ["inertial", "shallow-water"])
def test_resumed_run_is_the_uninterrupted_one_to_the_last_bit(scheme, tmp_path):
    options = Options(scheme=scheme, snapshot_s=200, checkpoint_s=130)
    stored = []
    whole = small(options=options, on_checkpoint=stored.append)
    assert len(stored) == 7  # every 130 s, and the end
    for checkpoint in (stored[0], stored[3], stored[-1]):  # while it rains, after, nothing left
        checkpoint.write(tmp_path / "state.npz")
        again = small(options=options, resume=Checkpoint.read(tmp_path / "state.npz"))
        for name in vars(Peaks.empty((1, 1))):
            np.testing.assert_array_equal(getattr(again.peaks, name), getattr(whole.peaks, name))
        np.testing.assert_array_equal(again.depth_m, whole.depth_m)
        np.testing.assert_array_equal(again.snapshots_m, whole.snapshots_m)
        assert (again.ledger, again.froude, again.steps) == (
            whole.ledger, whole.froude, whole.steps,
        )  # fmt: skip


def test_checkpoint_of_another_run_or_a_damaged_one_is_refused(tmp_path):
    stored = []
    small(on_checkpoint=stored.append, options=Options(checkpoint_s=400))
    with pytest.raises(DataError, match="resume with the run's own arguments"):
        small(terrain_m=BED[:30], resume=stored[0])
    path = tmp_path / "state.npz"
    path.write_bytes(b"PK not a checkpoint")
    with pytest.raises(DataError, match="from the beginning"):
        Checkpoint.read(path)
    with pytest.raises(DataError, match="from the beginning"):
        Checkpoint.read(tmp_path / "none.npz")


def test_too_little_memory_is_refused_before_the_start_with_advice(monkeypatch):
    monkeypatch.setattr(simulation, "memory_limit", lambda: 1e5)
    with pytest.raises(RunError, match=r"take cells of \d+ m or more"):
        small()
    assert memory_needed((1000, 1000), scheme="inertial") < 1e8
    assert memory_needed((9, 9), scheme="inertial", snapshots=4) > memory_needed(
        (9, 9), scheme="inertial"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cell_m": 0.0}, "cell_m is 0"),
        ({"duration_s": np.nan}, "duration_s is nan"),
        ({"manning_n": 0.0}, "manning_n is 0"),
        ({"manning_n": np.ones((3, 3))}, r"shape \(3, 3\)"),
        ({"initial_depth_m": -1.0}, "initial_depth_m is negative"),
        ({"inflows": [Inflow([99], [0], constant(1.0))]}, "outside the terrain"),
        ({"options": Options(scheme="magic")}, "no scheme 'magic'"),
        ({"options": Options(land="moon")}, "no debris factors of 'moon'"),
        ({"terrain_m": np.full((4, 5), np.nan), "inflows": []}, "no cell with a level"),
        ({"buildings": Buildings(np.zeros((2, 2)))}, "onto one grid"),
    ],
)
def test_wrong_arguments(change, message):
    with pytest.raises((ParameterError, DataError), match=message):
        small(**change)


def test_wrong_series_and_rates():
    with pytest.raises(ParameterError, match="do not rise"):
        Series([0, 0], [1, 2])
    with pytest.raises(ParameterError, match="as many"):
        Series([0, 1], [1])
    with pytest.raises(ParameterError, match="missing"):
        Series([0], [np.nan])
    with pytest.raises(ParameterError, match="negative"):
        Rates([0], [-1.0])
    with pytest.raises(ParameterError, match="do not rise"):
        Rates([5, 0], [1.0, 1.0])


def test_peaks_of_a_filling_basin_are_known():
    # 3 m3/s into 20 x 20 cells of 25 m2: 0.3 mm/s. Speeds are small, debris factor 1 above 0.25 m.
    everywhere = np.indices((20, 20)).reshape(2, -1)
    basin = simulate(
        np.zeros((20, 20)),
        cell_m=5.0,
        duration_s=2000,
        inflows=[Inflow(*everywhere, constant(3.0))],
        options=Options(track_s=1.0, wet_depth_m=0.06, double=True),
    )
    np.testing.assert_allclose(basin.depth_m, 0.6, rtol=1e-9)
    np.testing.assert_allclose(basin.peaks.depth_m, 0.6, rtol=1e-6)
    np.testing.assert_allclose(basin.peaks.hazard_rating, 0.6 * 0.5 + 1, rtol=1e-5)
    # Looked at every second, in steps of up to five.
    np.testing.assert_allclose(basin.peaks.arrival_s, 200, atol=6)
    assert basin.notes == ()


def test_snapshots_are_limited_and_progress_ends_at_one():
    seen = []
    done = small(options=Options(snapshot_s=5.0), progress=seen.append)
    assert 20 < len(done.snapshots_m) <= simulation.MOST_SNAPSHOTS
    assert len(done.snapshot_s) == len(done.snapshots_m)
    assert seen == sorted(seen)
    assert seen[-1] == 1


@pytest.mark.parametrize("treatment", ["block", "raise", "drag"])
def test_buildings_stand_in_the_way_and_their_rain_is_kept(treatment):
    share = np.zeros(BED.shape)
    share[10:20, 20:40] = 1.0
    done = small(buildings=Buildings(share, treatment), losses=None)
    free = small(losses=None)
    inside = done.depth_m[12:18, 22:38]
    if treatment == "block":
        assert np.isnan(inside).all()
    if treatment == "raise":
        assert np.nanmax(done.peaks.depth_m[12:18, 22:38]) < 0.3
    if treatment == "drag":
        assert done.peaks.speed_m_s[12:18, 22:38].mean() < free.peaks.speed_m_s[12:18, 22:38].mean()
    assert done.ledger.rain == pytest.approx(free.ledger.rain, rel=1e-6)
    assert abs(done.ledger.relative_error) <= 1e-6


def test_blocked_cells_are_walls_on_an_open_rim():
    # A lake around a building stays, though cells without terrain drain.
    bed = np.zeros((20, 30))
    share = np.zeros(bed.shape)
    share[8:12, 8:12] = 1
    lake = simulate(
        bed, cell_m=5.0, duration_s=300, sides=Sides(rim=Open()),
        buildings=Buildings(share), initial_depth_m=1.0,
    )  # fmt: skip
    assert lake.ledger.outflow == 0
    bed[:, 25:] = np.nan
    drained = simulate(
        bed, cell_m=5.0, duration_s=300, sides=Sides(rim=Open()), initial_depth_m=1.0
    )
    assert drained.ledger.outflow > 0


def test_notes_say_what_went_wrong_in_both_languages():
    fine = Ledger(rain=1e6, stored=1e6 + 0.9)
    assert notes("inertial", fine, Froude(1000, 90, 9, 1.2)) == ()
    lost = notes("inertial", Ledger(rain=1e6, stored=1e6 + 1.1), Froude())
    assert len(lost) == 1
    assert "1.1e-06" in lost[0].text["en"]
    fast = Froude(1000, 200, 15, 1.4)
    assert "20 %" in notes("inertial", fine, fast)[0].text["fr"]
    assert "1,5 %" in notes("inertial", fine, fast)[0].text["fr"]
    assert notes("shallow-water", fine, fast) == ()
    assert len(notes("shallow-water", Ledger(rain=1, stored=np.nan), fast)) == 1


def test_a_steep_street_is_reported_by_the_inertial_scheme():
    street = np.tile(0.1 * 5 * np.arange(80.0)[::-1], (6, 1))
    done = simulate(
        street, cell_m=5.0, duration_s=300, manning_n=0.015, sides=Sides(east=Open()),
        inflows=[Inflow(range(6), [0] * 6, constant(20.0))],
    )  # fmt: skip
    assert done.froude.torrent_share > 0.5
    assert "shallow-water" in done.notes[0].text["en"]
