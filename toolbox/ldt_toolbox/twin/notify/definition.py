"""Subscriptions as they are written, read and checked (GS CIM 009 V1.8.1, 5.2.12 to 5.2.15)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from starlette.datastructures import Headers, QueryParams

from ldt_toolbox.twin.ngsi_ld.call import JSON, JSON_LD, Call, Services
from ldt_toolbox.twin.ngsi_ld.instances import check_name, is_uri
from ldt_toolbox.twin.ngsi_ld.query import selection_of
from ldt_toolbox.twin.ngsi_ld.shape import Shape, shape_of
from ldt_toolbox.twin.notify.endpoint import Endpoint, endpoint
from ldt_toolbox.twin.problems import ProblemError, bad
from ldt_toolbox.twin.store.select import Selection
from ldt_toolbox.twin.temporal.instants import instant, microseconds

TRIGGERS = frozenset(
    {
        "entityCreated", "entityUpdated", "entityDeleted",
        "attributeCreated", "attributeUpdated", "attributeDeleted",
    }
)  # fmt: skip
#: What entityUpdated stands for (Table 5.2.12-1).
_UPDATES = frozenset({"attributeCreated", "attributeUpdated", "attributeDeleted"})
_DEFAULT_TRIGGERS = ("attributeCreated", "attributeUpdated")
_NOT_ATTRIBUTES = frozenset({"id", "type", "scope", "createdAt", "modifiedAt", "@context"})
_PARTS = re.compile(r"[^,|;()\s]+")
_FORMATS = ("normalized", "concise", "simplified", "keyValues")


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A subscription, ready to be met by changes.

    Attributes
    ----------
    tenant, id : str
        Whose and which.
    selection : Selection
        Entities that it is about.
    watched : frozenset of str
        IRIs of attributes; all if empty.
    triggers : frozenset of str
        Of `TRIGGERS`.
    target : Endpoint
        Where notifications go.
    shape : Shape
        Form of the entities in them.
    call : Call
        With the names of the notifications.
    show_changes : bool
        Whether values before come along.
    active : bool
        Whether it is not paused.
    expires : int or None
        When it ends, in microseconds.
    throttling_s : float
        Shortest time between notifications.
    interval_s : float or None
        Time between notifications that come whether something changes or not.
    """

    tenant: str
    id: str
    selection: Selection
    watched: frozenset[str]
    triggers: frozenset[str]
    target: Endpoint
    shape: Shape
    call: Call
    show_changes: bool = False
    active: bool = True
    expires: int | None = None
    throttling_s: float = 0.0
    interval_s: float | None = None

    @property
    def live(self) -> bool:
        """Whether it is neither paused nor expired."""
        return self.active and (self.expires is None or now() < self.expires)


def now() -> int:
    """Microseconds since the year 1."""
    return microseconds(datetime.now(UTC).isoformat()) or 0


def definition(
    services: Services, tenant: str, body: Mapping[str, Any], context: Any
) -> Definition:
    """Read a Subscription.

    Parameters
    ----------
    services : Services
        The twin's.
    tenant : str
        Name of the tenant.
    body : mapping
        Subscription without @context.
    context : Any
        Its @context.

    Raises
    ------
    ProblemError
        BadRequestData that says what is wrong, 501 for what the twin does not do.
    """
    if body.get("type") != "Subscription":
        raise bad("a subscription is an object with type 'Subscription' (5.2.12)")
    if not is_uri(body.get("id")):
        raise bad(f"id {body.get('id')!r:.100} is no URI")
    for name in ("csf", "containedBy", "jsonKeys", "ngsildConformance"):
        if name in body:
            raise ProblemError("", f"the twin does not do {name}", status=501)
    notification = body.get("notification")
    if not isinstance(notification, dict):
        raise bad("a subscription has a member notification with an endpoint (5.2.14)")
    _check_scope(body)
    target = endpoint(notification.get("endpoint"), receivers=services.limits.receivers)
    call = _call(services, tenant, context)
    written = body.get("jsonldContext", context)
    told = _call(services, tenant, written, *_form(notification, target))
    show_changes = _flag(notification, "showChanges", False)
    shape = shape_of(told, _projection(body, notification))
    if show_changes and shape.form.format == "simplified":
        raise bad("showChanges does not go with simplified notifications (5.2.14)")
    conditions = {name: each for name, each in body.items() if name in _CONDITIONS}
    triggers = body.get("notificationTrigger", list(_DEFAULT_TRIGGERS))
    if not isinstance(triggers, list) or not triggers or not set(map(str, triggers)) <= TRIGGERS:
        raise bad(f"notificationTrigger is a list of some of {', '.join(sorted(TRIGGERS))}")
    return Definition(
        tenant=tenant,
        id=body["id"],
        selection=selection_of(call, conditions, tenant=tenant),
        watched=frozenset(map(call.namespace.expand, body.get("watchedAttributes", ()))),
        triggers=frozenset(triggers) | (_UPDATES if "entityUpdated" in triggers else frozenset()),
        target=target,
        shape=shape,
        call=told,
        show_changes=show_changes,
        active=_flag(body, "isActive", True),
        expires=instant("expiresAt", body["expiresAt"]) if "expiresAt" in body else None,
        throttling_s=_seconds(body, "throttling") or 0.0,
        interval_s=_seconds(body, "timeInterval"),
    )


