"""The table of countries behind the scaffold's defaults."""

from typing import Any
from zoneinfo import ZoneInfo

import jinja2
import pytest
from ldt_toolbox.paths import data_root
from pyproj import CRS

ENVIRONMENT = jinja2.Environment(  # noqa: S701 - no HTML here
    loader=jinja2.FileSystemLoader(data_root()), undefined=jinja2.StrictUndefined,
    trim_blocks=True, lstrip_blocks=True,
)  # fmt: skip


def module(**answers: str) -> Any:
    given = {"country": "FR", "code": "", "center_lon": "0", "center_lat": "0", **answers}
    return ENVIRONMENT.get_template("templates/includes/places.jinja").make_module(given)


PLACES: dict[str, dict[str, Any]] = module().places
EU = {
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT",
    "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
}  # fmt: skip


def test_every_state_of_the_union_has_a_row() -> None:
    assert len(EU) == 27
    assert set(PLACES) >= EU


@pytest.mark.parametrize("key", sorted(PLACES))
def test_default_grid_is_projected_in_metres_and_covers_the_default_place(key: str) -> None:
    lon, lat = PLACES[key]["lon"], PLACES[key]["lat"]
    country, _, department = key.partition("-")
    answers = {"country": country, "code": department and department + "01"}
    made = module(**answers, center_lon=str(lon), center_lat=str(lat))
    assert str(made.fact("lon")) == str(lon)
    crs = CRS.from_user_input(str(made.grid()))
    assert crs.is_projected
    assert crs.axis_info[0].unit_name == "metre"
    area = crs.area_of_use
    assert area is not None
    assert area.west <= lon <= area.east
    assert area.south <= lat <= area.north
    ZoneInfo(PLACES[key]["timezone"])


def test_codes_are_insee_in_france_lau_in_the_union_and_national_elsewhere() -> None:
    systems = {c: str(module(country=c).code_system()) for c in ("FR", "FI", "MC", "GB", "JP")}
    assert systems == {
        "FR": "insee", "FI": "lau", "MC": "national", "GB": "national", "JP": "national",
    }  # fmt: skip


def test_utm_zones_at_the_edge_of_the_world() -> None:
    zones = {
        (lon, lat): str(module(country="ZZ", center_lon=lon, center_lat=lat).grid())
        for lon, lat in (("-180", "10"), ("180", "10"), ("179.9", "-10"), ("0", "1"))
    }
    assert zones == {
        ("-180", "10"): "EPSG:32601", ("180", "10"): "EPSG:32660",
        ("179.9", "-10"): "EPSG:32760", ("0", "1"): "EPSG:32631",
    }  # fmt: skip
