"""What a broker holds and can do (GS CIM 009 V1.8.1, 5.7.5 to 5.7.10, 6.25 to 6.28, 6.33)."""

from collections.abc import Mapping
from typing import Any, Literal

from ldt_toolbox.clients.errors import BadRequest, ClientError, NotImplementedByServer
from ldt_toolbox.clients.imperfect import CapabilityWarning, ImperfectServerWarning, report
from ldt_toolbox.clients.ngsi_ld.connection import Connection, element, elements, segment

_PROBES: dict[str, tuple[str, dict[str, str]]] = {
    "types": ("types", {}),
    "attributes": ("attributes", {}),
    "temporal": (
        "temporal/entities",
        {"timerel": "after", "timeAt": "2100-01-01T00:00:00Z", "local": "true", "limit": "1"},
    ),
    "subscriptions": ("subscriptions", {"limit": "1"}),
    "registrations": ("csourceRegistrations", {"type": "Thing", "limit": "1"}),
    "contexts": ("jsonldContexts", {}),
}


_NAMES = {"types": "typeList", "attributes": "attributeList"}
_COUNTS = ("entityCount", "attributeCount")
_LISTS = ("attributeNames", "typeNames", "attributeTypes", "attributeDetails")


class Types:
    """Entity types that occur; `client.types`."""

    def __init__(self, connection: Connection) -> None:
        self._link = connection

    def details(self) -> list[dict[str, Any]]:
        """All types with the names of their attributes (5.7.6)."""
        return _details(self._link, "types", "details of types")

    def list(self) -> list[str]:
        """Names of all types (5.7.5)."""
        return _names(self._link, "types", "listing types")

    def get(self, name: str) -> dict[str, Any]:
        """One type: number of its entities, and its attributes with their kinds (5.7.7)."""
        answer = self._link.ask(f"types/{segment(name)}")
        return _listed(element(answer, "an EntityTypeInfo (5.2.26)"))


class Attributes:
    """Attributes that occur; `client.attributes`."""

    def __init__(self, connection: Connection) -> None:
        self._link = connection

    def details(self) -> list[dict[str, Any]]:
        """All attributes with the names of the types that have them (5.7.9)."""
        return _details(self._link, "attributes", "details of attributes")

    def list(self) -> list[str]:
        """Names of all attributes (5.7.8)."""
        return _names(self._link, "attributes", "listing attributes")

    def get(self, name: str) -> dict[str, Any]:
        """One attribute: how often it occurs, and in which types (5.7.10)."""
        answer = self._link.ask(f"attributes/{segment(name)}")
        return _listed(element(answer, "an Attribute (5.2.28)"))


def capabilities(connection: Connection) -> dict[str, Literal["yes", "no", "unknown"]]:
    """Which optional parts a broker offers, asked by reading only.

    Returns
    -------
    dict
        By name of the part; "unknown" if the answer was neither one nor the other.
    """
    found: dict[str, Literal["yes", "no", "unknown"]] = {}
    for name, (path, params) in _PROBES.items():
        try:
            connection.ask(path, params, expected=(200, 206), feature=name, named=False)
        except NotImplementedByServer:
            found[name] = "no"
        except BadRequest:
            found[name] = "yes"  # it is there, and wants other parameters
        except ClientError:
            found[name] = "unknown"
        else:
            found[name] = "yes"
    return found


def _names(connection: Connection, path: str, feature: str) -> list[str]:
    answer = connection.ask(path, feature=feature)
    value = answer.json()
    found = value.get(_NAMES[path]) if isinstance(value, Mapping) else value
    # Some servers send the list bare; a list of one is sometimes no list
    listed = found if isinstance(found, list) else [found] if isinstance(found, str) else []
    if any(isinstance(each, Mapping) for each in listed):
        report(
            ImperfectServerWarning(
                f"{answer.url} answered with details where a list of names is due (GS CIM 009, "
                "6.25.3.1 and 6.27.3.1); the names are taken from them"
            ),
            stacklevel=4,
        )
    return [_name(each) if isinstance(each, Mapping) else str(each) for each in listed]


def _name(told: Mapping[str, Any]) -> str:
    known = (told.get("typeName"), told.get("attributeName"), told.get("id"))
    return next((str(each) for each in known if each), "")


def _details(connection: Connection, path: str, feature: str) -> list[dict[str, Any]]:
    answer = connection.ask(path, {"details": "true"}, feature=feature)
    value = answer.json()
    only = value.get(_NAMES[path]) if isinstance(value, Mapping) else None
    if only is not None:
        report(
            CapabilityWarning(
                f"{answer.url} answered with names where details are due (GS CIM 009, 5.7.6 and "
                "5.7.9); ask for each by its name"
            ),
            stacklevel=4,
        )
        kind, name = (
            ("EntityType", "typeName") if path == "types" else ("Attribute", "attributeName")
        )
        names = only if isinstance(only, list) else [only]
        return [{"id": str(each), "type": kind, name: str(each)} for each in names]
    return [_listed(each) for each in elements(answer, path) if isinstance(each, Mapping)]


def _listed(told: Mapping[str, Any]) -> dict[str, Any]:
    """The same; names that came bare, as JSON-LD compaction leaves a list of one, as a list.

    A count that came as a text, as database drivers give large integers, becomes a number.
    """
    bare = {n: [v] for n, v in told.items() if n in _LISTS and not isinstance(v, list)}
    counts = {
        n: int(told[n]) for n in _COUNTS if isinstance(told.get(n), str) and told[n].isdecimal()
    }
    return {**told, **bare, **counts}
