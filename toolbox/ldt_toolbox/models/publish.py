"""Write contexts and schemas as files, for people and brokers that run no Python.

``python -m ldt_toolbox.models.publish FOLDER`` writes them; those that come with the toolbox are
in ``models/published``.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ldt_toolbox.errors import OutputError
from ldt_toolbox.models import contexts, schema
from ldt_toolbox.models.types import Catalogue, catalogue

PUBLISHED = Path(__file__).parent / "published"


def documents(models: Catalogue | None = None) -> dict[str, str]:
    """Make every file.

    Parameters
    ----------
    models : Catalogue, optional
        Types to publish; those of the toolbox if left out.

    Returns
    -------
    dict of str to str
        Text by file name: ``<subject>.context.jsonld``, ``<Type>.schema.json`` and
        ``<Type>.key-values.schema.json``; the same declarations give the same bytes.
    """
    models = models or catalogue()
    made = {"ngsi-ld-core-v1.8.context.jsonld": _text(contexts.core())}
    for subject, kinds in models.subjects().items():
        context = contexts.subject_context(subject, models=models)
        made[f"{subject}.context.jsonld"] = _text(context)
        for kind in kinds:
            made[f"{kind.name}.schema.json"] = _text(schema.normalised(kind))
            made[f"{kind.name}.key-values.schema.json"] = _text(schema.key_values(kind))
    return made


def write(folder: Path, models: Catalogue | None = None) -> list[Path]:
    """Write every file into a folder.

    Parameters
    ----------
    folder : pathlib.Path
        Made if it does not exist.
    models : Catalogue, optional
        Types to publish; those of the toolbox if left out.

    Returns
    -------
    list of pathlib.Path
        What was written, in alphabetical order.

    Raises
    ------
    OutputError
        If the folder cannot be written to.
    """
    paths = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in sorted(documents(models).items()):
            path = folder / name
            path.write_text(text, encoding="utf-8")
            paths.append(path)
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written ({error.strerror}): give a folder of your own"
        ) from None
    return paths


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m ldt_toolbox.models.publish FOLDER")
    print(f"{len(write(Path(sys.argv[1])))} files written to {sys.argv[1]}")
