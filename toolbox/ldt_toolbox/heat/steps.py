"""The steps of the heat-island use case: its notebook and `compute` share them."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldt_toolbox.errors import DataError, MissingRoleError
from ldt_toolbox.heat.air import thornthwaite_et0
from ldt_toolbox.heat.cooling import CoolingResult, cooling_capacity, urban_cooling_model
from ldt_toolbox.heat.cover import Cover, cover_of
from ldt_toolbox.heat.exposure import spread_weight
from ldt_toolbox.heat.ground import Ground, lay_ground
from ldt_toolbox.heat.population import areal_to_buildings, spread_population
from ldt_toolbox.heat.scenario_gain import cooling_gain_per_m2
from ldt_toolbox.heat.shadows import shadow_fraction, sun_position
from ldt_toolbox.heat.sky_view import sky_view_factor
from ldt_toolbox.heat.surface_classes import GRASS, OPEN_GROUND, PARK, TREE, UNCLASSIFIED, table
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.results import Note
from ldt_toolbox.sources import Inputs
from ldt_toolbox.space.paint import block_mean

SKY_DIRECTIONS = 16
SKY_RADIUS_M = 200.0
DEFAULT_ET0_MM_DAY = 5.0
STRADDLING_SHARE = 0.9
RESIDENTIAL = ("residential", "apartments", "house", "detached", "semidetached_house", "terrace",
               "dormitory", "yes")  # fmt: skip


@dataclass(frozen=True)
class Climate:
    """The summer that the model takes as given.

    Attributes
    ----------
    reference_c : float
        Rural air temperature, °C.
    et0_mm_day : float
        Reference evapotranspiration.
    month : int or None
        Hottest month, or None where the reference was given.
    notes : tuple of Note
        What was assumed.
    """

    reference_c: float
    et0_mm_day: float
    month: int | None
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class Exposure:
    """What exposure is counted in.

    Attributes
    ----------
    weight : numpy.ndarray of float64, shape (buildings,)
        Residents, or square metres of floor.
    people : bool
        Whether the weight counts residents.
    unit : dict of str to str
        Name of the weight by language.
    notes : tuple of Note
        What was assumed or left over.
    """

    weight: NDArray[np.float64]
    people: bool
    unit: dict[str, str]
    notes: tuple[Note, ...]


def lay(inputs: Inputs, parameters: Parameters) -> Ground:
    """Lay the territory's layers on one grid (see `ground.lay_ground`)."""

    def frame(role: str) -> gpd.GeoDataFrame | None:
        return inputs.frame(role) if role in inputs else None

    cover = inputs.layers.get("land_cover")
    return lay_ground(
        inputs.territory.boundary_geometry,
        inputs.frame("buildings"),
        cell_size_m=parameters.cell_size_m,
        land_cover=None if cover is None else cover.data,
        land_cover_classes=None if cover is None else dict(cover.source.classes),
        streets=frame("streets"),
        trees=frame("trees"),
        water=frame("water"),
        terrain=inputs.raster("terrain") if "terrain" in inputs else None,
        storey_height_m=parameters.storey_height_m,
        default_height_m=parameters.default_height_m,
        crown_diameter_m=parameters.crown_diameter_m,
        tree_height_m=parameters.tree_height_m,
    )


def climate(inputs: Inputs, parameters: Parameters) -> Climate:
    """Reference temperature and evapotranspiration of the hottest month.

    Raises
    ------
    MissingRoleError
        If neither the role `air_temperature` nor `reference_temperature_c` is there.
    DataError
        If the table does not hold the months 1 to 12 once each.
    """
    reference, et0, month = parameters.reference_temperature_c, parameters.et0_mm_day, None
    notes = []
    monthly = None
    if "air_temperature" in inputs:
        monthly = inputs.table("air_temperature").sort_values("month")
        if monthly["month"].tolist() != list(range(1, 13)):
            raise DataError("air_temperature must hold the months 1 to 12 once each")
        if monthly["temperature_c"].isna().any():
            raise DataError("air_temperature lacks the temperature of a month: fill the gap")
    if reference is None:
        if monthly is None:
            raise MissingRoleError(
                "the rural reference temperature is not known: give `-p "
                "reference_temperature_c=...` or add the role `air_temperature`, for example "
                "`air_temperature: {use: cru-normals}`, to territory.yaml"
            )
        hottest = int(np.argmax(monthly["temperature_c"].to_numpy()))
        month = int(monthly["month"].to_numpy()[hottest])
        reference = float(monthly["temperature_c"].max())
    if et0 is None and monthly is not None:
        latitude = inputs.territory.center_lonlat[1]
        et0 = float(thornthwaite_et0(monthly["temperature_c"].to_numpy(), latitude).max())
        notes.append(
            Note(
                "assumption",
                {
                    "en": f"Reference evapotranspiration {et0:.1f} mm a day, from monthly "
                    "temperatures (Thornthwaite); it only sets the water that new green draws.",
                    "fr": f"Évapotranspiration de référence {et0:.1f} mm par jour, d'après les "
                    "températures mensuelles (Thornthwaite) ; elle ne fixe que l'eau du nouveau "
                    "vert.",
                },
            )
        )
    if et0 is None:
        et0 = DEFAULT_ET0_MM_DAY
        notes.append(
            Note(
                "assumption",
                {
                    "en": f"Reference evapotranspiration assumed at {et0:g} mm a day.",
                    "fr": f"Évapotranspiration de référence supposée de {et0:g} mm par jour.",
                },
            )
        )
    if parameters.origin["uhi_max_k"] == "manifest":
        notes.append(
            Note(
                "assumption",
                {
                    "en": f"The largest heat island, uhi_max_k = {parameters.uhi_max_k:g} K, is an "
                    "assumption: all modelled degrees scale with it. Set it from your stations.",
                    "fr": f"Le plus fort îlot de chaleur, uhi_max_k = {parameters.uhi_max_k:g} K, "
                    "est une hypothèse : tous les degrés modélisés en dépendent. Fixez-le d'après "
                    "vos stations.",
                },
            )
        )
    return Climate(reference, et0, month, tuple(notes))


