"""A name and a password with each request, as brokers and gateways without tokens ask for them."""

import base64
from collections.abc import Mapping

from ldt_toolbox.clients.auth import Auth, Environment, Fetch, Source
from ldt_toolbox.errors import WrongUseError


class BasicAuth(Auth):
    """A name and a password (RFC 7617); both are read for each request, so that new ones are found.

    Parameters
    ----------
    user, password : Environment or Keyring
        Where they are.
    plain_http : bool
        See `Auth`.
    """

    def __init__(self, user: Source, password: Source, *, plain_http: bool = False) -> None:
        super().__init__(plain_http=plain_http)
        self._user = user
        self._password = password
        self._last: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"BasicAuth({self._user}, {self._password})"

    def __getstate__(self) -> dict[str, object]:
        return self.__dict__ | {"_last": ()}

    @classmethod
    def from_env(cls, user: str, password: str, *, plain_http: bool = False) -> "BasicAuth":
        """Name and password in environment variables of these names."""
        return cls(Environment(user), Environment(password), plain_http=plain_http)

    def headers(self, fetch: Fetch) -> Mapping[str, str]:
        """Header with both as they are now."""
        return {"Authorization": f"Basic {self._pair()}"}

    def renew(self, rejected: Mapping[str, str]) -> bool:
        """Whether one of them has changed since."""
        return rejected.get("Authorization") != f"Basic {self._pair()}"

    def identity(self) -> str:
        """Both."""
        return self._pair()

    def secrets(self) -> tuple[str, ...]:
        """The password that was used last, as it is and as it was sent."""
        return self._last

    def _pair(self) -> str:
        user = self._user()
        if ":" in user:
            raise WrongUseError(f"the name in {self._user} holds a colon (RFC 7617, 2); correct it")
        pair = base64.b64encode(f"{user}:{self._password()}".encode()).decode()
        self._last = (self._password(), pair)
        return pair
