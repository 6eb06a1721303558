"""The report of a run: one page for people, from what lies in the run's folder."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

import ldt_toolbox
from ldt_toolbox.errors import OutputError
from ldt_toolbox.report import article, words
from ldt_toolbox.report.film import films
from ldt_toolbox.report.inputs import InputRecord
from ldt_toolbox.report.maps import map_pieces
from ldt_toolbox.report.tables import table_pieces
from ldt_toolbox.results import Results
from ldt_toolbox.territory import Territory
from ldt_toolbox.use_case import LANGUAGES, UseCase

FILE_NAME = "report.html"
_LANGUAGE_NAMES = {"en": "English", "fr": "Français"}
_HERE = Path(__file__).parent


def write_report(
    run: Path,
    case: UseCase,
    territory: Territory,
    *,
    parameters: Mapping[str, Any],
    inputs: Sequence[InputRecord] = (),
    run_id: str = "",
) -> Path:
    """Write `report.html` of a run: one file, both languages, nothing loaded from elsewhere.

    Parameters
    ----------
    run : pathlib.Path
        Folder with what `Results.write` wrote.
    case : UseCase
        Question, legends, definitions, method and limits.
    territory : Territory
        Name, boundary, and the language that leads.
    parameters : mapping of str to object
        Values of the run; a `Parameters` object also tells where each is from.
    inputs : sequence of InputRecord
        What went in, with source and licence.
    run_id : str
        Id of the run; the folder's name stands in where it is empty.

    Returns
    -------
    pathlib.Path
        The file. The same run gives the same bytes.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    results = Results.read(run)
    articles = [
        _article(
            language, run=run_id or run.resolve().name, case=case, territory=territory,
            results=results, parameters=parameters, inputs=inputs,
        )
        for language in LANGUAGES
    ]  # fmt: skip
    text = _template().render(
        articles=articles,
        lead=lead_language(territory),
        language_names=_LANGUAGE_NAMES,
        css=Markup("".join(_own(name) for name in ("page.css", "film.css"))),  # noqa: S704 - our own files
        link=article.web_address,
    )
    path = run / FILE_NAME
    part = run / f"{FILE_NAME}.part"
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise OutputError(
            f"the report cannot be written to {path}: {error.strerror or error}; "
            "free space or choose another folder with --out"
        ) from error
    return path


def lead_language(territory: Territory) -> str:
    """The territory's first language if the report speaks it, else English."""
    first = territory.languages[0] if territory.languages else "en"
    return first if first in LANGUAGES else "en"


def _article(
    language: str,
    *,
    run: str,
    case: UseCase,
    territory: Territory,
    results: Results,
    parameters: Mapping[str, Any],
    inputs: Sequence[InputRecord],
) -> dict[str, Any]:
    """Everything that the template says in one language."""
    shown = article.numbers(case, results, language=language)
    observed = article.validation(shown)
    said = partial(words.word, language=language)
    return {
        "lang": language,
        "t": said,
        "case": case.title[language],
        "place": territory.name(language),
        "question": case.question[language],
        "answer": results.answer.get(language, ""),
        "synthetic": _synthetic(case, results, shown, language),
        "cards": [number for number in shown if number.headline],
        "maps": list(map_pieces(case, results, territory, language=language)),
        "animations": list(films(case, results, territory, language=language)),
        "credits": article.credits_line(case, inputs, language=language),
        "tables": list(table_pieces(case, results, language=language)),
        "indicators": shown,
        "units": article.unit_names(case, results, language=language),
        "notes": article.notes(results, language=language),
        "observed": observed,
        "by_station": article.by_station(observed),
        "method": [text[language] for text in case.method],
        "limits": [text[language] for text in case.limits],
        "evidence": article.evidence(case, language=language),
        "inputs": inputs,
        "role_title": partial(article.role_title, case, language=language),
        "parameters": article.settings(case, parameters, language=language),
        "made": said(
            "made", version=ldt_toolbox.__version__, case=case.id, case_version=case.version,
            territory=territory.id, run=run,
        ),
    }  # fmt: skip


def _synthetic(
    case: UseCase, results: Results, shown: Sequence[article.Number], language: str
) -> str:
    """Titles of what rests on synthetic data, joined."""
    outputs = {**case.layers, **case.tables, **case.animations}
    titles = [
        outputs[key].title.get(language, key) if key in outputs else key
        for key in results.synthetic
    ]
    titles += [number.label for number in shown if number.synthetic]
    return "; ".join(dict.fromkeys(titles))


def _own(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.jinja")