def model(cover: Cover, summer: Climate, parameters: Parameters) -> CoolingResult:
    """Run the urban cooling model on a cover (see `cooling.urban_cooling_model`)."""
    return urban_cooling_model(
        cover.shade, cover.albedo, cover.kc, cover.green,
        cell_size_m=parameters.cell_size_m,
        reference_temperature_c=summer.reference_c,
        uhi_max_k=parameters.uhi_max_k,
        cooling_distance_m=parameters.cooling_distance_m,
        mixing_radius_m=parameters.mixing_radius_m,
        minimum_green_area_ha=parameters.minimum_green_area_ha,
    )  # fmt: skip


def sky(ground: Ground) -> NDArray[np.float32]:
    """Sky view factor of the surface on the fine grid (roofs see the sky from above)."""
    return np.asarray(
        sky_view_factor(
            ground.surface_m, cell_size_m=ground.fine.cell_size_m, radius_m=SKY_RADIUS_M,
            directions=SKY_DIRECTIONS,
        ), np.float32,
    )  # fmt: skip


def shadow(ground: Ground, inputs: Inputs, parameters: Parameters) -> NDArray[np.float32]:
    """Share of the sunlit hours of `sun_date` in shadow, on the fine grid."""
    lon, lat = inputs.territory.center_lonlat
    day = pd.Timestamp(parameters.sun_date, tz=inputs.territory.timezone)
    hours = pd.date_range(day, periods=24, freq="1h") + pd.Timedelta(minutes=30)
    sun = sun_position(hours, latitude_deg=lat, longitude_deg=lon)
    sun = sun[sun["elevation_deg"] > 0]
    return np.asarray(
        shadow_fraction(ground.surface_m, sun, cell_size_m=ground.fine.cell_size_m), np.float32
    )


def exposure(inputs: Inputs, ground: Ground, parameters: Parameters) -> Exposure:
    """Residents of each building, or its floor area where residents are unknown."""
    buildings = ground.buildings
    floors = buildings["floor_area_m2"]
    use = buildings["use"] if "use" in buildings else pd.Series("yes", index=buildings.index)
    residential = use.fillna("yes").astype(str).isin(RESIDENTIAL)
    if not residential.any():
        residential = pd.Series(True, index=buildings.index)
    notes = []
    if "population" in inputs:
        people, left = areal_to_buildings(
            inputs.frame("population"), buildings, floors, residential=residential
        )
        lost = float(left["people"].sum())
        if not people.sum() > 0:
            raise DataError(
                f"population: none of its {lost:.0f} residents live in an area with a building "
                "that is lived in: check its column, its extent and the buildings' use"
            )
        if lost > 0:
            notes.append(
                Note(
                    "warning",
                    {
                        "en": f"{lost:.0f} residents live in areas without a building here and "
                        "are not counted.",
                        "fr": f"{lost:.0f} habitants de zones sans bâtiment ici ne sont pas "
                        "comptés.",
                    },
                )
            )
        notes += _straddling(inputs)
        if parameters.population_total is not None:
            notes.append(
                Note(
                    "warning",
                    {
                        "en": "The parameter population_total is not used: residents by area are "
                        "given.",
                        "fr": "Le paramètre population_total n'est pas utilisé : les habitants "
                        "par zone sont donnés.",
                    },
                )
            )
        return Exposure(people.to_numpy(np.float64), True, PEOPLE, tuple(notes))
    if parameters.population_total is not None:
        people = spread_population(
            buildings, floors, parameters.population_total, residential=residential
        )
        notes.append(
            Note(
                "assumption",
                {
                    "en": "Residents are the territory's total spread over housing by floor area.",
                    "fr": "Les habitants sont le total du territoire, réparti selon les planchers "
                    "de logement.",
                },
            )
        )
        return Exposure(people.to_numpy(np.float64), True, PEOPLE, tuple(notes))
    return Exposure(floors.to_numpy(np.float64), False, FLOOR, ())


