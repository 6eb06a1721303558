"""Names and IRIs: what a request's @context makes of one and of the other."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import orjson

from ldt_toolbox.models.contexts import CORE_URL, Terms, is_core, terms
from ldt_toolbox.twin.ngsi_ld.foreign import GEN_DELIMS, ForeignTerms, is_plain, unavailable
from ldt_toolbox.twin.problems import bad

_MOST = 1000  # names a namespace remembers beyond its context
_MOST_CONTEXTS = 256

Load = Callable[[str], Mapping[str, Any]]


class Namespace:
    """A @context at work, with a memory for names in both directions.

    Parameters
    ----------
    context : str, dict or list
        What the request gave; answers carry it again.
    found : Terms
        What it means.
    """

    def __init__(self, context: Any, found: Terms) -> None:
        self.context = context
        self._terms = found
        self._expanded: dict[str, str] = {}
        self._compacted: dict[str, str] = {}

    @cached_property
    def _names(self) -> dict[str, str]:
        """Shortest term by IRI, the first in the alphabet among equals."""
        names: dict[str, str] = {}
        for term, iri in self._terms.iris.items():
            if not iri.startswith("@") and not iri.endswith((":", "/", "#")):
                best = names.get(iri)
                if best is None or (len(term), term) < (len(best), best):
                    names[iri] = term
        return names

    @cached_property
    def _prefixes(self) -> dict[str, str]:
        """What may stand before a colon, and its IRI; the longest IRI first."""
        if isinstance(self._terms, ForeignTerms):
            found = self._terms.prefixes
        else:  # JSON-LD 1.1: if it ends in a gen-delim
            found = {t: iri for t, iri in self._terms.iris.items() if iri.endswith(GEN_DELIMS)}
        return dict(sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0])))

    def expand(self, name: str) -> str:
        """IRI of a term, a compact IRI, or an IRI."""
        iri = self._expanded.get(name)
        if iri is None:
            iri = self._expand(name)
            if len(self._expanded) < _MOST:
                self._expanded[name] = iri
        return iri

    def _expand(self, name: str) -> str:
        prefix, colon, rest = name.partition(":")
        if not colon or name in self._terms.iris:
            return self._terms.expand(name)
        known = prefix in self._prefixes and not rest.startswith("//")
        return self._prefixes[prefix] + rest if known else name

    def compact(self, iri: str) -> str:
        """Shortest name that this @context expands to an IRI again."""
        name = self._compacted.get(iri)
        if name is None:
            name = self._compact(iri)
            if len(self._compacted) < _MOST:
                self._compacted[iri] = name
        return name

    def _compact(self, iri: str) -> str:
        if iri in self._names:
            return self._names[iri]
        vocabulary = self._terms.vocabulary
        if vocabulary and iri.startswith(vocabulary):
            rest = iri[len(vocabulary) :]
            if rest and ":" not in rest and rest not in self._terms.iris:
                return rest
        for term, prefix in self._prefixes.items():
            rest = iri[len(prefix) :]
            if iri.startswith(prefix) and rest and not rest.startswith("//"):
                name = f"{term}:{rest}"
                if name not in self._terms.iris:
                    return name
        return iri

    @property
    def body(self) -> Any:
        """Value of `@context` in an answer: the request's, then the core's (5.5.7)."""
        if not self.context:
            return CORE_URL
        given = self.context if isinstance(self.context, list) else [self.context]
        return given if any(is_core(each) for each in given) else [*given, CORE_URL]


class Namespaces:
    """Namespaces by @context, made once each.

    Parameters
    ----------
    load : callable
        Takes an address, returns a context document; raises `LookupError` or `OSError`.
    """

    def __init__(self, load: Load) -> None:
        self._load = load
        self._known: dict[bytes, Namespace] = {}

    def of(self, context: Any) -> Namespace:
        """Namespace of a @context.

        Raises
        ------
        ProblemError
            LdContextNotAvailable if an address cannot be had, BadRequestData if it is no @context.
        """
        if not _well_formed(context):
            raise bad("@context must be an address, an object, or a list of both")
        key = orjson.dumps(context)
        known = self._known.get(key)
        if known is None:
            known = Namespace(context, self._worked_out(context))
            if len(self._known) >= _MOST_CONTEXTS:
                self._known.clear()
            self._known[key] = known
        return known

    def _worked_out(self, context: Any) -> Terms:
        plain = is_plain(context)

        def load(url: str) -> Mapping[str, Any]:
            nonlocal plain
            document = self._load(url)
            plain = plain and is_plain(document.get("@context"))
            return document

        found = terms(context, load=load)
        if found.unresolved and plain:
            raise unavailable(found.unresolved[0])
        return found if plain else ForeignTerms(context, self._load)

    def forget(self) -> None:
        """Forget all: a context behind an address has changed."""
        self._known.clear()


def _well_formed(context: Any) -> bool:
    if isinstance(context, list):
        return all(isinstance(each, str | dict) for each in context)
    return context is None or isinstance(context, str | dict)
