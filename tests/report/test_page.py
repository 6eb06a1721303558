"""The page: valid, whole, safe, in two languages, the same each time."""

import base64
import io
import itertools
import re
from dataclasses import replace

import html5lib
import pytest
from ldt_toolbox import units
from ldt_toolbox.errors import OutputError
from ldt_toolbox.report import InputRecord, write_report
from ldt_toolbox.results import Indicator, Results
from PIL import Image

XHTML = "{http://www.w3.org/1999/xhtml}"
NOT_VALIDATED = {"en": "not validated against observations here", "fr": "n'a pas été validé"}


def write(example, **options) -> str:
    options = {"parameters": example.case.validate({}), "inputs": example.inputs} | options
    path = write_report(example.run, example.case, example.territory, **options)
    assert path == example.run / "report.html"
    return path.read_text(encoding="utf-8")


def read(written) -> str:
    return (written.run / "report.html").read_text(encoding="utf-8")


def parse(text: str):
    """Parse as a browser would, refusing what is not valid HTML."""
    return html5lib.HTMLParser(strict=True).parse(text)


def articles(text: str) -> dict:
    return {a.get("lang"): a for a in parse(text).iter(f"{XHTML}article")}


def words(element) -> str:
    return " ".join("".join(element.itertext()).split())


def test_both_languages_are_whole_and_valid(written):
    found = articles(read(written))
    assert set(found) == {"en", "fr"}
    for language, article in found.items():
        said = words(article)
        assert len(written.results.indicators) > 10
        for key in written.results.indicators:
            assert written.case.indicators[key].title[language] in said, key
        for key in written.results.tables:
            assert written.case.tables[key].title[language] in said, key
        for text in [*written.case.method, *written.case.limits]:
            assert text[language] in said
        for note in written.results.notes:
            assert note.text[language] in said
        assert written.case.question[language] in said
        assert written.results.answer[language] in said
        assert "ODbL-1.0" in said
        assert "39 of 1285 buildings have a height" in said
        for name in written.case.parameters:
            assert name in said


def test_headings_step_down_one_at_a_time_and_start_with_the_title(written):
    for article in articles(read(written)).values():
        levels = [
            int(e.tag[-1]) for e in article.iter() if re.fullmatch(XHTML + "h[1-6]", str(e.tag))
        ]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert len(levels) > 15
        assert all(b - a <= 1 for a, b in itertools.pairwise(levels))


def test_ids_are_unique_and_inner_links_and_labels_lead_somewhere(written):
    root = parse(read(written))
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids)) > 30
    targets = [e.get("href")[1:] for e in root.iter() if (e.get("href") or "").startswith("#")]
    targets += [e.get("for") for e in root.iter(f"{XHTML}label")]
    targets += [i for e in root.iter() for i in (e.get("aria-labelledby") or "").split()]
    assert len(targets) > 20
    assert set(targets) <= set(ids)


def test_the_page_loads_nothing_and_runs_nothing(written):
    text = read(written)
    root = parse(text)
    tags = {str(e.tag).removeprefix(XHTML) for e in root.iter()}
    assert not tags & {"script", "link", "iframe", "object", "embed", "base", "video", "audio"}
    sources = [e.get("src") for e in root.iter() if e.get("src") is not None]
    assert len(sources) >= 10
    assert all(s.startswith("data:image/png;base64,") for s in sources)
    assert not [e for e in root.iter() for name in e.attrib if name.startswith("on")]
    style = "".join(words(e) for e in root.iter(f"{XHTML}style"))
    assert len(style) > 1000
    assert "@import" not in style
    assert "url(" not in style
    assert [p.name for p in written.run.iterdir() if p.suffix in {".html", ".part"}] == [
        "report.html"
    ]


def test_the_page_is_small(written):
    assert (written.run / "report.html").stat().st_size < 2_000_000


