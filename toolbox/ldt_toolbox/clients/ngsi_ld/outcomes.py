"""What became of a write, entity by entity or attribute by attribute (5.2.16 to 5.2.19)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ldt_toolbox.clients.answer import Answer
from ldt_toolbox.clients.errors import ClientError
from ldt_toolbox.clients.imperfect import ImperfectServerWarning, report
from ldt_toolbox.clients.ngsi_ld.connection import element


@dataclass(frozen=True)
class BatchError:
    """Why one entity was not written (5.2.17).

    Attributes
    ----------
    entity_id : str
        Entity.
    reason : str
        What the server said, in one line.
    problem : mapping
        Problem details (RFC 7807); empty if there are none.
    registration_id : str
        Registration whose context source failed; empty if it was the broker itself.
    """

    entity_id: str
    reason: str
    problem: Mapping[str, Any] = field(default_factory=dict)
    registration_id: str = ""


class PartlyDone(ClientError):  # noqa: N818
    """A write took effect in some context sources and failed in others (207, 6.3.17).

    Parameters
    ----------
    message : str
        What is shown.
    errors : sequence of BatchError
        What failed.
    """

    def __init__(self, message: str, errors: list[BatchError]) -> None:
        super().__init__(message)
        self.errors = errors


@dataclass(frozen=True)
class UpdateResult:
    """What an append or update of attributes did (5.2.18).

    Attributes
    ----------
    updated : tuple of str
        Attributes that were written; empty when the server only says that all were.
    not_updated : mapping
        Reason by the attribute that was not written.
    """

    updated: tuple[str, ...] = ()
    not_updated: Mapping[str, str] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether everything was written."""
        return not self.not_updated


def batch_told(answer: Answer) -> Mapping[str, Any] | None:
    """BatchOperationResult (5.2.16) of an answer; None if it says that all went well.

    Some brokers list a result for each entity instead, with `success` or `failure` inside: that is
    brought into the form of the standard, and told.

    Raises
    ------
    InvalidAnswer
        The status is 207 and the body is neither.
    """
    value = answer.json() if answer.content.strip() else None
    if isinstance(value, Mapping) and ("errors" in value or "success" in value):
        return value
    if answer.status != 207:
        return None
    if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
        return element(answer, "a BatchOperationResult (5.2.16)")
    report(
        ImperfectServerWarning(
            f"{answer.url}: a list of results where a BatchOperationResult is due (GS CIM 009, "
            "5.2.16); it was read entity by entity"
        ),
        stacklevel=4,
    )
    return {
        "success": [each.get("id") for each in value if not each.get("failure")],
        "errors": [
            {"entityId": each.get("id", ""), "error": problem}
            for each in value
            for problem in _listed(each.get("failure"))
        ],
    }


def succeeded_ids(told: Mapping[str, Any]) -> list[str]:
    """Ids of the entities of a BatchOperationResult that were written."""
    return [
        str(each.get("id", each.get("entityId", ""))) if isinstance(each, Mapping) else str(each)
        for each in _listed(told.get("success"))
    ]


def batch_errors(told: Mapping[str, Any]) -> list[BatchError]:
    """Errors of a BatchOperationResult (5.2.16)."""
    return [_error(e) for e in _listed(told.get("errors")) if isinstance(e, Mapping)]


def _listed(value: Any) -> list[Any]:
    """A list, also of one that came bare."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def update_result(answer: Answer) -> UpdateResult:
    """Answer to an append or update of attributes: 204, or 207 with an UpdateResult."""
    if answer.status == 204 or not answer.content.strip():
        return UpdateResult()
    told = element(answer, "an UpdateResult (5.2.18)")
    refused = {
        str(each.get("attributeName", "")): str(each.get("reason", ""))
        for each in _listed(told.get("notUpdated"))
        if isinstance(each, Mapping)
    }
    return UpdateResult(tuple(map(str, _listed(told.get("updated")))), refused)


def wholly(answer: Answer) -> Answer:
    """The answer to a write of one entity, unless it tells of context sources that failed.

    Raises
    ------
    PartlyDone
        The status is 207 and there are errors.
    """
    if answer.status != 207 or not answer.content.strip():
        return answer
    body = element(answer, "a BatchOperationResult (5.2.16)")
    # 5.2.18 is what some brokers send here
    refused = [*_listed(body.get("notCreated")), *_listed(body.get("notUpdated"))]
    errors = [*batch_errors(body), *(_error(each) for each in refused if isinstance(each, Mapping))]
    if errors:
        told = "; ".join(f"{e.registration_id or e.entity_id}: {e.reason}" for e in errors[:5])
        raise PartlyDone(
            f"{answer.url}: done in part, {len(errors)} context sources failed ({told}); "
            "look at the entity before trying again",
            errors,
        )
    return answer


def _error(told: Mapping[str, Any]) -> BatchError:
    problem = told.get("error")
    details = dict(problem) if isinstance(problem, Mapping) else {}
    known = (details.get("detail"), details.get("details"), details.get("title"), problem)
    reason = next((each for each in (*known, told.get("reason")) if each), "no reason given")
    return BatchError(
        str(told.get("entityId") or told.get("attributeName") or ""),
        str(reason),
        details,
        str(told.get("registrationId", "")),
    )
