"""Other tools in environments of their own, and the fair way to time them against ours.

Environments live in a cache folder outside the checkout (``LDT_PEERS`` names another one). A peer
that cannot be had is reported with the reason and skipped.
"""

import os
import platform
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

FOLDER = Path(os.environ.get("LDT_PEERS", Path.home() / ".cache" / "ldt-toolbox" / "peers"))
REPEATS = 5


@dataclass(frozen=True)
class Peer:
    requirements: tuple[str, ...]
    module: str
    python: str = "3.12"
    dropped: tuple[str, ...] = ()
    build_constraints: tuple[str, ...] = ()
    gdal_headers: bool = False


PEERS = {
    "invest": Peer(
        ("natcap.invest==3.19.0", "gdal-wheel"),
        "natcap.invest.urban_cooling_model",
        # gdal-wheel brings GDAL's Python side and library; `gdal` itself would be compiled.
        dropped=("gdal",),
        build_constraints=("cython<3.1",),
        gdal_headers=True,
    ),
    "ferrobus": Peer(("ferrobus==0.2.1", "numpy"), "ferrobus"),
    "gtfs-kit": Peer(("gtfs-kit>=13",), "gtfs_kit"),
    "itzi": Peer(("itzi",), "itzi"),
    "landlab": Peer(("landlab",), "landlab"),
    "pandana": Peer(("pandana>=0.7", "setuptools"), "pandana"),
    "xarray-spatial": Peer(("xarray-spatial>=0.10",), "xrspatial"),
}


class PeerMissingError(RuntimeError):
    """A peer cannot be installed here; the message says why."""


def _run(command, **options):
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, **options
    )
    if done.returncode:
        raise PeerMissingError(f"{' '.join(map(str, command[:6]))}: {done.stderr[-800:].strip()}")
    return done.stdout


def installed(name):
    """Return the peer's Python, or None if its environment is not complete."""
    python = FOLDER / name / "bin" / "python"
    return python if (FOLDER / name / "complete").exists() and python.exists() else None


def _gdal_config(folder):
    """Return a folder with a ``gdal-config`` so that InVEST's extensions compile.

    The urban cooling model calls GDAL through Python only; the extensions that use its C++ side
    have to compile but are never loaded. Where the system has no ``gdal-config``, the headers of
    Debian's libgdal-dev are unpacked next to the environment, nothing is installed.
    """
    found = shutil.which("gdal-config")
    if found:
        return Path(found).parent
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb") and shutil.which("ar")):
        raise PeerMissingError("InVEST compiles against GDAL: install its headers (libgdal-dev)")
    folder.mkdir(parents=True, exist_ok=True)
    _run(["apt-get", "download", "libgdal-dev"], cwd=folder)
    _run(["dpkg-deb", "-x", next(folder.glob("libgdal-dev*.deb")), folder])
    _run(["ar", "cr", folder / "libgdal.a"])
    script = folder / "gdal-config"
    script.write_text(
        "#!/bin/sh\n"
        f'case "$1" in --cflags) echo "-I{folder}/usr/include/gdal";; '
        f'--libs) echo "-L{folder} -lgdal";; --version) echo 3.6.2;; esac\n',
        encoding="utf-8",
    )
    script.chmod(0o755)
    return folder


def _base_python(wanted):
    """Return an interpreter of the wanted version or the next that really runs, or None."""
    newer = f"3.{int(wanted.split('.')[1]) + 1}"
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for version in (wanted, newer):
        candidates = [sys.executable, shutil.which(f"python{version}")]
        candidates += sorted(pyenv.glob(f"{version}.*/bin/python{version}"), reverse=True)
        for candidate in filter(None, candidates):
            code = "import sys; print('%d.%d' % sys.version_info[:2])"
            try:
                if _run([candidate, "-c", code]).strip() == version:
                    return candidate
            except (OSError, PeerMissingError):
                continue  # a shim that points nowhere
    return None


def install(name):
    """Return the peer's Python; build the environment if need be."""
    python = installed(name)
    if python:
        return python
    peer, home = PEERS[name], FOLDER / name
    shutil.rmtree(home, ignore_errors=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    print(f"installing {name} into {home} ...", flush=True)
    uv, base = shutil.which("uv"), _base_python(peer.python)
    if uv:  # fetches a Python if there is none
        _run([uv, "venv", "--python", base or peer.python, home])
    elif base:
        _run([base, "-m", "venv", home])
        _run([home / "bin" / "python", "-m", "pip", "install", "uv"])
        uv = str(home / "bin" / "uv")
    else:
        raise PeerMissingError(f"{name} needs Python {peer.python}: install it, or install uv")
    python = home / "bin" / "python"
    command = [uv, "pip", "install", "--python", python, *peer.requirements]
    overrides, constraints = home / "overrides.txt", home / "build-constraints.txt"
    overrides.write_text("".join(f'{d}; sys_platform == "never"\n' for d in peer.dropped))
    constraints.write_text("\n".join(peer.build_constraints) + "\n")
    if peer.dropped:
        command += ["--override", overrides]
    if peer.build_constraints:
        command += ["--build-constraint", constraints]
    environment = dict(os.environ)
    if peer.gdal_headers:
        environment["PATH"] = f"{_gdal_config(FOLDER / 'gdal-headers')}:{environment['PATH']}"
    _run(command, env=environment)
    _run([python, "-c", f"import {peer.module}"])
    (home / "complete").touch()
    return python


def interleaved(jobs, repeats=REPEATS, *, warm=True):
    """Run each job in turn, ``repeats`` times; a job returns its own seconds. One round warms."""
    if warm:
        for job in jobs.values():
            job()
    seconds = {name: [] for name in jobs}
    for _ in range(repeats):
        for name, job in jobs.items():
            seconds[name].append(job())
    return seconds


def machine():
    """One line on where the figures come from; other work on the machine shows in the load."""
    model = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [x for x in cpuinfo.read_text().splitlines() if x.startswith("model name")]
        model = names[0].split(":")[1].strip() if names else model
    load = f", load {os.getloadavg()[1]:.1f}" if hasattr(os, "getloadavg") else ""
    python = platform.python_version()
    return f"{date.today()}, {os.cpu_count()} cores{load}, {model}, Python {python}"


def show(title, seconds, *, ours, notes=()):
    """Print medians, spread and how many times faster ours is than each of the others."""
    print(f"\n{title}\n{machine()}\n$ python {' '.join([Path(sys.argv[0]).name, *sys.argv[1:]])}")
    mine = statistics.median(seconds[ours])
    for name, values in seconds.items():
        middle = statistics.median(values)
        ratio = "" if name == ours else f"   {middle / mine:6.1f} x ours"
        print(f"  {name:44s} {middle:9.3f} s  ({min(values):.3f} - {max(values):.3f}){ratio}")
    for note in notes:
        print(f"  {note}")
