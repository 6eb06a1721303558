"""Parameters of a use case: declared in its manifest, validated once, then read only."""

import json
import keyword
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from html import escape
from typing import Any

from ldt_toolbox.documents import Document, nearest
from ldt_toolbox.errors import ParameterError

TYPES = ("number", "integer", "boolean", "text", "date", "choice", "integers", "numbers", "texts")
# names of the notebook's parameter cell that are no parameters
_TAKEN = ("territory", "results_folder", "territory_values", "origin")
_FIELDS = ("type", "unit", "min", "max", "default", "choices", "help", "source")
_PYTHON = {
    "number": "float", "integer": "int", "boolean": "bool", "text": "str", "date": "str",
    "choice": "str", "integers": "list[int]", "numbers": "list[float]", "texts": "list[str]",
}  # fmt: skip


@dataclass(frozen=True)
class Parameter:
    """One thing that can be tuned.

    Attributes
    ----------
    name, type, unit : str
        Type is one of `number`, `integer`, `boolean`, `text`, `date`, `choice`, `integers`,
        `numbers`, `texts`; unit a UN/CEFACT code or empty.
    min, max : float or None
        Inclusive range.
    default : object
        None means that the use case finds a value itself, as `help` says.
    choices : tuple of str
        Words allowed for a `choice`.
    help : mapping of str to str
        Meaning, by language.
    source : str
        Where the default is from.
    """

    name: str
    type: str
    unit: str
    min: float | None
    max: float | None
    default: Any
    choices: tuple[str, ...]
    help: Mapping[str, str]
    source: str

    @property
    def python_type(self) -> str:
        """Type as written in a notebook's parameter cell."""
        return _PYTHON[self.type] + (" | None" if self.default is None else "")

    def range_text(self) -> str:
        """`2 to 50`, `one of a, b` or an empty text."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.min is not None and self.max is not None:
            return f"{self.min:.12g} to {self.max:.12g}"
        if self.min is not None:
            return f"at least {self.min:.12g}"
        return "" if self.max is None else f"at most {self.max:.12g}"

    def check(self, value: Any) -> Any:
        """Return the value in the parameter's own type.

        Parameters
        ----------
        value : object
            A value, or its text (as from a command line).

        Raises
        ------
        ParameterError
            If it has another type or lies out of range; names parameter, value and what is valid.
        """
        if value is None or (value == "" and self.default is None):
            if self.default is None:
                return None
            raise self._refuse(value, "a value is needed")
        read = {
            "number": self._number, "integer": self._integer, "boolean": self._boolean,
            "text": self._text, "choice": self._choice, "date": self._date,
            "integers": self._list, "numbers": self._list, "texts": self._list,
        }[self.type]  # fmt: skip
        return read(value)

    def _refuse(self, value: Any, why: str) -> ParameterError:
        unit = f" {self.unit}" if self.unit else ""
        valid = f"; valid: {self.range_text()}{unit}" if self.range_text() else ""
        return ParameterError(f"{self.name} = {value!r}: {why}{valid}")

    def _in_range(self, value: float) -> None:
        low = -math.inf if self.min is None else self.min
        high = math.inf if self.max is None else self.max
        if not low <= value <= high:
            raise self._refuse(value, "out of range")

    def _number(self, value: Any) -> float:
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except OverflowError:
            number = math.inf
        except (TypeError, ValueError):
            raise self._refuse(value, "a number is needed, with a point as decimal mark") from None
        if not math.isfinite(number):
            raise self._refuse(value, "a finite number is needed")
        self._in_range(number)
        return number

    def _integer(self, value: Any) -> int:
        text = str(value).strip()
        try:
            # digits not by way of float: a seed above 2**53 would change
            whole = int(text) if re.fullmatch(r"[-+]?[0-9]+", text) else int(float(text))
            same = re.fullmatch(r"[-+]?[0-9]+", text) or whole == float(text)
        except (ValueError, OverflowError):
            same = False
        if not same:
            raise self._refuse(value, "a whole number is needed")
        self._in_range(whole)
        return whole

    def _boolean(self, value: Any) -> bool:
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        if isinstance(value, bool):
            return value
        if str(value).lower() not in words:
            raise self._refuse(value, "true or false is needed")
        return words[str(value).lower()]

    def _text(self, value: Any) -> str:
        if not isinstance(value, str):
            raise self._refuse(value, "text is needed")
        return value

    def _choice(self, value: Any) -> str:
        if value not in self.choices:
            raise self._refuse(value, nearest(str(value), self.choices))
        return str(value)

    def _date(self, value: Any) -> str:
        try:
            return date.fromisoformat(str(value)).isoformat()
        except ValueError:
            raise self._refuse(value, "a date is needed, for example 2025-07-15") from None

    def _list(self, value: Any) -> tuple[Any, ...]:
        if isinstance(value, str):
            text = value.strip()
            try:
                value = json.loads(text) if text.startswith("[") else text.split(",")
            except json.JSONDecodeError:
                raise self._refuse(value, 'a list is needed, for example ["a", "b"]') from None
            value = [item.strip() if isinstance(item, str) else item for item in value]
            value = [item for item in value if item != ""]
        if not isinstance(value, list | tuple):
            raise self._refuse(value, "a list is needed")
        word = self._choice if self.choices else self._text
        item = {"integers": self._integer, "numbers": self._number}.get(self.type, word)
        return tuple(item(entry) for entry in value)


class Parameters(Mapping[str, Any]):
    """Validated parameters of one run; read as attributes or items, never changed.

    Attributes
    ----------
    origin : mapping of str to str
        For each name `given`, `territory` or `manifest`.
    """

    _values: dict[str, Any]
    origin: Mapping[str, str]

    def __init__(self, values: Mapping[str, Any], origin: Mapping[str, str]) -> None:
        object.__setattr__(self, "_values", dict(values))
        object.__setattr__(self, "origin", dict(origin))

    def __delattr__(self, name: str) -> None:
        raise AttributeError("parameters are read only")

    @classmethod
    def build(
        cls,
        use_case: str,
        declared: Mapping[str, Parameter],
        *,
        given: Mapping[str, Any],
        territory: Mapping[str, Any],
    ) -> "Parameters":
        """Join what is given, the territory's own values and the defaults, and check them all."""
        problems = [
            f"{use_case} has no parameter `{name}`: {nearest(name, declared)}"
            for name in given
            if name not in declared
        ]
        problems += [
            f"the territory sets `{name}`, which {use_case} does not have: "
            f"{nearest(name, declared)}"
            for name in territory
            if name not in declared
        ]
        values, origin = {}, {}
        for name, parameter in declared.items():
            source = "given" if name in given else "territory" if name in territory else "manifest"
            value = {"given": given, "territory": territory}.get(source, {}).get(
                name, parameter.default
            )
            try:
                values[name] = parameter.check(value)
            except ParameterError as error:
                problems.append(
                    f"{error} (in territory.yaml)" if source == "territory" else str(error)
                )
            origin[name] = source
        if problems:
            raise ParameterError("\n".join(problems))
        return cls(values, origin)

    def __getattr__(self, name: str) -> Any:
        try:
            return object.__getattribute__(self, "_values")[name]
        except KeyError:
            raise AttributeError(f"no parameter `{name}`: {nearest(name, self._values)}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("parameters are read only: validate again with another value")

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        inside = ", ".join(f"{k}={v!r}" for k, v in self._values.items())
        return f"Parameters({inside})"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th scope='row' style='text-align:left'>{k}</th><td>{escape(str(v))}</td>"
            f"<td>{self.origin[k]}</td></tr>"
            for k, v in self._values.items()
        )
        head = "<tr><th>parameter</th><th>value</th><th>from</th></tr>"
        return f"<table>{head}{rows}</table>"


