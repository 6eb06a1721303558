"""The OGC APIs as an extension of the twin's application."""

import copy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from starlette.routing import BaseRoute

from ldt_toolbox.twin.app import Extension
from ldt_toolbox.twin.ngsi_ld.call import Services
from ldt_toolbox.twin.ngsi_ld.routing import Router
from ldt_toolbox.twin.ogc.catalogue import catalogue_files
from ldt_toolbox.twin.ogc.features import Features
from ldt_toolbox.twin.ogc.jobs import Jobs
from ldt_toolbox.twin.ogc.landing import Landing
from ldt_toolbox.twin.ogc.layers import LayerBook
from ldt_toolbox.twin.ogc.openapi import OpenApi
from ldt_toolbox.twin.ogc.processes import Processes


def ogc_apis(
    *, runs: Path | None = None, territories: Sequence[Path] = (), catalogue: Path | None = None
) -> Extension:
    """Make the extension with OGC API Features and Processes and the landing page.

    Parameters
    ----------
    runs : pathlib.Path, optional
        Folder of results: its vector layers become collections, and jobs write there. A temporary
        one if left out.
    territories : sequence of pathlib.Path
        Territories beyond the bundled ones that processes run on.
    catalogue : pathlib.Path, optional
        Folder of `ldt publish --catalogue` that is served at ``/catalogue/``.

    Returns
    -------
    callable
        For `create_app` or `Twin`.

    Examples
    --------
    >>> with Twin(extensions=[ogc_apis(runs=Path("results"))]) as twin:  # doctest: +SKIP
    ...     requests.get(f"{twin.url}/collections")
    """

    def extend(services: Services, router: Router) -> Sequence[BaseRoute]:
        # the same threads and limits, without /ngsi-ld/v1 in front
        outer = copy.copy(router)
        outer.services = replace(services, root="")
        jobs = Jobs(runs, services.store)
        router.closing.append(jobs.close)
        features = Features(LayerBook(jobs.root, within_s=services.limits.query_s))
        described = [
            features.table(),
            Processes(jobs, territories).table(),
            Landing(features.all, catalogue=catalogue is not None).table(),
        ]
        tables = [*described, OpenApi(described, services.root).table()]
        files = [catalogue_files(catalogue)] if catalogue is not None else []
        return [*files, *(route for table in tables for route in outer.routes(table))]

    return extend
