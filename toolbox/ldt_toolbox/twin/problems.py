"""Errors of the API as problem+json (RFC 9457), with the types of GS CIM 009, clause 6.3.2."""

from typing import Any

from ldt_toolbox.errors import LDTError

ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"

#: Status by error type: Table 6.3.2-1 of GS CIM 009 V1.8.1; below the line, what HTTP itself says.
STATUS = {
    "InvalidRequest": 400,
    "BadRequestData": 400,
    "AlreadyExists": 409,
    "OperationNotSupported": 422,
    "ResourceNotFound": 404,
    "InternalError": 500,
    "TooComplexQuery": 403,
    "TooManyResults": 403,
    "LdContextNotAvailable": 503,
    "NonexistentTenant": 404,
    "Conflict": 409,
}

TITLES = {
    "InvalidRequest": "The request is not well formed",
    "BadRequestData": "The request holds data that is not allowed",
    "AlreadyExists": "It exists already",
    "OperationNotSupported": "The operation is not supported",
    "ResourceNotFound": "It is not there",
    "InternalError": "Something went wrong inside the twin",
    "TooComplexQuery": "The query is too complex",
    "TooManyResults": "The query asks for too many results",
    "LdContextNotAvailable": "A remote @context cannot be had",
    "NonexistentTenant": "There is no such tenant",
    "Conflict": "The state does not allow it",
}


class ProblemError(LDTError):
    """A request that the twin answers with an error.

    Parameters
    ----------
    kind : str
        Error type of the standard, for example ``BadRequestData``; empty for a plain HTTP error.
    detail : str
        What is wrong, and what would be right.
    status : int, optional
        HTTP status; that of the type if left out.
    headers : dict, optional
        Headers of the answer.
    """

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        status: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.kind = kind
        self.detail = detail
        self.status = status if status is not None else STATUS[kind]
        self.headers = headers or {}
        super().__init__(detail)

    def document(self) -> dict[str, Any]:
        """The problem as RFC 9457 writes it."""
        return {
            "type": ERRORS + self.kind if self.kind else "about:blank",
            "title": TITLES.get(self.kind) or "Request refused",
            "status": self.status,
            "detail": self.detail,
        }


def bad(detail: str) -> ProblemError:
    """Problem of type BadRequestData."""
    return ProblemError("BadRequestData", detail)


def missing(detail: str) -> ProblemError:
    """Problem of type ResourceNotFound."""
    return ProblemError("ResourceNotFound", detail)
