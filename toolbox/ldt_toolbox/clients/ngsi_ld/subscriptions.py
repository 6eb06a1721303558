"""Subscriptions (GS CIM 009 V1.8.1, 5.2.12 to 5.2.15, 5.8, 6.10, 6.11)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from ldt_toolbox.clients.ngsi_ld.connection import Connection, created_id, element, segment
from ldt_toolbox.clients.ngsi_ld.context_links import context_link
from ldt_toolbox.clients.ngsi_ld.geo import GeoQuery
from ldt_toolbox.clients.ngsi_ld.query import Expression, instant
from ldt_toolbox.clients.ngsi_ld.registrations import listed
from ldt_toolbox.clients.ngsi_ld.selection import Names, many, selection
from ldt_toolbox.errors import WrongUseError

Trigger = Literal[
    "entityCreated", "entityUpdated", "entityDeleted",
    "attributeCreated", "attributeUpdated", "attributeDeleted",
]  # fmt: skip
_TRIGGERS = frozenset(Trigger.__args__)  # type: ignore[attr-defined]


def subscription(
    endpoint: str | Mapping[str, Any],
    *,
    id: str = "",
    name: str = "",
    type: Names | None = None,
    entity_id: Names | None = None,
    id_pattern: str = "",
    watched: Names | None = None,
    q: Expression | str = "",
    geo: GeoQuery | None = None,
    scope_q: str = "",
    csf: str = "",
    lang: str = "",
    attributes: Names | None = None,
    pick: Names | None = None,
    omit: Names | None = None,
    dataset_id: Names | None = None,
    join: Literal["", "flat", "inline"] = "",
    join_level: int = 1,
    form: Literal["normalized", "concise", "simplified"] = "normalized",
    triggers: Sequence[Trigger] = (),
    sys_attrs: bool = False,
    show_changes: bool = False,
    throttling_s: timedelta | float | None = None,
    interval_s: timedelta | float | None = None,
    expires_at: datetime | str | None = None,
    active: bool = True,
    local: bool = False,
    context: str = "",
) -> dict[str, Any]:
    """Subscription as the broker wants it (5.2.12).

    Parameters
    ----------
    endpoint : str or mapping
        URL to which notifications go, or a whole Endpoint (5.2.15) such as `Receiver.endpoint()`.
    id, name : str
        Own id, which the broker otherwise gives; short name.
    type, entity_id, id_pattern
        Entities that are watched; ids and pattern need a type (5.2.33).
    watched : str or sequence of str
        Attributes whose changes count; all by default.
    q, geo, scope_q, csf, lang
        Conditions, as in a query.
    attributes : str or sequence of str
        Attributes that a notification carries; all by default. Deprecated in 1.8 for `pick`, but
        known to all servers.
    pick, omit : str or sequence of str
        Members that the entities of a notification keep, or go without (4.21, 5.2.14).
    dataset_id : str or sequence of str
        Instances of attributes by dataset that count; `@none` is the default one (4.5.5).
    join, join_level
        How, and how far, linked entities come along (4.5.23, 5.2.14).
    form : {"normalized", "concise", "simplified"}
        Form of the entities in a notification.
    triggers : sequence of str
        Changes that count (`entityCreated`, `attributeUpdated`, ...).
    sys_attrs, show_changes : bool
        Whether createdAt and modifiedAt, and the values before, come along.
    throttling_s : float or datetime.timedelta, optional
        Shortest time between notifications, in seconds.
    interval_s : float or datetime.timedelta, optional
        Notify at this interval, in seconds, whatever changes.
    expires_at : datetime.datetime or str, optional
        When it ends.
    active : bool
        False creates it paused.
    local : bool
        Only entities of the broker itself.
    context : str
        URL of the @context that shortens names in notifications; by default that of the
        subscription.

    Returns
    -------
    dict
        For `client.subscriptions.create`.

    Raises
    ------
    WrongUseError
        Parts exclude each other, or what is needed is missing (Table 5.2.12-1).
    """
    chosen = selection(type=type, id=entity_id, id_pattern=id_pattern)
    shape = selection(attrs=attributes, pick=pick, omit=omit, join=join, join_level=join_level)
    if id_pattern and not type:
        raise WrongUseError("id_pattern needs type (5.2.33)")
    throttling_s, interval_s = _seconds(throttling_s), _seconds(interval_s)
    _check(chosen.type, many(watched), local, throttling_s, interval_s, triggers)
    if context:
        context_link(context)  # it must be an address
    if show_changes and form == "simplified":
        raise WrongUseError("show_changes does not go with form='simplified' (5.2.14)")
    notification: dict[str, Any] = {"endpoint": _endpoint(endpoint), "format": form}
    members = {"attributes": shape.attrs, "pick": shape.pick, "omit": shape.omit}
    notification |= {key: list(names) for key, names in members.items() if names}
    if shape.join:
        notification |= {"join": shape.join, "joinLevel": shape.join_level}
    if sys_attrs:
        notification["sysAttrs"] = True
    if show_changes:
        notification["showChanges"] = True
    payload: dict[str, Any] = {
        "id": id,
        "type": "Subscription",
        "subscriptionName": name,
        "entities": chosen.selectors(),
        "watchedAttributes": list(many(watched)),
        "q": str(q),
        "geoQ": geo.member() if geo is not None else None,
        "scopeQ": scope_q,
        "csf": csf,
        "lang": lang,
        "datasetId": list(many(dataset_id)),
        "notificationTrigger": list(triggers),
        "throttling": throttling_s,
        "timeInterval": interval_s,
        "expiresAt": instant(expires_at) if expires_at is not None else None,
        "localOnly": local or None,
        "jsonldContext": context,
        "notification": notification,
    }
    kept = {key: value for key, value in payload.items() if value not in (None, "", [])}
    return kept if active else kept | {"isActive": False}


def _seconds(given: timedelta | float | None) -> float | None:
    if isinstance(given, timedelta):
        given = given.total_seconds()
    if given is None or isinstance(given, int):
        return given
    return int(given) if float(given).is_integer() else float(given)


def _check(
    type: str,
    watched: tuple[str, ...],
    local: bool,
    throttling_s: float | None,
    interval_s: float | None,
    triggers: Sequence[str],
) -> None:
    if not (type or watched or local):
        raise WrongUseError("a subscription needs type or watched attributes (Table 5.2.12-1)")
    if interval_s is not None and (watched or throttling_s is not None):
        raise WrongUseError(
            "interval_s excludes watched and throttling_s (Table 5.2.12-1); choose one way"
        )
    for what, value in (("throttling_s", throttling_s), ("interval_s", interval_s)):
        if value is not None and not value > 0:
            raise WrongUseError(f"{what} = {value}: give seconds above 0")
    odd = [each for each in triggers if each not in _TRIGGERS]
    if odd:
        raise WrongUseError(f"trigger {odd[0]!r} is none of {', '.join(sorted(_TRIGGERS))}")


def _endpoint(endpoint: str | Mapping[str, Any]) -> dict[str, Any]:
    whole = {"uri": endpoint} if isinstance(endpoint, str) else dict(endpoint)
    uri = str(whole.get("uri", ""))
    if urlsplit(uri).scheme not in ("http", "https", "mqtt", "mqtts"):
        raise WrongUseError(f"endpoint {uri!r} is no http, https or mqtt address; give one")
    return {"accept": "application/json"} | whole


class Subscriptions:
    """Subscriptions of one broker and tenant; `client.subscriptions`."""

    def __init__(self, connection: Connection) -> None:
        self._link = connection
        self._limits: dict[str, int] = {}

    def create(self, payload: Mapping[str, Any]) -> str:
        """Create a subscription (5.8.1), see `subscription`; returns its id."""
        answer = self._link.send(
            "POST", "subscriptions", dict(payload), expected=(201, 207), feature="subscriptions"
        )
        return created_id(answer, str(payload.get("id", "")))

    def get(self, id: str) -> dict[str, Any]:
        """One subscription (5.8.3), with its status and when it notified."""
        path = f"subscriptions/{segment(id)}"
        return element(self._link.ask(path), "a Subscription (5.2.12)")

    def list(self) -> list[dict[str, Any]]:
        """All subscriptions (5.8.4)."""
        return list(self.iterate())

    def iterate(self, *, page_size: int = 100) -> Iterator[dict[str, Any]]:
        """Subscriptions one after the other (5.8.4)."""
        return listed(self._link, "subscriptions", {}, "subscriptions", page_size, self._limits)

    def update(self, id: str, fragment: Mapping[str, Any]) -> None:
        """Change members of a subscription (5.8.2)."""
        odd = [name for name in ("id", "status") if name in fragment]
        if odd:
            raise WrongUseError(f"{odd[0]} of a subscription cannot be changed (5.2.12)")
        body = {"type": "Subscription", **fragment}
        self._link.send("PATCH", f"subscriptions/{segment(id)}", body, expected=(204, 207))

    def pause(self, id: str) -> None:
        """Stop notifications until `resume`."""
        self.update(id, {"isActive": False})

    def resume(self, id: str) -> None:
        """Go on with notifications."""
        self.update(id, {"isActive": True})

    def delete(self, id: str) -> None:
        """Delete a subscription (5.8.5)."""
        path = f"subscriptions/{segment(id)}"
        self._link.send("DELETE", path, expected=(204, 207), named=False)
