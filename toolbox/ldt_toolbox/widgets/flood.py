"""The flood to play with: a stage of the screening, or measures with the model behind them."""

import html
from typing import Any

import geopandas as gpd
import ipyleaflet
import ipywidgets as ipw
import numpy as np
from numpy.typing import NDArray

from ldt_toolbox.flood import flooding, scenario, screening, steps, town, use_case
from ldt_toolbox.flood.coarse import coarse_ground, coarse_setup, side_within
from ldt_toolbox.flood.ground import Ground, Setup
from ldt_toolbox.flood.hand import stage_depth
from ldt_toolbox.flood.screening import Screening
from ldt_toolbox.flood.storms import Rain
from ldt_toolbox.flood.town import Town
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.report.colours import colour_scale
from ldt_toolbox.sources import Inputs
from ldt_toolbox.space.paint import pool
from ldt_toolbox.use_case import UseCase
from ldt_toolbox.widgets.answer import Answer
from ldt_toolbox.widgets.figure import credited
from ldt_toolbox.widgets.maps import DepthScale, MercatorImage, fitted_map, outline_layer

HIGHEST_STAGE_M = 6.0
MOST_CELLS = 20_000  # the model answers within a second or two
SLIDERS = ("climate_factor", "depave_share", "basin_count", "sewer_extra_mm_h")
# What a slider may ask for at most where the manifest allows more than makes sense on a screen.
_MOST = {"climate_factor": 2.0, "basin_count": 20, "sewer_extra_mm_h": 60.0}
_LEAST = {"climate_factor": 1.0}
_STEP = {"depave_share": 0.05, "climate_factor": 0.05, "sewer_extra_mm_h": 5.0, "basin_count": 1}

_WORDS = {
    "mode": {"en": "Show", "fr": "Montrer"},
    "event": {"en": "event with measures", "fr": "événement avec mesures"},
    "stage": {"en": "screening: one stage", "fr": "repérage : une hauteur"},
    "stage_m": {"en": "Stage above rivers, m", "fr": "Hauteur au-dessus des rivières, m"},
    "climate_factor": {"en": "Rain, times today's", "fr": "Pluie, fois celle d'aujourd'hui"},
    "depave_share": {"en": "Depaving, share", "fr": "Désimperméabiliser, part"},
    "basin_count": {"en": "Retention basins", "fr": "Bassins de rétention"},
    "sewer_extra_mm_h": {"en": "Larger sewers, mm/h", "fr": "Égouts plus grands, mm/h"},
    "legend": {"en": "Modelled depth, m", "fr": "Hauteur d'eau modélisée, m"},
    "buildings": {"en": "buildings", "fr": "bâtiments"},
    "boundary": {"en": "boundary", "fr": "limite"},
    "wait": {"en": "Computing …", "fr": "Calcul …"},
    "caption": {
        "en": "Clear where the water is less than 5 cm deep. Buildings grey, boundary black. "
        "Modelled, not measured; cells of {cell} m. {credit}",
        "fr": "Transparent sous 5 cm d'eau. Bâtiments en gris, limite en noir. Modélisé, non "
        "mesuré ; mailles de {cell} m. {credit}",
    },
    "coarser": {
        "en": "Larger cells than those of the report ({own} m), to answer at once: compare numbers "
        "here with each other only.",
        "fr": "Mailles plus grandes que celles du rapport ({own} m), pour répondre aussitôt : ne "
        "comparer les nombres d'ici qu'entre eux.",
    },
    "answer_event": {
        "en": "<b>{ha} ha</b> under water · {buildings} buildings hit · today {today} ha",
        "fr": "<b>{ha} ha</b> sous l'eau · {buildings} bâtiments touchés · aujourd'hui {today} ha",
    },
    "answer_stage": {
        "en": "<b>{ha} ha</b> of ground lie lower than that. A screening, never a hazard map.",
        "fr": "<b>{ha} ha</b> de terrain sont plus bas. Un repérage, jamais une carte d'aléa.",
    },
}


