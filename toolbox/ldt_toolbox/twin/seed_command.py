"""The command `ldt twin seed`."""

from typing import Annotated

import typer


def seed(
    territory: Annotated[
        str, typer.Argument(help="Bundled territory, or path of a territory.yaml.")
    ],
    to: Annotated[
        str, typer.Option("--to", help="Address of an NGSI-LD broker; the local twin by default.")
    ] = "http://127.0.0.1:1026",
    sensors: Annotated[
        int,
        typer.Option(help="Synthetic weather stations, and as many traffic counters; 0 is none."),
    ] = 6,
    seed: Annotated[int, typer.Option(help="Seed of places and noise.")] = 1,
    days: Annotated[float, typer.Option(help="Days of history.")] = 7,
    until: Annotated[
        str, typer.Option(help="Last reading, as 2025-07-15T00:00:00Z; now if left out.")
    ] = "",
    every: Annotated[int, typer.Option(help="Minutes between readings.")] = 60,
    replay: Annotated[
        float,
        typer.Option(
            help="Let sensors report on, this many times faster than time; 1 is live. "
            "With more than 1, the days are played instead of written at once."
        ),
    ] = 0,
    tenant: Annotated[str | None, typer.Option(help="Tenant at the broker.")] = None,
    token_env: Annotated[
        str | None, typer.Option(help="Environment variable that holds the access token.")
    ] = None,
) -> None:
    """Write a territory's buildings, streets, stops and synthetic sensors to a broker.

    Readings are made up and say so: `dataProvider` is `synthetic:<method>@<seed>`.
    """
    from datetime import datetime, timedelta

    from ldt_toolbox.clients.auth import BearerToken
    from ldt_toolbox.clients.ngsi_ld import NgsiLd
    from ldt_toolbox.errors import WrongUseError
    from ldt_toolbox.territory import Territory
    from ldt_toolbox.twin import seed as seeding
    from ldt_toolbox.twin.seed_sensors import instant

    place = Territory.find(territory)
    try:
        last = seeding.last_step(datetime.fromisoformat(until) if until else None, 60 * every)
    except ValueError as error:
        raise WrongUseError(f"--until {until} is no time: write 2025-07-15T00:00:00Z") from error
    faster = replay > 1
    first = last - timedelta(days=days)
    auth = BearerToken.from_env(token_env) if token_env else None
    with NgsiLd(to, tenant=tenant, auth=auth) as client:
        done = seeding.seed(
            place, client, count=sensors, seed=seed, days=0 if faster else days,
            until=first if faster else last, step_s=60 * every,
            told=lambda part, whole, what: typer.echo(f"{what}: {part}/{whole}", err=True),
        )  # fmt: skip
        for reason, number in done.left_out.items():
            typer.echo(f"left out: {number} {reason}", err=True)
        for each, reason in done.outcome.failed.items():
            typer.echo(f"failed {each}: {reason}")
        typer.echo(str(done))
        if replay:
            step = timedelta(minutes=every)
            start = first + step if faster else last + step
            for at in seeding.play(
                client, done.sensors, start=start, end=last if faster else None, speed=replay,
                step_s=60 * every,
            ):  # fmt: skip
                typer.echo(f"readings of {instant(at)}")
    if not done.outcome.ok:
        raise typer.Exit(1)
