"""The words of the report's frame, in both languages."""

import string

import pytest
from ldt_toolbox.report import words
from ldt_toolbox.use_case import MIM8_TAGS, PROVENANCE


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_say_the_same_things():
    assert len(words._WORDS) > 60
    for key, (english, french) in words._WORDS.items():
        assert english.strip(), key
        assert french.strip(), key
        assert placeholders(english) == placeholders(french), key


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_tag_of_a_manifest_has_a_word(language):
    for tag in (*MIM8_TAGS, *PROVENANCE, "given", "territory", "manifest"):
        assert words.word(tag, language)


def test_french_signs_do_not_fall_to_the_next_line():
    assert words.word("source_line", "fr", credits="x") == "Source\u00a0: x."


def test_intervals_are_put_into_french():
    meaning = "5th to 95th percentile of 40 draws"
    assert words.interval(meaning, "en") == meaning
    assert words.interval(meaning, "fr") == "5e au 95e centile de 40 tirages"
    assert words.interval("something else", "fr") == "something else"


def test_every_issue_of_the_manifest_has_a_french_name(case):
    issues = {str(one.spec["iso37101"]) for one in case.indicators.values()}
    assert len(issues) >= 3
    assert all(words.iso37101(issue, "fr") != issue for issue in issues)
    assert words.iso37101("an issue of one's own", "fr") == "an issue of one's own"
