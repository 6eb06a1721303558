"""Parts of the OpenAPI document: parameters and bodies of the NGSI-LD and OGC resources."""

from typing import Any

Json = dict[str, Any]


def _text(description: str, **more: Any) -> Json:
    return {"description": description, "schema": {"type": "string", **more}}


_WHOLE = {"type": "integer", "minimum": 0, "maximum": 1_000_000}
_TRUTH = {"type": "string", "enum": ["true", "false"]}
_GEOMETRIES = (
    "Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon",
)  # fmt: skip
_CRS = {"type": "string", "format": "uri",
        "default": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}  # fmt: skip

#: Parameters of queries by name.
QUERY: dict[str, Json] = {
    "id": _text("Ids, with commas between"),
    "type": _text("Types: `,` or `|` for or, `;` for and", example="Building"),
    "idPattern": _text("Regular expression found in ids"),
    "attrs": _text("Attributes, with commas between"),
    "pick": _text("Attributes to show"),
    "omit": _text("Attributes to leave out"),
    "q": _text("Condition on values", example="height>10"),
    "scopeQ": _text("Scopes"),
    "georel": _text("Geographic relation", example="near;maxDistance==2000"),
    "geometry": _text("Type of the reference geometry", enum=list(_GEOMETRIES)),
    "coordinates": _text("Coordinates of the reference geometry", example="[7.26,43.7]"),
    "geoproperty": _text("GeoProperty that the relation is on"),
    "geometryProperty": _text("GeoProperty that becomes the geometry of a Feature"),
    "limit": {"description": "Most of a page", "schema": {**_WHOLE, "maximum": 1000}},
    "offset": {"description": "How many before the page", "schema": _WHOLE},
    "count": {"description": "Whether all are counted", "schema": _TRUTH},
    "options": _text("keyValues, concise, sysAttrs, noOverwrite, update, replace"),
    "format": _text("Form", enum=["normalized", "concise", "simplified", "keyValues"]),
    "lang": _text("Languages, the best first"),
    "datasetId": _text("Instances of attributes"),
    "expandValues": _text("Attributes whose values are names"),
    "local": {"description": "Whether all entities may be asked for", "schema": _TRUTH},
    "details": {"description": "Whether details are told", "schema": _TRUTH},
    "kind": _text("Kind of context", enum=["Cached", "Hosted", "ImplicitlyCreated"]),
    "reload": {"description": "Whether it is fetched again", "schema": _TRUTH},
    "deleteAll": {"description": "Whether all instances go", "schema": _TRUTH},
    "observedAt": _text("Instant of what is merged", format="date-time"),
    "timerel": _text("Relation to the time", enum=["before", "after", "between"]),
    "timeAt": _text("Instant", format="date-time"),
    "endTimeAt": _text("End of the interval", format="date-time"),
    "timeproperty": _text("Which time", enum=["observedAt", "createdAt", "modifiedAt"]),
    "lastN": {"description": "Only the last ones", "schema": _WHOLE},
    "aggrMethods": _text("Aggregates, with commas between", example="avg,max"),
    "aggrPeriodDuration": _text("Length of a period (ISO 8601)", example="PT1H"),
    "f": _text("Form of the answer", enum=["json", "html"]),
    "bbox": {
        "description": "Lower corner, upper corner; six numbers with heights",
        "schema": {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6},
        "style": "form",
        "explode": False,
    },
    "bbox-crs": {"description": "CRS of bbox", "schema": _CRS},
    "crs": {"description": "CRS of the answer", "schema": _CRS},
    "datetime": _text("Instant or interval; read against observedAt, else dateObserved, else "
                      "modifiedAt", example="2026-07-01T00:00:00Z/.."),
    "filter": _text("Condition in CQL2 text", example="height > 10 AND name LIKE 'A%'"),
    "filter-lang": _text("Language of the filter", enum=["cql2-text"]),
    "filter-crs": {"description": "CRS of the filter's geometries", "schema": _CRS},
    "status": _text("Status", enum=["accepted", "running", "successful", "failed", "dismissed"]),
    "processID": _text("Process"),
    "minDuration": {"description": "Seconds", "schema": _WHOLE},
    "maxDuration": {"description": "Seconds", "schema": _WHOLE},
}  # fmt: skip