def _straddling(inputs: Inputs) -> list[Note]:
    """Areas with residents of which a tenth or more lies outside: all their residents count."""
    areas = inputs.frame("population")
    areas = areas[areas["population"].fillna(0) > 0]
    inside = areas.intersection(inputs.territory.boundary_geometry).area / areas.area
    across = areas[inside < STRADDLING_SHARE]
    if across.empty:
        return []
    count, people = len(across), across["population"].sum()
    return [
        Note(
            "warning",
            {
                "en": f"{count} areas with {people:.0f} residents reach beyond the boundary: all "
                "their residents are placed in the buildings inside.",
                "fr": f"{count} zones de {people:.0f} habitants dépassent la limite : tous leurs "
                "habitants sont placés dans les bâtiments du territoire.",
            },
        )
    ]


PEOPLE = {"en": "residents", "fr": "habitants"}
FLOOR = {"en": "m² of floor", "fr": "m² de plancher"}


def gain(
    today: Cover, heat: CoolingResult, seen: Exposure, ground: Ground, parameters: Parameters
) -> NDArray[np.float32]:
    """Summed cooling (K x weight) for a square metre of open ground turned into park.

    Returns
    -------
    numpy.ndarray of float32, model shape
        NaN where no open ground of the territory lies in the cell.
    """
    capacity = cooling_capacity(*(table(n)[np.newaxis] for n in ("shade", "albedo", "kc")))[0]
    open_ground = np.isin(ground.classes, OPEN_GROUND) & ground.land
    rise = np.where(open_ground, capacity[PARK] - capacity[ground.classes], np.float32(np.nan))
    per_cell = block_mean(rise, ground.factor)
    share = open_share(ground)
    whole_cell = cooling_gain_per_m2(
        heat, today.green, spread_weight(seen.weight, ground),
        cc_gain=np.nan_to_num(per_cell) * share, green_after=today.green + share,
        cell_size_m=parameters.cell_size_m,
        uhi_max_k=parameters.uhi_max_k,
        cooling_distance_m=parameters.cooling_distance_m,
        mixing_radius_m=parameters.mixing_radius_m,
    )  # fmt: skip
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.isfinite(per_cell), whole_cell / share, np.nan).astype(np.float32)


def open_share(ground: Ground) -> NDArray[np.float32]:
    """Share of each model cell that is paved, bare or unclassified land."""
    return block_mean(
        (np.isin(ground.classes, OPEN_GROUND) & ground.land).astype(np.uint8), ground.factor
    )


def green_needed(
    per_m2: NDArray[np.float32], seen: Exposure, ground: Ground, *, target_k: float
) -> tuple[float | None, float]:
    """Least ground to turn green for a mean cooling, best places first.

    Parameters
    ----------
    per_m2 : numpy.ndarray, model shape
        From `gain`.
    target_k : float
        Mean cooling over the weight, K.

    Returns
    -------
    float or None
        Hectares; None if the target is out of reach.
    float
        Mean cooling if all open ground were green, K.
    """
    area = open_share(ground) * ground.grid.cell_size_m**2
    usable = np.isfinite(per_m2) & (area > 0) & (per_m2 > 0)
    order = np.argsort(-per_m2[usable], kind="stable")
    reached = np.cumsum((per_m2[usable] * area[usable])[order], dtype=np.float64)
    total = float(seen.weight.sum())
    within = float(reached[-1] / total) if reached.size else 0.0
    if within < target_k:
        return None, within
    cells = int(np.searchsorted(reached, target_k * total)) + 1
    return float(area[usable][order][:cells].sum() / 1e4), within


def shares(ground: Ground) -> dict[str, float]:
    """Green, tree and unclassified shares of the land, in percent."""
    land = ground.classes[ground.land]
    groups = {"green": (GRASS, PARK, TREE), "tree": (TREE,), "unclassified": (UNCLASSIFIED,)}
    return {name: 100 * float(np.isin(land, codes).mean()) for name, codes in groups.items()}


def cover(ground: Ground) -> Cover:
    """What the model reads of today's ground."""
    return cover_of(ground)
