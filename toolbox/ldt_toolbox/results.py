"""What a run yields: layers, tables, indicators, notes; written and read back without loss."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldt_toolbox.errors import DataError, MissingFileError, OutputError
from ldt_toolbox.space.raster import Raster
from ldt_toolbox.use_case import UseCase

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from ldt_toolbox.space.frames import Frames

Text = Mapping[str, str]
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Note:
    """Something that a reader of the result has to know.

    Attributes
    ----------
    kind : str
        `gap` (data that is missing), `assumption`, `repair` (data that was mended) or `warning`.
    text : mapping of str to str
        By language, `en` and `fr`.
    """

    kind: str
    text: Text


@dataclass(frozen=True)
class Indicator:
    """One number of a result.

    Attributes
    ----------
    value : float, int or None
        None where it could not be computed; a note says why.
    low, high : float or None
        Uncertainty interval.
    interval : str
        What the interval means, for example `5th to 95th percentile of 40 draws`.
    provenance : str
        `observed`, `derived` or `synthetic`.
    """

    value: float | int | None
    low: float | None = None
    high: float | None = None
    interval: str = ""
    provenance: str = "derived"


@dataclass
class Results:
    """Everything that `compute` returns.

    Attributes
    ----------
    answer : mapping of str to str
        The answer to the use case's question in one paragraph, by language.
    weight : mapping of str to str
        What exposure is counted in, by language, for example `m² of floor`.
    indicators : dict of str to Indicator
        By id of the manifest.
    layers : dict of str to Raster or geopandas.GeoDataFrame
        By id of the manifest.
    tables : dict of str to pandas.DataFrame
        By id of the manifest.
    animations : dict of str to Frames
        By id of the manifest.
    notes : list of Note
        Gaps, assumptions, repairs and warnings.
    synthetic : tuple of str
        Layers and tables that rest on synthetic data; the report marks them.
    """

    answer: dict[str, str] = field(default_factory=dict)
    weight: dict[str, str] = field(default_factory=dict)
    indicators: dict[str, Indicator] = field(default_factory=dict)
    layers: "dict[str, Raster | gpd.GeoDataFrame]" = field(default_factory=dict)
    tables: "dict[str, pd.DataFrame]" = field(default_factory=dict)
    animations: "dict[str, Frames]" = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    synthetic: tuple[str, ...] = ()

    def check(self, case: UseCase) -> None:
        """Compare with what the manifest promises.

        Raises
        ------
        DataError
            If an output is missing that is not optional, or one is not in the manifest.
        """
        problems = []
        for group in ("layers", "tables", "indicators", "animations"):
            promised = getattr(case, group)
            yielded = getattr(self, group)
            problems += [
                f"{group}: `{key}` is not in the manifest" for key in yielded if key not in promised
            ]
            problems += [
                f"{group}: `{key}` is missing"
                for key, output in promised.items()
                if key not in yielded and not output.optional
            ]
        if problems:
            raise DataError(f"results of {case.id} differ from {case.path}: " + "; ".join(problems))

    def write(self, folder: Path | str, case: UseCase, *, territory: str) -> None:
        """Write `layers/`, `tables/`, `animations/` and `indicators.json` into a folder.

        Parameters
        ----------
        folder : pathlib.Path or str
            Made if it is not there.
        case : UseCase
            Units, labels and definitions come from its manifest.
        territory : str
            Id of the territory.

        Raises
        ------
        DataError
            If the results differ from the manifest.
        OutputError
            If the disk is full or the folder cannot be written.
        """
        self.check(case)
        folder = Path(folder)
        try:
            (folder / "layers").mkdir(parents=True, exist_ok=True)
            (folder / "tables").mkdir(exist_ok=True)
            self._remove_older(folder, case)
            for key, layer in self.layers.items():
                write_layer(folder / "layers", key, layer, case.layers[key].unit)
            for key, table in self.tables.items():
                table.to_csv(folder / "tables" / f"{key}.csv", index=False, float_format="%.6g")
            for key, frames in self.animations.items():
                from ldt_toolbox.space.frames import write_frames

                (folder / "animations").mkdir(exist_ok=True)
                write_frames(folder / "animations" / f"{key}.tif", frames)
            text = json.dumps(
                self._document(case, territory), ensure_ascii=False, indent=2, allow_nan=False
            )
            (folder / "indicators.json").write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise OutputError(
                f"results cannot be written to {folder}: {error.strerror or error}; "
                "free space or choose another folder with --out"
            ) from error

    def _remove_older(self, folder: Path, case: UseCase) -> None:
        """Remove outputs of an earlier run into the same folder that this one does not have."""
        for key in case.layers:
            for suffix in (".tif", ".parquet"):
                (folder / "layers" / f"{key}{suffix}").unlink(missing_ok=True)
        for key in case.tables:
            (folder / "tables" / f"{key}.csv").unlink(missing_ok=True)
        for key in case.animations:
            (folder / "animations" / f"{key}.tif").unlink(missing_ok=True)

    def _document(self, case: UseCase, territory: str) -> dict[str, Any]:
        indicators = []
        for key, output in case.indicators.items():
            if key not in self.indicators:
                continue
            one = self.indicators[key]
            indicators.append(
                {
                    "id": key,
                    "value": _rounded(one.value),
                    "unit": output.unit,
                    "label": dict(output.title),
                    "definition": dict(output.help),
                    "uncertainty": None
                    if one.low is None or one.high is None
                    else {
                        "low": _rounded(one.low),
                        "high": _rounded(one.high),
                        "meaning": one.interval,
                    },
                    "provenance": one.provenance,
                    "mim8": output.mim8,
                    "iso37101": output.spec.get("iso37101", ""),
                    "headline": bool(output.spec.get("headline", False)),
                }
            )
        return {
            "schema_version": SCHEMA_VERSION,
            "use_case": case.id,
            "use_case_version": case.version,
            "territory": territory,
            "answer": self.answer,
            "weight": self.weight,
            "indicators": indicators,
            "notes": [{"kind": note.kind, "text": dict(note.text)} for note in self.notes],
            "synthetic": list(self.synthetic),
            # CSV cannot tell the station `07690` from a number, or the street `NA` from a gap
            "text_columns": {key: _text_columns(table) for key, table in self.tables.items()},
        }

    @classmethod
    def read(cls, folder: Path) -> "Results":
        """Read what `write` wrote.

        Parameters
        ----------
        folder : pathlib.Path
            The folder of a run.

        Raises
        ------
        MissingFileError
            If no results lie there.
        """
        import geopandas as gpd

        from ldt_toolbox.space.frames import read_frames
        from ldt_toolbox.space.geotiff import read_geotiff

        if not (folder / "indicators.json").is_file():
            raise MissingFileError(
                f"{folder} holds no results (no indicators.json): give the folder of a finished run"
            )
        document = json.loads((folder / "indicators.json").read_text(encoding="utf-8"))
        layers: dict[str, Raster | gpd.GeoDataFrame] = {}
        for path in sorted((folder / "layers").iterdir()):
            if path.suffix == ".tif":
                layers[path.stem] = read_geotiff(path)
            elif path.suffix == ".parquet":
                layers[path.stem] = gpd.read_parquet(path)
        indicators = {}
        for item in document["indicators"]:
            interval = item["uncertainty"] or {"low": None, "high": None, "meaning": ""}
            indicators[item["id"]] = Indicator(
                value=item["value"],
                low=interval["low"],
                high=interval["high"],
                interval=interval["meaning"],
                provenance=item["provenance"],
            )
        return cls(
            answer=document["answer"],
            weight=document["weight"],
            indicators=indicators,
            layers=layers,
            tables={
                path.stem: _read_table(path, document.get("text_columns", {}).get(path.stem, []))
                for path in sorted((folder / "tables").glob("*.csv"))
            },
            animations={
                path.stem: read_frames(path) for path in sorted(folder.glob("animations/*.tif"))
            },
            notes=[Note(kind=note["kind"], text=note["text"]) for note in document["notes"]],
            synthetic=tuple(document["synthetic"]),
        )


def write_layer(folder: Path, key: str, layer: "Raster | gpd.GeoDataFrame", unit: str) -> Path:
    """Write one layer as cloud-optimised GeoTIFF or GeoParquet and return its path."""
    if isinstance(layer, Raster):
        from ldt_toolbox.space.geotiff import write_geotiff

        path = folder / f"{key}.tif"
        write_geotiff(path, layer.with_values(layer.values, unit=unit))
        return path
    path = folder / f"{key}.parquet"
    layer.to_parquet(path, index=False, compression="zstd", schema_version="1.1.0")
    return path


def _text_columns(table: "pd.DataFrame") -> list[str]:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    return [
        str(name)
        for name, values in table.items()
        if not (is_numeric_dtype(values) or is_bool_dtype(values))
    ]


def _read_table(path: Path, text_columns: list[str]) -> "pd.DataFrame":
    import pandas as pd

    words = pd.read_csv(path, dtype=str, keep_default_na=False)
    return pd.read_csv(path).assign(**{name: words[name] for name in text_columns})


def _rounded(value: float | int | None) -> float | int | None:
    """Six significant digits: what is stored does not pretend to more."""
    if value is None:
        return None
    if hasattr(value, "item"):  # a number of numpy
        value = value.item()
    if isinstance(value, int):
        return value
    if not math.isfinite(value):
        return None
    return float(f"{value:.6g}")