def flood_explorer(
    inputs: Inputs,
    ground: Ground,
    found: Screening,
    rain: Rain,
    places: Town,
    parameters: Parameters,
    *,
    language: str = "en",
) -> "FloodExplorer":
    """Sliders for stage, rain and measures, with the model behind them.

    Parameters
    ----------
    inputs, ground, found, rain, places, parameters
        What the steps of the use case return (see `ldt_toolbox.flood.use_case.compute`).
    language : str
        ``en`` or ``fr``.

    Returns
    -------
    FloodExplorer
        Shown as the last line of a cell.
    """
    return FloodExplorer(inputs, ground, found, rain, places, parameters, language=language)


class FloodExplorer(ipw.VBox):  # type: ignore[misc]
    """Simulates the event again when a slider moves, and shows depths on a map and numbers.

    A grid of more than `MOST_CELLS` is simulated and shown on larger cells, today's event, too.

    Attributes
    ----------
    mode : ipywidgets.ToggleButtons
        `event` or `stage`.
    sliders : dict of str to ipywidgets.Widget
        By parameter; `stage_m` belongs to the screening, all others to the event.
    image : ipyleaflet.ImageOverlay
        The depths.
    flooded_ha : float
        Ground of the territory deeper under water than the parameter `wet_depth_m`; of the
        screening, ground that lies lower than the stage.
    """

    def __init__(
        self,
        inputs: Inputs,
        ground: Ground,
        found: Screening,
        rain: Rain,
        places: Town,
        parameters: Parameters,
        *,
        language: str = "en",
    ) -> None:
        self._inputs, self._ground, self._found = inputs, ground, found
        self._rain, self._town, self._parameters = rain, places, parameters
        self._language = language
        self._side = side_within(ground.grid.values.size, MOST_CELLS, power=2)
        self._shown = coarse_ground(ground, self._side)
        self._water = steps.inflows(inputs, self._shown)
        self.sliders = self._make_sliders()
        words = {key: text[language] for key, text in _WORDS.items()}
        self.mode = ipw.ToggleButtons(
            options=[(words["event"], "event"), (words["stage"], "stage")], value="event",
            description=words["mode"], style={"button_width": "15em"},
        )  # fmt: skip
        known = np.isfinite(self._shown.setup.elevation)
        self.scale = DepthScale.of(colour_scale(np.zeros(1), style="depth", unit="MTR"))
        self._painter = MercatorImage(self._shown.grid, known)
        self.image = ipyleaflet.ImageOverlay(bounds=self._painter.bounds, opacity=0.85)
        self.answer = Answer(_WORDS["wait"][language])
        self._today_ha = self._impact(self._simulated(self._shown.setup, 1.0))["flooded_ha"]
        self.update()
        super().__init__(
            [
                self.mode,
                ipw.HBox(list(self.sliders.values()), layout={"flex_flow": "row wrap"}),
                self.answer,
                ipw.HTML(self.scale.legend(words["legend"], language=language)),
                self._map(),
                ipw.HTML(self._caption()),
            ],
            layout={"max_width": "60em"},
        )
        for widget in (self.mode, *self.sliders.values()):
            widget.observe(lambda _change: self.answer.soon(self.update), names="value")

    def update(self) -> None:
        """Compute what is asked for and show what comes out."""
        stage = self.mode.value == "stage"
        for name, slider in self.sliders.items():
            slider.layout.display = None if (name == "stage_m") == stage else "none"
        depth = self._stage() if stage else self._event()
        values = {"today": self._number(self._today_ha)}
        if stage:
            self.flooded_ha = self._below_stage_ha()
        else:
            hit = self._impact(depth)
            self.flooded_ha = hit["flooded_ha"]
            values["buildings"] = f"{hit['buildings']:.0f}"
        values["ha"] = self._number(self.flooded_ha)
        self.image.url = self._painter.data_uri(depth.astype(np.float32), self.scale)
        text = _WORDS["answer_stage" if stage else "answer_event"][self._language]
        self.answer.say(text.format(**values))

    def _stage(self) -> NDArray[np.floating]:
        depth = stage_depth(self._found.hand_m, self.sliders["stage_m"].value)
        return np.nan_to_num(pool(depth.astype(np.float32), self._side, np.nanmean))

    def _below_stage_ha(self) -> float:
        asked = self._asked(stages_m=[self.sliders["stage_m"].value])
        return float(screening.stages(self._found, self._ground, asked)["area_ha"].iloc[0])

    def _event(self) -> NDArray[np.floating]:
        """Depth above the ground of today, with all that the sliders ask for."""
        wanted = {name: self.sliders[name].value for name in SLIDERS}
        asked = self._asked(**wanted)
        one = use_case.plan(self._inputs, self._ground, self._found, asked)["all"]
        setup = coarse_setup(one.setup, self._side, before=self._ground.setup)
        return self._simulated(setup, wanted["climate_factor"])

    def _simulated(self, setup: Setup, rain_factor: float) -> NDArray[np.floating]:
        run = flooding.flood(
            setup, self._rain.event.scaled(rain_factor), self._parameters, inflows=self._water,
            scheme=self._parameters.scheme,
        )  # fmt: skip
        return scenario.above_old_ground(run.peaks.depth_m, setup, self._shown.setup)

    def _asked(self, **changes: Any) -> Parameters:
        return Parameters({**self._parameters, **changes}, self._parameters.origin)

    def _impact(self, depth: NDArray[np.floating]) -> dict[str, float]:
        return town.impact(depth, self._shown, self._town, self._parameters).totals()

    def _make_sliders(self) -> dict[str, Any]:
        """Sliders start where nothing is changed, so that the first map is that of today."""
        declared = UseCase.find("flood-risk", near=self._inputs.territory.folder).parameters
        made: dict[str, Any] = {}
        for name in ("stage_m", *SLIDERS):
            one = declared[name]
            low = _LEAST.get(name, one.min or 0)
            high = _MOST.get(name, HIGHEST_STAGE_M if name == "stage_m" else one.max or 1)
            value = min(self._parameters.stage_m, high) if name == "stage_m" else low
            whole = one.type == "integer"
            kind = ipw.IntSlider if whole else ipw.FloatSlider
            made[name] = kind(
                value=value, min=low, max=high, step=_STEP.get(name, 0.1),
                **({} if whole else {"readout_format": ".2f"}),
                description=_WORDS[name][self._language],
                tooltip=one.help.get(self._language, ""), continuous_update=False,
                style={"description_width": "12.5em"}, layout={"width": "27em"},
            )  # fmt: skip
        return made

    def _map(self) -> Any:
        drawn = fitted_map(self._painter.bounds)
        territory = self._inputs.territory
        boundary = gpd.GeoSeries([territory.boundary_geometry], crs=territory.crs)
        words = {key: text[self._language] for key, text in _WORDS.items()}
        drawn.add(self.image)
        drawn.add(outline_layer(self._town.buildings, name=words["buildings"], colour="#777777"))
        drawn.add(outline_layer(boundary, name=words["boundary"], colour="#000000", width_px=1.5))
        drawn.add_class("ldt-flood")
        return drawn

    def _caption(self) -> str:
        credit = html.escape(credited(self._inputs.territory, self._inputs.layers))
        cell = self._number(self._shown.setup.cell_m)
        text = _WORDS["caption"][self._language].format(cell=cell, credit=credit)
        if self._side > 1:
            own = self._number(self._ground.setup.cell_m)
            text = f"{_WORDS['coarser'][self._language].format(own=own)} {text}"
        paper = (
            "<style>.ldt-flood .leaflet-container{background:#fff}"
            # cells stay cells: smoothed edges would promise more than the terrain holds
            ".ldt-flood .leaflet-image-layer{image-rendering:pixelated}</style>"
        )
        return f'{paper}<p style="color:#595959;line-height:1.35;margin:.3em 0">{text}</p>'

    def _number(self, value: float) -> str:
        return f"{value:.1f}".replace(".", "," if self._language == "fr" else ".")
