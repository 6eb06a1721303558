"""Contexts that are more than a list of terms, worked out by a JSON-LD processor.

A context that gives an IRI to each of its terms - those of the Smart Data Models, and most that
cities write - is read by `ldt_toolbox.models.contexts.terms`. Vocabularies, imports, prefixes and
definitions of other forms (JSON-LD 1.1, 4.1) are left to pyld, without a network.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pyld import jsonld  # type: ignore[import-untyped]
from pyld.context_resolver import ContextResolver  # type: ignore[import-untyped]

from ldt_toolbox.models.contexts import CORE_URL, Terms, core, is_core
from ldt_toolbox.twin.problems import ProblemError, bad

Load = Callable[[str], Mapping[str, Any]]

#: What may stand before a colon ends in one of these, unless it says that it is a prefix.
GEN_DELIMS = (":", "/", "?", "#", "[", "]", "@")

_PLAIN = frozenset({"@id", "@type", "@container", "@language", "@direction"})
_ADDRESS = re.compile(r"https?://[^\s/?#\\\x00-\x1f]+[^\s\\\x00-\x1f]*", re.IGNORECASE)
_UNKNOWN = "probe-that-nothing-defines"
_PROBE = "probe-whose-value-is-a-name"
_ROOT = "urn:probe:"


def is_plain(context: Any) -> bool:
    """Whether a context that is written out does nothing but give IRIs to terms.

    Parameters
    ----------
    context : Any
        Value of @context. Of an address nothing is known: it is plain as far as it goes.
    """
    if isinstance(context, list):
        return all(is_plain(each) for each in context)
    if not isinstance(context, Mapping):
        return True
    return all(_plain_term(str(term), value, context) for term, value in context.items())


def _plain_term(term: str, value: Any, context: Mapping[str, Any]) -> bool:
    if term.startswith("@"):
        return term == "@version"
    if ":" in term or "/" in term:
        return False
    iri = value
    if isinstance(value, Mapping):
        iri = value.get("@id")
        # what such a term would be as a prefix is not for us to say
        if not _PLAIN.issuperset(value) or str(iri).endswith(GEN_DELIMS):
            return False
    if not isinstance(iri, str):
        return False
    prefix, colon, rest = iri.partition(":")
    if not colon:
        return False
    if rest.startswith("//") or prefix == "urn":
        return prefix not in context
    base = context.get(prefix)
    return isinstance(base, str) and "://" in base and base.endswith(GEN_DELIMS)


class ForeignTerms(Terms):
    """Terms of a context as pyld has them.

    Parameters
    ----------
    context : Any
        Value of @context.
    load : callable
        Takes an address, returns a context document; raises `LookupError` or `OSError`.

    Attributes
    ----------
    prefixes : dict of str to str
        IRI by term that may stand before a colon.

    Raises
    ------
    ProblemError
        LdContextNotAvailable if an address cannot be had, BadRequestData for what is no context,
        and for contexts that hold for one type or one attribute only.
    """

    def __init__(self, context: Any, load: Load) -> None:
        self._documents: dict[str, Mapping[str, Any]] = {}
        self._load = load
        listed = context if isinstance(context, list) else [context]
        self._context = [*(each for each in listed if not is_core(each)), CORE_URL]
        self._missing = ""
        found = self._expanded([_UNKNOWN])  # loads whatever the context names
        vocabulary = (found[0] or "").removesuffix(_UNKNOWN)
        held = [self._context, *(each.get("@context") for each in self._documents.values())]
        named = list(dict.fromkeys(term for each in held for term in _terms(each)))
        iris = dict(zip(named, self._expanded(named), strict=True))
        known = {term: iri for term, iri in iris.items() if iri and iri != vocabulary + term}
        super().__init__(known, vocabulary, ())
        compact = self._expanded([f"{term}:{_UNKNOWN}" for term in known])
        self.prefixes = {
            term: iri
            for (term, iri), found in zip(known.items(), compact, strict=True)
            if found == iri + _UNKNOWN
        }

    def _expanded(self, names: list[str]) -> list[str | None]:
        """IRI of each name; None for one that the context takes away."""
        nodes = [{"@id": f"{_ROOT}{n}", _PROBE: name} for n, name in enumerate(names)]
        options = {
            "documentLoader": self._document,
            # of our own: pyld's remembers an address for as long as the process lives
            "contextResolver": ContextResolver({}, self._document),
            "processingMode": "json-ld-1.1",
        }
        context = [*self._context, {_PROBE: {"@id": _ROOT, "@type": "@vocab"}}]
        try:
            found = jsonld.expand({"@context": context, "@graph": nodes}, options)
        except jsonld.JsonLdError as error:
            if self._missing:
                raise unavailable(self._missing) from None
            raise bad(f"@context is none: {error.code or error.args[0]}") from None
        values = {each["@id"]: each[_ROOT][0].get("@id") for each in found if each.get(_ROOT)}
        return [values.get(f"{_ROOT}{n}") for n in range(len(names))]

    def _document(self, url: str, _: Any) -> dict[str, Any]:
        if url not in self._documents:
            try:
                self._documents[url] = core() if is_core(url) else self._load(url)
            except (LookupError, OSError):
                self._missing = url
                raise jsonld.JsonLdError(url, "loading document failed") from None
        document = self._documents[url]
        return {"contextUrl": None, "documentUrl": url, "document": document}


def unavailable(url: str) -> ProblemError:
    """Problem of a @context that is nowhere at hand, or that is no address at all."""
    if not _ADDRESS.fullmatch(url):
        return bad(f"@context {url!r:.200} is no address, such as https://example.org/town.jsonld")
    return ProblemError(
        "LdContextNotAvailable",
        f"@context {url!r:.200} is not at hand: host it with POST jsonldContexts and use the "
        "address you get, or write its terms out",
    )


def _terms(context: Any) -> Iterator[str]:
    if isinstance(context, list):
        for each in context:
            yield from _terms(each)
    elif isinstance(context, Mapping):
        for term, value in context.items():
            if isinstance(value, Mapping) and "@context" in value:
                raise bad(
                    f"@context: {term!r:.80} has a context of its own, which the twin does not "
                    "apply: give such terms IRIs in the outer @context"
                )
            if not term.startswith("@"):
                yield term
