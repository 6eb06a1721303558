"""Credentials."""


class Auth:
    """Skeleton."""
