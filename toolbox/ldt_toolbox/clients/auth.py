"""Credentials: read when they are needed, kept in memory only, never shown.

`BearerToken` hands on a token that somebody else renews, `ApiKey` a key; `ClientCredentials`
fetches and renews its own tokens (OAuth 2.0, RFC 6749, 4.4). All take their secrets from
environment variables or from the system's keyring, never from a value in a notebook.
"""

import base64
import importlib
import os
import re
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

from ldt_toolbox.clients.answer import Answer
from ldt_toolbox.clients.errors import AuthError, ClientError
from ldt_toolbox.clients.imperfect import CapabilityWarning, report
from ldt_toolbox.clients.masking import mask_text
from ldt_toolbox.errors import WrongUseError

Fetch = Callable[[str, Mapping[str, str], bytes], Answer]
"""Sends a form to a token server: URL, headers and body; without the client's own credentials."""


class Auth(ABC):
    """Something that can prove who asks.

    Parameters
    ----------
    plain_http : bool
        Whether the credentials may travel without TLS to a host that is not this machine.
    """

    def __init__(self, *, plain_http: bool = False) -> None:
        self.plain_http = plain_http

    @abstractmethod
    def headers(self, fetch: Fetch) -> Mapping[str, str]:
        """Headers that carry the credentials."""

    @abstractmethod
    def renew(self, rejected: Mapping[str, str]) -> bool:
        """Give up headers that the server rejected; True if others may be had."""

    @abstractmethod
    def identity(self) -> str:
        """Who asks, as a part of cache keys; only ever used inside a keyed hash."""

    @abstractmethod
    def secrets(self) -> tuple[str, ...]:
        """What must not appear in any text."""

    def check_transport(self, url: str) -> None:
        """Refuse to send credentials in the open.

        Raises
        ------
        AuthError
            The URL is plain HTTP to another machine and `plain_http` was not chosen.
        """
        parts = urlsplit(url)
        host = parts.hostname or ""
        here = host in ("localhost", "::1") or re.fullmatch(r"127(\.\d+){3}", host)
        if parts.scheme != "https" and not here and not self.plain_http:
            raise AuthError(
                f"credentials would travel unencrypted to {parts.scheme}://{host}; use https, "
                "or say plain_http=True if the network between is trusted"
            )


@dataclass(frozen=True)
class Environment:
    """A secret in an environment variable, read anew each time."""

    name: str

    def __call__(self) -> str:
        """Read the secret; `AuthError` if it is not there."""
        value = os.environ.get(self.name, "").strip()
        if not value:
            raise AuthError(f"environment variable {self.name} is not set; set it and try again")
        return value

    def __str__(self) -> str:
        return f"environment variable {self.name}"


@dataclass(frozen=True)
class Keyring:
    """A secret in the system's keyring, read anew each time."""

    service: str
    user: str

    def __call__(self) -> str:
        """Read the secret; `AuthError` if it is not there."""
        try:
            keyring: Any = importlib.import_module("keyring")
        except ImportError:
            raise AuthError(
                f"{self} cannot be read without the package keyring; `pip install keyring`, "
                "or take the secret from an environment variable"
            ) from None
        try:
            value = keyring.get_password(self.service, self.user)
        except Exception as error:  # each backend raises its own
            reason = type(error).__name__
        else:
            if value:
                return str(value)
            reason = "there is none"
        raise AuthError(
            f"{self} cannot be read ({reason}); `keyring set {self.service} {self.user}` stores it"
        )

    def __str__(self) -> str:
        return f"keyring entry {self.service}/{self.user}"


Source = Environment | Keyring


# A notebook may show the arguments of each function that an error passes, and the variables of the
# statement that raises it: here no such argument and no such statement holds a secret.


def _carriable(value: str) -> bool:
    # Anything else could end the header and begin another, or would be quoted in an error
    return re.fullmatch(r"[\x21-\x7e]+", value) is not None


