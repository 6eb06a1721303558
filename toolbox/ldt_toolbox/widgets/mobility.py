"""Click on a map: what is reached from there, how soon, and what is nearest."""

import html
import json
import math
from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import ipyleaflet
import ipywidgets as ipw
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from ldt_toolbox.errors import ParameterError
from ldt_toolbox.mobility import from_place, steps, transit_steps
from ldt_toolbox.mobility.network import Network
from ldt_toolbox.mobility.secrecy import share_told_pct
from ldt_toolbox.mobility.steps import Places, Site
from ldt_toolbox.mobility.timetable import Timetable
from ldt_toolbox.mobility.transit_steps import Offer
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.report.numbers import format_number
from ldt_toolbox.sources import Inputs
from ldt_toolbox.widgets.answer import Answer
from ldt_toolbox.widgets.figure import credited
from ldt_toolbox.widgets.maps import fitted_map, outline_layer
from ldt_toolbox.widgets.mobility_text import BAND_COLOURS, band_legend, nearest_table, said

LONGEST_MIN = 60
MOST_LISTED = 300
MIDDLE, CLICKED = -1, -2  # entries of the list that are no row of the destinations
_SIMPLER_M = 1.0


def access_explorer(
    inputs: Inputs,
    site: Site,
    bike: Network,
    here: Places,
    parameters: Parameters,
    *,
    offered: Offer | None = None,
    language: str = "en",
) -> "AccessExplorer":
    """Map on which a click shows what is reached from there, with a slider for the minutes.

    Parameters
    ----------
    inputs, site, bike, here, parameters
        What the steps of the use case return (see `ldt_toolbox.mobility.use_case.compute`); `site`
        is that on foot.
    offered : Offer, optional
        Timetable; with it public transport and its departure can be chosen.
    language : str
        ``en`` or ``fr``.

    Returns
    -------
    AccessExplorer
        Shown as the last line of a cell.
    """
    return AccessExplorer(inputs, site, bike, here, parameters, offered=offered, language=language)


