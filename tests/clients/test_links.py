"""Link headers as RFC 8288 has them, and as servers write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldt_toolbox.clients.answer import Answer
from ldt_toolbox.clients.links import parse_links
from requests.structures import CaseInsensitiveDict


def with_link(text, url="http://x.example/a/b?c=d"):
    return Answer(200, url, CaseInsensitiveDict({"Link": text}), b"")


def test_several_link_headers(server, client):
    answer = client().get("/several-links")
    assert answer.links("next") == [f"{server.url}/page?at=2"]
    assert answer.links("PREV") == [f"{server.url}/page?at=0"]
    assert answer.links("http://www.w3.org/ns/json-ld#context") == ["https://example.org/c.jsonld"]
    assert answer.links("last") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('<?page=2>; rel="next"', ["http://x.example/a/b?page=2"]),
        ("<../n>;REL=next", ["http://x.example/n"]),
        ('<http://y.example/?q=a,b;c>; rel=next', ["http://y.example/?q=a,b;c"]),
        ('</1>; title="a, <b>; rel=\\"next\\""; rel="prev", </2>; rel="up next"',
         ["http://x.example/2"]),
        ('</1>; rel="prev"; rel="next"', []),  # RFC 8288, 3.3: the first rel counts
        ('</1>; rel="next"; anchor="#part"', []),
        ('</1>; rel="next"; anchor="/a/b?c=d"', ["http://x.example/1"]),
        ('</1> ; rel = next , , </2>;rel="next"',
         ["http://x.example/1", "http://x.example/2"]),
        ("</î>; rel=next".encode().decode("latin-1"), ["http://x.example/î"]),
        ("</1; rel=next", []),
        ("", []),
    ],
)  # fmt: skip
def test_link_headers_as_servers_write_them(text, found):
    assert with_link(text).links("next") == found


TOKEN = st.text("abcXYZ09-._~", min_size=1, max_size=8)
VALUE = st.text(
    st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=20
)


@given(
    st.lists(
        st.tuples(
            st.text("abc/?=&,;:%20'", max_size=20),
            st.lists(TOKEN, min_size=1, max_size=3),
            st.dictionaries(TOKEN.filter(lambda name: name.lower() != "rel"), VALUE, max_size=3),
        ),
        max_size=4,
    ),
    st.sampled_from([", ", ",", " ,, "]),
)
def test_any_links_come_back_as_they_were_written(links, between):
    def quoted(text):
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    text = between.join(
        f"<{target}>" + "".join(f";{name}={quoted(value)}" for name, value in others.items())
        + f"; rel={quoted(' '.join(relations))}"
        for target, relations, others in links
    )  # fmt: skip
    read = parse_links(text)
    assert [link.target for link in read] == [target.strip() for target, _, _ in links]
    for link, (_, relations, others) in zip(read, links, strict=True):
        assert link.relations == tuple(relation.lower() for relation in relations)
        kept = {}
        for name, value in others.items():
            kept.setdefault(name.lower(), value)
        assert {k: v for k, v in link.parameters.items() if k != "rel"} == kept


@given(st.text(st.sampled_from('<>;,="\\ relnxtaé/?'), max_size=60))
def test_no_text_breaks_the_link_reader(text):
    for link in parse_links(text):
        assert f"<{link.target}" in text.replace("< ", "<") or link.target in text


def test_location_is_absolute(server, hostile, client):
    server.route("POST", "/e", lambda request: hostile.Reply(201, headers=[("Location", "/e/1")]))
    assert client().post("/e", json={}).location == f"{server.url}/e/1"
    assert client().get("/ok").location == ""