def read_parameters(doc: Document) -> dict[str, Parameter]:
    """Read the `parameters` part of a manifest, noting its problems in the document."""
    declared: dict[str, Parameter] = {}
    for name in doc.mapping(("parameters",)):
        where = ("parameters", name)
        spec = doc.mapping(where, known=_FIELDS, required=("type", "help", "source"))
        if not name.isidentifier() or keyword.iskeyword(name):
            doc.problem(where, f"`{name}` cannot be a variable name: use letters, digits and _")
        if name in _TAKEN or hasattr(Parameters, name):
            doc.problem(where, f"the name `{name}` is taken by the toolbox: choose another")
        kind = doc.choice((*where, "type"), TYPES)
        low, high = doc.number((*where, "min")), doc.number((*where, "max"))
        if low is not None and high is not None and low > high:
            doc.problem((*where, "min"), f"parameter {name}: min {low:g} is above max {high:g}")
        choices = doc.items((*where, "choices"))
        if any(not isinstance(word, str) for word in choices):
            doc.problem((*where, "choices"), f"the choices of {name} are texts: quote them")
        if kind == "choice" and not choices:
            doc.problem(where, f"parameter {name} lacks `choices`: add a list such as [a, b]")
        if "default" not in spec:
            doc.problem(where, f"parameter {name} lacks `default`: null lets the use case find it")
        default = spec.get("default")
        parameter = Parameter(
            name=name,
            type=kind,
            unit=str(spec.get("unit") or ""),
            min=low,
            max=high,
            default=default,
            choices=tuple(str(word) for word in choices),
            help=doc.texts((*where, "help"), languages=("en", "fr")),
            source=str(spec.get("source", "")),
        )
        if kind in TYPES and default is not None:
            try:
                checked = parameter.check(default)
            except ParameterError as error:
                doc.problem((*where, "default"), f"the default fails its own check: {error}")
            else:
                checked = list(checked) if isinstance(checked, tuple) else checked
                if checked != default or isinstance(checked, bool) != isinstance(default, bool):
                    doc.problem(
                        (*where, "default"), f"the default {default!r} is written {checked!r}"
                    )
        declared[name] = parameter
    return declared


def notebook_cell(declared: Mapping[str, Parameter], *, territory: str) -> str:
    """Write the parameter cell of a use case's notebook: literals only, a line each.

    Parameters
    ----------
    declared : mapping of str to Parameter
        From the manifest.
    territory : str
        Territory that the notebook opens with.

    Returns
    -------
    str
        Python source; each line ends with unit, range and meaning.
    """
    lines = [
        "# fmt: off",
        f"territory: str = {json.dumps(territory, ensure_ascii=False)}"
        "  # bundled territory, or path of a territory.yaml",
        'results_folder: str = "results/notebook"  # where layers and indicators are written',
        "territory_values: bool = True  # values of territory.yaml stand for unchanged lines below",
    ]
    for name, parameter in declared.items():
        default = parameter.default
        value = json.dumps(default, ensure_ascii=False) if default is not None else "None"
        value = {"true": "True", "false": "False"}.get(value, value)
        facts = ", ".join(f for f in (parameter.unit, parameter.range_text()) if f)
        meaning = " ".join(parameter.help["en"].split())  # a folded text may hold line ends
        meaning = f"{facts} - {meaning}" if facts else meaning
        lines.append(f"{name}: {parameter.python_type} = {value}  # {meaning}")
    return "\n".join(lines)