class AccessExplorer(ipw.VBox):  # type: ignore[misc]
    """Isochrones from the place that was clicked or chosen.

    Attributes
    ----------
    mode : ipywidgets.ToggleButtons
        `walk`, `bike` and, where there is a timetable, `transit`.
    minutes : ipywidgets.IntSlider
        Limit of the outermost of three bands.
    departure : ipywidgets.SelectionSlider
        Seconds since midnight; shown only where there is a timetable.
    place : ipywidgets.Dropdown
        Named places, for those who can't or don't want to click.
    areas : ipyleaflet.GeoJSON
        The bands.
    reached : geopandas.GeoDataFrame
        From `from_place.bands`.
    nearest : pandas.DataFrame
        From `from_place.nearest_places`.
    """

    def __init__(
        self,
        inputs: Inputs,
        site: Site,
        bike: Network,
        here: Places,
        parameters: Parameters,
        *,
        offered: Offer | None,
        language: str,
    ) -> None:
        self._inputs, self._here, self._parameters = inputs, here, parameters
        self._bike, self._language = bike, language
        self._sites: dict[str, Site] = {"walk": site}
        self._timetable: Timetable | None = None
        if offered is not None:
            self._timetable = transit_steps.timetable_of(offered, site, here, parameters)
        territory = inputs.territory
        self._crs = site.network.edges.crs
        self._boundary = gpd.GeoSeries([territory.boundary_geometry], crs=territory.crs)
        node, _ = steps.centre(site, here, parameters)
        self._middle = shapely.Point(site.network.node_xy[node])
        self._make_controls()
        self._set_out(self._middle, self.place.label)
        self.areas = ipyleaflet.GeoJSON(data=_no_features())
        self.dot = ipyleaflet.CircleMarker(
            radius=7,
            color="#ffffff",
            weight=2,
            fill_color="#d7191c",
            fill_opacity=1.0,
            pane="markerPane",  # above the areas, which are drawn anew
        )
        self.answer = Answer(self._said("wait"))
        self.table, self._key = ipw.HTML(), ipw.HTML()
        self.map = self._map()
        self.update()
        label = ipw.Label(
            self._said("mode"), layout={"width": "8em", "justify_content": "flex-end"}
        )  # fmt: skip
        super().__init__(
            [
                ipw.HBox([label, self.mode]), self.place, self.minutes, self.departure,
                self.answer, self._key, self.map, self.table, ipw.HTML(self._caption()),
            ],
            layout={"max_width": "60em"},
        )  # fmt: skip
        for widget in (self.mode, self.minutes, self.departure):
            widget.observe(self._moved, names="value")
        self.place.observe(self._chosen, names="value")
        self.map.on_interaction(self._clicked)

    def update(self) -> None:
        """Search from the place and show what comes out."""
        mode, top = self.mode.value, int(self.minutes.value)
        site = self._site(mode)
        if self._start_mode != mode:
            self._set_out(self._point, self._label)
        seconds = self._seconds(site, mode)
        limits = [60.0 * top * part / 3 for part in (1, 2, 3)]
        self.reached = from_place.bands(self._start, seconds, limits)
        spots = self._here.spots
        self.nearest = from_place.nearest_places(seconds, site.spot, spots, self._here.classes)
        self._show(limits)
        on = site.home >= 0
        near = np.zeros(len(on), np.bool_)
        near[on] = seconds[site.home[on]] <= limits[-1]
        last = self.reached.iloc[-1]
        how = self._said(mode)
        if mode == "transit":
            how += self._said("leaving", time=_clock(self.departure.value))
        self.answer.say(
            self._said(
                "answer", ha=self._figure(last["area_m2"] / 1e4, 1), minutes=top, how=how,
                km=self._figure(last["reached_m"] / 1e3, 1), place=html.escape(self._label),
                share=self._share(near),
            )
        )  # fmt: skip

    def _share(self, near: NDArray[np.bool_]) -> str:
        """Share of all residents or floors nearby, where it does not tell of a few.

        Of residents it is told in steps that hold `fewest_people` or more: else two positions of
        the slider would tell of those between.
        """
        homes, fewest = self._here.homes, self._parameters.fewest_people
        unit = html.escape(homes.unit.get(self._language, ""))
        share = share_told_pct(homes, near, fewest=fewest)
        if share is None:
            return self._said("share_hidden", weight=unit)
        step = max(1, math.ceil(100 * fewest / homes.weight.sum())) if homes.people else 1
        told = min(100, step * round(share / step))
        return self._said("share", share=self._figure(told, 0), weight=unit)

    def start_from(self, latitude: float, longitude: float) -> None:
        """Set out from a place, as a click does.

        Parameters
        ----------
        latitude, longitude : float
            EPSG:4326, degrees.
        """
        said = {"lat": self._figure(latitude, 5), "lon": self._figure(longitude, 5)}
        lonlat = gpd.GeoSeries.from_xy([longitude], [latitude], crs="EPSG:4326")
        point = lonlat.to_crs(self._crs).iloc[0]
        if not self._boundary.to_crs(self._crs).iloc[0].intersects(point):
            name = self._inputs.territory.name(self._language)
            self.answer.complain(self._said("outside", name=name, **said))
            return
        try:
            self._set_out(point, self._said("clicked"))
        except ParameterError:
            limit = f"{self._parameters.join_distance_m:g}"
            self.answer.complain(self._said("far", limit=limit, **said))
            return
        self.place.value = CLICKED
        self.answer.now(self.update)

    def _site(self, mode: str) -> Site:
        key = "bike" if mode == "bike" else "walk"
        if key not in self._sites:
            self._sites[key] = steps.join(self._bike, self._here, self._parameters)
        return self._sites[key]

    def _seconds(self, site: Site, mode: str) -> NDArray[np.float64]:
        # farther than the slider, so that the table knows the nearest place beyond it too
        if mode != "transit" or self._timetable is None:
            return from_place.seconds_from(self._start, limit_s=60.0 * LONGEST_MIN)
        return from_place.seconds_by_transit(
            self._start, self._timetable, site.stop,
            self._here.stops["row"].to_numpy(np.int64), departure_s=int(self.departure.value),
            limit_s=60.0 * LONGEST_MIN, walk_s=60.0 * self._parameters.access_walk_min,
            max_transfers=self._parameters.max_transfers,
        )  # fmt: skip

    def _clicked(self, **event: Any) -> None:
        if event.get("type") == "click" and event.get("coordinates"):
            latitude, longitude = (float(value) for value in event["coordinates"])
            self.start_from(latitude, longitude)

    def _chosen(self, change: Mapping[str, Any]) -> None:
        row = int(change["new"])
        if row == CLICKED:
            return
        spots, label = self._listed_from(), self.place.label
        point = self._middle if row == MIDDLE else spots.geometry.iloc[row].representative_point()
        self.answer.now(lambda: self._start_anew(point, label))

    def _set_out(self, point: shapely.Point, label: str) -> None:
        mode = self.mode.value
        limit = self._parameters.join_distance_m
        network = self._site(mode).network
        self._start = from_place.start_at(network, point, max_distance_m=limit)
        self._point, self._label, self._start_mode = point, label, mode

    def _start_anew(self, point: shapely.Point, label: str) -> None:
        self._set_out(point, label)
        self.update()

    def _moved(self, change: Mapping[str, Any]) -> None:
        """Wait a moment: who drags a slider wants the last position only."""
        if change["owner"] is self.mode:
            self.departure.layout.display = None if change["new"] == "transit" else "none"
        self.answer.soon(self.update)

    def _show(self, limits: list[float]) -> None:
        shapes = self.reached.geometry.simplify(_SIMPLER_M).to_numpy()
        rings = shapely.difference(shapes[1:], shapes[:-1])
        drawn = gpd.GeoSeries([shapes[0], *rings], crs=self._crs).to_crs(4326)
        features = []
        for shape, colour, limit in zip(drawn, BAND_COLOURS, limits, strict=True):
            rounded = shapely.transform(shape, lambda xy: xy.round(6))
            style = {
                "color": colour, "weight": 0.5, "fillColor": colour, "fillOpacity": 0.75,
                "interactive": False,
            }  # fmt: skip
            features.append(
                {
                    "type": "Feature",
                    "properties": {"minutes": limit / 60, "style": style},
                    "geometry": json.loads(shapely.to_geojson(rounded)),
                }
            )
        self.areas.data = {"type": "FeatureCollection", "features": features}
        where = gpd.GeoSeries([self._point], crs=self._crs).to_crs(4326).iloc[0]
        self.dot.location = (where.y, where.x)
        self._key.value = band_legend(limits, self._language)
        self.table.value = nearest_table(self.nearest, self._language, beyond_min=LONGEST_MIN)

    def _make_controls(self) -> None:
        modes = ["walk", "bike"] + (["transit"] if self._timetable is not None else [])
        wide = {"style": {"description_width": "8em"}, "layout": {"width": "36em"}}
        self.mode = ipw.ToggleButtons(
            options=[(self._said(mode), mode) for mode in modes], value="walk",
            style={"button_width": "12em"}, layout={"width": "max-content"},
            tooltips=[self._said("mode")] * len(modes),
        )  # fmt: skip
        top = max(3, 3 * round(min(self._parameters.near_minutes, LONGEST_MIN) / 3))
        self.minutes = ipw.IntSlider(
            value=top, min=3, max=LONGEST_MIN, step=3, description=self._said("minutes"),
            continuous_update=False, **wide,
        )  # fmt: skip
        times = self._departures()
        self.departure = ipw.SelectionSlider(
            options=[(_clock(time), time) for time in times],
            value=int(transit_steps.departures(self._parameters)[0]),
            description=self._said("departure"), continuous_update=False, **wide,
        )  # fmt: skip
        self.departure.layout.display = "none"
        named = _named(self._listed_from(), self._here.classes)
        first = "given" if self._parameters.isochrone_from else "middle"
        self.place = ipw.Dropdown(
            options=[(self._said(first), MIDDLE), (self._said("clicked"), CLICKED), *named],
            value=MIDDLE, description=self._said("place"), **wide,
        )  # fmt: skip

    def _departures(self) -> list[int]:
        """Every few minutes of the day of service, and the beginning of the departure window."""
        window = transit_steps.departures(self._parameters)
        if self._timetable is None or not len(self._timetable.departures):
            return [int(time) for time in window]
        step = 60 * self._parameters.departure_step_min
        runs = self._timetable.departures
        day = np.arange(int(runs.min()) // step * step, int(runs.max()) + 1, step)
        return [int(time) for time in np.union1d(day, window)]

    def _listed_from(self) -> gpd.GeoDataFrame:
        """Destinations, or stops where no destination is known."""
        return self._here.spots if len(self._here.spots) else self._here.stops

    def _map(self) -> Any:
        west, south, east, north = self._boundary.to_crs(4326).total_bounds
        drawn = fitted_map(((south, west), (north, east)))
        if "buildings" in self._inputs:
            shapes = self._inputs.frame("buildings")
            name = self._said("buildings")
            drawn.add(outline_layer(shapes, name=name, colour="#999999"))
        name = self._said("boundary")
        drawn.add(outline_layer(self._boundary, name=name, colour="#000000", width_px=1.5))
        drawn.add(self.areas)
        drawn.add(self.dot)
        drawn.default_style = {"cursor": "crosshair"}
        drawn.add_class("ldt-access")
        return drawn

    def _caption(self) -> str:
        credit = html.escape(credited(self._inputs.territory, self._inputs.layers))
        paper = "<style>.ldt-access .leaflet-container{background:#fff}</style>"
        text = self._said("caption", credit=credit)
        return f'{paper}<p style="color:#595959;line-height:1.35;margin:.3em 0">{text}</p>'

    def _said(self, key: str, **values: object) -> str:
        return said(key, self._language, **values)

    def _figure(self, value: float, decimals: int) -> str:
        return format_number(value, language=self._language, decimals=decimals)


def _named(spots: pd.DataFrame, classes: tuple[str, ...]) -> list[tuple[str, int]]:
    """Names and rows of places that have one, each name once; the first classes have the right."""
    names = spots["name"].fillna("").astype(str)
    names = names[(names != "") & ~names.duplicated()]
    if "class" in spots:
        rank = spots.loc[names.index, "class"].map({name: i for i, name in enumerate(classes)})
        names = names.loc[rank.sort_values(kind="stable").index]
    listed = names.iloc[:MOST_LISTED].sort_values(key=lambda column: column.str.lower())
    return list(zip(listed, listed.index.tolist(), strict=True))


def _clock(seconds: int) -> str:
    """Hours and minutes; timetables go on after midnight."""
    days, hours = divmod(seconds // 3600, 24)
    return f"{hours:02d}:{seconds // 60 % 60:02d}" + (f" +{days}" if days else "")


def _no_features() -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": []}
