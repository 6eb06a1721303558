import numpy as np
import pytest
from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.heat.surface import LCZ_NAMES, lcz_contrast, surface_uhi

CELL_M = 100.0
RINGS_KM = (1.0, 2.0, 4.0)


def round_town(size=121, radius_cells=15):
    """A round town in the middle; distance from its centre in cells."""
    rows, columns = np.mgrid[:size, :size] - size // 2
    distance = np.hypot(rows, columns)
    urban = distance <= radius_cells
    nothing = np.zeros_like(urban)
    return distance, urban, nothing


def test_a_planted_heat_island_comes_back_from_every_ring():
    _, urban, nothing = round_town()
    lst = np.where(urban, 303.0, 300.0)
    table = surface_uhi(
        lst, urban, nothing, urban, cell_size_m=CELL_M, ring_distances_km=RINGS_KM, draws=50
    )
    assert table["ring"].tolist() == [1, 2, 3]
    # constants: means of 300 and 303 are exact in float64 up to summation, 1e-9 K
    for column in ("suhi_k", "suhi_p025_k", "suhi_p975_k"):
        assert table[column].to_numpy() == pytest.approx(3.0, abs=1e-9)
    assert table["spread_k"].to_numpy() == pytest.approx(0.0, abs=1e-9)
    assert (table["reason"] == "").all()
    assert not table["altitude_checked"].any()


def test_ring_areas_are_those_of_the_town_s_surroundings():
    _, urban, nothing = round_town(radius_cells=15)
    lst = np.where(urban, 303.0, 300.0)
    table = surface_uhi(
        lst, urban, nothing, urban, cell_size_m=CELL_M, ring_distances_km=RINGS_KM, draws=2
    )
    edges = np.array([15, 25, 35, 55])
    areas = np.pi * np.diff(edges.astype(float) ** 2)
    # a digital circle departs from its area by about its outline, some per cent here
    assert table["n_rural"].to_numpy() == pytest.approx(areas, rel=0.04)


def test_the_choice_of_ring_shows():
    distance, urban, nothing = round_town()
    # countryside cools outwards by 0.1 K per 100 m, so a farther ring gives a larger island
    lst = np.where(urban, 303.0, 301.0 - 0.1 * np.maximum(distance - 15, 0))
    table = surface_uhi(
        lst, urban, nothing, urban, cell_size_m=CELL_M, ring_distances_km=RINGS_KM, draws=50
    )
    assert (np.diff(table["suhi_k"]) > 0).all()
    # mean of r - 15 over a ring from a to b cells: (b^3 - a^3) / 3 / ((b^2 - a^2) / 2) - 15, so
    # 5.42 and 30.74 cells for the first and third; half a cell of raster outline is 0.05 K
    assert table["spread_k"].iloc[0] == pytest.approx(0.1 * (30.74 - 5.42), abs=0.05)
    assert table["spread_k"].nunique() == 1
    assert (
        (table["suhi_p025_k"] < table["suhi_k"]) & (table["suhi_k"] < table["suhi_p975_k"])
    ).all()


def test_water_villages_and_hills_are_no_reference():
    distance, urban, _ = round_town()
    rows, columns = np.indices(urban.shape)
    lst = np.where(urban, 303.0, 300.0)
    water = (columns < 20) | (distance < 3)  # a lake outside and a pond in town
    built = urban | (rows < 20)
    elevation = np.where(columns > 100, 251.0, 200.0)
    elevation[0, 0] = np.nan
    lst[water] = 280.0
    lst[(rows < 20) & ~water] = 320.0
    lst[(columns > 100) & ~water] = 260.0
    lst[60, 90] = np.nan
    table = surface_uhi(
        lst,
        urban,
        water,
        built,
        elevation,
        cell_size_m=CELL_M,
        ring_distances_km=RINGS_KM,
        draws=20,
    )
    assert table["suhi_k"].to_numpy() == pytest.approx(3.0, abs=1e-9)
    assert table["n_urban"].iloc[0] == (urban & ~water).sum()
    assert table["altitude_checked"].all()
    # 50 m is still level ground
    level = surface_uhi(
        lst,
        urban,
        water,
        built,
        np.where(columns > 100, 250.0, 200.0),
        cell_size_m=CELL_M,
        ring_distances_km=RINGS_KM,
        draws=20,
    )
    assert level["mean_rural_k"].iloc[2] < 299


def test_empty_rings_say_why():
    _, urban, nothing = round_town(size=61, radius_cells=15)
    lst = np.where(urban, 303.0, 300.0)
    arguments = {"cell_size_m": CELL_M, "ring_distances_km": (1.0, 1.5, 9.0), "draws": 5}
    inside_water = surface_uhi(lst, urban, ~urban, urban, **arguments)
    assert set(inside_water["reason"]) == {"only water and built-up cells in this ring"}
    assert inside_water["suhi_k"].isna().all()
    hills = surface_uhi(lst, urban, nothing, urban, np.where(urban, 0.0, 500.0), **arguments)
    assert hills["reason"].str.startswith("no rural cell within 50 m").all()
    clouds = surface_uhi(np.where(urban, 303.0, np.nan), urban, nothing, urban, **arguments)
    assert set(clouds["reason"]) == {"no temperature in this ring"}
    arguments["ring_distances_km"] = (1.0, 9.0, 10.0)
    small = surface_uhi(lst, urban, nothing, urban, **arguments)
    assert small["reason"].tolist() == ["", "", "the raster ends before this ring"]
    assert small["suhi_k"].notna().tolist() == [True, True, False]