@pytest.mark.parametrize(("first", "lead"), [("fr", "fr"), ("en", "en"), ("fi", "en")])
def test_the_territorys_language_leads_and_the_other_is_a_key_away(example, hamlet, first, lead):
    example.territory = hamlet(language=first)
    root = parse(write(example))
    assert root.get("lang") == lead
    radios = {e.get("id"): e for e in root.iter(f"{XHTML}input")}
    assert set(radios) == {"show-en", "show-fr"}
    assert {e.get("name") for e in radios.values()} == {"language"}
    assert [i for i, e in radios.items() if e.get("checked") is not None] == [f"show-{lead}"]


def test_every_map_has_its_own_alt_text_in_each_language(written):
    found = articles(read(written))
    mapped = [k for k in written.results.layers if written.case.layers[k].spec.get("map")]
    assert len(mapped) >= 5
    for language, article in found.items():
        alts = [e.get("alt") for e in article.iter(f"{XHTML}img")]
        assert len(alts) == len(set(alts)) == len(mapped)
        for key, alt in zip(mapped, alts, strict=True):
            assert written.case.layers[key].title[language] in alt
            assert len(alt) > 60


def test_unmapped_layers_are_not_drawn(written):
    text = read(written)
    unmapped = [k for k in written.results.layers if not written.case.layers[k].spec.get("map")]
    assert unmapped
    assert not [k for k in unmapped if f"en-map-{k}" in text]


def test_tables_have_scoped_headers(written):
    for article in articles(read(written)).values():
        headers = list(article.iter(f"{XHTML}th"))
        assert len(headers) > 30
        assert {h.get("scope") for h in headers} == {"col", "row"}


def test_long_tables_are_cut_and_say_where_the_rest_is(written):
    said = words(articles(read(written))["en"])
    assert "The first 20 of 26 rows; all of them are in tables/scenarios.csv" in said
    assert "measure 19" in said
    assert "measure 20" not in said


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "Sainte-Rose & l'Île <b>"])
def test_names_from_elsewhere_stay_text(example, hamlet, name):
    example.territory = hamlet(name=name)
    example.results.answer = {"en": f"Hot in {name}", "fr": f"Chaud à {name}"}
    example.save()
    root = parse(write(example))
    assert not list(root.iter(f"{XHTML}script"))
    assert not [b for b in root.iter(f"{XHTML}b") if words(b) != words(b).strip("<>")]
    titles = [words(h) for h in root.iter(f"{XHTML}h1")]
    assert len(titles) == 2
    assert all(name in title for title in titles)


def test_only_web_addresses_become_links(example):
    inputs = [
        InputRecord(role="trees", source="a list", url="javascript:alert(1)"),
        InputRecord(role="water", source="a map", url="https://example.org/a?b=1&c=<2>"),
    ]
    links = {e.get("href") for e in parse(write(example, inputs=inputs)).iter(f"{XHTML}a")}
    assert "https://example.org/a?b=1&c=<2>" in links
    assert "https://doi.org/10.5194/gmd-14-3521-2021" in links
    assert all(link.startswith(("#", "https://", "http://")) for link in links)


def test_synthetic_layers_are_marked_in_the_figure_and_in_words(drawn):
    plain = images(write(drawn), "en")
    drawn.results.synthetic = ("air_temperature", "scenarios")
    drawn.save()
    text = write(drawn)
    marked = images(text, "en")
    position = [k for k in drawn.results.layers if drawn.case.layers[k].spec.get("map")].index(
        "air_temperature"
    )
    changed = [i for i, (a, b) in enumerate(zip(plain, marked, strict=True)) if a != b]
    assert changed == [position]
    before, after = (Image.open(io.BytesIO(i[position])).convert("L") for i in (plain, marked))
    differing = sum(abs(a - b) > 30 for a, b in zip(before.tobytes(), after.tobytes(), strict=True))
    assert differing > 0.01 * before.width * before.height
    found = articles(text)
    assert words(found["en"]).count("Synthetic data: this") == 2
    assert "SYNTHETIC" in words(found["en"])
    assert "SYNTHÉTIQUE" in words(found["fr"])
    assert "Synthetic data" in [e.get("alt") for e in found["en"].iter(f"{XHTML}img")][position]


