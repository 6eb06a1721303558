"""Mapping tables: from the fields of a source to NGSI-LD entities, and back."""

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as AnyMapping
from pathlib import Path
from typing import Any

from ldt_toolbox.documents import nearest
from ldt_toolbox.errors import DocumentError, Problem, WrongUseError
from ldt_toolbox.models import contexts, mapping_table, units
from ldt_toolbox.models.findings import as_number, shown
from ldt_toolbox.models.lint import Linter
from ldt_toolbox.models.lint_attributes import CONTENT
from ldt_toolbox.models.mapping_rows import EVERY, Row, read_row, table_problems
from ldt_toolbox.models.record_fields import Unseen, value_of
from ldt_toolbox.models.records import Reason, Reject
from ldt_toolbox.models.rule_steps import Lookups, Piece, RefusedError
from ldt_toolbox.models.types import ANY_UNIT, Catalogue, EntityType, catalogue


class Mapping:
    """A mapping table, ready to apply.

    Parameters
    ----------
    kind : EntityType
        Type of the entities.
    rows : sequence of Row
        In the order of the table.

    Examples
    --------
    >>> table = Mapping.of([
    ...     {"source": "station", "target": "WeatherObserved.id", "rule": "urn WeatherObserved"},
    ...     {"source": "t", "target": "WeatherObserved.temperature", "rule": "number"},
    ...     {"source": "when", "target": "WeatherObserved.dateObserved", "rule": "date iso"},
    ...     {"source": "lon; lat", "target": "WeatherObserved.location", "rule": "point"},
    ... ])
    >>> entities, rejects = table.apply([
    ...     {"station": "7", "t": "21.5", "when": "2024-07-01T12:00:00Z", "lon": 7.4, "lat": 43.7},
    ...     {"station": "8", "t": "hot", "when": "2024-07-01T12:00:00Z", "lon": 7.4, "lat": 43.7},
    ... ])
    >>> entities[0]["temperature"]
    {'type': 'Property', 'value': 21.5, 'unitCode': 'CEL'}
    >>> print(rejects[0])
    record 2: t -> temperature: 'hot' is no number: correct it
    """

    def __init__(self, kind: EntityType, rows: Sequence[Row]) -> None:
        self.kind = kind
        self.rows = tuple(rows)
        extra = {
            row.attribute: row.iri
            for row in self.rows
            if row.model is None and row.attribute not in ("id", EVERY)
        }
        own = [dict(sorted(extra.items()))] if extra else []
        known = contexts.context_of(kind.name) if kind.name in catalogue() else None
        self._context = [*own, *(known or [contexts.type_terms(kind), contexts.CORE_URL])]

    @classmethod
    def read(
        cls,
        path: str | Path,
        *,
        lookups: Lookups | None = None,
        models: Catalogue | None = None,
        sheet: str = "",
    ) -> "Mapping":
        """Read a table.

        Parameters
        ----------
        path : str or pathlib.Path
            CSV, YAML or spreadsheet with the columns source, target, iri, rule, feature, quality.
        lookups : mapping of str to mapping, optional
            Tables for the rule ``lookup NAME``.
        models : Catalogue, optional
            Types that targets may name; those of the toolbox if left out.
        sheet : str, optional
            Sheet of a spreadsheet.

        Raises
        ------
        DocumentError
            With every problem of the table and its line.
        """
        path = Path(path)
        return cls._of(path, mapping_table.read(path, sheet=sheet), lookups, models)

    @classmethod
    def of(
        cls,
        rows: Iterable[AnyMapping[str, str]],
        *,
        lookups: Lookups | None = None,
        models: Catalogue | None = None,
    ) -> "Mapping":
        """Make a table from rows in memory; parameters as in `read`."""
        listed = [
            (line, {column: str(row.get(column, "")) for column in mapping_table.COLUMNS})
            for line, row in enumerate(rows, 1)
        ]
        return cls._of(Path("table"), listed, lookups, models)

    @classmethod
    def _of(
        cls,
        path: Path,
        rows: list[mapping_table.Row],
        lookups: Lookups | None,
        models: Catalogue | None,
    ) -> "Mapping":
        models = models or catalogue()
        problems: list[Problem] = []
        names = {row["target"].partition(".")[0] for _, row in rows}
        kinds = {name for name in names if name in models}
        for line, row in rows:
            if (name := row["target"].partition(".")[0]) not in models:
                message = f"target {row['target']!r}: no entity type {name!r}"
                problems.append(Problem(line, f"{message}: {nearest(name, list(models))}"))
        if len(kinds) > 1:
            message = f"the table names {', '.join(sorted(kinds))}: write one table for each type"
            problems.append(Problem(None, message))
        if problems or not kinds:
            raise DocumentError(path, problems or [Problem(1, "no row: add rows with a target")])
        kind = models[kinds.pop()]
        found = []
        for line, row in rows:
            try:
                found.append(read_row(kind, line, row, lookups))
            except WrongUseError as error:
                problems.append(Problem(line, str(error)))
        problems += table_problems(kind, found)
        if problems:
            raise DocumentError(path, problems)
        return cls(kind, found)

    def write(self, path: str | Path) -> None:
        """Write the table as CSV, for example after reading it from a spreadsheet."""
        mapping_table.write(Path(path), self.table())

    def table(self) -> list[dict[str, str]]:
        """Rows as text by column, with the IRIs and the default features filled in."""
        return [
            {
                "source": "; ".join(row.sources),
                "target": f"{self.kind.name}.{row.target}",
                "iri": row.iri,
                "rule": row.rule.text,
                "feature": row.feature,
                "quality": row.quality.text,
            }
            for row in self.rows
        ]

    @property
    def lossy(self) -> tuple[str, ...]:
        """Targets whose rule does not give back what came in: several codes for one value."""
        return tuple(row.target for row in self.rows if not row.rule.lossless)

    def apply(
        self, records: Iterable[Any], *, bbox: Sequence[float] | None = None
    ) -> tuple[list[dict[str, Any]], list[Reject]]:
        """Turn records into entities.

        Parameters
        ----------
        records : iterable of mapping
            Value by source field, for example from `ldt_toolbox.models.records.read` or
            ``frame.to_dict("records")``. A table reaches into objects and lists with dots:
            ``geo.coordinates.0``.
        bbox : sequence of float, optional
            West, south, east, north of the territory in degrees; records outside are rejected.

        Returns
        -------
        entities : list of dict
            Normalised NGSI-LD, one for each record that was taken, in their order.
        rejects : list of Reject
            One for each record that was not, with all its reasons: every record is in one of the
            two. A value that breaks the model (range, type, list of values) is a reason, too.

        Warns
        -----
        UnknownFieldWarning
            The table names a source field that no record has.
        """
        entities: list[dict[str, Any]] = []
        rejects: list[Reject] = []
        seen: dict[tuple[int, str], str] = {}
        judge = Linter(bbox=bbox, models=Catalogue([self.kind]))
        unseen = Unseen(field for row in self.rows for field in row.fields)
        for number, record in enumerate(records, 1):
            place = getattr(record, "place", f"record {number}")
            if not isinstance(record, AnyMapping):
                message = f"{shown(record)} is no record: give a mapping of field to value"
                rejects.append(Reject(place, record, (Reason("", "", message),)))
                continue
            unseen.see(record)
            entity, reasons = self._entity(record, place, seen, judge)
            if reasons:
                rejects.append(Reject(place, record, tuple(reasons)))
            else:
                entities.append(entity)
        unseen.tell()
        return entities, rejects

    def back(self, entities: Iterable[Any]) -> list[dict[str, Any]]:
        """Turn entities into records; all of them, or none.

        Parameters and records are those of `restore`.

        Raises
        ------
        RefusedError
            If entities do not fit the table, with the first of them.
        """
        records, rejects = self.restore(entities)
        if rejects:
            more = f", and {len(rejects) - 5} others" if len(rejects) > 5 else ""
            told = "; ".join(str(reject) for reject in rejects[:5])
            raise RefusedError(f"{told}{more}: correct them, or take restore() to go on without")
        return records

    def restore(self, entities: Iterable[Any]) -> tuple[list[dict[str, Any]], list[Reject]]:
        """Turn entities into records, and say which do not fit the table.

        Parameters
        ----------
        entities : iterable of dict
            Normalised or concise NGSI-LD; numbers in other units than the model's are converted.

        Returns
        -------
        records : list of dict
            Value by source field, one for each entity that fits; a field inside of another under
            its name with dots, which `apply` reads, too. Numbers come back as numbers and times in
            the zone of the rule; fields that the table does not name are not known any
            more, and what `lossy` names comes back as one of the values that mean the same.
        rejects : list of Reject
            One for each entity that does not, with all its reasons: another type, a unit that does
            not convert, bare values, several instances, an attribute of another kind.
        """
        records: list[dict[str, Any]] = []
        rejects: list[Reject] = []
        for number, entity in enumerate(entities, 1):
            record, reasons = self._record(entity)
            if reasons:
                name = entity.get("id") if isinstance(entity, AnyMapping) else None
                place = f"entity {number}" + (f" ({name})" if isinstance(name, str) else "")
                rejects.append(Reject(place, entity, tuple(reasons)))
            else:
                records.append(record)
        return records, rejects

    def _entity(
        self,
        record: AnyMapping[str, Any],
        place: str,
        seen: dict[tuple[int, str], str],
        judge: Linter,
    ) -> tuple[dict[str, Any], list[Reason]]:
        entity: dict[str, Any] = {"id": None, "type": self.kind.name}
        reasons: list[Reason] = []
        keys: list[tuple[int, str]] = []
        for row in sorted(self.rows, key=lambda one: one.attribute == EVERY):
            try:
                value = row.rule.forward([value_of(record, field) for field in row.sources])
            except RefusedError as error:
                reasons.append(_reason(row, str(error)))
                continue
            if why := row.quality.fault(value):
                reasons.append(_reason(row, why))
                continue
            if value is None:
                continue
            if row.quality.unique_with is not None:
                key = (row.line, row.quality.key(value, record))
                if key in seen:
                    message = f"{shown(value)} was at {seen[key]} already: keep one"
                    reasons.append(_reason(row, message))
                keys.append(key)
            _put(entity, row, value)
        for term in [term for term, one in entity.items() if _is_hollow(one)]:
            del entity[term]
        reasons += self._model_reasons(entity, judge, {reason.target for reason in reasons})
        if not reasons:
            seen.update((key, place) for key in keys)
        entity["@context"] = list(self._context)
        return entity, reasons

    def _model_reasons(self, entity: dict[str, Any], judge: Linter, told: set[str]) -> list[Reason]:
        """What the model finds wrong with an entity; warnings and notes do not reject it.

        `told` are the targets that a rule or a check refused: they are empty for that reason.
        """
        reasons = []
        for found in judge.entity(entity, context=self._context):
            term = found.attribute.partition(".")[0]
            if found.severity != "error" and found.code not in ("outside-territory", "deleted"):
                continue
            if any(target.partition(".")[0].partition("@")[0] == term for target in told):
                continue
            rows = (row for row in self.rows if row.attribute == term)
            fields = next(("; ".join(row.sources) for row in rows), "")
            message = f"{found.message}: {found.remedy}"
            reasons.append(Reason(fields, found.attribute, message))
        return reasons

    def _record(self, entity: Any) -> tuple[dict[str, Any], list[Reason]]:
        if not isinstance(entity, AnyMapping):
            return {}, [Reason("", "", f"{shown(entity)} is no entity: give JSON objects")]
        kinds = entity.get("type")
        if self.kind.name not in (kinds if isinstance(kinds, list) else [kinds, self.kind.iri]):
            message = f"{shown(kinds)} is not {self.kind.name}: take the table of that type"
            return {}, [Reason("", "type", message)]
        record: dict[str, Any] = {}
        reasons: list[Reason] = []
        pieces: dict[str, list[Piece]] = {}
        for row in self.rows:
            try:
                values = row.rule.backward(_content(entity, row), len(row.sources))
            except RefusedError as error:
                reasons.append(_reason(row, str(error)))
                continue
            for field, value in zip(row.sources, values, strict=True):
                if isinstance(value, Piece):
                    pieces.setdefault(field, []).append(value)
                elif record.get(field) is None:
                    record[field] = value
        for field, parts in pieces.items():
            if record.get(field) is None:
                by_place = {piece.place: piece for piece in reversed(parts)}
                texts = [by_place[place].text for place in sorted(by_place)]
                record[field] = parts[0].separator.join(texts)
        return record, reasons


