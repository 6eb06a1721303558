"""The line of an explorer that tells what came out, that it computes, or what went wrong."""

import asyncio
import html
from collections.abc import Callable
from typing import Any

import ipywidgets as ipw

from ldt_toolbox.errors import LDTError

DEBOUNCE_S = 0.3
_RED = "#b00020"


class Answer(ipw.HTML):  # type: ignore[misc]
    """A line that is read out to people who do not see it when it changes.

    Parameters
    ----------
    waiting : str
        What stands there while something is computed.
    """

    def __init__(self, waiting: str, **options: Any) -> None:
        self._waiting = waiting
        self._pending: asyncio.TimerHandle | None = None
        super().__init__(**options)

    def say(self, text: str) -> None:
        """Show a text, which may hold HTML."""
        self.value = (
            f'<p role="status" aria-live="polite" style="font-size:1.1em;margin:.3em 0">{text}</p>'
        )

    def complain(self, text: str) -> None:
        """Show what went wrong; the text is no HTML."""
        safe = html.escape(text, quote=False)
        self.value = f'<p role="alert" style="color:{_RED};margin:.3em 0">{safe}</p>'

    def soon(self, what: Callable[[], None]) -> None:
        """Call after a moment of rest: who drags a slider wants the last position only.

        Parameters
        ----------
        what : callable
            Tells its result with `say`; an `LDTError` that it raises is shown. Without a running
            event loop it is called at once.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.now(what)
            return
        if self._pending:
            self._pending.cancel()
        self.say(self._waiting)
        self._pending = loop.call_later(DEBOUNCE_S, self.now, what)

    def now(self, what: Callable[[], None]) -> None:
        """Call at once, and show an `LDTError` that it raises."""
        self._pending = None
        try:
            what()
        except LDTError as error:
            self.complain(str(error))
