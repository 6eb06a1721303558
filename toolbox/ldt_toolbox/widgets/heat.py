"""The heat-island scenario to play with: sliders, a number, a map."""

import html
from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import ipyleaflet
import ipywidgets as ipw
import numpy as np

from ldt_toolbox.heat import steps, use_case
from ldt_toolbox.heat.cooling import CoolingResult
from ldt_toolbox.heat.exposure import at_buildings, weighted_mean
from ldt_toolbox.heat.ground import Ground
from ldt_toolbox.heat.scenario import Measure
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.sources import Inputs
from ldt_toolbox.space.paint import block_mean
from ldt_toolbox.use_case import UseCase
from ldt_toolbox.widgets.answer import Answer
from ldt_toolbox.widgets.figure import credited
from ldt_toolbox.widgets.maps import CoolingScale, MercatorImage, fitted_map, outline_layer

MOST_PLACES = 50
SLIDERS = ("scenario_place_count", "cool_roof_share", "depave_share", "tree_spacing_m")

_WORDS = {
    "scenario_place_count": {"en": "Places to plant", "fr": "Lieux à planter"},
    "cool_roof_share": {"en": "Cool roofs, share", "fr": "Toits frais, part"},
    "depave_share": {"en": "Depaving, share", "fr": "Désimperméabiliser, part"},
    "tree_spacing_m": {"en": "Tree spacing, m", "fr": "Écart des arbres, m"},
    "legend": {
        "en": "Modelled change of air temperature, K",
        "fr": "Changement modélisé de la température de l'air, K",
    },
    "warmer": {"en": "warmer", "fr": "plus chaud"},
    "buildings": {"en": "buildings", "fr": "bâtiments"},
    "boundary": {"en": "boundary", "fr": "limite"},
    "wait": {"en": "Computing …", "fr": "Calcul …"},
    "caption": {
        "en": "Change against today where measures act; clear where it is smaller than "
        "{least:g} K. Buildings grey, boundary black. Modelled, not measured. {credit}",
        "fr": "Changement par rapport à aujourd'hui ; transparent en dessous de {least:g} K. "
        "Bâtiments en gris, limite en noir. Modélisé, non mesuré. {credit}",
    },
    "answer": {
        "en": "Mean change <b>{mean} K</b>, weighted by {weight} · {trees} new trees · "
        "{water} m³ of water a day",
        "fr": "Changement moyen <b>{mean} K</b>, pondéré par {weight} · {trees} nouveaux arbres · "
        "{water} m³ d'eau par jour",
    },
}


def scenario_explorer(
    inputs: Inputs,
    ground: Ground,
    heat: CoolingResult,
    summer: steps.Climate,
    seen: steps.Exposure,
    ranked: gpd.GeoDataFrame,
    parameters: Parameters,
    *,
    language: str = "en",
) -> "ScenarioExplorer":
    """Sliders for the measures, with the model behind them.

    Parameters
    ----------
    inputs, ground, heat, summer, seen, ranked, parameters
        What the steps of the use case return (see `ldt_toolbox.heat.use_case.compute`).
    language : str
        ``en`` or ``fr``.

    Returns
    -------
    ScenarioExplorer
        Shown as the last line of a cell.
    """
    return ScenarioExplorer(
        inputs, ground, heat, summer, seen, ranked, parameters, language=language
    )


