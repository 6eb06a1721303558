"""Entities and their evolution as frames, and frames as entities."""

from ldt_toolbox.models.frames.temporal import temporal_frame

__all__ = ["temporal_frame"]
