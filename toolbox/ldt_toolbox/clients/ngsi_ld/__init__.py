"""Client of NGSI-LD context brokers (ETSI GS CIM 009 V1.8.1).

What is supported, by which clause, and which test holds it, is listed in `docs/ngsi-ld.md`.
"""

from ldt_toolbox.clients.ngsi_ld.aggregation import Aggregate, aggregates
from ldt_toolbox.clients.ngsi_ld.asynchronous import AsyncNgsiLd
from ldt_toolbox.clients.ngsi_ld.batch import BatchInterrupted, BatchResult
from ldt_toolbox.clients.ngsi_ld.client import NgsiLd
from ldt_toolbox.clients.ngsi_ld.geo import GeoQuery
from ldt_toolbox.clients.ngsi_ld.outcomes import BatchError, PartlyDone, UpdateResult
from ldt_toolbox.clients.ngsi_ld.query import Expression, Q
from ldt_toolbox.clients.ngsi_ld.receiver import Notification, Receiver
from ldt_toolbox.clients.ngsi_ld.subscriptions import subscription
from ldt_toolbox.clients.ngsi_ld.temporal import observations

__all__ = [
    "Aggregate",
    "AsyncNgsiLd",
    "BatchError",
    "BatchInterrupted",
    "BatchResult",
    "Expression",
    "GeoQuery",
    "NgsiLd",
    "Notification",
    "PartlyDone",
    "Q",
    "Receiver",
    "UpdateResult",
    "aggregates",
    "observations",
    "subscription",
]
