"""Entities of a broker: create, read, change, delete, query (GS CIM 009 V1.8.1, 6.4 to 6.7)."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from ldt_toolbox.clients.answer import Answer
from ldt_toolbox.clients.errors import BadRequest, NotFound
from ldt_toolbox.clients.imperfect import CapabilityWarning, report
from ldt_toolbox.clients.ngsi_ld.connection import (
    Connection,
    created_id,
    element,
    elements,
    result_count,
    segment,
)
from ldt_toolbox.clients.ngsi_ld.forms import in_form, single, styled
from ldt_toolbox.clients.ngsi_ld.ignored import Heed
from ldt_toolbox.clients.ngsi_ld.outcomes import UpdateResult, update_result, wholly
from ldt_toolbox.clients.ngsi_ld.paging import Pages, Tally
from ldt_toolbox.clients.ngsi_ld.partition import all_pages
from ldt_toolbox.clients.ngsi_ld.refusals import error_name
from ldt_toolbox.clients.ngsi_ld.selection import (
    LONGEST_URL,
    Representation,
    Selection,
    accept_of,
    form_params,
    selection,
    url_length,
)
from ldt_toolbox.errors import WrongUseError

Entity = dict[str, Any]
"""An NGSI-LD entity as JSON."""


class Entities:
    """Entities of one broker and tenant; `client.entities`."""

    def __init__(self, connection: Connection) -> None:
        self._link = connection
        self._limits: dict[str, int] = {}

    def create(self, entity: Mapping[str, Any]) -> str:
        """Create an entity (5.6.1).

        Returns
        -------
        str
            Its id, as the server named it in the Location header.

        Raises
        ------
        Conflict
            There is one with this id.
        """
        answer = self._link.send("POST", "entities", dict(entity), expected=(201, 207))
        return created_id(wholly(answer), str(entity.get("id", "")))

    def get(
        self,
        id: str,
        *,
        representation: Representation = "normalized",
        sys_attrs: bool = False,
        **narrowing: Any,
    ) -> Entity:
        """Entity by its id (5.7.1).

        Parameters
        ----------
        id : str
            Its id.
        representation : {"normalized", "concise", "simplified", "geojson", "simplified-geojson"}
            Its form.
        sys_attrs : bool
            Whether createdAt and modifiedAt come along.
        **narrowing
            `type`, `attrs`, `pick`, `omit`, `lang`, `local`, `dataset_id`, `join`, `join_level`,
            `contained_by`, `geometry_property`: see `Selection`. What `join="flat"` gives is no
            single entity: see `with_linked`.

        Raises
        ------
        NotFound
            There is none with this id, or with none of `attrs`.
        """
        chosen = selection(**narrowing)
        if chosen.join == "flat":
            raise WrongUseError("join='flat' gives several entities; use with_linked()")
        odd = [n for n in ("id", "id_pattern", "q", "geo", "scope_q", "csf") if getattr(chosen, n)]
        if odd:
            raise WrongUseError(f"{odd[0]}: no parameter of get(); use query()")
        path = f"entities/{segment(id)}"
        accept = accept_of(representation)

        def ask() -> Answer:
            form = form_params(representation, sys_attrs=sys_attrs, style=self._link.style)
            return self._link.ask(path, chosen.params() | form, accept=accept)

        answer = in_form(
            self._link, ask, representation, lambda answer: [element(answer, "an entity")]
        )
        entity = element(answer, "an entity")
        Heed(chosen).look([entity], answer.url)
        single(entity, representation)
        return entity

    def with_linked(
        self,
        id: str,
        *,
        levels: int = 1,
        representation: Representation = "normalized",
        sys_attrs: bool = False,
        **narrowing: Any,
    ) -> list[Entity]:
        """Entity by its id, then the entities to which its relationships lead (4.5.23, flat).

        Parameters
        ----------
        id : str
            Its id.
        levels : int
            How far relationships are followed.
        representation, sys_attrs, **narrowing
            As for `get`.
        """
        chosen = selection(**narrowing, join="flat", join_level=levels)
        accept = accept_of(representation)

        def ask() -> Answer:
            form = form_params(representation, sys_attrs=sys_attrs, style=self._link.style)
            return self._link.ask(f"entities/{segment(id)}", chosen.params() | form, accept=accept)

        found = elements(styled(self._link, ask, representation), "entities")
        return [single(entity, representation) for entity in found]

    def exists(self, id: str) -> bool:
        """Whether there is an entity with this id; nothing is written to find out."""
        try:
            self._link.ask(f"entities/{segment(id)}", named=False)
        except NotFound as error:
            if error_name(error) == "NonexistentTenant":
                raise
            return False
        return True

    def replace(self, entity: Mapping[str, Any], *, id: str = "") -> None:
        """Replace all attributes of an entity (5.6.18)."""
        answer = self._link.send(
            "PUT", self._path(entity, id), dict(entity), expected=(204, 207),
            feature="replacing entities (PUT)",
        )  # fmt: skip
        wholly(answer)

    def merge(
        self, fragment: Mapping[str, Any], *, id: str = "", lang: str = "", observed_at: str = ""
    ) -> None:
        """Merge a fragment into an entity (5.6.17); `urn:ngsi-ld:null` deletes.

        Parameters
        ----------
        fragment : mapping
            What changes; normalized or concise.
        id : str
            Entity, if the fragment does not name it.
        lang, observed_at : str
            Language and time of values that name none (6.5.3.4).
        """
        params = {"lang": lang, "observedAt": observed_at}
        answer = self._link.send(
            "PATCH", self._path(fragment, id), dict(fragment), _given(params), expected=(204, 207),
            feature="merging entities (PATCH)",
        )  # fmt: skip
        wholly(answer)

    def append_attributes(
        self, id: str, attributes: Mapping[str, Any], *, overwrite: bool = True
    ) -> UpdateResult:
        """Add attributes to an entity; existing ones are kept if `overwrite` is False (5.6.3)."""
        params = {} if overwrite else {"options": "noOverwrite"}
        path = f"entities/{segment(id)}/attrs"
        return update_result(
            self._link.send("POST", path, dict(attributes), params, expected=(204, 207))
        )

    def update_attributes(self, id: str, attributes: Mapping[str, Any]) -> UpdateResult:
        """Change attributes that an entity has (5.6.2); others are reported as not updated."""
        path = f"entities/{segment(id)}/attrs"
        return update_result(self._link.send("PATCH", path, dict(attributes), expected=(204, 207)))

    def update_attribute(self, id: str, name: str, fragment: Mapping[str, Any]) -> None:
        """Change parts of one attribute (5.6.4)."""
        path = f"entities/{segment(id)}/attrs/{segment(name)}"
        answer = self._link.send("PATCH", path, dict(fragment), expected=(204, 207))
        wholly(answer)

    def replace_attribute(self, id: str, name: str, attribute: Mapping[str, Any]) -> None:
        """Replace one attribute as a whole, with its sub-attributes (5.6.19)."""
        path = f"entities/{segment(id)}/attrs/{segment(name)}"
        answer = self._link.send(
            "PUT", path, dict(attribute), expected=(204, 207), feature="replacing attributes (PUT)"
        )
        wholly(answer)

    def delete(self, id: str, *, type: str = "") -> None:
        """Delete an entity (5.6.6)."""
        path = f"entities/{segment(id)}"
        params = _given({"type": type})
        answer = self._link.send(
            "DELETE", path, params=params, expected=(204, 207), named=bool(type)
        )
        wholly(answer)

    def delete_attribute(
        self, id: str, name: str, *, dataset_id: str = "", every_instance: bool = False
    ) -> None:
        """Delete an attribute of an entity, or one instance of it (5.6.5)."""
        if dataset_id and every_instance:
            raise WrongUseError("give either dataset_id or every_instance")
        params = {"datasetId": dataset_id, "deleteAll": "true" if every_instance else ""}
        path = f"entities/{segment(id)}/attrs/{segment(name)}"
        answer = self._link.send("DELETE", path, params=_given(params), expected=(204, 207))
        wholly(answer)

    def query(self, *, most: int | None = None, **asked: Any) -> list[Entity]:
        """All entities that meet conditions, as a list; parameters as for `iterate`."""
        return list(self.iterate(most=most, **asked))

    def iterate(
        self,
        *,
        representation: Representation = "normalized",
        sys_attrs: bool = False,
        page_size: int = 1000,
        most: int | None = None,
        split_above: int | None = 50_000,
        post: bool | None = None,
        **conditions: Any,
    ) -> Iterator[Entity]:
        """Entities that meet conditions, one after the other (5.7.2); memory stays flat.

        With `join="flat"` the entities to which they are linked come among them.

        Parameters
        ----------
        representation : {"normalized", "concise", "simplified", "geojson", "simplified-geojson"}
            Form of the entities; GeoJSON gives Features.
        sys_attrs : bool
            Whether createdAt and modifiedAt come along.
        page_size : int
            Entities a request; lowered when the server refuses it.
        most : int, optional
            Stop after so many.
        split_above : int or None
            Number of results above which a server that pages by offset is asked in classes of
            ids; None waits until it refuses an offset.
        post : bool, optional
            Send the query as a body (6.23); by default when the URL would be too long.
        **conditions
            `type`, `id`, `id_pattern`, `attrs`, `pick`, `omit`, `q`, `geo`, `scope_q`, `csf`,
            `lang`, `local`, `dataset_id`, `join`, `join_level`, `contained_by`,
            `geometry_property`, `expand_values`, `json_keys`: see `Selection`. Names may be one
            text or several.

        Yields
        ------
        dict
            Entity. One that comes twice far apart is given twice, and reported at the end.

        Warns
        -----
        PagingWarning
            Pages do not fit together, or their number is not the announced one.
        CapabilityWarning
            What came shows that a condition or a projection was ignored.
        """
        chosen = selection(**conditions)
        chosen.require_condition()
        accept_of(representation)
        if page_size < 1 or (most is not None and most < 0):
            raise WrongUseError("page_size must be 1 or more, most 0 or more")
        return self._iterate(chosen, representation, sys_attrs, page_size, most, split_above, post)

    def count(self, *, post: bool | None = None, **conditions: Any) -> int:
        """Number of entities that meet conditions (6.3.13), without fetching them."""
        chosen = selection(**conditions)
        chosen.require_condition()
        fetch = self._fetch(chosen, "normalized", False, post)
        try:
            answer = fetch([("limit", "0"), ("count", "true")], False)
        except BadRequest:
            answer = fetch([("limit", "1"), ("count", "true")], False)
        found = result_count(answer)
        if found is None:
            report(
                CapabilityWarning(
                    f"{answer.url}: no NGSILD-Results-Count (GS CIM 009, 6.3.13); "
                    "the entities are fetched and counted"
                )
            )
            return sum(1 for _ in self.iterate(post=post, **conditions))
        if answer.content.lstrip()[:1] == b"[":
            Heed(chosen).look(elements(answer, "entities"), answer.url)
        return found

    def _iterate(
        self,
        chosen: Selection,
        representation: Representation,
        sys_attrs: bool,
        page_size: int,
        most: int | None,
        split_above: int | None,
        post: bool | None,
    ) -> Iterator[Entity]:
        size = page_size if most is None else max(1, min(page_size, most))
        linked = chosen.join == "flat"

        def pages_of(part: Selection, above: int | None) -> Pages:
            fetch = self._fetch(part, representation, sys_attrs, post)
            return Pages(
                fetch, "entities", limit=size, limits=self._limits, split_above=above, linked=linked
            )

        above = (
            split_above
            if chosen.identified and (most is None or most > (split_above or 0))
            else None
        )
        tally = Tally("entities", linked=linked)
        pages = all_pages(chosen, pages_of, tally, split_above=above)
        entities = Heed(chosen).along(pages, f"{self._link.root}/entities")
        yield from islice((single(entity, representation) for entity in entities), most)

    def _fetch(
        self,
        chosen: Selection,
        representation: Representation,
        sys_attrs: bool,
        post: bool | None,
    ) -> Any:
        accept = accept_of(representation)
        params = chosen.params()
        by_post = post
        if by_post is None:
            by_post = url_length(params) > LONGEST_URL
        query = chosen.member() if by_post else None

        def ask(paging: Sequence[tuple[str, str]], whole: bool) -> Answer:
            form = form_params(representation, sys_attrs=sys_attrs, style=self._link.style)
            if query is not None:
                url_params = dict(paging) if whole else chosen.post_params() | form | dict(paging)
                return self._link.send(
                    "POST", "entityOperations/query", query, url_params, accept=accept,
                    expected=(200,), feature="queries by POST", idempotent=True,
                )  # fmt: skip
            url_params = dict(paging) if whole else params | form | dict(paging)
            return self._link.ask(
                "entities", url_params, accept=accept, feature="this query of entities"
            )

        first = True

        def fetch(paging: Sequence[tuple[str, str]], whole: bool) -> Answer:
            nonlocal first
            if not first:
                return styled(self._link, lambda: ask(paging, whole), representation)
            first = False
            return in_form(
                self._link,
                lambda: ask(paging, whole),
                representation,
                lambda answer: elements(answer, "entities"),
            )

        return fetch

    def _path(self, entity: Mapping[str, Any], id: str) -> str:
        named = str(entity.get("id", ""))
        if id and named and id != named:
            raise WrongUseError(f"id {id!r} is not that of the entity, {named!r}; give one")
        if not (id or named):
            raise WrongUseError("the entity has no id; give id=")
        return f"entities/{segment(id or named)}"


def _given(params: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in params.items() if value}