def test_one_block_gives_no_interval():
    _, urban, nothing = round_town(size=61, radius_cells=15)
    lst = np.where(urban, 303.0, 300.0)
    table = surface_uhi(
        lst,
        urban,
        nothing,
        urban,
        cell_size_m=CELL_M,
        ring_distances_km=(0.5, 1.0, 1.5),
        block_size_m=1e5,
    )
    assert table["suhi_k"].to_numpy() == pytest.approx(3.0, abs=1e-9)
    assert table["suhi_p025_k"].isna().all()
    assert table["reason"].str.startswith("no interval: all cells lie in one block").all()


def test_interval_is_repeatable_and_covers_the_truth():
    # Patches of 1 km with their own temperature (sd 1 K): the block bootstrap has to be about
    # as wide as the spread of the difference over many such worlds.
    _, urban, nothing = round_town()
    world = np.random.default_rng(5)
    arguments = {"cell_size_m": CELL_M, "ring_distances_km": RINGS_KM, "draws": 200}
    covered, estimates = 0, []
    for _ in range(60):
        patches = np.kron(world.normal(0, 1, (13, 13)), np.ones((10, 10)))[:121, :121]
        lst = np.where(urban, 303.0, 300.0) + patches
        ring = surface_uhi(lst, urban, nothing, urban, **arguments).iloc[2]
        covered += ring["suhi_p025_k"] <= 3.0 <= ring["suhi_p975_k"]
        estimates.append(ring["suhi_k"])
    # 95 % nominal; few blocks make it somewhat short. Below 45 of 60 it would be misleading.
    assert covered >= 45
    again = surface_uhi(lst, urban, nothing, urban, **arguments)
    assert again.equals(surface_uhi(lst, urban, nothing, urban, **arguments))
    other = surface_uhi(lst, urban, nothing, urban, **arguments, seed=1)
    assert other["suhi_p025_k"].iloc[0] != again["suhi_p025_k"].iloc[0]
    assert other["suhi_k"].equals(again["suhi_k"])


def test_surface_uhi_refuses_what_cannot_be_answered():
    _, urban, nothing = round_town(size=31, radius_cells=5)
    lst = np.where(urban, 303.0, 300.0)
    with pytest.raises(ParameterError, match="three rising distances"):
        surface_uhi(lst, urban, nothing, urban, cell_size_m=1, ring_distances_km=(1, 1, 2))
    with pytest.raises(ParameterError, match="cell_size_m is 0"):
        surface_uhi(lst, urban, nothing, urban, cell_size_m=0, ring_distances_km=(1, 2, 3))
    with pytest.raises(DataError, match=r"none of \d+ urban cells"):
        surface_uhi(lst * np.nan, urban, nothing, urban, cell_size_m=1, ring_distances_km=RINGS_KM)
    with pytest.raises(DataError, match="water_mask is float64"):
        surface_uhi(lst, urban, lst, urban, cell_size_m=1, ring_distances_km=RINGS_KM)
    with pytest.raises(DataError, match="elevation has shape"):
        surface_uhi(lst, urban, nothing, urban, lst[1:], cell_size_m=1, ring_distances_km=RINGS_KM)


def zones():
    lcz = np.full((40, 40), 14)
    lcz[:, 10:20] = 2
    lcz[:, 20:30] = 11
    lst = np.select([lcz == 2, lcz == 11], [304.0, 298.5], 300.0)
    # mixed cells along the borders, as a sensor sees them
    for border in (9, 10, 19, 20, 29, 30):
        lst[:, border] = 350.0
    return lst, lcz


def test_contrast_leaves_the_edges_out():
    lst, lcz = zones()
    table = lcz_contrast(lst, lcz)
    assert table["label"].to_dict() == {2: "2", 11: "A", 14: "D"}
    assert table["contrast_k"].to_dict() == {2: 4.0, 11: -1.5, 14: 0.0}
    assert table.loc[2, "n"] == 40 * 8
    assert table["std_k"].max() == 0
    assert lcz_contrast(lst, lcz, edge_cells=0).loc[2, "contrast_k"] != pytest.approx(4.0, abs=0.1)
    assert lcz_contrast(lst, lcz, reference="A").loc[14, "contrast_k"] == 1.5


def test_zones_too_narrow_to_judge_are_named():
    lst, lcz = zones()
    lcz[5, 5] = 17
    table = lcz_contrast(lst, lcz)
    assert table.loc[17, "n"] == 0
    assert np.isnan(table.loc[17, "contrast_k"])


def test_contrast_without_its_reference():
    lst, lcz = zones()
    with pytest.raises(DataError, match=r"reference zone E is left.*present: 2, A, D"):
        lcz_contrast(lst, lcz, reference="E")
    with pytest.raises(DataError, match="reference zone D"):
        lcz_contrast(lst, lcz, edge_cells=20)
    with pytest.raises(DataError, match="present: none"):
        lcz_contrast(lst, np.zeros_like(lcz))
    with pytest.raises(ParameterError, match="no zone 'X'"):
        lcz_contrast(lst, lcz, reference="X")
    with pytest.raises(ParameterError, match="edge_cells is -1"):
        lcz_contrast(lst, lcz, edge_cells=-1)
    with pytest.raises(DataError, match="one grid"):
        lcz_contrast(lst, lcz[1:])
    assert len(LCZ_NAMES) == 17
