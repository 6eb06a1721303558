"""The folder that `ldt publish --catalogue` writes, served as it is: DCAT-AP, STAC, LDES, files."""

from pathlib import Path, PurePosixPath

from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from ldt_toolbox.twin.ogc.answers import JSON

ROOT = "/catalogue"

#: Table of a server of files; what is not in it is told by the name of the file, or not at all.
MEDIA = {
    ".ttl": "text/turtle; charset=utf-8",
    ".jsonld": "application/ld+json",
    ".json": JSON,
    ".parquet": "application/vnd.apache.parquet",
    ".tif": "image/tiff; application=geotiff; profile=cloud-optimized",
}


class _Files(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        found = await super().get_response(path, scope)
        suffix = PurePosixPath(path).suffix
        if suffix in MEDIA:
            found.headers["Content-Type"] = MEDIA[suffix]
        found.headers["X-Content-Type-Options"] = "nosniff"
        # a report may run its own scripts, but not speak for the twin
        found.headers["Content-Security-Policy"] = "sandbox allow-scripts allow-popups"
        return found


def catalogue_files(folder: Path) -> BaseRoute:
    """Make the route below which a folder is served, for reading only.

    Parameters
    ----------
    folder : pathlib.Path
        It may come into being later. Links out of it are not followed.
    """
    return Mount(ROOT, _Files(directory=folder, check_dir=False))