def _uncarriable(source: object) -> AuthError:
    return AuthError(
        f"{source} holds blanks, line breaks or characters that no header can carry; "
        "store the bare token"
    )


class _Stored(Auth):
    """A secret of which somebody else takes care, in one header.

    It is read for each request, so that a renewed one is found.
    """

    _header = "Authorization"
    _scheme = ""

    def __init__(self, source: Source, *, plain_http: bool = False) -> None:
        super().__init__(plain_http=plain_http)
        self._source = source
        self._last = ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._source})"

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_last": ""}

    def _read(self) -> str:
        self._last = self._source()
        if not _carriable(self._last):
            raise _uncarriable(self._source)
        return self._last

    def headers(self, fetch: Fetch) -> Mapping[str, str]:
        """Header with the secret as it is now."""
        return {self._header: f"{self._scheme}{self._read()}"}

    def renew(self, rejected: Mapping[str, str]) -> bool:
        """Whether the secret has changed since."""
        return rejected.get(self._header) != f"{self._scheme}{self._read()}"

    def identity(self) -> str:
        """The secret."""
        return self._read()

    def secrets(self) -> tuple[str, ...]:
        """The secret that was used last."""
        return (self._last,) if self._last else ()


class BearerToken(_Stored):
    """A token of which somebody else takes care (RFC 6750).

    Parameters
    ----------
    source : Environment or Keyring
        Where the token is. It is read for each request, so that a renewed one is found.
    plain_http : bool
        See `Auth`.
    """

    _scheme = "Bearer "

    @classmethod
    def from_env(cls, name: str, *, plain_http: bool = False) -> "BearerToken":
        """Token in an environment variable."""
        return cls(Environment(name), plain_http=plain_http)

    @classmethod
    def from_keyring(cls, service: str, user: str, *, plain_http: bool = False) -> "BearerToken":
        """Token in the system's keyring."""
        return cls(Keyring(service, user), plain_http=plain_http)


class ApiKey(_Stored):
    """A key in a header of its own, as gateways before brokers and data services ask for it.

    Parameters
    ----------
    source : Environment or Keyring
        Where the key is. It is read for each request.
    header : str
        Name of the header.
    plain_http : bool
        See `Auth`.
    """

    def __init__(
        self, source: Source, *, header: str = "X-API-Key", plain_http: bool = False
    ) -> None:
        super().__init__(source, plain_http=plain_http)
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", header):
            raise WrongUseError(f"header {header!r} is no name of one; write it as X-API-Key")
        self._header = header

    @classmethod
    def from_env(
        cls, name: str, *, header: str = "X-API-Key", plain_http: bool = False
    ) -> "ApiKey":
        """Key in an environment variable."""
        return cls(Environment(name), header=header, plain_http=plain_http)

    @classmethod
    def from_keyring(
        cls, service: str, user: str, *, header: str = "X-API-Key", plain_http: bool = False
    ) -> "ApiKey":
        """Key in the system's keyring."""
        return cls(Keyring(service, user), header=header, plain_http=plain_http)


