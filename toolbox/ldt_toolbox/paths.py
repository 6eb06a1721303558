"""Where the notebooks, use cases and templates of this installation lie."""

from importlib.resources import files
from pathlib import Path


def data_root() -> Path:
    """Folder that holds ``use-cases/``, ``notebooks/`` and ``templates/``.

    Inside a wheel that is ``ldt_toolbox/_data``; in a checkout it is the repository.
    """
    package = Path(str(files("ldt_toolbox")))
    installed = package / "_data"
    return installed if installed.is_dir() else package.parents[1]


def package_root() -> Path:
    """Folder of the installed package, where the bundled territories lie."""
    return Path(str(files("ldt_toolbox")))
