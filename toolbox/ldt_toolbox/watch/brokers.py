"""Which inputs of a use case come from a broker, and how to be told of their changes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ldt_toolbox.clients.named_auth import named_auth
from ldt_toolbox.clients.ngsi_ld import NgsiLd, Receiver, subscription
from ldt_toolbox.models.contexts import context_of
from ldt_toolbox.models.times import read_date_time
from ldt_toolbox.models.types import catalogue

if TYPE_CHECKING:
    from ldt_toolbox.territory import Source, Territory
    from ldt_toolbox.use_case import Role, UseCase

_NO_ATTRIBUTES = ("id", "observedAt")
_SEEN = ("value", "object", "languageMap", "observedAt")

State = tuple[str, str]
"""Id of an entity and name of an attribute."""


@dataclass(frozen=True)
class Interest:
    """Entities whose changes matter.

    Attributes
    ----------
    roles : tuple of str
        Roles that are loaded again when they change.
    client : NgsiLd
        Their broker, tenant and context.
    type, q, scope : str
        Which entities, as in territory.yaml.
    attributes : tuple of str
        Which of their attributes.
    """

    roles: tuple[str, ...]
    client: NgsiLd
    type: str
    attributes: tuple[str, ...]
    q: str = ""
    scope: str = ""

    def subscribe(self, receiver: Receiver, *, name: str, until: datetime) -> str:
        """Subscribe until an instant; returns the id of the subscription."""
        wish = subscription(
            receiver.endpoint(), name=name, type=self.type, watched=self.attributes, q=self.q,
            scope_q=self.scope, attributes=self.attributes, expires_at=until,
        )  # fmt: skip
        return self.client.subscriptions.create(wish)

    def prolong(self, told_by: str, *, until: datetime) -> None:
        """Let a subscription last longer.

        Raises
        ------
        NotFound
            If the broker has forgotten it.
        """
        text = until.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.client.subscriptions.update(told_by, {"expiresAt": text})

    def now(self) -> list[dict[str, Any]]:
        """The entities as they are."""
        return self.client.entities.query(type=self.type, q=self.q, scope_q=self.scope)


def broker_roles(case: "UseCase", territory: "Territory") -> dict[str, "Source"]:
    """Sources of a use case that a broker serves now, and not a snapshot of its answer."""
    return {
        role: source
        for role, source in territory.sources.items()
        if role in case.roles and source.protocol == "ngsi-ld" and source.path is None
    }


def interest_of(source: "Source", role: "Role") -> Interest:
    """What a role of a territory wants to be told."""
    asked = source.settings
    named = [
        source.columns.get(column.name, column.name)
        for column in role.columns.values()
        if column.required or column.name in source.columns
    ]
    client = NgsiLd(
        source.url, tenant=asked["tenant"] or None, context=asked["context"] or None,
        auth=named_auth(asked["auth"]),
    )  # fmt: skip
    return Interest(
        (role.id,), client, asked["type"],
        tuple(one for one in dict.fromkeys([*named, "location"]) if one not in _NO_ATTRIBUTES),
        q=asked["q"], scope=asked["scope"],
    )  # fmt: skip


def type_interest(
    client: NgsiLd, type_name: str, attributes: Iterable[str], roles: Iterable[str]
) -> Interest:
    """Interest in a type that is no input, such as a gauge that starts a run."""
    known = catalogue().get(type_name)
    if known is not None and isinstance(address := context_of(type_name)[0], str):
        client = client.with_context(address)
    return Interest(tuple(roles), client, type_name, tuple(attributes))


def values(entity: Mapping[str, Any], attributes: Iterable[str]) -> dict[str, Any]:
    """Value of each attribute that an entity has; of several instances the default one."""
    return {name: held[0][1] for name in attributes if (held := list(_instances(entity, name)))}


def states(entity: Mapping[str, Any], attributes: Iterable[str]) -> dict[State, Any]:
    """What an entity says through some attributes, to tell news from repetition."""
    own = str(entity.get("id", ""))
    return {
        (own, name): [
            {key: each[key] for key in _SEEN if key in each} for each, _ in _instances(entity, name)
        ]
        for name in attributes
        if name in entity
    }


def latest(entities: Iterable[Mapping[str, Any]]) -> datetime | None:
    """Latest time at which any attribute was observed; None if none tells one."""
    times = [
        read_date_time(each.get("observedAt"))
        for entity in entities
        for name in entity
        for each, _ in _instances(entity, name)
    ]
    return max((one for one in times if one is not None and one.tzinfo), default=None)


def with_period(territory: "Territory", start: str, end: str) -> "Territory":
    """The territory with another period for every broker.

    Parameters
    ----------
    territory : Territory
        As territory.yaml tells it.
    start, end : str
        ISO 8601 with an offset; the end is not part of the period.
    """
    sources = {
        role: replace(
            source,
            settings={
                **source.settings, "from": start, "until": end, "period": f"{start}/{end}",
            },
            date=f"{start}/{end}",
        )
        if source.protocol == "ngsi-ld" and source.path is None
        else source
        for role, source in territory.sources.items()
    }  # fmt: skip
    return replace(territory, sources=sources)


def _instances(entity: Mapping[str, Any], name: str) -> Iterator[tuple[Mapping[str, Any], Any]]:
    held = entity.get(name)
    listed = held if isinstance(held, list) else [held]
    there = [one for one in listed if isinstance(one, Mapping) and "type" in one]
    for one in sorted(there, key=lambda each: str(each.get("datasetId", ""))):
        yield one, one.get("value", one.get("object"))
