"""A use case of four cells and a territory of one square, for tests of the run engine."""

import json
from pathlib import Path

import nbformat

MANIFEST = """
schema_version: 1
id: tiny
version: 1.0.0
title: {en: Tiny, fr: Petit}
question: {en: How many?, fr: Combien ?}
purpose: {iso37101_purposes: [], iso37101_issues: [none]}
compute: "tiny:compute"
notebook: notebook.ipynb
roles:
  buildings: {kind: vector, geometry: polygon, required: false, accepts: [file],
              help: {en: b, fr: b}, without: {en: none, fr: rien}}
parameters:
  behaviour: {type: choice, choices: [good, fail, die, sleep, forget, big], default: good,
              help: {en: what the notebook does, fr: ce que fait le notebook}, source: test}
  count: {type: integer, min: 0, max: 10, default: 3, help: {en: n, fr: n}, source: test}
outputs:
  indicators:
    number: {unit: C62, mim8: model_output, label: {en: Number, fr: Nombre},
             help: {en: the number, fr: le nombre}}
resources: {memory_gb: 0.1, minutes: 1}
evidence: [{where: here, what: {en: test, fr: test}, source: test}]
method: [{en: count, fr: compter}]
limits: [{en: tiny, fr: petit}]
"""

CELLS = (
    ("parameters", 'territory = ""\nresults_folder = ""\nbehaviour = "good"\ncount = 3'),
    (
        "",
        "from pathlib import Path\nfrom ldt_toolbox.results import Indicator, Results\n"
        "from ldt_toolbox.use_case import UseCase\n"
        "case = UseCase.read(Path(CASE_FOLDER))",
    ),
    (
        "",
        "import os, signal, time\n"
        'if behaviour == "fail":\n    raise ValueError("seven is no even number")\n'
        'if behaviour == "die":\n    os.kill(os.getpid(), signal.SIGKILL)\n'
        'if behaviour == "sleep":\n    time.sleep(600)\n'
        'if behaviour == "big":\n'
        '    Path(results_folder, "layers").mkdir()\n'
        '    Path(results_folder, "layers", "big.bin").write_bytes(bytes(10**7))',
    ),
    (
        "",
        'results = Results(answer={"en": "three", "fr": "trois"}, weight={"en": "", "fr": ""})\n'
        'results.indicators["number"] = Indicator(count)\n'
        'if behaviour != "forget":\n'
        '    results.write(results_folder, case, territory="square")',
    ),
)


def write_use_case(folder: Path) -> Path:
    """Write the use case `tiny` below a folder and return its own folder."""
    own = folder / "tiny"
    own.mkdir(parents=True)
    (own / "use-case.yaml").write_text(MANIFEST, encoding="utf-8")
    book = nbformat.v4.new_notebook()
    book.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "P"}
    for tag, source in CELLS:
        source = source.replace("CASE_FOLDER", repr(str(own)))
        cell = nbformat.v4.new_code_cell(source)
        if tag:
            cell.metadata["tags"] = [tag]
        book.cells.append(cell)
    nbformat.write(book, own / "notebook.ipynb")
    return own


def write_territory(folder: Path) -> Path:
    """Write a territory of one square kilometre in Paris and return its folder."""
    folder.mkdir(parents=True)
    ring = [[2.30, 48.85], [2.31, 48.85], [2.31, 48.86], [2.30, 48.86], [2.30, 48.85]]
    feature = {
        "type": "Feature",
        "properties": {},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    collection = {"type": "FeatureCollection", "features": [feature]}
    (folder / "boundary.geojson").write_text(json.dumps(collection), encoding="utf-8")
    (folder / "territory.yaml").write_text(
        """
id: square
names: {en: Square, fr: Carré}
country: FR
codes: {insee: "75107"}
crs: EPSG:2154
languages: [fr]
boundary: {protocol: file, path: boundary.geojson, source: test, licence: CC0-1.0,
           date: "2025", provenance: synthetic}
sources:
  buildings: {protocol: file, path: boundary.geojson, source: test, licence: CC0-1.0,
              date: "2025", provenance: synthetic}
""",
        encoding="utf-8",
    )
    return folder
