"""The registry of roles and known sources (``sources/registry.yaml``)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from ldt_toolbox.paths import package_root


@dataclass(frozen=True)
class Registry:
    """Names of roles, sources that a territory can take with `{use: <name>}`, limits of hosts."""

    roles: Mapping[str, str]
    sources: Mapping[str, Mapping[str, Any]]
    hosts: Mapping[str, Mapping[str, Any]]


@cache
def registry() -> Registry:
    """Read the registry that ships with the toolbox."""
    text = (package_root() / "sources" / "registry.yaml").read_text(encoding="utf-8")
    data = yaml.safe_load(text)
    return Registry(roles=data["roles"], sources=data["sources"], hosts=data["hosts"])


def limit_of(host: str, path: str) -> tuple[str, float] | None:
    """Rate that a server allows.

    Parameters
    ----------
    host : str
        Host name, without port.
    path : str
        Path of the URL; a host can have limits of its own for a part of its paths.

    Returns
    -------
    tuple of str and float, or None
        Name of the limit in the registry and the rate, in requests a second; None if the
        registry knows of no limit.
    """
    hosts = registry().hosts
    steps = [step for step in path.split("/") if step]
    for count in range(len(steps), -1, -1):
        name = "/".join([host.lower(), *steps[:count]])
        if name in hosts:
            return name, float(hosts[name]["requests_per_s"])
    return None
