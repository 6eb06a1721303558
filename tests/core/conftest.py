"""A use case and a territory small enough to spoil one line at a time."""

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pytest
from shapely.geometry import box

MANIFEST = """\
id: trees
version: 1.0.0
title: {en: Trees, fr: Arbres}
question: {en: How many trees?, fr: Combien d'arbres ?}
purpose: {iso37101_issues: [living environment]}
compute: green_toolbox.trees:compute
notebook: notebook.ipynb
roles:
  trees:
    kind: vector
    geometry: point
    accepts: [file]
    help: {en: Trees, fr: Arbres}
parameters:
  spacing_m: {type: number, min: 1, max: 9, default: 5, help: {en: s, fr: é}, source: test}
outputs:
  layers:
    height: {kind: raster, unit: MTR, mim8: raw, title: {en: h, fr: h}, help: {en: h, fr: h}}
    crowns: {kind: vector, unit: MTR, mim8: raw, title: {en: c, fr: c}, help: {en: c, fr: c}}
    shade: {kind: raster, unit: share, mim8: model_output, optional: true, title: {en: s, fr: o},
      help: {en: s, fr: o}}
  tables:
    streets: {title: {en: s, fr: r}, help: {en: s, fr: r}}
  indicators:
    count: {unit: C62, mim8: model_output, headline: true, label: {en: Count, fr: Nombre},
      help: {en: trees counted, fr: arbres comptés}}
    gap: {unit: MTR, mim8: model_output, optional: true, label: {en: Gap, fr: Écart},
      help: {en: mean gap, fr: écart moyen}}
resources: {memory_gb: 0.5, minutes: 1}
evidence:
  - {where: here, what: {en: it works, fr: il marche}, source: a paper}
method: [{en: count, fr: compter}]
limits: [{en: small trees, fr: petits arbres}]
"""

TERRITORY = """\
id: village
names: {fr: Le Village, en: The Village}
country: FR
codes: {insee: "01004"}
crs: EPSG:2154
languages: [fr, en]
timezone: Europe/Paris
boundary:
  protocol: file
  path: boundary.parquet
  source: a test
  licence: CC0-1.0
  provenance: synthetic
sources:
  trees:
    protocol: file
    path: boundary.parquet
    source: a test
    licence: CC0-1.0
    provenance: synthetic
  air_temperature: {use: cru-normals}
use_cases:
  trees: {spacing_m: 4}
"""

Write = Callable[..., Path]


@pytest.fixture
def write_case(tmp_path: Path) -> Write:
    """Write the manifest with some texts exchanged; returns its path."""

    def write(*changes: tuple[str, str], root: Path | None = None) -> Path:
        folder = (root or tmp_path) / "trees"
        folder.mkdir(parents=True)
        (folder / "notebook.ipynb").write_text("{}", encoding="utf-8")
        return changed(MANIFEST, changes, folder / "use-case.yaml")

    return write


@pytest.fixture
def write_territory(tmp_path: Path) -> Write:
    """Write a territory of one square with some texts exchanged; returns its path."""

    def write(*changes: tuple[str, str]) -> Path:
        square = gpd.GeoDataFrame({"id": ["1"]}, geometry=[box(9e5, 65e5, 9.01e5, 65.01e5)])
        square.set_crs("EPSG:2154").to_parquet(tmp_path / "boundary.parquet")
        return changed(TERRITORY, changes, tmp_path / "territory.yaml")

    return write


def changed(text: str, changes: tuple[tuple[str, str], ...], path: Path) -> Path:
    for before, after in changes:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")
    return path
