"""The two writers of RDF against a reader of another hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldt_toolbox.publish.rdf import Iri, Literal, Node, number, to_jsonld, to_turtle

TITLE = "http://purl.org/dc/terms/title"


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning")
@given(
    french=st.text(max_size=12),
    plain=st.text(max_size=12),
    value=st.floats(allow_nan=False, allow_infinity=False),
    tail=st.text(st.characters(codec="utf-8"), min_size=1, max_size=8),
)
def test_any_text_number_and_name_is_read_back(
    french: str, plain: str, value: float, tail: str
) -> None:
    rdflib = pytest.importorskip("rdflib", reason="rdflib is not installed")
    compare = pytest.importorskip("rdflib.compare")
    inner = Node(types=("dct:Location",)).add("dct:title", Literal(french, language="fr"))
    node = Node(f"urn:a:{tail}", ("dcat:Dataset",))
    node.add("dct:title", Literal(french, language="fr"), Literal(plain))
    node.add("dct:extent", number(value)).add("dct:source", Iri(f"urn:b:{tail}"), inner)
    turtle = rdflib.Graph().parse(data=to_turtle([node]), format="turtle")
    json = rdflib.Graph().parse(data=to_jsonld([node]), format="json-ld")
    assert compare.isomorphic(turtle, json)
    assert {str(one) for one in turtle.objects(None, rdflib.URIRef(TITLE))} == {french, plain}
    [extent] = turtle.objects(None, rdflib.URIRef("http://purl.org/dc/terms/extent"))
    assert float(extent) == value
