"""OGC SensorThings API 1.1, part 1: Sensing; reading only."""

from ldt_toolbox.clients.sensorthings.client import SensorThings
from ldt_toolbox.clients.sensorthings.datastreams import Datastream

__all__ = ["Datastream", "SensorThings"]