def _reason(row: Row, message: str) -> Reason:
    return Reason("; ".join(row.sources), row.target, message)


def _put(entity: dict[str, Any], row: Row, value: Any) -> None:
    if row.attribute == "id":
        entity["id"] = value
        return
    if row.attribute == EVERY:
        for one in entity.values():
            if isinstance(one, dict) and as_number(one.get("value")) is not None:
                one.setdefault(row.part, value)
        return
    kind = row.model.kind if row.model else "Property"
    held = entity.setdefault(row.attribute, {"type": kind})
    if row.part.startswith("@"):
        held.setdefault("languageMap", {})[row.part[1:]] = value
    elif row.part:
        held[row.part] = value
    else:
        held[CONTENT[kind]] = value
        unit = row.model.unit if row.model else ""
        if unit not in ("", ANY_UNIT) and as_number(value) is not None:
            held["unitCode"] = unit


def _is_hollow(one: Any) -> bool:
    """Whether an attribute has a time or a unit, but no value: the source had none."""
    return isinstance(one, dict) and CONTENT[one["type"]] not in one


def _content(entity: AnyMapping[str, Any], row: Row) -> Any:
    if row.attribute == "id":
        return entity.get("id")
    if row.attribute == EVERY:
        held = [one for one in entity.values() if isinstance(one, dict) and row.part in one]
        return held[0][row.part] if held else None
    one = entity.get(row.attribute)
    if one is None:
        return None
    key = CONTENT[row.model.kind if row.model else "Property"]
    if not isinstance(one, dict) or (key not in one and set(CONTENT.values()) & set(one)):
        told = f"{shown(one)} holds no `{key}`"
        raise RefusedError(f"{told}: give one instance of it, in the normalised representation")
    if row.part.startswith("@"):
        texts = one.get("languageMap")
        return texts.get(row.part[1:]) if isinstance(texts, dict) else None
    if row.part:
        return one.get(row.part)
    value = one.get(key)
    unit, code = (row.model.unit if row.model else ""), one.get("unitCode")
    if unit in ("", ANY_UNIT) or code in (None, unit) or not isinstance(value, int | float):
        return value
    if not units.convertible(code, unit):
        raise RefusedError(f"unit {shown(code)} does not convert to {unit}: give it in {unit}")
    difference = row.model is not None and row.model.difference
    return units.convert(float(value), str(code), unit, difference=difference)
