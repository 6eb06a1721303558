"""The registry of roles and known sources (``sources/registry.yaml``)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from ldt_toolbox.paths import package_root


@dataclass(frozen=True)
class Registry:
    """Names of roles, and sources that a territory can take with `{use: <name>}`."""

    roles: Mapping[str, str]
    sources: Mapping[str, Mapping[str, Any]]


@cache
def registry() -> Registry:
    """Read the registry that ships with the toolbox."""
    text = (package_root() / "sources" / "registry.yaml").read_text(encoding="utf-8")
    data = yaml.safe_load(text)
    return Registry(roles=data["roles"], sources=data["sources"])