_ONE = ("type", "attrs", "pick", "omit", "options", "format", "lang", "geometryProperty",
        "datasetId")  # fmt: skip
_MANY = ("id", *_ONE, "idPattern", "q", "scopeQ", "georel", "geometry", "coordinates",
         "geoproperty", "limit", "offset", "count", "expandValues", "local")  # fmt: skip
_TIMES = ("timerel", "timeAt", "endTimeAt", "timeproperty", "lastN", "aggrMethods",
          "aggrPeriodDuration")  # fmt: skip
_WRITE = ("options", "type", "format", "observedAt", "lang")

#: Names of the parameters by method and path, without the root of NGSI-LD.
TAKEN: dict[tuple[str, str], tuple[str, ...]] = {
    ("GET", "/entities"): _MANY,
    ("GET", "/entities/{id}"): _ONE,
    ("PATCH", "/entities/{id}"): _WRITE,
    ("POST", "/entities/{id}/attrs"): ("options", "type"),
    ("DELETE", "/entities/{id}/attrs/{name}"): ("deleteAll", "datasetId", "type"),
    ("POST", "/entityOperations/query"): ("limit", "offset", "count", "options", "format"),
    ("POST", "/entityOperations/upsert"): ("options",),
    ("POST", "/entityOperations/update"): ("options",),
    ("POST", "/entityOperations/merge"): _WRITE,
    ("GET", "/types"): ("details",),
    ("GET", "/attributes"): ("details",),
    ("GET", "/jsonldContexts"): ("details", "kind"),
    ("GET", "/jsonldContexts/{id}"): ("details",),
    ("DELETE", "/jsonldContexts/{id}"): ("reload",),
    ("GET", "/temporal/entities"): (*_MANY, *_TIMES),
    ("GET", "/temporal/entities/{id}"): (*_ONE, *_TIMES),
    ("POST", "/temporal/entityOperations/query"): ("limit", "offset", "count", "options"),
    ("DELETE", "/temporal/entities/{id}/attrs/{rest}"): ("deleteAll", "datasetId"),
    ("GET", "/subscriptions"): ("limit", "offset", "count", "options"),
    ("GET", "/collections/{collectionId}/items"): (
        "f", "limit", "offset", "bbox", "bbox-crs", "datetime", "crs", "filter", "filter-lang",
        "filter-crs",
    ),
    ("GET", "/collections/{collectionId}/items/{featureId}"): ("f", "crs"),
    ("GET", "/processes"): ("f", "limit"),
    ("GET", "/jobs"): ("f", "limit", "offset", "type", "processID", "status", "datetime",
                       "minDuration", "maxDuration"),
    **{
        ("GET", path): ("f",)
        for path in (
            "/", "/api", "/conformance", "/collections", "/collections/{collectionId}",
            "/collections/{collectionId}/queryables", "/processes/{processId}", "/jobs/{jobId}",
            "/jobs/{jobId}/results",
        )
    },
}  # fmt: skip


