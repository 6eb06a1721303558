"""Frames of `to_frame` put together to entities again."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from ldt_toolbox.errors import WrongUseError
from ldt_toolbox.models.frames.cells import json_values
from ldt_toolbox.models.frames.layout import AS_JSON, LAYOUT, Column, kind_of, read
from ldt_toolbox.models.lint_attributes import CONTENT
from ldt_toolbox.models.records import Reason, Reject


@dataclass
class _Node:
    """An instance of an attribute: where its parts are, and its sub-attributes."""

    contents: dict[str, Sequence[Any]] = field(default_factory=dict)
    languages: dict[str, Sequence[Any]] = field(default_factory=dict)
    members: dict[str, Sequence[Any]] = field(default_factory=dict)
    raw: Sequence[Any] | None = None
    inner: dict[str, dict[str, "_Node"]] = field(default_factory=dict)


def entities_of(frame: pd.DataFrame) -> tuple[list[dict[str, Any]], list[Reject]]:
    """Entities of a frame with the layout of `to_frame`; see `from_frame`."""
    columns, representation = read(frame.attrs)
    unknown = [
        name
        for name in frame.columns
        if name not in columns and name != "@context" and not frame[name].isna().all()
    ]
    if unknown:
        raise WrongUseError(
            f"columns {', '.join(map(repr, unknown))} are not of to_frame: drop them, or give "
            "model= or mapping="
        )
    root = _Node()
    for name, column in columns.items():
        if name in frame.columns:
            _place(root, column, json_values(frame[name]))
    shared = frame.attrs[LAYOUT].get("@context")
    contexts = (
        json_values(frame["@context"]) if "@context" in frame.columns else [shared] * len(frame)
    )
    writer = _Writer(typed=representation == "normalized")
    entities, rejects = [], []
    for row, label in enumerate(frame.index):
        entity = {
            name: list(cells[row]) if isinstance(cells[row], tuple) else cells[row]
            for name, cells in root.members.items()
            if cells[row] is not None
        }
        entity |= writer.inner(root, row)
        missing = [name for name in ("id", "type") if entity.get(name) is None]
        if missing and not {"id", "type"} <= entity.keys():
            reasons = tuple(Reason(name, name, "is missing: fill it in") for name in missing)
            rejects.append(Reject(f"row {label}", frame.iloc[row].to_dict(), reasons))
            continue
        if contexts[row] is not None:
            entity["@context"] = contexts[row]
        entities.append(entity)
    return entities, rejects


def _place(root: _Node, column: Column, cells: Sequence[Any]) -> None:
    node = root
    for name, dataset in column.path:
        node = node.inner.setdefault(name, {}).setdefault(dataset, _Node())
    if column.part == AS_JSON:
        node.raw = cells
    elif column.part in CONTENT:
        node.contents[column.part] = cells
    elif column.part.startswith("@"):
        node.languages[column.part[1:]] = cells
    else:
        node.members[column.part] = cells


class _Writer:
    def __init__(self, *, typed: bool) -> None:
        self._typed = typed

    def inner(self, node: _Node, row: int) -> dict[str, Any]:
        """Attributes below a node, without those that have no value."""
        found: dict[str, Any] = {}
        for name, by_dataset in node.inner.items():
            raw = next((one.raw[row] for one in by_dataset.values() if one.raw is not None), None)
            if raw is not None:
                found[name] = json.loads(raw)
                continue
            default_first = sorted(by_dataset.items(), key=lambda item: item[0] != "")
            instances = [self._instance(one, dataset, row) for dataset, one in default_first]
            there = [one for one in instances if one]
            if there:
                found[name] = _shortest(there[0]) if len(there) == 1 else there
        return found

    def _instance(self, node: _Node, dataset: str, row: int) -> dict[str, Any]:
        """The instance; an empty one if it has no value."""
        kind, content = self._content(node, row)
        if not kind:
            return {}
        made: dict[str, Any] = {"type": kind} if self._typed else {}
        made[CONTENT[kind]] = content
        for name, cells in node.members.items():
            if cells[row] is not None:
                made[name] = cells[row]
        if dataset:
            made["datasetId"] = dataset
        return made | self.inner(node, row)

    def _content(self, node: _Node, row: int) -> tuple[str, Any]:
        for kind, cells in node.contents.items():
            if cells[row] is not None:
                return kind, cells[row]
        texts = {lang: cells[row] for lang, cells in node.languages.items()}
        there = {lang: text for lang, text in texts.items() if text is not None}
        return ("LanguageProperty", there) if there else ("", None)


def _shortest(instance: dict[str, Any]) -> Any:
    """Bare value of an instance that has nothing else, where it says the same (concise, 4.5.1)."""
    if set(instance) != {"value"}:
        return instance
    content = instance["value"]
    listed = content if isinstance(content, list) else [content]
    return instance if any(kind_of(one) for one in listed if isinstance(one, Mapping)) else content
