"""Sends one request until it is answered: credentials, pace, redirects, attempts."""

import logging
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

import requests

from ldt_toolbox.clients.answer import Answer
from ldt_toolbox.clients.auth import Auth
from ldt_toolbox.clients.body import read_body
from ldt_toolbox.clients.errors import ClientError, HttpStatusError, RedirectError
from ldt_toolbox.clients.faults import (
    answer_of,
    body_fault,
    connection_fault,
    status_fault,
)
from ldt_toolbox.clients.imperfect import ImperfectServerWarning
from ldt_toolbox.clients.pace import Pace, pace_of
from ldt_toolbox.clients.redirects import MOST_REDIRECTS, REDIRECTS, Hop, next_hop
from ldt_toolbox.clients.retry import Backoff, Fault
from ldt_toolbox.clients.session import open_session
from ldt_toolbox.errors import WrongUseError

T = TypeVar("T")
log = logging.getLogger(__name__)

_TOKEN_BYTES = 1_000_000


def _no_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep requests from adding the credentials of a .netrc file on its own account."""
    return request


class Transport:
    """One pool of connections with the rules by which it is used.

    Parameters
    ----------
    auth : Auth or None
        Credentials for the hops that may carry them.
    timeout_s : tuple of float
        Time to connect, and longest silence of the server, in seconds.
    retries : int
        Further attempts after a passing fault.
    pace : Pace or None
        The client's own limit.
    verify : str or None
        Bundle of trusted authorities.
    backoff : Backoff
        Waits between attempts.
    """

    def __init__(
        self,
        *,
        auth: Auth | None,
        timeout_s: tuple[float, float],
        retries: int,
        pace: Pace | None,
        verify: str | None,
        backoff: Backoff,
    ) -> None:
        self._auth = auth
        self._timeout_s = timeout_s
        self._retries = retries
        self._pace = pace
        self._verify = verify
        self._backoff = backoff
        self._session = open_session()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def send(
        self,
        make: Callable[[], Hop],
        receive: Callable[[Hop, requests.Response], T],
        *,
        expected: Collection[int],
        idempotent: bool,
    ) -> T:
        """Send until there is an expected answer or no further attempt is due.

        Parameters
        ----------
        make : callable
            The request, asked anew for each attempt.
        receive : callable
            Reads an expected answer; its errors count as faults of the server.
        expected : collection of int
            Statuses that are no error.
        idempotent : bool
            Whether there may be a second attempt.

        Returns
        -------
        object
            What `receive` returned.

        Raises
        ------
        ClientError
            The error of the last attempt.
        """
        attempt = 0
        renewed = False
        while True:
            attempt += 1
            outcome = self._attempt(make(), receive, expected, attempt)
            if not isinstance(outcome, Fault):
                return outcome
            if outcome.renewed and not renewed:
                renewed = True
                continue
            wait_s = self._backoff.wait_s(attempt, outcome.wait_s)
            if not idempotent or attempt > outcome.tries or wait_s is None:
                raise _counted(outcome.error, attempt)
            log.debug("attempt %d failed (%s), next in %.1f s", attempt, outcome.error, wait_s)
            self._backoff.sleep(wait_s)

    def _attempt(
        self,
        first: Hop,
        receive: Callable[[Hop, requests.Response], T],
        expected: Collection[int],
        attempt: int,
    ) -> T | Fault:
        opened = self._follow(first)
        if isinstance(opened, Fault):
            return opened
        hop, response = opened
        try:
            if response.status_code in expected:
                return receive(hop, response)
            fault = status_fault(
                hop, response, retries=self._retries, attempt=attempt, secrets=self._secrets()
            )
        except ImperfectServerWarning:
            raise
        except ClientError as error:
            return body_fault(error, retries=self._retries)
        finally:
            response.close()
        if response.status_code == 401 and self._auth is not None and hop.authorised:
            again = self._auth.renew(response.request.headers)
            return Fault(fault.error, 0, renewed=again)
        if fault.wait_s is not None and fault.wait_s <= self._backoff.longest_wait_s:
            for pace in self._paces(hop.url):
                pace.hold(fault.wait_s)
        return fault

    def _follow(self, hop: Hop) -> tuple[Hop, requests.Response] | Fault:
        """Answer at the end of a chain of redirects."""
        seen = set()
        for _ in range(MOST_REDIRECTS + 1):
            seen.add((hop.method, hop.url))
            response = self._open(hop)
            if isinstance(response, Fault):
                return response
            location = response.headers.get("Location")
            if response.status_code not in REDIRECTS or location is None:
                return hop, response
            response.close()
            following = next_hop(hop, response.status_code, location)
            if (following.method, following.url) in seen:
                raise RedirectError(f"{hop.what} is redirected in a circle; tell the operator")
            hop = following
        raise RedirectError(
            f"{hop.what} comes after {MOST_REDIRECTS} redirects and leads on; check the address"
        )

    def _open(self, hop: Hop) -> requests.Response | Fault:
        headers: dict[str, str] = dict(hop.headers)
        if hop.authorised and self._auth is not None:
            self._auth.check_transport(hop.url)
            headers |= self._auth.headers(self._fetch_token)
        for pace in self._paces(hop.url):
            pace.wait()
        begun = time.monotonic()
        failure: Fault | None = None
        try:
            response = self._session.request(
                hop.method,
                hop.url,
                headers=headers,
                data=hop.body,
                stream=True,
                allow_redirects=False,
                timeout=self._timeout_s,
                auth=_no_netrc,
                verify=self._verify,
            )
        except (requests.exceptions.ConnectionError, requests.exceptions.Timeout) as error:
            failure = connection_fault(
                error, hop.what, retries=self._retries, timeout_s=self._timeout_s
            )
        except (requests.exceptions.RequestException, ValueError):
            pass
        else:
            seconds = time.monotonic() - begun
            log.debug("%s -> %d in %.2f s", hop.what, response.status_code, seconds)
            return response
        # Raised or returned out here, errors don't drag along the one that holds the request
        if failure is not None:
            log.debug("%s", failure.error)
            return failure
        raise WrongUseError(f"{hop.what} cannot be sent; check URL, proxy settings and headers")

    def _paces(self, url: str) -> list[Pace]:
        return [pace for pace in (pace_of(url), self._pace) if pace is not None]

    def _secrets(self) -> tuple[str, ...]:
        return self._auth.secrets() if self._auth is not None else ()

    def _fetch_token(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Ask a token server; the form goes nowhere else, and the answer is not kept."""

        def receive(hop: Hop, response: requests.Response) -> Answer:
            content = b"".join(read_body(response, hop.what, max_bytes=_TOKEN_BYTES, total_s=30))
            return answer_of(hop, response, content)

        hop = Hop("POST", url, headers, body, authorised=False)
        return self.send(lambda: hop, receive, expected={200}, idempotent=True)


def _counted(error: ClientError, attempt: int) -> ClientError:
    """The error with the number of attempts, if there were several."""
    if attempt > 1:
        told: list[Any] = [f"{error} ({attempt} attempts)"]
        error.args = tuple(told)
        if isinstance(error, HttpStatusError):
            error.attempts = attempt
    return error
