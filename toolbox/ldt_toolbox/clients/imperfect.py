"""Warnings about servers that answer, but not as the standard says.

A server that is merely careless must not stop an analysis, and must not pass unseen either.
Clients call `report`; who wants every deviation to be an error says::

    with strict():
        ...

The choice belongs to the thread (more exactly the context) that made it: other threads keep
theirs, and leaving the block restores what was before, also after an error. A client that hands
work to threads of its own passes the choice on with `contextvars.copy_context`.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

from ldt_toolbox.clients.errors import ClientError


class ImperfectServerWarning(ClientError, UserWarning):  # noqa: N818
    """Base: a server deviates from its standard in a way that a client can live with.

    Under `strict` the same object is raised, which is why it is a `ClientError` too.
    """


class WrongContentTypeWarning(ImperfectServerWarning):
    """The body is fine, its Content-Type says something else."""


class InvalidNumberWarning(ImperfectServerWarning):
    """JSON with NaN or Infinity, which JSON has no place for."""


class UnknownLengthWarning(ImperfectServerWarning):
    """Nothing in the answer tells whether it is complete."""


class CutAnswerWarning(ImperfectServerWarning):
    """The server sent part of what was asked for and said that all is well."""


class SourceFailedWarning(CutAnswerWarning):
    """Sources behind the server failed or answered late: what came from them is missing or old."""


class WrongStatusWarning(ImperfectServerWarning):
    """The status says that it is done, but is not the one that the standard names."""


class PagingWarning(ImperfectServerWarning):
    """Pages that do not fit together: a next link to itself, an empty page, a wrong count."""


class CapabilityWarning(ImperfectServerWarning):
    """The server ignored a parameter, or does not do what it declares."""


_Choice = tuple[type[ImperfectServerWarning], Literal["raise", "ignore"]]
_choices: ContextVar[tuple[_Choice, ...]] = ContextVar("imperfect_server_choices", default=())


def report(warning: ImperfectServerWarning, *, stacklevel: int = 2) -> None:
    """Tell about a deviation: raise it, pass over it, or warn, as the caller's context chose.

    Parameters
    ----------
    warning : ImperfectServerWarning
        Its message names the URL (without secrets), the deviation and the next step.
    stacklevel : int
        As for `warnings.warn`, counted from the caller of this function.

    Raises
    ------
    ImperfectServerWarning
        Inside `strict`.
    """
    for kind, action in reversed(_choices.get()):
        if isinstance(warning, kind):
            if action == "raise":
                raise warning
            return
    warnings.warn(warning, stacklevel=stacklevel + 1)


@contextmanager
def _choose(
    kinds: tuple[type[ImperfectServerWarning], ...], action: Literal["raise", "ignore"]
) -> Iterator[None]:
    chosen = tuple((kind, action) for kind in kinds or (ImperfectServerWarning,))
    token = _choices.set(_choices.get() + chosen)
    try:
        yield
    finally:
        _choices.reset(token)


@contextmanager
def strict(*kinds: type[ImperfectServerWarning]) -> Iterator[None]:
    """Raise these deviations (without arguments: all) instead of warning about them.

    The innermost of nested `strict` and `ignore` blocks that names a kind decides.
    """
    with _choose(kinds, "raise"):
        yield


@contextmanager
def ignore(*kinds: type[ImperfectServerWarning]) -> Iterator[None]:
    """Pass over these deviations (without arguments: all) in silence."""
    with _choose(kinds, "ignore"):
        yield
