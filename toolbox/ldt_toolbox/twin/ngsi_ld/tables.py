"""All resources of the NGSI-LD API that the twin has."""

from ldt_toolbox.twin.ngsi_ld.attributes import ATTRIBUTES
from ldt_toolbox.twin.ngsi_ld.batch import BATCH
from ldt_toolbox.twin.ngsi_ld.contexts import CONTEXTS
from ldt_toolbox.twin.ngsi_ld.elsewhere import ELSEWHERE
from ldt_toolbox.twin.ngsi_ld.entities import ENTITIES
from ldt_toolbox.twin.ngsi_ld.query import QUERY
from ldt_toolbox.twin.ngsi_ld.routing import Table
from ldt_toolbox.twin.ngsi_ld.temporal import TEMPORAL
from ldt_toolbox.twin.ngsi_ld.types import TYPES

#: The first that fits a path answers; rows of one path are in one table.
TABLES: tuple[Table, ...] = (
    (*QUERY, *ENTITIES, *ATTRIBUTES, *BATCH),
    TYPES,
    CONTEXTS,
    TEMPORAL,
    ELSEWHERE,
)
