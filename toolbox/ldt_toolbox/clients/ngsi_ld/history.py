"""Writing temporal evolutions (GS CIM 009 V1.8.1, 5.6.11 to 5.6.16, 6.18 to 6.22)."""

from collections.abc import Mapping
from typing import Any

from ldt_toolbox.clients.ngsi_ld.connection import Connection, created_id, segment
from ldt_toolbox.errors import WrongUseError

FEATURE = "temporal evolution (temporal/entities)"
"""What errors call the temporal part of a broker."""


class History:
    """What can be written to temporal evolutions; part of `client.temporal`."""

    def __init__(self, connection: Connection) -> None:
        self._link = connection

    def create(self, evolution: Mapping[str, Any]) -> str:
        """Create an evolution, or add to it if there is one (5.6.11).

        Returns
        -------
        str
            Id of the entity.
        """
        answer = self._link.send(
            "POST", "temporal/entities", dict(evolution), expected=(201, 204), feature=FEATURE
        )
        return created_id(answer, str(evolution.get("id", "")))

    def append(self, id: str, attributes: Mapping[str, Any]) -> None:
        """Add instances of attributes to an evolution (5.6.12)."""
        path = f"temporal/entities/{segment(id)}/attrs"
        self._link.send("POST", path, dict(attributes), expected=(204,))

    def update_instance(
        self, id: str, name: str, instance_id: str, fragment: Mapping[str, Any]
    ) -> None:
        """Change one instance of an attribute (5.6.14)."""
        path = f"temporal/entities/{segment(id)}/attrs/{segment(name)}/{segment(instance_id)}"
        self._link.send("PATCH", path, dict(fragment), expected=(204,))

    def delete(self, id: str, *, attribute: str = "", instance_id: str = "") -> None:
        """Delete an evolution (5.6.16), an attribute of it (5.6.13) or one instance (5.6.15)."""
        if instance_id and not attribute:
            raise WrongUseError("instance_id needs attribute=")
        path = f"temporal/entities/{segment(id)}"
        if attribute:
            path += f"/attrs/{segment(attribute)}"
        if instance_id:
            path += f"/{segment(instance_id)}"
        self._link.send("DELETE", path, expected=(204,))
