"""The command `ldt watch`."""

from pathlib import Path
from typing import Annotated

import typer


def watch(
    use_case: Annotated[str, typer.Argument(help="Use case id, or path of its folder.")],
    territory: Annotated[str, typer.Option("--territory", "-t", help="Path of a territory.yaml.")],
    parameter: Annotated[
        list[str] | None,
        typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="Set a parameter."),
    ] = None,
    debounce: Annotated[float, typer.Option(help="Seconds without a change before a run.")] = 5.0,
    check: Annotated[
        float, typer.Option(help="Seconds between looks for what the brokers did not tell.")
    ] = 60.0,
    threshold: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[TYPE.]ATTR=VALUE[~HYSTERESIS]",
            help="Count changes of this attribute only when it passes the value; repeatable.",
        ),
    ] = None,
    last_days: Annotated[
        float | None, typer.Option(help="Observations of the last days, not territory.yaml's.")
    ] = None,
    publish: Annotated[
        bool, typer.Option("--publish", help="Publish each run's indicators.")
    ] = False,
    to: Annotated[
        str | None,
        typer.Option("--to", help="Broker for results and for types that are no input."),
    ] = None,
    tenant: Annotated[str | None, typer.Option(help="Tenant at that broker.")] = None,
    token_env: Annotated[
        str | None, typer.Option(help="Environment variable with the token for that broker.")
    ] = None,
    layers: Annotated[str, typer.Option(help="Layers whose features go along, as a,b.")] = "",
    once: Annotated[bool, typer.Option("--once", help="End after the first re-run.")] = False,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for results.")] = Path("results"),
    log: Annotated[
        Path | None, typer.Option(help="File for the log, one JSON object a line.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen at; 0 takes a free one.")] = 0,
    public_url: Annotated[
        str, typer.Option(help="Address at which the broker reaches this command.")
    ] = "",
) -> None:
    """Run a use case again whenever a broker tells that its inputs changed; Ctrl-C ends it."""
    import contextlib
    import json
    import signal

    from ldt_toolbox.clients.auth import BearerToken
    from ldt_toolbox.clients.ngsi_ld import NgsiLd, Receiver
    from ldt_toolbox.errors import ParameterError, WrongUseError
    from ldt_toolbox.territory import Territory
    from ldt_toolbox.use_case import UseCase
    from ldt_toolbox.watch.thresholds import Threshold
    from ldt_toolbox.watch.watcher import Watch

    given = dict(pair.partition("=")[::2] for pair in parameter or [])
    if wrong := [pair for pair in parameter or [] if "=" not in pair]:
        raise ParameterError(f"`{wrong[0]}` must have the form name=value")
    if publish and to is None:
        raise WrongUseError("--publish needs to know where: name the broker with --to URL")
    place = Territory.find(territory)
    case = UseCase.find(use_case, near=place.folder)
    auth = BearerToken.from_env(token_env) if token_env else None
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(log.open("a", encoding="utf-8")) if log else None

        def say(event: dict[str, object]) -> None:
            typer.echo(json.dumps(event, ensure_ascii=False), file=file)
            if file is not None:
                file.flush()

        broker = stack.enter_context(NgsiLd(to, tenant=tenant, auth=auth)) if to else None
        watching = Watch(
            case, place, given=given, out=out, debounce_s=debounce,
            thresholds=[Threshold.parse(text) for text in threshold or []],
            check_s=check, last_days=last_days,
            publish_to=broker if publish else None, gauges=broker,
            layers=[name for name in layers.split(",") if name],
            receiver=Receiver(host=host, port=port, public_url=public_url), log=say,
        )  # fmt: skip
        # what service managers and containers send: take the subscriptions back, as on Ctrl-C
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with watching:
            while True:
                done = watching.next_run(timeout_s=1e8)
                if once and done.number:
                    break
    if done.problem:
        raise typer.Exit(1)
