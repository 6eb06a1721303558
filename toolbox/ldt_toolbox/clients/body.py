"""Reading a body: never more than allowed, never less than promised, never for ever."""

import time
import zlib
from collections.abc import Iterator

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError, SSLError

from ldt_toolbox.clients.errors import (
    ClientError,
    ConnectionFailed,
    InvalidAnswer,
    TimedOut,
    TooLarge,
    Truncated,
)

_STEP = 65_536
_NO_BODY = frozenset({204, 304})


def declared_length(response: requests.Response) -> int | None:
    """Bytes that the body has by its headers, before decompression; None if they don't say."""
    if response.headers.get("Transfer-Encoding"):
        return None
    try:
        lengths = {int(n) for n in response.headers.get("Content-Length", "").split(",")}
    except ValueError:
        return None
    return lengths.pop() if len(lengths) == 1 else None


def coding_of(response: requests.Response) -> str:
    """Compression of the body: empty, `gzip` or `deflate`; other names as they are."""
    coding = str(response.headers.get("Content-Encoding", "")).strip().lower()
    return {"identity": "", "x-gzip": "gzip"}.get(coding, coding)


def tells_its_end(response: requests.Response) -> bool:
    """Whether a cut body of this answer would be noticed."""
    return (
        declared_length(response) is not None
        or "chunked" in response.headers.get("Transfer-Encoding", "").lower()
        or bool(coding_of(response))
        or response.status_code in _NO_BODY
    )


def read_body(
    response: requests.Response, what: str, *, max_bytes: int, total_s: float | None = None
) -> Iterator[bytes]:
    """Decompressed pieces of a body, as they arrive.

    Parameters
    ----------
    response : requests.Response
        Opened with `stream=True`.
    what : str
        Method and URL without secrets, for messages.
    max_bytes : int
        Largest body accepted, in bytes before and after decompression.
    total_s : float, optional
        Longest time for the whole body, in seconds.

    Yields
    ------
    bytes
        At most 64 KiB.

    Raises
    ------
    TooLarge, Truncated, TimedOut, ConnectionFailed, InvalidAnswer
        See `docs/http.md`.
    """
    length = declared_length(response)
    if response.request.method == "HEAD" or response.status_code in _NO_BODY:
        return
    if length is not None and length > max_bytes:
        raise _too_large(what, max_bytes, f"declares {length} bytes")
    decoder = _Decoder(coding_of(response), what)
    until = None if total_s is None else time.monotonic() + total_s
    received = size = 0
    for piece in _raw(response, what):
        received += len(piece)
        if received > max_bytes:
            raise _too_large(what, max_bytes, "sent more than that")
        for out in decoder.feed(piece):
            size += len(out)
            if size > max_bytes:
                raise _too_large(what, max_bytes, f"grew from {received} bytes by decompression")
            yield out
        if until is not None and time.monotonic() > until:
            raise TimedOut(
                f"{what}: the body was not complete after {total_s:g} s ({received} bytes); "
                "ask for less at once, or allow more with total_s"
            )
    if length is not None and received < length:
        raise _truncated(what, f"{received} of {length} bytes arrived")
    if rest := decoder.finish(received):
        yield rest


def _raw(response: requests.Response, what: str) -> Iterator[bytes]:
    """Bytes as they arrive; urllib3's errors become ours, which don't hold the request."""
    received = 0
    failure: ClientError
    while True:
        try:
            # read1 returns what has arrived: read would wait until a whole step is there,
            # for hours if the server sends a byte now and then
            piece = response.raw.read1(_STEP, decode_content=False)
        except ReadTimeoutError:
            failure = TimedOut(
                f"{what}: the server fell silent after {received} bytes of the body; "
                "try again, or allow more with timeout_s"
            )
            break
        except SSLError:
            failure = ConnectionFailed(f"{what}: TLS failed in mid-body; try again")
            break
        except (HTTPError, OSError):
            failure = _truncated(what, f"the connection broke after {received} bytes")
            break
        if not piece:
            return
        received += len(piece)
        yield piece
    raise failure


class _Decoder:
    """Decompression in steps, so that a bomb is noticed before it fills the memory."""

    def __init__(self, coding: str, what: str) -> None:
        if coding not in ("", "gzip", "deflate"):
            raise InvalidAnswer(
                f"{what}: Content-Encoding {coding!r} was not asked for and is not known; "
                "the server should honour Accept-Encoding"
            )
        self._coding = coding
        self._what = what
        self._engine = zlib.decompressobj(31 if coding == "gzip" else 15)
        self._begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        if not self._coding:
            yield data
            return
        while data:
            if self._engine.eof:
                # gzip members may follow each other (RFC 1952, 2.2); anything else is padding
                if self._coding != "gzip" or data[:1] != b"\x1f":
                    return
                self._engine = zlib.decompressobj(31)
            out = self._decompress(data)
            data = self._engine.unused_data if self._engine.eof else self._engine.unconsumed_tail
            if out:
                yield out

    def _decompress(self, data: bytes) -> bytes:
        try:
            out = self._engine.decompress(data, _STEP)
        except zlib.error:
            if self._coding == "deflate" and not self._begun:
                # Many servers send deflate without the zlib frame
                self._begun = True
                self._engine = zlib.decompressobj(-15)
                return self._decompress(data)
            raise InvalidAnswer(
                f"{self._what}: the {self._coding} data of the body are damaged; try again, "
                "then tell the operator of the server"
            ) from None
        self._begun = True
        return out

    def finish(self, received: int) -> bytes:
        """Last bytes that the engine held back: less than one match (258 bytes)."""
        if not (self._coding and received):
            return b""
        rest = self._engine.flush()
        if not self._engine.eof:
            raise _truncated(self._what, f"the {self._coding} data end in the middle")
        return rest


def _truncated(what: str, how: str) -> Truncated:
    return Truncated(f"{what}: the body was cut, {how}; try again, or ask for less at once")


def _too_large(what: str, max_bytes: int, how: str) -> TooLarge:
    return TooLarge(
        f"{what}: the answer {how}, {max_bytes} bytes are allowed; "
        "ask for less at once, raise max_bytes, or use download()"
    )
