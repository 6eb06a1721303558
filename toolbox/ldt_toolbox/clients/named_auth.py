"""Credentials as a document names them: by environment variables, never by their values."""

from collections.abc import Mapping

from ldt_toolbox.clients.auth import ApiKey, Auth, BearerToken, ClientCredentials
from ldt_toolbox.clients.basic_auth import BasicAuth

NAMED: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "token_env": ((), ()),
    "key_env": ((), ("header",)),
    "user_env": (("password_env",), ()),
    "token_url": (("client_id_env", "client_secret_env"), ("scope",)),
}
"""First key -> what must and what may stand beside it."""


def named_auth(named: Mapping[str, str]) -> Auth | None:
    """Credentials for what a document names.

    Parameters
    ----------
    named : mapping
        `token_env`; or `key_env` and `header` (X-API-Key if left out); or `user_env` and
        `password_env`; or `token_url`, `client_id_env`, `client_secret_env` and `scope`; or
        nothing.

    Returns
    -------
    Auth or None
        Reads the variables when it is asked; None for nothing.
    """
    if "token_env" in named:
        return BearerToken.from_env(named["token_env"])
    if "key_env" in named:
        return ApiKey.from_env(named["key_env"], header=named.get("header", "X-API-Key"))
    if "user_env" in named:
        return BasicAuth.from_env(named["user_env"], named["password_env"])
    if "token_url" in named:
        return ClientCredentials(
            named["token_url"],
            client_id_env=named["client_id_env"],
            client_secret_env=named["client_secret_env"],
            scope=named.get("scope", ""),
        )
    return None
