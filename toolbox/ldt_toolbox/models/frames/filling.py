"""An analyst's frame and a model, or a mapping table, to entities."""

from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from ldt_toolbox.documents import nearest
from ldt_toolbox.errors import WrongUseError
from ldt_toolbox.models import units
from ldt_toolbox.models.findings import as_number, is_uri
from ldt_toolbox.models.frames.cells import json_values
from ldt_toolbox.models.frames.rebuild import entities_of
from ldt_toolbox.models.mapping import Mapping
from ldt_toolbox.models.mapping_rows import PARTS
from ldt_toolbox.models.records import Reason, Record, Reject
from ldt_toolbox.models.rule_steps import RefusedError, urn
from ldt_toolbox.models.types import ANY_UNIT, Attribute, Catalogue, EntityType, catalogue

Outcome = tuple[list[dict[str, Any]], list[Reject]]


def from_frame(
    frame: pd.DataFrame,
    *,
    model: str | EntityType | None = None,
    mapping: Mapping | None = None,
    columns: AnyMapping[str, str] | None = None,
    unit_codes: AnyMapping[str, str] | None = None,
    observed_at: str = "",
    bbox: Sequence[float] | None = None,
) -> Outcome:
    """Entities of a frame.

    Parameters
    ----------
    frame : pandas.DataFrame or geopandas.GeoDataFrame
        One row an entity. Geometries in any CRS that is set, times with a zone; NaN, None and NaT
        mean that the entity lacks the attribute.
    model : str or EntityType, optional
        Type of the entities, for a plain frame.
    mapping : Mapping, optional
        Mapping table, whose source fields are columns. Without model and mapping, the frame is one
        of `to_frame`.
    columns : mapping of str to str, optional
        With `model`: columns to take, and what each fills: ``id``, ``attribute``, ``attribute@fr``
        or ``attribute.observedAt`` (``unitCode``, ``datasetId``). Left out, all columns are taken
        by their names, and the active geometry is `location`.
    unit_codes : mapping of str to str, optional
        With `model`: unit of columns that are not in the model's, by column (UN/CEFACT).
    observed_at : str, optional
        With `model`: column with the time of every number.
    bbox : sequence of float, optional
        West, south, east, north of the territory in degrees; entities outside are rejected.

    Returns
    -------
    entities : list of dict
        Normalised, with `@context` and the model's units; those of `to_frame` in the
        representation that came.
    rejects : list of Reject
        A row each with every reason: it lacks what the model requires, breaks it, or repeats an
        id. Every row is in one of the two.

    Raises
    ------
    WrongUseError, CRSError
        If columns do not fit the model, times have no zone or geometries no CRS.

    Notes
    -----
    With `model`, ids that are no URI become ``urn:ngsi-ld:<type>:<id>``, likewise objects of a
    Relationship whose target type the model names. After `to_frame`, times come back as the same
    instants in UTC, and an attribute that came as a list of one instance as that instance; entities
    of several representations come back normalised.

    Examples
    --------
    >>> import geopandas as gpd
    >>> sky = pd.DataFrame({"station": [7], "t2m": [300.15], "when": ["2026-07-01T12:00:00Z"]})
    >>> place = gpd.GeoSeries.from_xy([1043000.0], [6299000.0], crs="EPSG:2154")
    >>> entities, rejects = from_frame(
    ...     gpd.GeoDataFrame(sky, geometry=place),
    ...     model="WeatherObserved",
    ...     unit_codes={"t2m": "KEL"},
    ...     columns={"station": "id", "t2m": "temperature", "when": "dateObserved",
    ...              "geometry": "location"})
    >>> entities[0]["id"], entities[0]["temperature"]
    ('urn:ngsi-ld:WeatherObserved:7', {'type': 'Property', 'value': 27.0, 'unitCode': 'CEL'})
    """
    if model is not None and mapping is not None:
        raise WrongUseError(
            "model= and mapping= both given: a mapping table names its model, drop one"
        )
    if model is None and (columns or unit_codes or observed_at):
        raise WrongUseError("columns=, unit_codes= and observed_at= need model=: give it")
    if mapping is not None:
        fields = {column: json_values(frame[column]) for column in frame.columns}
        return mapping.apply(_records(frame, fields), bbox=bbox)
    if model is None:
        if bbox is not None:
            raise WrongUseError("bbox= needs model= or mapping=: give one")
        return entities_of(frame)
    kind = catalogue()[model] if isinstance(model, str) else model
    return _Filler(frame, kind, columns, unit_codes or {}, observed_at).apply(bbox)


def _records(frame: pd.DataFrame, fields: AnyMapping[str, Sequence[Any]]) -> list[Record]:
    """Records with places that differ, even where labels of the index do not."""
    unique = frame.index.is_unique
    return [
        Record(
            {name: values[row] for name, values in fields.items()},
            f"row {label}" if unique else f"row {label} (number {row + 1})",
        )
        for row, label in enumerate(frame.index)
    ]


