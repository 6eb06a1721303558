"""Replicate proven local digital twin use cases on a territory's own data."""

__version__ = "0.1.0"
