"""Names mean what a JSON-LD processor says, whatever a @context is like."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ldt_toolbox.models import contexts
from ldt_toolbox.twin.ngsi_ld.foreign import is_plain
from ldt_toolbox.twin.ngsi_ld.namespace import Namespaces
from ldt_toolbox.twin.problems import ProblemError
from pyld import jsonld
from pyld.context_resolver import ContextResolver

BOOK = {
    "https://a.example/plain": {"a": "https://a.example/a", "b": "https://a.example/b"},
    "https://a.example/vocab": {"@vocab": "https://v.example/", "a": "own"},
    "https://a.example/list": [{"a": "https://one.example/"}, "https://a.example/plain"],
    "https://a.example/imports": {"@version": 1.1, "@import": "https://a.example/vocab", "b": "x"},
    "https://a.example/scoped": {"a": {"@id": "https://a.example/a", "@context": {"b": "urn:b"}}},
}
NAMES = ["a", "b", "p", "a:x", "p:x", "ngsi-ld:x", "location", "unknown", "urn:a:b", "http://c/d"]
SUBJECT = contexts.subject_url("dataModel.Weather")


def load(url: str) -> dict[str, Any]:
    if url in BOOK:
        return {"@context": BOOK[url]}
    return contexts.load(url)


def by_pyld(context: Any) -> dict[str, str | None]:
    """IRIs of the names, as those of attributes; None for one that is dropped."""

    def loader(url: str, _: Any) -> dict[str, Any]:
        return {"contextUrl": None, "documentUrl": url, "document": load(url)}

    listed = context if isinstance(context, list) else [context]
    found: dict[str, str | None] = {}
    for name in NAMES:
        entity = {"@context": [*listed, contexts.CORE_URL], "id": "urn:x", name: {"id": "urn:y"}}
        own = {"documentLoader": loader, "contextResolver": ContextResolver({}, loader)}
        expanded = jsonld.expand(entity, own)
        found[name] = next((n for each in expanded for n in each if not n.startswith("@")), None)
    return found


def same(context: Any) -> None:
    wanted = by_pyld(context)
    space = Namespaces(load).of(context)
    # a term that a @context sets to null falls to the default context: NGSI-LD drops no attribute
    found = {n: space.expand(n) for n in NAMES if wanted[n] is not None}
    assert found == {n: iri for n, iri in wanted.items() if iri is not None}
    for iri in found.values():
        assert space.expand(space.compact(iri)) == iri


@pytest.mark.parametrize(
    "context",
    [
        *sorted(BOOK.keys() - {"https://a.example/scoped"}),
        SUBJECT,
        [SUBJECT, {"a": "https://e.example/a"}],
        {"@vocab": "https://e.example/#", "a": "local", "b": {"@id": "more", "@type": "@id"}},
        {"p": "https://e.example/p/", "a": "p:a", "b": {"@id": "p:b", "@type": "@vocab"}},
        {"p": "https://e.example/p", "a": "p:a"},
        {"p": {"@id": "https://e.example/p/"}, "a": "p:a"},
        {"p": {"@id": "https://e.example/p", "@prefix": True}, "a": "p:a"},
        {"a": "b", "b": "https://e.example/b"},
        {"a": {"@id": "ngsi-ld:a", "@container": "@set"}, "b": "geojson:b"},
        [{"a": "https://e.example/1"}, {"b": "a"}, {"a": "https://e.example/2"}],
        [{"a": "https://e.example/1"}, {"a": None}],
        ["https://a.example/imports", {"p": "https://e.example/p#"}, "https://a.example/plain"],
        {"location": "https://e.example/location", "a": "https://e.example/a"},
    ],
    ids=str,
)
def test_names_are_those_of_pyld(context: Any) -> None:
    same(context)


iris = st.sampled_from(
    ["https://e.example/x", "https://e.example/x/", "urn:x:y", "a", "b:x", "p:x", "ngsi-ld:z"]
)
values = (
    iris
    | st.none()
    | st.builds(lambda iri: {"@id": iri}, iris)
    | st.builds(lambda iri, p: {"@id": iri, "@prefix": p}, iris, st.booleans())
    | st.builds(lambda iri: {"@id": iri, "@type": "@id", "@container": "@list"}, iris)
)
written = st.dictionaries(st.sampled_from(["a", "b", "p", "ab"]), values, max_size=4)
documents = (
    written
    | st.builds(lambda w, v: {**w, "@vocab": v}, written, st.just("https://v.example/#"))
    | st.sampled_from([*BOOK.keys() - {"https://a.example/scoped"}])
)


@settings(max_examples=60, deadline=None)
@given(documents | st.lists(documents, max_size=3))
def test_any_context_means_what_pyld_makes_of_it(context: Any) -> None:
    try:
        by_pyld(context)
    except jsonld.JsonLdError:
        with pytest.raises(ProblemError) as refused:
            Namespaces(load).of(context)
        assert refused.value.kind == "BadRequestData"
        return
    same(context)


def test_plain_contexts_are_read_without_a_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonld, "expand", None)
    for context in (None, SUBJECT, contexts.CORE_URL, contexts.context_of("RiskIndicator")):
        assert is_plain(context)
        Namespaces(load).of(context).expand("a")


@pytest.mark.parametrize(
    ("context", "kind"),
    [
        ("https://a.example/nowhere", "LdContextNotAvailable"),
        ({"@import": "https://a.example/nowhere"}, "LdContextNotAvailable"),
        ([{"@vocab": "https://v.example/"}, "https://a.example/nowhere"], "LdContextNotAvailable"),
        ("https://a.example/scoped", "BadRequestData"),
        ({"T": {"@id": "urn:t", "@context": {"a": "urn:a"}}}, "BadRequestData"),
        ({"a": "b", "b": "a"}, "BadRequestData"),
        ({"@vocab": 1}, "BadRequestData"),
        (3, "BadRequestData"),
    ],
)
def test_what_cannot_be_read_is_refused(context: Any, kind: str) -> None:
    with pytest.raises(ProblemError) as refused:
        Namespaces(load).of(context)
    assert refused.value.kind == kind


def test_an_entity_with_such_a_context_comes_back_as_it_was(ask) -> None:
    context = {"@vocab": "https://v.example/", "p": {"@id": "https://e.example/p", "@prefix": True}}
    entity = {
        "id": "urn:x:1", "type": "Thing", "size": {"type": "Property", "value": 1},
        "p:age": {"type": "Property", "value": 2},
    }  # fmt: skip
    headers = {"Content-Type": "application/ld+json"}
    body = {**entity, "@context": context}
    assert ask("POST", "entities", json=body, headers=headers).status_code == 201
    found = ask("GET", "entities/urn:x:1").json()
    assert "https://e.example/page" in found
    address = ask("POST", "jsonldContexts", json={"@context": context}).headers["Location"]
    link = f'<{ask.twin.url}{address}>; rel="http://www.w3.org/ns/json-ld#context"'
    assert ask("GET", "entities/urn:x:1", headers={"Link": link}).json() == entity
