"""Where ways begin: homes with the people, or the floors, that count there."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from ldt_toolbox.errors import DataError
from ldt_toolbox.heat.heights import impute_heights
from ldt_toolbox.heat.population import areal_to_buildings, spread_population
from ldt_toolbox.mobility.network import Network
from ldt_toolbox.results import Note

STOREY_HEIGHT_M = 3.0
LIVED_IN = ("residential", "apartments", "house", "detached", "semidetached_house", "terrace",
            "dormitory", "yes")  # fmt: skip
PEOPLE = {"en": "residents", "fr": "habitants"}
FLOOR = {"en": "m² of floor", "fr": "m² de plancher"}
STREET = {"en": "m of street", "fr": "m de rue"}


@dataclass(frozen=True)
class Homes:
    """Where people set out from, and what each place counts for.

    Attributes
    ----------
    places : geopandas.GeoDataFrame
        Index 0, 1, ...; buildings, or nodes of the street network where no building is known.
    weight : numpy.ndarray of float64, shape (places,)
        Residents, else square metres of floor, else metres of street.
    people : bool
        Whether the weight counts residents: then cells with few of them are not shown.
    unit : dict of str to str
        Name of the weight by language.
    income : numpy.ndarray of float64, shape (places,), or None
        Income of the area in which each place lies, NaN where unknown.
    notes : tuple of Note
        What was assumed or left over.
    """

    places: gpd.GeoDataFrame
    weight: NDArray[np.float64]
    people: bool
    unit: dict[str, str]
    income: NDArray[np.float64] | None
    notes: tuple[Note, ...] = ()


def of_buildings(
    buildings: gpd.GeoDataFrame,
    *,
    population: gpd.GeoDataFrame | None = None,
    population_total: int | None = None,
    fewest: int = 0,
) -> Homes:
    """Homes are buildings.

    Parameters
    ----------
    buildings : geopandas.GeoDataFrame
        Footprints in a CRS in metres; `use`, `levels`, `height_m` where known.
    population : geopandas.GeoDataFrame, optional
        Areas with `population`, and `income` where known, in the same CRS.
    population_total : int, optional
        Residents to spread over all floors lived in, where no areas are given.
    fewest : int
        The notes name no number of residents below it.
    """
    frame = buildings.reset_index(drop=True)
    heights = impute_heights(
        frame, height_column="height_m", levels_column="levels", storey_height_m=STOREY_HEIGHT_M
    )
    told = pd.to_numeric(_column(frame, "levels"), errors="coerce")
    guessed = (heights["height_m"] / STOREY_HEIGHT_M).round()
    storeys = told.where(told.between(1, 150)).fillna(guessed).clip(lower=1)
    floors = frame.geometry.area * storeys
    lived_in = _column(frame, "use").fillna("yes").astype(str).isin(LIVED_IN)
    if not lived_in.any():
        lived_in[:] = True
    notes = []
    income = None
    if population is not None:
        people, left = areal_to_buildings(population, frame, floors, residential=lived_in)
        if not people.sum() > 0:
            raise DataError(
                "population: nobody lives in an area with a building that is lived in: check its "
                "column, its extent and the buildings' use"
            )
        if (lost := float(left["people"].sum())) > 0:
            notes.append(_lost(lost, fewest))
        income = _income_at(frame.geometry.representative_point(), population)
        return Homes(frame, people.to_numpy(np.float64), True, PEOPLE, income, tuple(notes))
    if population_total is not None:
        people = spread_population(frame, floors, population_total, residential=lived_in)
        notes.append(
            Note(
                "assumption",
                {
                    "en": "Residents are one total spread over the floors that are lived in.",
                    "fr": "Les habitants sont un total réparti sur les planchers habités.",
                },
            )
        )
        return Homes(frame, people.to_numpy(np.float64), True, PEOPLE, None, tuple(notes))
    weight = np.where(lived_in, floors, 0.0)
    return Homes(frame, weight, False, FLOOR, None, ())


def of_streets(
    network: Network, *, population: gpd.GeoDataFrame | None = None, fewest: int = 0
) -> Homes:
    """Homes are nodes of the street network, where no building is known.

    Parameters
    ----------
    network : Network
        Streets; half the length of each edge counts for the node at each of its ends.
    population : geopandas.GeoDataFrame, optional
        Areas with `population`: its people are spread over the nodes inside, by length. Where it
        is missing the length itself counts.
    fewest : int
        The notes name no number of residents below it.
    """
    edges = network.edges
    length = edges["length_m"].to_numpy(np.float64) / 2
    ends = np.r_[edges["from"].to_numpy(), edges["to"].to_numpy()]
    along = np.zeros(network.nodes)
    np.add.at(along, ends, np.r_[length, length])
    points = gpd.GeoDataFrame(geometry=shapely.points(network.node_xy), crs=edges.crs)
    note = Note(
        "assumption",
        {
            "en": "No building is known: people are taken to live along the streets, evenly.",
            "fr": "Aucun bâtiment n'est connu : les habitants sont supposés répartis le long des "
            "rues.",
        },
    )
    if population is None:
        return Homes(points, along, False, STREET, None, (note,))
    area, node = population.sindex.query(points.geometry, predicate="intersects")[::-1]
    area, node = np.asarray(area), np.asarray(node)
    people = population["population"].fillna(0).to_numpy(np.float64)
    within = np.bincount(area, along[node], minlength=len(population))
    share = np.divide(along[node], within[area], out=np.zeros(len(node)), where=within[area] > 0)
    weight = np.zeros(network.nodes)
    np.add.at(weight, node, share * people[area])
    lost = float(people[within == 0].sum())
    notes = (note, _lost(lost, fewest)) if lost > 0 else (note,)
    income = _income_at(points.geometry, population)
    return Homes(points, weight, True, PEOPLE, income, notes)


def _income_at(points: gpd.GeoSeries, areas: gpd.GeoDataFrame) -> NDArray[np.float64] | None:
    if "income" not in areas:
        return None
    told = pd.to_numeric(areas["income"], errors="coerce")
    if (wrong := areas["income"].notna() & told.isna()).any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"population: income {areas['income'].iloc[row]!r} in row {row + 1} of {len(areas)} is "
            "no number: correct it, or leave it empty where it is not known"
        )
    which, area = areas.sindex.query(points, predicate="intersects")
    income = np.full(len(points), np.nan)
    income[which] = told.to_numpy(np.float64)[area]
    return income


def _lost(people: float, fewest: int) -> Note:
    few = people < fewest
    en, fr = (f"Fewer than {fewest}", f"Moins de {fewest}") if few else (f"{people:.0f}",) * 2
    return Note(
        "warning",
        {
            "en": f"{en} residents live in areas without a home here and are not counted.",
            "fr": f"{fr} habitants de zones sans logement ici ne sont pas comptés.",
        },
    )


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    if name in frame:
        return frame[name]
    return pd.Series(np.nan, index=frame.index, dtype=object)
