"""Contexts: offline, and expanded as an independent JSON-LD processor expands them."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldt_toolbox.models import contexts
from ldt_toolbox.models.types import catalogue

SMART = sorted(name for name, kind in catalogue().items() if kind.subject != "ldt-toolbox")
OWN = sorted(set(catalogue()) - set(SMART))


@pytest.fixture
def expand():
    """Expansion by pyld, with our documents instead of a network."""
    jsonld = pytest.importorskip("pyld.jsonld", reason="pyld is a test dependency")

    def loader(url, options=None):
        document = contexts.load(url)
        return {"contextUrl": None, "documentUrl": url, "document": document}

    return lambda entity: jsonld.expand(entity, {"documentLoader": loader})


@pytest.mark.parametrize("name", [*SMART, *OWN])
def test_terms_expand_as_pyld_expands_them(name, right, expand):
    entity = right(name)
    (expanded,) = expand(entity)
    ours = contexts.terms(entity["@context"])
    assert expanded["@type"] == [ours.expand(name)] == [catalogue()[name].iri]
    terms = [term for term in entity if term not in ("id", "type", "@context")]
    found = {iri for iri in expanded if not iri.startswith("@")}
    assert found == {ours.expand(term) for term in terms}
    assert found == {one.iri for one in catalogue()[name].attributes.values()}


@pytest.mark.parametrize(
    "context",
    [
        {"ex": "https://example.org/", "colour": "ex:colour", "tint": "colour"},
        [{"colour": "https://a.example/c"}, {"colour": "https://b.example/c"}],
        {"colour": {"@id": "https://example.org/colour", "@type": "@id"}},
        {"location": "https://example.org/location", "colour": "https://example.org/colour"},
        [{"colour": "https://a.example/c"}, {"colour": None}],
        {"ngsi": "https://uri.etsi.org/ngsi-ld/", "colour": "ngsi:colour"},
        {"@vocab": "https://example.org/vocab#"},
        [],
    ],
)
def test_written_contexts_expand_as_pyld_expands_them(context, expand):
    chain = [*(context if isinstance(context, list) else [context]), contexts.CORE_URL]
    keys = ["colour", "tint", "location", "ex:shade", "unknown", "https://c.example/full"]
    entity = {"@context": chain, "id": "urn:a:b", "type": "T", **dict.fromkeys(keys, 1)}
    (expanded,) = expand(entity)
    ours = contexts.terms(chain)
    wanted = {ours.expand(key) for key in keys}
    # JSON-LD drops a term that was set to null; NGSI-LD has no such thing in its answers
    if context and isinstance(context, list) and {"colour": None} in context:
        wanted.discard(ours.expand("colour"))
    assert {iri for iri in expanded if not iri.startswith("@")} == wanted


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=12),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.text(max_size=8) | st.sampled_from(["@id", "@vocab"]), inner, max_size=4
            )
        ),
        max_leaves=15,
    ),
    st.text(max_size=10),
)
def test_no_context_raises_or_loops(context, term):
    known = contexts.terms(context)
    assert isinstance(known.expand(term), str)
    assert known.expand("location") == "https://uri.etsi.org/ngsi-ld/location"


def test_circular_prefixes_end():
    known = contexts.terms({"a": "b:x", "b": "a:y", "c": "c"})
    assert isinstance(known.expand("a"), str)


def test_contexts_that_name_each_other_end():
    def load(url):
        return {"@context": [url, {"colour": "https://example.org/colour"}]}

    known = contexts.terms("https://example.org/self.jsonld", load=load)
    assert known.expand("colour") == "https://example.org/colour"


def test_core_comes_last_and_wins():
    """Clause 5.5.7: nobody redefines `location`, wherever the core context stands."""
    chain = [contexts.CORE_URL, {"location": "https://example.org/location"}]
    assert contexts.terms(chain).expand("location") == "https://uri.etsi.org/ngsi-ld/location"


def test_a_term_that_nobody_defines_falls_to_the_default_context():
    known = contexts.terms(contexts.context_of("WeatherObserved"))
    assert known.falls_to_default("temprature")
    assert not known.falls_to_default("temperature")
    assert known.compact(contexts.DEFAULT_VOCABULARY + "temprature") == "temprature"
    iri = "https://smartdatamodels.org/dataModel.Weather/temperature"
    assert known.compact(iri) == "temperature"


@pytest.mark.parametrize("version", ["", "-v1.3", "-v1.6", "-v1.8", "-v1.9"])
def test_core_context_is_known_by_any_version(version):
    url = f"https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context{version}.jsonld"
    assert contexts.is_core(url)
    assert contexts.load(url)["@context"]["@vocab"] == contexts.DEFAULT_VOCABULARY


@pytest.mark.parametrize(
    "url",
    [
        "https://raw.githubusercontent.com/smart-data-models/dataModel.Weather/master/context.jsonld",
        "https://smart-data-models.github.io/dataModel.Weather/context.jsonld",
    ],
)
def test_subjects_load_from_either_of_their_addresses(url):
    found = contexts.load(url)["@context"]
    assert found["temperature"] == "https://smartdatamodels.org/dataModel.Weather/temperature"
    assert "location" not in found, "terms of the core context are left to it"


def test_unknown_context_says_what_to_do():
    with pytest.raises(contexts.ContextError, match="not at hand offline: give its content"):
        contexts.load("https://example.org/context.jsonld")
    known = contexts.terms(["https://example.org/context.jsonld", contexts.CORE_URL])
    assert known.unresolved == ("https://example.org/context.jsonld",)


def test_core_context_has_the_terms_of_annex_b():
    """Spot checks against the printed annex, one for each way to type a value."""
    found = contexts.core()["@context"]
    assert found["@version"] == 1.1
    assert found["@protected"] is True
    assert found["value"] == "ngsi-ld:hasValue"
    assert found["object"] == {"@id": "ngsi-ld:hasObject", "@type": "@id"}
    assert found["observedAt"] == {"@id": "ngsi-ld:observedAt", "@type": "DateTime"}
    assert found["languageMap"] == {"@id": "ngsi-ld:hasLanguageMap", "@container": "@language"}
    assert found["json"] == {"@id": "ngsi-ld:hasJSON", "@type": "@json"}
    assert found["vocab"] == {"@id": "ngsi-ld:hasVocab", "@type": "@vocab"}
    assert found["valueList"] == {"@id": "ngsi-ld:hasValueList", "@container": "@list"}
    assert found["coordinates"] == {"@id": "geojson:coordinates", "@container": "@list"}
    assert found["description"] == "http://purl.org/dc/terms/description"


def test_core_context_is_the_published_one():
    """Term for term: the digest is that of the published file as brokers ship it, keys sorted."""
    text = json.dumps(contexts.core()["@context"], sort_keys=True)
    published = "247ec9f43f6c9c3a947637b979c527528bcf6f4fc1d3da6f1e9d2307f175d574"
    assert hashlib.sha256(text.encode()).hexdigest() == published