class ClientCredentials(Auth):
    """Tokens from an OAuth 2.0 token server, for a program rather than a person (RFC 6749, 4.4).

    Parameters
    ----------
    token_url : str
        Token endpoint; https, unless it is on this machine.
    client_id_env, client_secret_env : str
        Environment variables with the client's name and secret.
    keyring : tuple of str, optional
        Service and user in the system's keyring, instead of `client_secret_env`.
    scope : str
        Scopes, separated by blanks.
    leeway_s : float
        How long before its end a token is renewed, in seconds; at most half its life.
    plain_http : bool
        See `Auth`.
    clock : callable
        Monotonic seconds.
    """

    def __init__(
        self,
        token_url: str,
        *,
        client_id_env: str,
        client_secret_env: str = "",
        keyring: tuple[str, str] | None = None,
        scope: str = "",
        leeway_s: float = 30.0,
        plain_http: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(plain_http=plain_http)
        if bool(client_secret_env) == bool(keyring):
            raise WrongUseError("give either client_secret_env or keyring=(service, user)")
        self._url = token_url
        self._id = Environment(client_id_env)
        self._secret: Source = Keyring(*keyring) if keyring else Environment(client_secret_env)
        self._scope = scope
        self._leeway_s = leeway_s
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at = float("-inf")
        self._known: tuple[str, ...] = ()
        self.check_transport(token_url)

    def __repr__(self) -> str:
        return f"ClientCredentials({mask_text(self._url)!r}, id in {self._id}, {self._secret})"

    def __getstate__(self) -> dict[str, Any]:
        # Another process fetches a token of its own: none is written into a pickle
        kept = {k: v for k, v in self.__dict__.items() if k != "_lock"}
        return kept | {"_token": "", "_renew_at": float("-inf"), "_known": ()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()

    def headers(self, fetch: Fetch) -> Mapping[str, str]:
        """Authorization header; fetches a token first if there is none or it ends soon."""
        with self._lock:
            if not self._token or self._clock() >= self._renew_at:
                self._fetch(fetch)
            return {"Authorization": f"Bearer {self._token}"}

    def renew(self, rejected: Mapping[str, str]) -> bool:
        """Drop the rejected token, unless another thread has renewed it already."""
        with self._lock:
            if rejected.get("Authorization") == f"Bearer {self._token}":
                self._token = ""
        return True

    def identity(self) -> str:
        """Token server, client and scope."""
        return "\n".join([self._url, self._id(), self._scope])

    def secrets(self) -> tuple[str, ...]:
        """Token and client secret."""
        return self._known

    def _fetch(self, fetch: Fetch) -> None:
        name, secret = self._id(), self._secret()
        # RFC 6749, 2.3.1: both form-encoded, then Basic; every server has to accept that
        pair = base64.b64encode(f"{quote_plus(name)}:{quote_plus(secret)}".encode()).decode()
        self._known = (secret, pair, self._token)
        form = {"grant_type": "client_credentials"} | (
            {"scope": self._scope} if self._scope else {}
        )
        asked_at = self._clock()
        problem = ""
        try:
            answer = fetch(
                self._url,
                {
                    "Authorization": f"Basic {pair}",
                    "Content-Type": "application/x-www-form-urlencoded",
                    "Accept": "application/json",
                },
                urlencode(form).encode(),
            )
            told = answer.json()
        except ClientError as error:
            problem = mask_text(str(error), self._known)
        if problem:
            raise AuthError(
                f"no token for {self._id}: {problem}; check the client's name, secret and scope"
            )
        refusal = self._take(told, asked_at)
        if refusal is not None:
            raise refusal

    def _take(self, told: Any, asked_at: float) -> AuthError | None:
        token = told.get("access_token") if isinstance(told, dict) else None
        kind = str(told.get("token_type", "Bearer")) if isinstance(told, dict) else ""
        if not isinstance(token, str) or kind.lower() != "bearer":
            return AuthError(
                f"{mask_text(self._url)} answered without a bearer token; "
                "check that it is the token endpoint"
            )
        if not _carriable(token):
            return _uncarriable("the token server's answer")
        granted = told.get("scope")
        lacking = set(self._scope.split()) - set(str(granted).split())
        if lacking and isinstance(granted, str):
            # RFC 6749, 5.1: less may be granted than was asked for, and then the answer says so
            report(
                CapabilityWarning(
                    f"{mask_text(self._url)} does not grant the scope "
                    f"{' '.join(sorted(lacking))}; ask its operator for it, or ask for less"
                )
            )
        self._token = token
        self._known = (*self._known[:2], self._token)
        try:
            life_s = float(told["expires_in"])
        except (KeyError, TypeError, ValueError):
            life_s = float("inf")  # no end named (RFC 6749, 5.1): a 401 will tell
        self._renew_at = asked_at + life_s - min(self._leeway_s, life_s / 2)
        return None
