"""A context broker in memory: enough of GS CIM 009 V1.8.1 to be asked and written to, and faults.

    with HostileServer() as server:
        broker = Broker(server)
        broker.put({"id": "urn:ngsi-ld:A:1", "type": "A"})

The faults are attributes; what is on by default is what the standard says.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

ROOT = "/ngsi-ld/v1"
ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"
META = ("id", "type", "@context", "scope")


class Refusal(Exception):  # noqa: N818
    def __init__(self, status: int, name: str, detail: str) -> None:
        self.status = status
        self.problem = {"type": ERRORS + name if name else "about:blank", "title": name}
        if detail:
            self.problem["detail"] = detail


@dataclass
class Broker:
    server: Any
    reply: Any  # the class Reply of the hostile server
    q: Any = None  # the parser's module
    entities: dict[str, dict[str, Any]] = field(default_factory=dict)
    temporal: dict[str, dict[str, Any]] = field(default_factory=dict)
    subscriptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    contexts: dict[str, Any] = field(default_factory=dict)
    # faults
    page: int = 20  # page size without `limit`
    largest_page: int = 1000  # above it 403 TooManyResults
    silent_page: int = 10**9  # above it fewer elements come, without a word
    deepest_offset: int = 10**9  # from it on 403
    link: str = "absolute"  # relative, self, back, foreign, two, opaque, none
    counts: bool = True
    ignores: frozenset[str] = frozenset()
    knows_format: bool = True
    cap: int = 10**9  # instances an attribute in a temporal answer
    total_cap: int = 10**9  # instances an answer, series after series, never said
    says_206: bool = True
    keeps: str = "oldest"  # or newest
    largest_batch: int = 10**9  # above it 413
    missing: frozenset[str] = frozenset()  # resources that are not there
    late: bool = False  # leaves the start of a window in time out
    unslashed: int = 200  # what lists are answered with without the slash of 6.4.2 at the end
    lists: bool = False  # writes each attribute as a list of its instances

    def __post_init__(self) -> None:
        self.server.route("*", "*", self.handle)

    def put(self, *entities: dict[str, Any]) -> None:
        self.entities |= {entity["id"]: entity for entity in entities}

    def handle(self, request: Any) -> Any:
        path = urlsplit(request.target).path
        assert path.startswith(ROOT), path
        parts = [unquote(part) for part in path[len(ROOT) :].strip("/").split("/")]
        params = dict(parse_qsl(urlsplit(request.target).query, keep_blank_values=True))
        a_list = parts[-1] in ("entities", "attrs", "subscriptions", "jsonldContexts")
        if self.unslashed != 200 and a_list is not path.endswith("/"):
            return self.reply(self.unslashed, b"Not Found", content_type="text/plain")
        try:
            self.check_context(request)
            if parts[0] in self.missing:
                return self.reply(404, {"title": "no such page"})
            return self.dispatch(request, parts, params)
        except Refusal as refusal:
            return self.reply(refusal.status, refusal.problem)

    def check_context(self, request: Any) -> None:
        """The rules of 6.3.5 on where an @context may be."""
        kind = request.headers.get("Content-Type", "")
        link = request.headers.get("Link", "")
        if request.method in ("GET", "DELETE") or "jsonldContexts" in request.target:
            return
        value = json.loads(request.body) if request.body else None
        items = [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, dict)]
        holds = [("@context" in item) for item in items]
        if kind == "application/ld+json":
            if link or not all(holds):
                raise Refusal(400, "BadRequestData", "ld+json: @context in the body, no Link")
        elif kind == "application/json":
            if any(holds):
                raise Refusal(400, "BadRequestData", "json: @context in the body")
        else:
            raise Refusal(415, "InvalidRequest", kind)

    def dispatch(self, request: Any, parts: list[str], params: dict[str, str]) -> Any:
        body = json.loads(request.body) if request.body else None
        method = request.method
        match parts:
            case ["entities"] if method == "GET":
                return self.query(request, params, self.select(params))
            case ["entities"] if method == "POST":
                if body["id"] in self.entities:
                    raise Refusal(409, "AlreadyExists", body["id"])
                self.put(body)
                return self.reply(201, headers=[("Location", f"{ROOT}/entities/{body['id']}")])
            case ["entities", entity_id]:
                return self.entity(method, entity_id, params, body, request)
            case ["entities", entity_id, "attrs"]:
                return self.attributes(method, self.one(entity_id), params, body)
            case ["entities", entity_id, "attrs", name] if method == "DELETE":
                if self.one(entity_id).pop(name, None) is None:
                    raise Refusal(404, "ResourceNotFound", name)
                return self.reply(204)
            case ["entityOperations", "query"]:
                return self.query(request, params, self.select(flattened(body) | params), params)
            case ["entityOperations", operation]:
                return self.batch(operation, body, params)
            case ["temporal", "entities"] if method == "GET":
                return self.query(request, params, self.history(params), temporal=True)
            case ["temporal", "entities", entity_id] if method == "GET":
                found = self.history({"id": entity_id, **params})
                if not found:
                    raise Refusal(404, "ResourceNotFound", entity_id)
                return self.history_reply(found[0], found, params)
            case ["subscriptions", *_]:
                return self.subscribing(method, parts[1:], body, request, params)
            case ["jsonldContexts", *_]:
                return self.context(method, parts[1:], body, params)
        raise Refusal(404, "", "")

    def one(self, entity_id: str) -> dict[str, Any]:
        if entity_id not in self.entities:
            raise Refusal(404, "ResourceNotFound", entity_id)
        return self.entities[entity_id]

    def entity(self, method: str, entity_id: str, params: Any, body: Any, request: Any) -> Any:
        entity = self.one(entity_id)
        if method == "GET":
            return self.reply(200, self.shape(entity, params, request))
        if method == "DELETE":
            del self.entities[entity_id]
        elif method == "PUT":
            self.entities[entity_id] = {"id": entity_id, "type": entity["type"], **body}
        else:
            entity.update({k: v for k, v in body.items() if k not in META})
        return self.reply(204)

    def attributes(self, method: str, entity: dict[str, Any], params: Any, body: Any) -> Any:
        updated, refused = [], []
        for name, value in body.items():
            if name in META:
                continue
            kept = params.get("options") == "noOverwrite" and name in entity
            if kept or (method == "PATCH" and name not in entity):
                refused.append({"attributeName": name, "reason": "no"})
            else:
                entity[name] = value
                updated.append(name)
        if refused:
            return self.reply(207, {"updated": updated, "notUpdated": refused})
        return self.reply(204)

    def batch(self, operation: str, body: list[Any], params: dict[str, str]) -> Any:
        if len(body) > self.largest_batch:
            raise Refusal(413, "", "")
        if any(isinstance(item, dict) and "bad" in item for item in body):
            raise Refusal(400, "BadRequestData", "bad")
        success, errors, created = [], [], []
        for item in body:
            entity_id = item if isinstance(item, str) else item["id"]
            there = entity_id in self.entities
            if there is (operation == "create") and operation != "upsert":
                name = "AlreadyExists" if there else "ResourceNotFound"
                problem = {"type": ERRORS + name, "title": name}
                errors.append({"entityId": entity_id, "error": problem})
                continue
            success.append(entity_id)
            if operation == "delete":
                del self.entities[entity_id]
            elif there and (operation != "upsert" or params.get("options") == "update"):
                self.entities[entity_id].update(item)
            else:
                self.put(item)
                created += [] if there else [entity_id]
        if errors:
            return self.reply(207, {"success": success, "errors": errors})
        return self.reply(201, created) if created else self.reply(204)

    def select(self, params: dict[str, str]) -> list[dict[str, Any]]:
        params = {k: v for k, v in params.items() if k not in self.ignores}
        found = list(self.entities.values())
        if params.get("type"):
            kinds = re.split(r"[,|]", params["type"])
            found = [e for e in found if e["type"] in kinds]
        if "id" in params:
            ids = set(params["id"].split(","))
            found = [e for e in found if e["id"] in ids]
        if "idPattern" in params:
            found = [e for e in found if re.search(params["idPattern"], e["id"])]
        if "q" in params:
            tree = self.q.parse(params["q"])
            found = [e for e in found if self.q.meets(e, tree)]
        if "attrs" in params:
            names = params["attrs"].split(",")
            found = [
                {k: v for k, v in e.items() if k in META or k in names}
                for e in found
                if any(name in e for name in names)
            ]
        return found

    def query(
        self,
        request: Any,
        params: dict[str, str],
        found: list[Any],
        url_params: dict[str, str] | None = None,
        *,
        temporal: bool = False,
    ) -> Any:
        limit = int(params.get("limit", self.page))
        offset = int(params.get("offset", params.get("cursor", 0)))
        if limit > self.largest_page:
            raise Refusal(
                403,
                "TooManyResults",
                f"You asked for {limit} results, but the supported maximum limit is "
                f"{self.largest_page}",
            )
        if offset >= self.deepest_offset:
            raise Refusal(403, "TooManyResults", f"offset {offset}")
        size = min(limit, self.silent_page)
        page = found[offset : offset + size]
        headers = []
        if self.counts and params.get("count") == "true":
            headers.append(("NGSILD-Results-Count", str(len(found))))
        if offset + size < len(found) and size:
            headers += self.next_links(request, params, offset, size)
        if temporal:
            return self.history_reply(page, page, params, headers)
        shaped = [self.shape(entity, params, request) for entity in page]
        if request.headers.get("Accept") == "application/geo+json":
            collection = {"type": "FeatureCollection", "features": shaped}
            return self.reply(200, collection, headers, "application/geo+json")
        return self.reply(200, shaped, headers)

    def next_links(
        self, request: Any, params: dict[str, str], offset: int, size: int
    ) -> list[tuple[str, str]]:
        path = urlsplit(request.target).path
        step = "cursor" if self.link == "opaque" else "offset"
        after = {**params, step: str(offset + size)}
        target = f"{path}?{urlencode(after)}"
        context = '<https://example.org/c.jsonld>; rel="http://www.w3.org/ns/json-ld#context"'
        match self.link:
            case "none":
                return []
            case "relative":
                return [("Link", context), ("Link", f'<{target}>; rel="next"')]
            case "self":
                return [("Link", f'<{request.target}>;rel="next"')]
            case "back":
                return [("Link", f'<{path}?{urlencode({**params, "offset": "0"})}>;rel="next"')]
            case "foreign":
                return [("Link", f'<http://broker.internal:1026{target}>;rel="next"')]
            case "two":
                other = f"{path}?{urlencode({**params, 'offset': '0'})}"
                return [("Link", f'<{target}>;rel="next"'), ("Link", f'<{other}>;rel="next"')]
        return [("Link", f'{context}, <{self.server.url}{target}>;rel="next"')]

    def shape(self, entity: dict[str, Any], params: dict[str, str], request: Any) -> Any:
        simplified = (self.knows_format and params.get("format") == "simplified") or (
            "keyValues" in params.get("options", "")
        )
        if "pick" in params:
            entity = {k: v for k, v in entity.items() if k in params["pick"].split(",")}
        if simplified:
            entity = {
                k: v if k in META else v.get("value", v.get("object")) for k, v in entity.items()
            }
        if self.lists and not simplified:
            entity = {k: v if k in META else [v] for k, v in entity.items()}
        if request.headers.get("Accept") != "application/geo+json":
            return entity
        place = entity.get("location")
        geometry = place.get("value", place) if isinstance(place, dict) else None
        rest = {k: v for k, v in entity.items() if k != "id"}
        return {"id": entity["id"], "type": "Feature", "geometry": geometry, "properties": rest}

    def history(self, params: dict[str, str]) -> list[dict[str, Any]]:
        """Instances of a window; entities without any are left out (5.7.4.4)."""
        found = []
        wanted = params.get("id", "").split(",") if params.get("id") else None
        for entity in self.temporal.values():
            if (wanted and entity["id"] not in wanted) or (
                params.get("type") and entity["type"] != params["type"]
            ):
                continue
            kept = {
                name: [i for i in instances if inside(i, params, late=self.late)]
                for name, instances in entity.items()
                if name not in META and name in params.get("attrs", name).split(",")
            }
            kept = {name: instances for name, instances in kept.items() if instances}
            if kept:
                found.append({"id": entity["id"], "type": entity["type"], **kept})
        return found

    def history_reply(
        self, value: Any, entities: list[Any], params: dict[str, str], headers: Any = ()
    ) -> Any:
        cut = False
        for entity in entities:
            for name, instances in entity.items():
                if name in META:
                    continue
                instances = sorted(instances, key=lambda i: i["observedAt"])
                if "lastN" in params:
                    instances = instances[-int(params["lastN"]) :]
                if len(instances) > self.cap:
                    cut = True
                    keep = slice(self.cap) if self.keeps == "oldest" else slice(-self.cap, None)
                    instances = instances[keep]
                entity[name] = instances
        self.cut_rows(entities)
        times = [
            i["observedAt"] for e in entities for n, s in e.items() if n not in META for i in s
        ]
        if params.get("format") == "temporalValues":
            for entity in entities:
                for name, instances in list(entity.items()):
                    if name not in META:
                        pairs = [[i["value"], i["observedAt"]] for i in instances]
                        entity[name] = {"type": "Property", "values": pairs}
        if cut and self.says_206:
            extent = f"date-time {min(times)}-{max(times)}/*"
            return self.reply(206, value, [*headers, ("Content-Range", extent)])
        return self.reply(200, value, headers)

    def cut_rows(self, entities: list[Any]) -> None:
        """Leave out what comes after so many rows, as `LIMIT` in a query of a database does."""
        left = self.total_cap
        for entity in entities:
            for name in [name for name in entity if name not in META]:
                rows = entity[name][:left] if self.keeps == "oldest" else entity[name][-left:]
                if not left or not rows:
                    del entity[name]
                else:
                    entity[name] = rows
                    left -= len(rows)

    def subscribing(
        self, method: str, rest: list[str], body: Any, request: Any, params: dict[str, str]
    ) -> Any:
        if not rest and method == "POST":
            own = body.get("id", f"urn:ngsi-ld:Subscription:{len(self.subscriptions)}")
            self.subscriptions[own] = {**body, "id": own}
            return self.reply(201, headers=[("Location", f"{ROOT}/subscriptions/{own}")])
        if not rest:
            return self.query(request, params, list(self.subscriptions.values()))
        if rest[0] not in self.subscriptions:
            raise Refusal(404, "ResourceNotFound", rest[0])
        if method == "GET":
            return self.reply(200, self.subscriptions[rest[0]])
        if method == "PATCH":
            self.subscriptions[rest[0]].update(body)
        else:
            del self.subscriptions[rest[0]]
        return self.reply(204)

    def context(self, method: str, rest: list[str], body: Any, params: dict[str, str]) -> Any:
        if not rest and method == "POST":
            own = f"c{len(self.contexts)}"
            self.contexts[own] = body
            return self.reply(201, headers=[("Location", f"{ROOT}/jsonldContexts/{own}")])
        if not rest:
            urls = [f"{self.server.url}{ROOT}/jsonldContexts/{own}" for own in self.contexts]
            return self.reply(200, urls)
        if rest[0] not in self.contexts:
            raise Refusal(404, "ResourceNotFound", rest[0])
        if method == "DELETE":
            if params.get("reload") != "true":
                del self.contexts[rest[0]]
            return self.reply(204)
        return self.reply(200, self.contexts[rest[0]])


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def inside(instance: dict[str, Any], params: dict[str, str], *, late: bool) -> bool:
    """Lower bound included, upper bound not (4.11)."""
    when = at(instance["observedAt"])
    if late and "timeAt" in params and when == at(params["timeAt"]):
        return False
    match params.get("timerel"):
        case "before":
            return when < at(params["timeAt"])
        case "after":
            return when >= at(params["timeAt"])
        case "between":
            return at(params["timeAt"]) <= when < at(params["endTimeAt"])
    return True


def flattened(query: dict[str, Any]) -> dict[str, str]:
    """Query of a POST as parameters."""
    params = {k: query[k] for k in ("q", "scopeQ") if k in query}
    if "attrs" in query:
        params["attrs"] = ",".join(query["attrs"])
    selectors = query.get("entities", [])
    if selectors:
        params["type"] = selectors[0]["type"]
        ids = [s["id"] for s in selectors if "id" in s]
        if ids:
            params["id"] = ",".join(ids)
        if "idPattern" in selectors[0]:
            params["idPattern"] = selectors[0]["idPattern"]
    return params
