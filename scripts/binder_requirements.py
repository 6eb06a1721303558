"""Write binder/requirements.txt: the runtime dependencies, pinned as constraints.txt has them.

Run it after each change of dependencies, with the environment of `make check`:

    .venv/bin/python scripts/binder_requirements.py

Binder installs that file before it copies the repository, so it can refer to no other one.
JupyterLab and what only JupyterLab needs are left to Binder's own base environment, which
brings a server that fits its proxy.
"""

import tomllib
from collections.abc import Collection, Iterable
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).parents[1]
OF_THE_BASE = ("jupyterlab",)
HEAD = """\
# Written by scripts/binder_requirements.py from constraints.txt: run it instead of editing.
# JupyterLab is Binder's own; the package itself is installed by postBuild.
"""


def marker_environment(runtime: str) -> dict[str, str]:
    """Markers of a Binder image, from the text of runtime.txt."""
    version = runtime.strip().removeprefix("python-")
    return {
        "python_version": version,
        # Binder takes the latest patch; no marker of ours asks for a later one than this
        "python_full_version": f"{version}.99",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "os_name": "posix",
    }


def pinned(constraints: str, environment: dict[str, str]) -> dict[str, str]:
    """Version of each package that the constraints give for an environment."""
    versions = {}
    for line in constraints.splitlines():
        line = line.partition("#")[0].strip()
        if not line:
            continue
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(environment):
            (specifier,) = requirement.specifier
            versions[canonicalize_name(requirement.name)] = specifier.version
    return versions


def roots(pyproject: str) -> list[Requirement]:
    """Runtime dependencies, and the build backend that postBuild needs."""
    document = tomllib.loads(pyproject)
    return [
        Requirement(text)
        for text in (*document["project"]["dependencies"], *document["build-system"]["requires"])
    ]


def needed(
    start: Iterable[Requirement], environment: dict[str, str], *, without: Collection[str] = ()
) -> set[str]:
    """Names of all packages that the given ones need, as installed metadata tells."""
    seen: set[tuple[str, str]] = set()
    waiting = [(r, "") for r in start]
    while waiting:
        requirement, extra = waiting.pop()
        name = canonicalize_name(requirement.name)
        if requirement.marker and not requirement.marker.evaluate({**environment, "extra": extra}):
            continue
        if name in without:
            continue
        for wanted in ("", *requirement.extras):
            if (name, wanted) in seen:
                continue
            seen.add((name, wanted))
            try:
                inner = requires(name) or []
            except PackageNotFoundError:
                raise SystemExit(
                    f"{name} is not installed here: run this script with the Python of "
                    "binder/runtime.txt, in the environment that `make check` makes"
                ) from None
            waiting += [(Requirement(text), wanted) for text in inner]
    return {name for name, _ in seen}


def requirements_text() -> str:
    """Text that binder/requirements.txt must have."""
    environment = marker_environment((REPOSITORY / "binder" / "runtime.txt").read_text())
    versions = pinned((REPOSITORY / "constraints.txt").read_text(), environment)
    start = roots((REPOSITORY / "pyproject.toml").read_text())
    names = needed(start, environment, without=OF_THE_BASE)
    return HEAD + "".join(f"{name}=={versions[name]}\n" for name in sorted(names))


if __name__ == "__main__":
    target = REPOSITORY / "binder" / "requirements.txt"
    target.write_text(requirements_text())
    print(f"{target.relative_to(REPOSITORY)}: {len(target.read_text().splitlines()) - 2} packages")
