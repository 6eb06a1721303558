"""Texts without secrets: what may stand in a message, a log line or a file.

Credentials are known by the name they go under (`api_key=`, `Authorization:`), by their form
(`Bearer ...`, a JSON Web Token, `user:password@`), or because a client holds them itself.
"""

import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus, urlsplit, urlunsplit

MASK = "***"

_EXACT = frozenset(
    {"sig", "auth", "pw", "pass", "pwd", "appid", "sid", "jwt", "code", "cookie", "setcookie"}
)
_WITHIN = ("secret", "passw", "signature", "credential", "authorization", "apikey", "session")
_ENDS = ("token", "key", "authorisation")

# `name=value` and `"name": "value"` in running text
_NAME = re.compile(r"""([A-Za-z][\w.-]{0,60})["']?\s{0,3}[=:]\s{0,3}""")
_VALUE = re.compile(r""""[^"]*"|'[^']*'|[^\s&;,"'<>)\]}]+""")
_SCHEME = re.compile(r"\b(Bearer|Basic|Digest|Token)\s+[A-Za-z0-9._~+/=-]{4,}", re.IGNORECASE)
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9._-]+")
_USERINFO = re.compile(r"(?<=://)[^/\s@?#]*@")


def is_secret_name(name: str) -> bool:
    """Whether a header, query parameter or field of this name holds a credential."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    return plain in _EXACT or plain.endswith(_ENDS) or any(word in plain for word in _WITHIN)


def has_secret_query(url: str) -> bool:
    """Whether a query parameter of the URL holds a credential by its name."""
    return any(
        is_secret_name(unquote_plus(part.partition("=")[0]))
        for part in urlsplit(url).query.split("&")
    )


def mask_url(url: str) -> str:
    """URL with `***` for user, password and every secret query parameter; no fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return mask_text(url)
    host = parts.netloc.rpartition("@")
    netloc = f"{MASK}@{host[2]}" if host[1] else parts.netloc
    query = "&".join(_masked_pair(part) for part in parts.query.split("&"))
    return urlunsplit((parts.scheme, netloc, _JWT.sub(MASK, parts.path), query, ""))


def _masked_pair(part: str) -> str:
    name, sign, value = part.partition("=")
    plain = unquote_plus(value)
    # A value may be a URL with credentials of its own
    secret = is_secret_name(unquote_plus(name)) or mask_text(plain) != plain
    return f"{name}={MASK}" if sign and secret else part


def mask_text(text: str, secrets: Iterable[str] = ()) -> str:
    """Text with `***` in place of everything that looks like a credential.

    Parameters
    ----------
    text : str
        Any text, such as a server's complaint that quotes the request.
    secrets : iterable of str
        Credentials that are known to the caller.
    """
    for secret in secrets:
        if secret:
            for form in {secret, quote(secret, safe=""), quote_plus(secret)}:
                text = text.replace(form, MASK)
    text = _USERINFO.sub(f"{MASK}@", text)
    text = _SCHEME.sub(rf"\1 {MASK}", text)
    text = _JWT.sub(MASK, text)
    return _without_named(text)


def _without_named(text: str) -> str:
    """Text without the values that follow a secret name."""
    kept = []
    at = 0
    for name in _NAME.finditer(text):
        if name.start() >= at and is_secret_name(name[1]):
            value = _VALUE.match(text, name.end())
            if value:
                kept += [text[at : name.end()], MASK]
                at = value.end()
    return "".join([*kept, text[at:]])


def mask_value(value: Any, secrets: Iterable[str] = ()) -> Any:
    """The same for every text inside a JSON value; secret fields lose their value."""
    known = tuple(secrets)
    if isinstance(value, str):
        return mask_text(value, known)
    if isinstance(value, Mapping):
        return {
            mask_text(str(name), known): MASK
            if is_secret_name(str(name)) and isinstance(content, str)
            else mask_value(content, known)
            for name, content in value.items()
        }
    if isinstance(value, list):
        return [mask_value(item, known) for item in value]
    return value


class _Quiet(logging.Filter):
    """Masks the lines that urllib3 writes about each request, query included."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = mask_text(record.getMessage()), ()
        # The line holds the error's text already; a traceback would repeat it unmasked
        record.exc_info = record.exc_text = None
        return True


_quiet = _Quiet()


def quieten_transport_log() -> None:
    """Mask secrets in urllib3's own debug log; a second call changes nothing."""
    for name in ("urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry"):
        logging.getLogger(name).addFilter(_quiet)