class ScenarioExplorer(ipw.VBox):  # type: ignore[misc]
    """Runs the model again when a slider moves, and shows the change on a map and as a number.

    Attributes
    ----------
    sliders : dict of str to ipywidgets.Widget
        By parameter.
    image : ipyleaflet.ImageOverlay
        The change.
    scale : CoolingScale
        Its colours, the same for every position of the sliders.
    mean_change_k : float
        Weighted by residents or floor area, K; negative is cooler.
    water_m3_day : float
        What the new green draws.
    trees : int
        Planted.
    """

    def __init__(
        self,
        inputs: Inputs,
        ground: Ground,
        heat: CoolingResult,
        summer: steps.Climate,
        seen: steps.Exposure,
        ranked: gpd.GeoDataFrame,
        parameters: Parameters,
        *,
        language: str = "en",
    ) -> None:
        self._inputs, self._ground, self._heat = inputs, ground, heat
        self._summer, self._seen, self._parameters = summer, seen, parameters
        self._ranked, self._language = ranked, language
        named = set(parameters.scenario_places)
        chosen = ranked["name"].isin(named) if named else ranked["kind"] == "street"
        self._candidates = list(dict.fromkeys(ranked.loc[chosen, "name"]))
        self.mean_change_k, self.water_m3_day, self.trees = 0.0, 0.0, 0
        self.sliders = self._make_sliders()
        land = block_mean(ground.land.astype(np.uint8), ground.factor) > 0
        self._painter = MercatorImage(ground.grid, land)
        strongest = self._change(self._measure(self._strongest()))
        self.scale = CoolingScale.up_to(float(-np.nanmin(np.where(land, strongest, np.nan))))
        self.image = ipyleaflet.ImageOverlay(bounds=self._painter.bounds, opacity=0.85)
        self.answer = Answer(_WORDS["wait"][language])
        self.update()
        super().__init__(
            [
                ipw.HBox(list(self.sliders.values()), layout={"flex_flow": "row wrap"}),
                self.answer,
                ipw.HTML(self._legend()),
                self._map(),
                ipw.HTML(self._caption()),
            ],
            layout={"max_width": "60em"},
        )
        for slider in self.sliders.values():
            slider.observe(lambda _change: self.answer.soon(self.update), names="value")

    def update(self) -> None:
        """Run the model with the sliders' values and show what comes out."""
        measure = self._measure({name: slider.value for name, slider in self.sliders.items()})
        change = self._change(measure)
        felt = at_buildings(change, self._ground)
        self.mean_change_k = weighted_mean(felt, self._seen.weight)
        self.water_m3_day = measure.extra_kc_m2 * self._summer.et0_mm_day / 1000
        self.trees = measure.trees
        self.image.url = self._painter.data_uri(change, self.scale)
        text = _WORDS["answer"][self._language].format(
            mean=self._number(f"{self.mean_change_k:.3f}"),
            weight=html.escape(self._seen.unit[self._language]),
            trees=self.trees,
            water=self._number(f"{self.water_m3_day:.1f}"),
        )
        self.answer.say(text)

    def _measure(self, wanted: Mapping[str, Any]) -> Measure:
        """Build all measures together for some values of the sliders."""
        count = int(wanted["scenario_place_count"])
        named = tuple(self._candidates[:count]) if self._parameters.scenario_places else ()
        values = {**self._parameters, **wanted, "scenario_places": named}
        changed = Parameters(values, self._parameters.origin)
        return use_case.plan(self._inputs, self._ground, self._ranked, changed)["all"]

    def _change(self, measure: Measure) -> Any:
        after = steps.model(measure.cover, self._summer, self._parameters).temperature_c
        return after - self._heat.temperature_c

    def _strongest(self) -> dict[str, Any]:
        ends = {name: slider.max for name, slider in self.sliders.items()}
        return ends | {"tree_spacing_m": self._parameters.tree_spacing_m}

    def _make_sliders(self) -> dict[str, Any]:
        declared = UseCase.find("heat-islands", near=self._inputs.territory.folder).parameters
        made: dict[str, Any] = {}
        for name in SLIDERS:
            one = declared[name]
            low, high = one.min or 0, one.max if one.max is not None else 1
            value = self._parameters[name]
            if name == "scenario_place_count":
                high = min(len(self._candidates), MOST_PLACES)
                value = len(self._candidates) if self._parameters.scenario_places else value
            whole = one.type == "integer"
            kind = ipw.IntSlider if whole else ipw.FloatSlider
            steps_of = {"step": 1} if whole or high > 1 else {"step": 0.05}
            look = {} if whole else {"readout_format": ".2f" if high <= 1 else ".0f"}
            made[name] = kind(
                value=min(max(value, low), high), min=low, max=high, **steps_of, **look,
                description=_WORDS[name][self._language],
                tooltip=one.help.get(self._language, ""), continuous_update=False,
                style={"description_width": "11.5em"}, layout={"width": "26em"},
            )  # fmt: skip
        return made

    def _map(self) -> Any:
        drawn = fitted_map(self._painter.bounds)
        territory = self._inputs.territory
        boundary = gpd.GeoSeries([territory.boundary_geometry], crs=territory.crs)
        words = {key: text[self._language] for key, text in _WORDS.items()}
        drawn.add(self.image)
        drawn.add(outline_layer(self._ground.buildings, name=words["buildings"], colour="#777777"))
        drawn.add(outline_layer(boundary, name=words["boundary"], colour="#000000", width_px=1.5))
        drawn.add_class("ldt-map")
        return drawn

    def _legend(self) -> str:
        mark = "," if self._language == "fr" else "."
        title, warmer = (_WORDS[key][self._language] for key in ("legend", "warmer"))
        paper = "<style>.ldt-map .leaflet-container{background:#fff}</style>"
        return paper + self.scale.legend(title, warmer=warmer, decimal_mark=mark)

    def _caption(self) -> str:
        credit = credited(self._inputs.territory, self._inputs.layers)
        text = _WORDS["caption"][self._language].format(
            least=self.scale.edges_k[0], credit=html.escape(credit)
        )
        return f'<p style="color:#595959;line-height:1.35;margin:.3em 0">{text}</p>'

    def _number(self, text: str) -> str:
        text = text.replace("-", "−")
        return text.replace(".", ",") if self._language == "fr" else text
