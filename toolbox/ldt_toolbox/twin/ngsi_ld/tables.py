"""All resources of the NGSI-LD API that the twin has."""

from ldt_toolbox.twin.ngsi_ld.entities import ENTITIES
from ldt_toolbox.twin.ngsi_ld.query import QUERY
from ldt_toolbox.twin.ngsi_ld.routing import Table

TABLES: tuple[Table, ...] = ((*QUERY, *ENTITIES),)
