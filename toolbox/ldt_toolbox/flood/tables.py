"""The tables of a flood run by id of the manifest."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from rasterio.features import shapes

from ldt_toolbox.flood import zones
from ldt_toolbox.flood.agirisk import agirisk_indicators
from ldt_toolbox.flood.exposure import people_by_depth
from ldt_toolbox.flood.ground import Ground
from ldt_toolbox.flood.simulation import Simulation
from ldt_toolbox.flood.steps import Access, Yearly
from ldt_toolbox.flood.storms import Rain
from ldt_toolbox.flood.town import Impact, Town
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.sources import Inputs
from ldt_toolbox.space.raster import Raster

FARMLAND = ("farmland", "meadow")
STATUS_LOST = ("street flooded", "cut off")


def of(
    rain: Rain,
    town: Town,
    hit: Impact,
    yearly: Yearly,
    access: Access | None,
    table: pd.DataFrame,
    spots: gpd.GeoDataFrame,
    stages: pd.DataFrame,
    ground: Ground,
    inputs: Inputs,
    run: Simulation,
    parameters: Parameters,
) -> dict[str, pd.DataFrame]:
    """All tables; arguments as in `use_case.assemble`."""
    count = parameters.ranked_places
    made = {
        "scenarios": table,
        "return_periods": yearly.table.drop(columns="people")
        if town.people is None
        else yearly.table,
        "rain": rain.table,
        "agirisk": agirisk(town, hit, ground, inputs, run, parameters),
        "buildings_hit": ranked_buildings(town, hit, count),
        "blue_spots": pd.DataFrame(spots.drop(columns="geometry")).head(count),
        "stages": stages,
        "water_balance": water_balance(run),
    }
    if access is not None:
        made["streets_hit"] = ranked_streets(access, count)
        if access.places is not None:
            made["places_hit"] = places(access)
    if town.people is not None:
        made["people_by_depth"] = people_in_water(town, hit)
    if "flood_zones" in inputs:
        hit_zones = zones.zones_hit(inputs.frame("flood_zones"), town)
        made["zones_hit"] = (
            hit_zones if town.people is not None else hit_zones.drop(columns="people")
        )
    return made


def agirisk(
    town: Town, hit: Impact, ground: Ground, inputs: Inputs, run: Simulation, parameters: Parameters
) -> pd.DataFrame:
    """AgiRisk's indicators: `indicator`, `value`, `total`, `share_pct`, `unknown`, `unit`, `state`.

    The state is "counted", "counted in part" where depth, storeys or numbers are not known of
    all, or "not counted" where a role or column is missing.
    """
    frame = town.buildings
    columns = [
        c for c in ("people", "storeys", "elderly", "dwellings", "jobs", "class") if c in frame
    ]
    told = frame[columns].copy()
    if "storeys" in told:
        told["storeys"] = told["storeys"].where(frame["storeys_known"])
    if hit.damage_eur is not None:
        told["damage_eur"] = hit.damage_eur
    found = agirisk_indicators(
        pd.DataFrame(told), hit.depth_m, wet_above_m=parameters.wet_depth_m,
        farmland=fields(inputs),
        depth=ground.raster(run.peaks.depth_m.astype(np.float32)),
        crop_value_eur_m2=parameters.crop_value_eur_m2,
    ).reset_index()  # fmt: skip
    found["state"] = np.select(
        [found["value"].isna(), found["unknown"] != 0], ["not counted", "counted in part"],
        "counted",
    )  # fmt: skip
    found["share_pct"] = 100 * found["share"]
    return found[["indicator", "value", "total", "share_pct", "unknown", "unit", "state"]]


def fields(inputs: Inputs) -> gpd.GeoDataFrame | None:
    """Farmland of the land cover as polygons, also where that is a raster; None without any."""
    if "land_cover" not in inputs:
        return None
    layer = inputs.layers["land_cover"]
    if isinstance(layer.data, Raster):
        names = dict(layer.source.classes)
        found = np.isin(
            layer.data.values,
            [v for v in np.unique(layer.data.values) if names.get(str(v), str(v)) in FARMLAND],
        )
        outlines = shapes(found.astype(np.uint8), mask=found, transform=layer.data.transform)
        geometry = [shapely.geometry.shape(outline) for outline, _ in outlines]
        return gpd.GeoDataFrame(geometry=geometry, crs=layer.data.crs) if geometry else None
    names = dict(layer.source.classes)
    cover = inputs.frame("land_cover")
    told = cover["class"].astype(str)
    cover = cover[told.replace(names).isin(FARMLAND)]
    return cover if len(cover) else None


def people_in_water(town: Town, hit: Impact) -> pd.DataFrame:
    """Residents by depth at their building: `depth_m`, `people`, `share_pct`, `people_unknown`."""
    assert town.people is not None  # noqa: S101 - the caller has looked
    found = people_by_depth(town.people, hit.depth_m).reset_index()
    found["share_pct"] = 100 * found.pop("share")
    return found[["depth_m", "people", "share_pct", "people_unknown"]]


def ranked_buildings(town: Town, hit: Impact, count: int) -> pd.DataFrame:
    """Buildings by their damage: `rank`, `building`, `class`, `depth_m`, `damaged_m2` ..."""
    frame = town.buildings
    name = frame["name"].fillna("").astype(str) if "name" in frame else pd.Series("", frame.index)
    known = (
        frame["id"].astype(str)
        if "id" in frame
        else pd.Series(frame.index.astype(str), frame.index)
    )
    listed = pd.DataFrame(
        {
            "building": name.where(name != "", known),
            "class": frame["class"],
            "depth_m": hit.depth_m,
            "damaged_m2": hit.damaged_m2,
        }
    )
    if hit.damage_eur is not None:
        listed["damage_eur"] = hit.damage_eur
    if town.people is not None:
        listed["people"] = town.people
    listed = listed[hit.wet].sort_values("damaged_m2", ascending=False, kind="stable").head(count)
    listed.insert(0, "rank", np.arange(1, len(listed) + 1))
    return listed.reset_index(drop=True)


def ranked_streets(access: Access, count: int) -> pd.DataFrame:
    """Streets closed to cars by name: `name`, `class`, `length_m`, `depth_m`, `closed_to`."""
    cut = access.streets[access.streets["cut_car"]]
    columns = ["name", "class", "length_m", "depth_m", "closed_to"]
    if cut.empty:
        return pd.DataFrame(columns=columns)
    name = cut["name"].fillna("").astype(str) if "name" in cut else pd.Series("", cut.index)
    kind = cut["class"].astype(str) if "class" in cut else pd.Series("", cut.index)
    grouped = (
        cut.assign(name=name, **{"class": kind})
        .groupby(["name", "class"])
        .agg(
            length_m=("length_m", "sum"), depth_m=("depth_m", "max"),
            emergency=("cut_emergency", "any"), foot=("cut_pedestrian", "any"),
        )
        .reset_index()
    )  # fmt: skip
    closed = np.select(
        [grouped["emergency"] & grouped["foot"], grouped["emergency"], grouped["foot"]],
        ["all", "cars and emergency", "cars and walkers"], "cars",
    )  # fmt: skip
    listed: pd.DataFrame = grouped.assign(closed_to=closed).sort_values(
        ["length_m", "name"], ascending=[False, True], kind="stable"
    )
    return listed[columns].head(count).reset_index(drop=True)


def places(access: Access) -> pd.DataFrame:
    """Places that lose their street: `name`, `class`, `status`, `distance_m`."""
    assert access.places is not None  # noqa: S101 - the caller has looked
    lost = access.places[access.places["status"].isin(STATUS_LOST)]
    name = lost["name"].fillna("").astype(str) if "name" in lost else pd.Series("", lost.index)
    frame = pd.DataFrame(
        {
            "name": name,
            "class": lost["class"].astype(str),
            "status": lost["status"],
            "distance_m": lost["distance_m"],
        }
    )
    return frame.sort_values(["class", "name"]).reset_index(drop=True)


def water_balance(run: Simulation) -> pd.DataFrame:
    """Where the water came from and went to: `part`, `volume_m3`."""
    ledger = run.ledger
    parts = {
        "rain": ledger.rain, "inflow": ledger.inflow, "initial": ledger.initial,
        "losses": ledger.losses, "outflow": ledger.outflow, "stored": ledger.stored,
        "error": ledger.error,
    }  # fmt: skip
    return pd.DataFrame({"part": list(parts), "volume_m3": list(parts.values())})
