"""@contexts that a broker holds (GS CIM 009 V1.8.1, 5.13, 6.29, 6.30)."""

from collections.abc import Mapping
from typing import Any, Literal

from ldt_toolbox.clients.ngsi_ld.connection import (
    Body,
    Connection,
    created_id,
    element,
    elements,
    encode,
    segment,
)
from ldt_toolbox.errors import WrongUseError

Kind = Literal["", "Cached", "Hosted", "ImplicitlyCreated"]
_FEATURE = "storage of @contexts (jsonldContexts)"


class Contexts:
    """@contexts held by the broker; `client.contexts`."""

    def __init__(self, connection: Connection) -> None:
        self._link = connection

    def details(self, *, kind: Kind = "") -> list[dict[str, Any]]:
        """The same with what is known of each: localId, kind, timeStamp, uses (5.13.3.5)."""
        params = _kind(kind) | {"details": "true"}
        answer = self._link.ask("jsonldContexts", params, feature=_FEATURE, named=False)
        return [dict(each) for each in elements(answer, "@contexts") if isinstance(each, Mapping)]

    def list(self, *, kind: Kind = "") -> list[str]:
        """URLs of the @contexts (5.13.3), all or those of a kind."""
        answer = self._link.ask("jsonldContexts", _kind(kind), feature=_FEATURE, named=False)
        return [_url(each) for each in elements(answer, "@contexts")]

    def get(self, id: str) -> dict[str, Any]:
        """@context by its id or, if cached, its URL (5.13.4), as `{"@context": ...}`.

        Raises
        ------
        NotImplementedByServer
            It is a cached one, which the standard lets nobody serve (5.13.4.4).
        """
        path = f"jsonldContexts/{segment(id)}"
        return element(self._link.ask(path, feature="serving this @context", named=False), "one")

    def add(self, context: Any) -> str:
        """Store an @context (5.13.2).

        Parameters
        ----------
        context : dict, list or str
            An @context, or an object with the member `@context`.

        Returns
        -------
        str
            URL under which the broker serves it; fit for `NgsiLd(..., context=url)`.
        """
        holder = context if isinstance(context, Mapping) and "@context" in context else None
        payload = dict(holder) if holder is not None else {"@context": context}
        # Here the @context is the payload, so that the rule of 6.3.5 on mixing does not apply
        body = Body(encode(payload), {"Content-Type": "application/json"})
        answer = self._link.send(
            "POST", "jsonldContexts", body, expected=(200, 201), feature=_FEATURE
        )
        return self._link.url(f"jsonldContexts/{segment(created_id(answer, ''))}")

    def delete(self, id: str) -> None:
        """Remove an @context (5.13.5)."""
        self._drop(id, {})

    def reload(self, id: str) -> None:
        """Let the broker download a cached @context anew (5.13.5.4)."""
        self._drop(id, {"reload": "true"})

    def _drop(self, id: str, params: Mapping[str, str]) -> None:
        prefix = self._link.url("jsonldContexts/")
        path = id[len(self._link.root) + 1 :] if id.startswith(prefix) else (
            f"jsonldContexts/{segment(id)}"
        )  # fmt: skip
        self._link.send(
            "DELETE", path, params=params, expected=(200, 204), feature=_FEATURE, named=False
        )


def _kind(kind: str) -> dict[str, str]:
    if kind not in ("", "Cached", "Hosted", "ImplicitlyCreated"):
        raise WrongUseError(f"kind = {kind!r}: choose Cached, Hosted or ImplicitlyCreated")
    return {"kind": kind} if kind else {}


def _url(told: Any) -> str:
    return str(told.get("URL", "")) if isinstance(told, Mapping) else str(told)
