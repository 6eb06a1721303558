"""What the twin bears at most: each limit keeps one request from taking the process down."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds on what a request may ask for.

    Attributes
    ----------
    body_bytes : int
        Size of a request's body; above it 413.
    query_bytes : int
        The same of a query by POST, which needs no token.
    depth : int
        Nesting of JSON; above it 400.
    vertices : int
        Positions of one geometry; above it 400.
    batch : int
        Entities of one batch operation; above it 413.
    page : int
        Entities of a page if the request says nothing.
    largest_page : int
        Largest `limit`; above it 403 TooManyResults.
    query_s : float
        Time of one query, in seconds; above it 403 TooComplexQuery.
    query_terms : int
        Conditions of one `q`; above it 403 TooComplexQuery.
    pattern : int
        Characters of one regular expression; above it 400.
    url : int
        Characters of a request's target; above it 414.
    instances : int
        Instances of one temporal answer; above it 206, and the rest by time (6.3.10).
    subscriptions : int
        Subscriptions of all tenants; above it 403.
    receivers : tuple of str
        Networks to which notifications go beside loopback, such as ``10.1.0.0/16``; ``0.0.0.0/0``
        and ``::/0`` are all. None by default, so that nobody makes the twin call on others.
    """

    body_bytes: int = 64_000_000
    query_bytes: int = 4_000_000
    depth: int = 64
    vertices: int = 100_000
    batch: int = 10_000
    page: int = 20
    largest_page: int = 1000
    query_s: float = 20.0
    query_terms: int = 200
    pattern: int = 500
    url: int = 16_000
    instances: int = 20_000
    subscriptions: int = 500
    receivers: tuple[str, ...] = ()
