"""Results of a run as twin data: entities at a broker, catalogue and feed in a folder.

`docs/publish.md` says what a run becomes.
"""

from ldt_toolbox.publish.actions import publish, undo
from ldt_toolbox.publish.entities import Made, entities_of, run_urn
from ldt_toolbox.publish.finished import FinishedRun
from ldt_toolbox.publish.published import published_ids, read_indicators
from ldt_toolbox.publish.send import Outcome

__all__ = [
    "FinishedRun",
    "Made",
    "Outcome",
    "entities_of",
    "publish",
    "published_ids",
    "read_indicators",
    "run_urn",
    "undo",
]
