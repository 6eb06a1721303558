"""The report in one language, as plain pieces that the page's template puts into place."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ldt_toolbox import units
from ldt_toolbox.report import words
from ldt_toolbox.report.inputs import InputRecord
from ldt_toolbox.report.numbers import NO_VALUE, decimals_for, format_number, with_unit
from ldt_toolbox.results import Indicator, Results
from ldt_toolbox.use_case import Output, UseCase

NOTE_KINDS = ("gap", "assumption", "repair", "warning")
# Indicators that hold the model against something measured.
_STATION_PREFIX = "station_"
_SURFACE = "surface_uhi"


@dataclass(frozen=True)
class Number:
    """An indicator as it is shown.

    Attributes
    ----------
    id, label, definition, issue : str
        What it is, and its issue of ISO 37101.
    value, unit : str
        Value and symbol; the value is empty where none was computed.
    interval, meaning : str
        Uncertainty, and what it means; empty where not given.
    kind : str
        How it came about, in words.
    provenance : str
        `observed`, `derived` or `synthetic`, in words.
    synthetic, headline, validates : bool
        Whether it rests on synthetic data; is among the first numbers; holds the model against
        observations.
    """

    id: str
    label: str
    definition: str
    issue: str
    value: str
    unit: str
    interval: str
    meaning: str
    kind: str
    provenance: str
    synthetic: bool
    headline: bool
    validates: bool = False


@dataclass(frozen=True)
class Setting:
    """A parameter as it is shown."""

    name: str
    value: str
    unit: str
    origin: str
    help: str
    default_source: str


def numbers(case: UseCase, results: Results, *, language: str) -> list[Number]:
    """Indicators that the run yielded, in the manifest's order."""
    return [
        _number(output, results.indicators[key], results.weight.get(language, ""), language)
        for key, output in case.indicators.items()
        if key in results.indicators
    ]


def _number(output: Output, one: Indicator, weight: str, language: str) -> Number:
    known = [one.value, one.low, one.high]
    half = None if one.low is None or one.high is None else abs(one.high - one.low) / 2
    decimals = decimals_for(known, unit=output.unit, half_width=half)

    def written(value: float | None) -> str:
        return format_number(value, language=language, decimals=decimals)

    value = written(one.value)
    interval = ""
    if half is not None:
        interval = words.word(
            "uncertainty_range", language, low=written(one.low),
            high=with_unit(written(one.high), output.unit, language=language, weight=weight),
        )  # fmt: skip
    return Number(
        id=output.id,
        label=output.title.get(language, output.id),
        definition=output.help.get(language, ""),
        issue=words.iso37101(str(output.spec.get("iso37101", "")), language),
        value="" if value == NO_VALUE else value,
        unit=units.symbol(output.unit, language=language, weight=weight)
        if output.unit != "share"
        else "",
        interval=interval,
        meaning=words.interval(one.interval, language) if interval else "",
        kind=words.word(_kind(output.mim8, one.provenance), language),
        provenance=words.word(one.provenance, language),
        synthetic=one.provenance == "synthetic",
        headline=bool(output.spec.get("headline", False)),
        validates=bool(output.spec.get("validates", False))
        or output.id.startswith(_STATION_PREFIX)
        or output.id == _SURFACE,
    )


def _kind(mim8: str, provenance: str) -> str:
    if provenance == "synthetic":
        return "synthetic"
    if provenance == "observed" and mim8 in {"transformed", "model_output"}:
        return "from_observations"
    return mim8


def settings(case: UseCase, parameters: Mapping[str, Any], *, language: str) -> list[Setting]:
    """Parameters of the run with their meaning and where each value is from.

    Parameters
    ----------
    case : UseCase
        Declares them.
    parameters : mapping of str to object
        Their values. Without an `origin` of its own a value counts as the manifest's where it
        equals the default, else as given.
    language : str
        ``en`` or ``fr``.
    """
    origins: Mapping[str, str] = getattr(parameters, "origin", {})
    rows = []
    for name, declared in case.parameters.items():
        if name not in parameters:
            continue
        value = parameters[name]
        origin = origins.get(name) or ("manifest" if value == declared.default else "given")
        rows.append(
            Setting(
                name=name,
                # A seed is a name made of digits: no unit, no thousands.
                value=str(value)
                if declared.type == "integer" and not declared.unit
                else _setting_value(value, language),
                unit=units.symbol(declared.unit, language=language),
                origin=words.word(origin, language),
                help=declared.help.get(language, ""),
                default_source=declared.source,
            )
        )
    return rows