def images(text: str, language: str) -> list[bytes]:
    sources = [e.get("src") for e in articles(text)[language].iter(f"{XHTML}img")]
    return [base64.b64decode(s.partition(",")[2]) for s in sources]


def test_without_observations_the_report_says_so(example):
    for language, article in articles(write(example)).items():
        assert NOT_VALIDATED[language] in words(article)


@pytest.mark.parametrize("key", ["station_bias", "surface_uhi"])
def test_with_observations_it_shows_them_instead(example, key):
    example.results.indicators[key] = Indicator(-0.62, -0.9, -0.4, provenance="observed")
    example.save()
    for language, article in articles(write(example)).items():
        said = words(article)
        assert NOT_VALIDATED[language] not in said
        assert "−0.6 K" in said if language == "en" else "−0,6 K" in said


def test_an_indicator_without_value_counts_as_no_observation(example):
    example.results.indicators["station_bias"] = Indicator(None)
    example.save()
    article = articles(write(example))["en"]
    assert NOT_VALIDATED["en"] in words(article)
    assert "not computed" in words(article)


def test_results_with_nothing_optional_and_no_note_still_make_a_report(example):
    example.results.notes = []
    example.save()
    said = words(articles(write(example, inputs=()))["en"])
    assert "No gap, assumption, repair or warning was noted" in said
    assert "No input was recorded" in said


def test_parameters_tell_value_unit_and_origin(example):
    parameters = example.case.validate({"cell_size_m": 2.5})
    said = words(articles(write(example, parameters=parameters))["fr"])
    help_fr = example.case.parameters["cell_size_m"].help["fr"]
    assert re.search(rf"cell_size_m {help_fr[0].upper()}{help_fr[1:]}.* 2,5 m ce calcul", said)
    assert "automatique °C défaut du cas d'usage" in said
    assert "mm/j" in said


def test_the_same_run_gives_the_same_bytes(drawn):
    first = write(drawn)
    assert first.count("<img") >= 10
    assert write(drawn) == first


def test_run_id_and_version_stand_at_the_foot(example):
    assert example.run.name in write(example)
    said = words(articles(write(example, run_id="another-id"))["en"])
    assert "Run another-id." in said
    assert f"use case heat-islands {example.case.version}" in said


def test_a_folder_that_cannot_be_written_is_named(example):
    (example.run / "report.html.part").mkdir()
    with pytest.raises(OutputError, match=r"report\.html"):
        write_report(example.run, example.case, example.territory, parameters={}, inputs=())


def test_the_report_rests_on_the_folder_alone(example):
    first = write(example)
    example.results = Results()
    assert write(example) == first


def test_every_unit_of_the_manifest_is_known(case):
    codes = {p.unit for p in case.parameters.values()} | {
        o.unit for o in [*case.layers.values(), *case.indicators.values()]
    }
    codes |= {
        str(spec["unit"])
        for table in case.tables.values()
        for spec in table.spec["columns"].values()
        if "unit" in spec
    }
    assert len(codes) > 8
    assert codes - {""} <= set(units.UNITS)


def test_words_of_cells_come_from_the_manifest(example):
    table = example.case.tables["scenarios"]
    columns = table.spec["columns"] | {
        "measure": {"en": "Measure", "fr": "Mesure", "values": {"measure 0": {"fr": "Arbres"}}}
    }
    named = replace(table, spec=table.spec | {"columns": columns})
    example.case = replace(example.case, tables={**example.case.tables, "scenarios": named})
    found = articles(write(example))
    assert "Arbres" in words(found["fr"])
    assert "measure 0" in words(found["en"])


def test_a_table_that_is_hardly_too_long_is_shown_whole(example):
    example.results.tables["scenarios"] = example.results.tables["scenarios"].head(22)
    example.save()
    said = words(articles(write(example))["en"])
    assert "measure 21" in said
    assert "of 22 rows" not in said