class _Filler:
    """A frame beside the model of its type."""

    def __init__(
        self,
        frame: pd.DataFrame,
        kind: EntityType,
        columns: AnyMapping[str, str] | None,
        unit_codes: AnyMapping[str, str],
        observed_at: str,
    ) -> None:
        self._frame, self._kind, self._unit_codes = frame, kind, unit_codes
        targets = dict(columns) if columns is not None else self._by_name(observed_at)
        named = {*targets, *unit_codes, *filter(None, [observed_at])}
        if absent := [name for name in named if name not in frame.columns]:
            hint = nearest(str(absent[0]), [str(name) for name in frame.columns])
            raise WrongUseError(f"the frame has no column {absent[0]!r}: {hint}")
        self._check(targets)
        # source column of each target; unit codes of the model's own units are dealt with here
        self._sources = {target: column for column, target in targets.items()}
        self._observed_at = observed_at

    def apply(self, bbox: Sequence[float] | None) -> Outcome:
        """Turn rows into entities."""
        fields: dict[str, list[Any]] = {}
        faults: list[list[Reason]] = [[] for _ in range(len(self._frame))]
        for target, column in self._sources.items():
            fields[target] = self._values(target, column, faults)
        if self._observed_at:
            fields["*.observedAt"] = json_values(self._frame[self._observed_at])
        taken = [
            target for target in fields if not target.endswith(".unitCode") or self._free(target)
        ]
        table = Mapping.of(
            [
                {
                    "source": target,
                    "target": f"{self._kind.name}.{target}",
                    "quality": "required; unique" if target == "id" else "",
                }
                for target in taken
            ],
            models=Catalogue([self._kind]),
        )
        records = _records(self._frame, {target: fields[target] for target in taken})
        numbers = {record.place: number for number, record in enumerate(records)}
        rejects = [
            Reject(record.place, record, tuple(fault))
            for record, fault in zip(records, faults, strict=True)
            if fault
        ]
        right = [record for record, fault in zip(records, faults, strict=True) if not fault]
        entities, more = table.apply(right, bbox=bbox)
        shown = [self._as_it_came(one, numbers[one.place]) for one in [*rejects, *more]]
        return entities, sorted(shown, key=lambda one: numbers[one.place])

    def _as_it_came(self, reject: Reject, number: int) -> Reject:
        """Reject with the row of the frame, and its columns in the reasons."""
        reasons = (
            replace(one, field=str(self._sources.get(one.field, one.field)))
            for one in reject.reasons
        )
        return Reject(reject.place, self._frame.iloc[number].to_dict(), tuple(reasons))

    def _by_name(self, observed_at: str) -> dict[str, str]:
        active = getattr(self._frame, "_geometry_column_name", None)
        own = self._kind.attributes
        names = [name for name in self._frame.columns if name != observed_at or name in own]
        free = "location" in own and "location" not in names
        return {name: "location" if name == active and free else str(name) for name in names}

    def _attribute(self, target: str) -> tuple[Attribute | None, str]:
        """Model and part of a target."""
        term, at, part = target.partition("@")
        if not at:
            term, _, part = target.partition(".")
        return self._kind.attributes.get(term), at + part

    def _check(self, targets: AnyMapping[str, str]) -> None:
        for column, target in targets.items():
            model, part = self._attribute(target)
            if target != "id" and (
                model is None or (part and part[0] != "@" and part not in PARTS)
            ):
                hint = nearest(target, list(self._kind.attributes))
                raise WrongUseError(
                    f"column {column!r}: {self._kind.name} has no {target!r}: {hint} Name the "
                    "columns to take in columns=, with what each fills, or use mapping="
                )
            languages = model is not None and model.kind == "LanguageProperty"
            if languages != part.startswith("@"):
                example = f"{target}@fr" if languages else target.partition("@")[0]
                raise WrongUseError(f"column {column!r} fills {target!r}: write {example!r}")
        given = set(targets.values())
        if len(given) < len(targets):
            raise WrongUseError(f"two columns fill the same of {self._kind.name}: name one of them")
        terms = {target.partition(".")[0].partition("@")[0] for target in given}
        if lacking := [term for term in ("id", *self._kind.required) if term not in terms]:
            raise WrongUseError(
                f"no column for {', '.join(lacking)}, which {self._kind.name} needs: add them, or "
                "name the columns in columns="
            )

    def _free(self, target: str) -> bool:
        """Whether the entities choose the unit themselves."""
        model, _ = self._attribute(target)
        return model is not None and model.unit == ANY_UNIT

    def _values(self, target: str, column: str, faults: list[list[Reason]]) -> list[Any]:
        model, part = self._attribute(target)
        days = model is not None and model.value == "date" and not part
        values = json_values(self._frame[column], days=days)
        if target == "id":
            return [_uri(one, self._kind.name) for one in values]
        if model is None or part:
            return values
        if model.kind == "Relationship" and model.target:
            return [
                [_uri(each, model.target) for each in one]
                if isinstance(one, list)
                else _uri(one, model.target)
                for one in values
            ]
        if model.unit in ("", ANY_UNIT):
            return values
        codes: list[Any] = [self._unit_codes.get(column)] * len(values)
        if told := self._sources.get(f"{target}.unitCode"):
            codes = json_values(self._frame[told])
        return [
            self._converted(one, code, model, column, fault)
            for one, code, fault in zip(values, codes, faults, strict=True)
        ]

    def _converted(
        self, value: Any, code: Any, model: Attribute, column: str, fault: list[Reason]
    ) -> Any:
        number = as_number(value)
        if code is None or number is None or code == model.unit:
            return value
        if not units.convertible(str(code), model.unit):
            message = f"unit {code!r} does not convert to {model.unit}: give another unit code"
            fault.append(Reason(column, model.name, message))
            return value
        return units.convert(number, str(code), model.unit, difference=model.difference)


def _uri(value: Any, kind: str) -> Any:
    if value is None or is_uri(value):
        return value
    try:
        return urn([kind], {}, {}).forward(value)
    except RefusedError:
        return value  # no text: lint says so
