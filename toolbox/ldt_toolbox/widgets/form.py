"""A form for the parameters of a use case, made from its manifest alone."""

import html
from collections.abc import Mapping
from datetime import date
from typing import Any

import ipywidgets as ipw

from ldt_toolbox.errors import ParameterError
from ldt_toolbox.parameters import Parameter, Parameters
from ldt_toolbox.territory import Territory
from ldt_toolbox.units import symbol
from ldt_toolbox.use_case import UseCase

_WORDS = {
    "automatic": {"en": "automatic", "fr": "automatique"},
    "range": {"en": "{low:.10g} to {high:.10g}", "fr": "de {low:.10g} à {high:.10g}"},
    "source": {"en": "default: {source}", "fr": "défaut : {source}"},
    "good": {"en": "All values are valid.", "fr": "Toutes les valeurs sont valides."},
    "changed": {"en": "Changed: {names}.", "fr": "Modifié : {names}."},
}
_RED = "#b00020"
_GREY = "#595959"


def form(case: UseCase, place: Territory | None = None, *, language: str = "en") -> "ParameterForm":
    """Make a form for the parameters of a use case.

    Parameters
    ----------
    case : UseCase
        Its manifest gives names, types, units, ranges, choices and help.
    place : Territory, optional
        Its own values stand where it has any, else the defaults of the manifest.
    language : str
        ``en`` or ``fr``.

    Returns
    -------
    ParameterForm
        Shown as the last line of a cell. ``.values`` holds what was changed, for
        ``case.validate(form.values, territory=place)``.
    """
    return ParameterForm(case, place, language=language)


class ParameterForm(ipw.VBox):  # type: ignore[misc]
    """Input fields, one a parameter, with a line that says what is wrong with a value.

    Attributes
    ----------
    fields : dict of str to ipywidgets.Widget
        The input of each parameter.
    message : ipywidgets.HTML
        Every problem, or that all is well.
    """

    def __init__(self, case: UseCase, place: Territory | None, *, language: str) -> None:
        self._case, self._place, self._language = case, place, language
        start = case.validate(territory=place)
        self.fields: dict[str, Any] = {
            name: _field(parameter, start[name], language)
            for name, parameter in case.parameters.items()
        }
        self._initial = {name: field.value for name, field in self.fields.items()}
        self.message = ipw.HTML()
        self._notes = {name: ipw.HTML(layout={"flex": "1 1 20em"}) for name in self.fields}
        rows = [
            ipw.HBox([field, self._notes[name]], layout={"align_items": "center"})
            for name, field in self.fields.items()
        ]
        super().__init__([*rows, self.message], layout={"max_width": "64em"})
        for field in self.fields.values():
            field.observe(self._tell, names="value")
        self._tell()

    @property
    def values(self) -> dict[str, Any]:
        """Values that were changed, by parameter name; nothing else."""
        return {
            name: value.isoformat() if isinstance(value, date) else value
            for name, field in self.fields.items()
            if (value := field.value) != self._initial[name]
        }

    @property
    def parameters(self) -> Parameters:
        """All parameters, validated.

        Raises
        ------
        ParameterError
            With the text that the form shows.
        """
        return self._case.validate(self.values, territory=self._place)

    def _tell(self, _change: Mapping[str, Any] | None = None) -> None:
        """Say what is wrong, beside the field and below the form, where it is announced."""
        words = {key: text[self._language] for key, text in _WORDS.items()}
        for name, parameter in self._case.parameters.items():
            self._notes[name].value = _note(parameter, self.fields[name].value, self._language)
        colour = _GREY
        try:
            changed = ", ".join(name for name in self.parameters if name in self.values)
            text = words["good"] + (f" {words['changed'].format(names=changed)}" if changed else "")
        except ParameterError as error:
            text, colour = str(error), _RED
        lines = "<br>".join(html.escape(line) for line in text.splitlines())
        self.message.value = (
            f'<p role="status" aria-live="polite" style="color:{colour};margin:.5em 0">{lines}</p>'
        )


def _field(parameter: Parameter, value: Any, language: str) -> Any:
    """Input field for a parameter; it never changes a value silently, validation answers."""
    options: dict[str, Any] = {
        "description": parameter.name,
        "tooltip": _tooltip(parameter, language),
        "style": {"description_width": "13em"},
        "layout": {"width": "27em", "flex": "0 0 auto"},
    }
    if parameter.type == "boolean":
        return ipw.Checkbox(value=bool(value), **options, indent=True)
    if parameter.type == "choice":
        return ipw.Dropdown(options=parameter.choices, value=value, **options)
    if parameter.type == "date" and value is not None:
        return ipw.DatePicker(value=date.fromisoformat(value), **options)
    if parameter.default is not None and value is not None:
        if parameter.type == "number" and (parameter.min, parameter.max) == (0, 1):
            return ipw.FloatSlider(
                value=value, min=0, max=1, step=0.05, readout_format=".2f",
                continuous_update=False, **options,
            )  # fmt: skip
        if parameter.type == "number":
            return ipw.FloatText(value=value, **options)
        if parameter.type == "integer":
            return ipw.IntText(value=value, **options)
    entries = value if isinstance(value, tuple) else () if value is None else (value,)
    text = ", ".join(map(str, entries))
    automatic = _WORDS["automatic"][language] if parameter.default is None else ""
    return ipw.Text(value=text, placeholder=automatic, continuous_update=False, **options)


def _meaning(parameter: Parameter, language: str) -> str:
    """Help, and the range with its unit."""
    text = parameter.help.get(language, parameter.help.get("en", ""))
    unit = symbol(parameter.unit, language=language)
    if parameter.min is None or parameter.max is None:
        return f"{text} ({unit})" if unit else text
    span = _WORDS["range"][language].format(low=parameter.min, high=parameter.max)
    return f"{text} ({span})" if unit == "0–1" else f"{text} ({span} {unit}".rstrip() + ")"


def _tooltip(parameter: Parameter, language: str) -> str:
    source = _WORDS["source"][language].format(source=parameter.source)
    return f"{_meaning(parameter, language)}; {source}"


def _note(parameter: Parameter, value: Any, language: str) -> str:
    """What stands beside a field: its meaning, or in red what is wrong with its value."""
    text, colour = _meaning(parameter, language), _GREY
    try:
        parameter.check(value)
    except ParameterError as error:
        text, colour = str(error), _RED
    escaped = html.escape(text)
    return f'<span style="line-height:1.3;display:block;color:{colour}">{escaped}</span>'
