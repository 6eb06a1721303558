"""Cache."""


class Cache:
    """Skeleton."""