_CONDITIONS = ("entities", "q", "geoQ", "scopeQ", "expandValues")


def _check_scope(body: Mapping[str, Any]) -> None:
    """Raise BadRequestData for what does not go together (Table 5.2.12-1)."""
    lists = [body.get("entities"), body.get("watchedAttributes")]
    lists += [body["notification"].get(name) for name in ("attributes", "pick", "omit")]
    if [] in lists:
        raise bad("entities, watchedAttributes, attributes, pick and omit are not empty (5.2.12)")
    entities, watched = body.get("entities", []), body.get("watchedAttributes", [])
    if not entities and not watched and body.get("localOnly") is not True:
        raise bad("a subscription has entities or watchedAttributes (Table 5.2.12-1)")
    if not isinstance(entities, list) or not all(
        isinstance(each, dict) and isinstance(each.get("type"), str) for each in entities
    ):
        raise bad("entities is a list of selectors, each with a type (5.2.33)")
    if not isinstance(watched, list) or not all(isinstance(each, str) for each in watched):
        raise bad("watchedAttributes is a list of names")
    if "timeInterval" in body and ("watchedAttributes" in body or "throttling" in body):
        raise bad("timeInterval excludes watchedAttributes and throttling (Table 5.2.12-1)")


def _form(notification: Mapping[str, Any], target: Endpoint) -> tuple[dict[str, str], str]:
    """Parameters and media type of a request that would be answered like a notification."""
    which = notification.get("format", "normalized")
    if which not in _FORMATS:
        raise bad(f"notification.format {which!r:.40} is none of {', '.join(_FORMATS)} (5.2.14)")
    options = "sysAttrs" if _flag(notification, "sysAttrs", False) else ""
    return {"format": which, "options": options}, target.accept


def _projection(body: Mapping[str, Any], notification: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: notification[name] for name in ("pick", "omit", "join") if name in notification}
    if "attributes" in notification:
        found["attrs"] = notification["attributes"]
    return found | {name: body[name] for name in ("lang", "datasetId") if name in body}


def _call(
    services: Services,
    tenant: str,
    context: Any,
    params: Mapping[str, str] | None = None,
    accept: str = JSON,
) -> Call:
    """A request with names, parameters and media type, as those who read a query take one."""
    headers = {"content-type": JSON_LD, "accept": accept, "ngsild-tenant": tenant}
    body = orjson.dumps({"@context": context})
    given = QueryParams({name: each for name, each in (params or {}).items() if each})
    return Call("POST", "", {}, given, Headers(headers), body, "", services)


def _flag(body: Mapping[str, Any], name: str, default: bool) -> bool:
    value = body.get(name, default)
    if not isinstance(value, bool):
        raise bad(f"{name} is true or false")
    return value


def _seconds(body: Mapping[str, Any], name: str) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 1e9:
        raise bad(f"{name} is a number of seconds above 0 (Table 5.2.12-1)")
    return float(value)


def renamed(body: Mapping[str, Any], name: Callable[[str], str]) -> dict[str, Any]:
    """A subscription with other names of types and attributes, as expansion and back need it.

    Names in q and in geoQ stay as they are: they keep the @context that they came with.
    """
    out = dict(body)
    if isinstance(body.get("entities"), list):
        out["entities"] = [
            {**each, "type": _PARTS.sub(lambda match: name(match[0]), each["type"])}
            if isinstance(each, dict) and isinstance(each.get("type"), str) and each["type"] != "*"
            else each
            for each in body["entities"]
        ]
    out |= _renamed(body, ("watchedAttributes",), name)
    if isinstance(body.get("notification"), dict):
        of = ("attributes", "pick", "omit")
        out["notification"] = body["notification"] | _renamed(body["notification"], of, name)
    return out


def _renamed(
    body: Mapping[str, Any], members: tuple[str, ...], name: Callable[[str], str]
) -> dict[str, Any]:
    return {
        member: [
            each if each in _NOT_ATTRIBUTES else name(check_name(each))
            for each in body[member]
            if isinstance(each, str)
        ]
        for member in members
        if isinstance(body.get(member), list)
    }