def _setting_value(value: Any, language: str) -> str:
    if value is None:
        return words.word("automatic", language)
    if isinstance(value, bool):
        return words.word("yes" if value else "no", language)
    if isinstance(value, int | float):
        decimals = len(f"{value:.6f}".rstrip("0").partition(".")[2])
        return format_number(value, language=language, decimals=decimals)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_setting_value(item, language) for item in value) or words.word(
            "automatic", language
        )
    return str(value)


def notes(results: Results, *, language: str) -> list[tuple[str, list[str]]]:
    """Notes of the run by kind: (kind in words, texts), only kinds that there are."""
    kinds = [*NOTE_KINDS, *(n.kind for n in results.notes if n.kind not in NOTE_KINDS)]
    grouped = []
    for kind in dict.fromkeys(kinds):
        texts = [
            n.text.get(language) or n.text.get("en", "") for n in results.notes if n.kind == kind
        ]
        if texts:
            title = words.word(kind, language) if kind in NOTE_KINDS else kind
            grouped.append((title, texts))
    return grouped


def validation(shown: Sequence[Number]) -> list[Number]:
    """Indicators with a value that hold the model against observations."""
    return [n for n in shown if n.value and n.validates]


def by_station(shown: Sequence[Number]) -> bool:
    """Whether any of them compares with more than a satellite's surface temperature."""
    return any(n.id != _SURFACE for n in shown)


def unit_names(case: UseCase, results: Results, *, language: str) -> list[tuple[str, str]]:
    """Symbols that the report uses and their names, each once."""
    weight = results.weight.get(language, "")
    codes = [case.indicators[key].unit for key in results.indicators if key in case.indicators]
    codes += [
        output.unit
        for key, output in case.layers.items()
        if key in results.layers and output.spec.get("map")
    ]
    for key in results.tables:
        specs = case.tables[key].spec.get("columns") or {} if key in case.tables else {}
        codes += [str(spec["unit"]) for spec in specs.values() if "unit" in spec]
    named = {
        units.symbol(code, language=language, weight=weight): units.name(
            code, language=language, weight=weight
        )
        for code in codes
    }
    return [(sign, said) for sign, said in named.items() if sign and sign != said]


def evidence(case: UseCase, *, language: str) -> list[tuple[str, str, str]]:
    """Where the method is proven: (place, what, source)."""
    return [
        (
            _text(item.get("where"), language),
            _text(item.get("what"), language),
            str(item.get("source", "")),
        )
        for item in case.evidence
    ]


def credits_line(case: UseCase, inputs: Sequence[InputRecord], *, language: str) -> str:
    """Source line of the maps: whom the inputs credit, then the model."""
    named = dict.fromkeys(record.credit for record in inputs if record.credit)
    model = words.word("model_credit", language, case=f"{case.id} {case.version}")
    return words.word("source_line", language, credits="; ".join([*named, model]))


def role_title(case: UseCase, record: InputRecord, *, language: str) -> str:
    """What an input is: the manifest's words for its role, else its own title, else its role."""
    if record.role == "boundary":  # every territory has one; no use case declares it
        return words.word("boundary", language)
    role = case.roles.get(record.role)
    return (role.help.get(language) if role else None) or record.title or record.role


def web_address(text: str) -> str:
    """Address that a reference can be linked to, or an empty text.

    Only http, https and DOIs become links: anything else in a file from elsewhere stays text.
    """
    if re.fullmatch(r"https?://\S+", text):
        return text
    doi = re.fullmatch(r"(?:doi:\s*)(10\.\d{4,9}/\S+)", text)
    return f"https://doi.org/{doi[1]}" if doi else ""


def _text(value: Any, language: str) -> str:
    if isinstance(value, Mapping):
        return str(value.get(language) or value.get("en") or "")
    return "" if value is None else str(value)
