"""Compile the kernels once, so that nobody waits for the compiler later.

Binder runs ``python -m ldt_toolbox.warm`` while it builds the image. What numba compiles is kept
beside the package.
"""

from ldt_toolbox.sources import load
from ldt_toolbox.territory import Territory, bundled_territories
from ldt_toolbox.use_case import UseCase, use_case_folders


def warm() -> list[str]:
    """Compute each use case on the first bundled territory that can serve it.

    Returns
    -------
    list of str
        `<use case> on <territory>`, in the order of the runs.
    """
    territories = [Territory.read(folder) for _, folder in bundled_territories()]
    done = []
    for _, folder in use_case_folders():
        case = UseCase.read(folder)
        required = {role.id for role in case.roles.values() if role.required}
        for territory in territories:
            if required <= territory.sources.keys():
                case.compute(load(case, territory), case.validate(territory=territory))
                done.append(f"{case.id} on {territory.id}")
                break
    _warm_flood()
    _warm_comfort()
    _warm_observations()
    return done


def _warm_flood() -> None:
    """Compile what the bundled territories do not ask for: large grids, both schemes on them."""
    import numpy as np

    from ldt_toolbox.flood.event import Options, Rates
    from ldt_toolbox.flood.simulation import simulate

    large = np.zeros((320, 320))  # enough tiles for two bands of rows
    for scheme, losses in (("inertial", None), ("inertial", 1.0), ("shallow-water", None)):
        simulate(
            large, cell_m=5.0, duration_s=2.0, rain=Rates([0], [10.0]),
            losses=None if losses is None else Rates([0], [losses]),
            options=Options(scheme=scheme),  # type: ignore[arg-type]
        )  # fmt: skip


def _warm_comfort() -> None:
    """Compile thermal comfort, for which no bundled territory has the weather."""
    import numpy as np

    from ldt_toolbox.heat.comfort import utci

    one = np.ones((1, 1), dtype=np.float32)
    utci(30 * one, 40 * one, 2 * one, 50 * one)


def _warm_observations() -> None:
    """Compile what reads the history of a broker's entities."""
    import numpy as np

    from ldt_toolbox.models.frames.instants import instants
    from ldt_toolbox.models.frames.scan import scan

    scan(np.frombuffer(b"[]", np.uint8), timeproperty="observedAt")
    instants(["2024-01-01T00:00:00Z"] * 50_000)


if __name__ == "__main__":
    for line in warm():
        print(line)