def reference(name: str) -> Json:
    """Reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def _many(name: str) -> Json:
    return {"type": "array", "items": reference(name), "minItems": 1, "maxItems": 1000}


#: Schema of the body by method and path.
BODIES: dict[tuple[str, str], Json] = {
    ("POST", "/entities"): reference("Entity"),
    ("PUT", "/entities/{id}"): reference("Entity"),
    ("PATCH", "/entities/{id}"): reference("Fragment"),
    ("POST", "/entities/{id}/attrs"): reference("Fragment"),
    ("PATCH", "/entities/{id}/attrs"): reference("Fragment"),
    ("PATCH", "/entities/{id}/attrs/{name}"): reference("Attribute"),
    ("PUT", "/entities/{id}/attrs/{name}"): reference("Attribute"),
    **{
        ("POST", f"/entityOperations/{name}"): _many("Entity")
        for name in ("create", "upsert", "update", "merge")
    },
    ("POST", "/entityOperations/delete"): {
        "type": "array", "items": {"type": "string", "format": "uri"}, "minItems": 1,
    },
    ("POST", "/entityOperations/query"): reference("Query"),
    ("POST", "/temporal/entityOperations/query"): reference("Query"),
    ("POST", "/temporal/entities"): reference("TemporalEntity"),
    ("POST", "/temporal/entities/{id}/attrs"): reference("TemporalFragment"),
    ("PATCH", "/temporal/entities/{id}/attrs/{rest}"): reference("TemporalFragment"),
    ("POST", "/jsonldContexts"): {
        "type": "object", "required": ["@context"],
        "properties": {"@context": {"type": "object",
                                    "additionalProperties": {"type": "string"}}},
    },
    ("POST", "/subscriptions"): reference("Subscription"),
    ("PATCH", "/subscriptions/{id}"): {"type": "object"},
    ("POST", "/processes/{processId}/execution"): reference("Execution"),
}  # fmt: skip

_POSITION = {"type": "array", "items": {"type": "number", "minimum": -90, "maximum": 90},
             "minItems": 2, "maxItems": 3}  # fmt: skip
_MEMBERS: Json = {
    "observedAt": {"type": "string", "format": "date-time"},
    "unitCode": {"type": "string"},
    "datasetId": {"type": "string", "format": "uri"},
}

#: Schemas by name.
SCHEMAS: dict[str, Json] = {
    "Geometry": {
        "oneOf": [
            {
                "type": "object",
                "required": ["type", "coordinates"],
                "properties": {"type": {"type": "string", "enum": ["Point"]},
                               "coordinates": _POSITION},
            },
            {
                "type": "object",
                "required": ["type", "coordinates"],
                "properties": {
                    "type": {"type": "string", "enum": ["LineString", "MultiPoint"]},
                    "coordinates": {"type": "array", "items": _POSITION, "minItems": 2},
                },
            },
            {
                "type": "object",
                "required": ["type", "coordinates"],
                "properties": {
                    "type": {"type": "string", "enum": ["Polygon", "MultiPolygon"]},
                    "coordinates": {"type": "array", "items": {"type": "array"}},
                },
            },
        ]
    },
    "Attribute": {
        "oneOf": [
            {
                "type": "object",
                "required": ["type", "value"],
                "properties": {"type": {"type": "string", "enum": ["Property"]}, "value": {},
                               **_MEMBERS},
            },
            {
                "type": "object",
                "required": ["type", "value"],
                "properties": {"type": {"type": "string", "enum": ["GeoProperty"]},
                               "value": reference("Geometry"), **_MEMBERS},
            },
            {
                "type": "object",
                "required": ["type", "object"],
                "properties": {"type": {"type": "string", "enum": ["Relationship"]},
                               "object": {"type": "string", "format": "uri"}, **_MEMBERS},
            },
            {
                "type": "object",
                "required": ["type", "languageMap"],
                "properties": {
                    "type": {"type": "string", "enum": ["LanguageProperty"]},
                    "languageMap": {"type": "object", "additionalProperties": {"type": "string"}},
                },
            },
        ]
    },
    "Fragment": {
        "type": "object",
        "properties": {name: reference("Attribute") for name in ("location", "temperature")},
        "additionalProperties": True,
    },
    "Entity": {
        "type": "object",
        "required": ["id", "type"],
        "properties": {
            "id": {"type": "string", "format": "uri"},
            "type": {"type": "string", "pattern": "^[A-Z][A-Za-z]{0,20}$"},
            "scope": {"type": "string"},
            "location": reference("Attribute"),
            "name": reference("Attribute"),
        },
        "additionalProperties": True,
    },
    "TemporalFragment": {
        "type": "object",
        "additionalProperties": {"type": "array", "items": reference("Attribute")},
    },
    "TemporalEntity": {
        "type": "object",
        "required": ["id", "type"],
        "properties": {"id": {"type": "string", "format": "uri"}, "type": {"type": "string"}},
        "additionalProperties": {"type": "array", "items": reference("Attribute")},
    },
    "Query": {
        "type": "object",
        "required": ["type"],
        "properties": {
            "type": {"type": "string", "enum": ["Query"]},
            "entities": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["type"],
                    "properties": {name: {"type": "string"} for name in ("id", "type",
                                                                         "idPattern")},
                },
            },
            "attrs": {"type": "array", "items": {"type": "string"}},
            "q": {"type": "string"},
            "scopeQ": {"type": "string"},
            "geoQ": {
                "type": "object",
                "required": ["georel", "geometry", "coordinates"],
                "properties": {
                    "georel": {"type": "string"},
                    "geometry": {"type": "string", "enum": list(_GEOMETRIES)},
                    "coordinates": {"type": "array"},
                    "geoproperty": {"type": "string"},
                },
            },
            "temporalQ": {
                "type": "object",
                "properties": {
                    "timerel": {"type": "string", "enum": ["before", "after", "between"]},
                    "timeAt": {"type": "string", "format": "date-time"},
                    "endTimeAt": {"type": "string", "format": "date-time"},
                },
            },
        },
    },
    "Subscription": {
        "type": "object",
        "required": ["type", "notification"],
        "properties": {
            "type": {"type": "string", "enum": ["Subscription"]},
            "entities": {"type": "array", "items": {"type": "object",
                                                    "properties": {"type": {"type": "string"}}}},
            "watchedAttributes": {"type": "array", "items": {"type": "string"}},
            "q": {"type": "string"},
            "throttling": {"type": "number"},
            "timeInterval": {"type": "number"},
            "isActive": {"type": "boolean"},
            "expiresAt": {"type": "string", "format": "date-time"},
            "notification": {
                "type": "object",
                "required": ["endpoint"],
                "properties": {
                    "endpoint": {
                        "type": "object",
                        "required": ["uri"],
                        "properties": {"uri": {"type": "string",
                                               "enum": ["http://127.0.0.1:9/nowhere"]}},
                    }
                },
            },
        },
    },
    "Execution": {
        "type": "object",
        "properties": {
            "inputs": {"type": "object"},
            "outputs": {
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "properties": {
                        "transmissionMode": {"type": "string", "enum": ["reference"]}
                    },
                },
            },
            "response": {"type": "string", "enum": ["document", "raw"]},
        },
    },
    "Problem": {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
        },
    },
    "Links": {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["href", "rel"],
            "properties": {name: {"type": "string"} for name in ("href", "rel", "type", "title")},
        },
    },
    "FeatureCollection": {
        "type": "object",
        "required": ["type", "features", "links", "numberMatched", "numberReturned", "timeStamp"],
        "properties": {
            "type": {"type": "string", "enum": ["FeatureCollection"]},
            "features": {"type": "array", "items": reference("Feature")},
            "links": reference("Links"),
            "numberMatched": {"type": "integer", "minimum": 0},
            "numberReturned": {"type": "integer", "minimum": 0},
            "timeStamp": {"type": "string", "format": "date-time"},
        },
    },
    "Feature": {
        "type": "object",
        "required": ["type", "id", "geometry", "properties"],
        "properties": {
            "type": {"type": "string", "enum": ["Feature"]},
            "id": {"type": "string"},
            "geometry": {"type": "object", "nullable": True},
            "properties": {"type": "object"},
        },
    },
    "StatusInfo": {
        "type": "object",
        "required": ["jobID", "status", "type"],
        "properties": {
            "jobID": {"type": "string"},
            "processID": {"type": "string"},
            "type": {"type": "string", "enum": ["process"]},
            "status": {"type": "string",
                       "enum": ["accepted", "running", "successful", "failed", "dismissed"]},
            "progress": {"type": "integer", "minimum": 0, "maximum": 100},
            "message": {"type": "string"},
            "links": reference("Links"),
        },
    },
}  # fmt: skip
