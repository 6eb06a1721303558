"""Entities and their evolution as frames, and frames as entities."""

from ldt_toolbox.models.frames.beside import by_instant
from ldt_toolbox.models.frames.entities import to_frame
from ldt_toolbox.models.frames.filling import from_frame
from ldt_toolbox.models.frames.temporal import temporal_frame

__all__ = ["by_instant", "from_frame", "temporal_frame", "to_frame"]
