"""The commands `ldt twin ...`. Heavy libraries are imported inside them."""

from pathlib import Path
from typing import Annotated

import typer

from ldt_toolbox.twin.seed_command import seed

app = typer.Typer(
    help="A local digital twin platform: NGSI-LD and OGC APIs in one process.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

app.command()(seed)


@app.callback()
def _root() -> None:
    """A local digital twin platform: NGSI-LD and OGC APIs in one process."""


@app.command()
def up(
    host: Annotated[
        str, typer.Option(help="Address to listen at; others than loopback need a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 1026,
    store: Annotated[
        Path | None, typer.Option(help="File that keeps the entities; a temporary one without.")
    ] = None,
    token_env: Annotated[
        str | None,
        typer.Option(help="Environment variable with the token that writing shall need."),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host",
            help="Host name to answer to beside localhost, as of a proxy; repeatable.",
        ),
    ] = None,
    notify: Annotated[
        list[str] | None,
        typer.Option(
            "--notify",
            metavar="CIDR",
            help="Network to which notifications may go beside this machine; repeatable.",
        ),
    ] = None,
    runs: Annotated[
        Path, typer.Option(help="Folder of results: layers are served, processes write there.")
    ] = Path("results"),
    catalogue: Annotated[
        Path | None,
        typer.Option(help="Folder of `ldt publish --catalogue` to serve at /catalogue/."),
    ] = None,
    territory: Annotated[
        list[Path] | None,
        typer.Option("--territory", "-t", help="A territory.yaml for processes; repeatable."),
    ] = None,
) -> None:
    """Start the twin and serve until Ctrl-C or SIGTERM."""
    import signal
    import threading

    from ldt_toolbox.twin.limits import Limits
    from ldt_toolbox.twin.ogc.extension import ogc_apis
    from ldt_toolbox.twin.serve import Twin

    token = _token(host, token_env)
    stopped = threading.Event()
    # what service managers and containers send: end as on Ctrl-C, and leave one file
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Twin(
        store, host=host, port=port, token=token, allow_hosts=allow_host or (),
        limits=Limits(receivers=tuple(notify or ())),
        extensions=[ogc_apis(runs=runs, territories=territory or (), catalogue=catalogue)],
    ) as twin:  # fmt: skip
        typer.echo(f"twin      {twin.url}/")
        typer.echo(f"NGSI-LD   {twin.url}/ngsi-ld/v1")
        typer.echo(f"OGC APIs  {twin.url}/collections  {twin.url}/processes")
        typer.echo(f"OpenAPI   {twin.url}/api")
        if catalogue is not None:
            typer.echo(f"catalogue {twin.url}/catalogue/catalogue.ttl")
        typer.echo(f"store     {store or 'a temporary file, gone with the twin'}")
        typer.echo(f"writing   {'needs the token' if token else 'is open to this machine'}")
        typer.echo(f"notifies  {', '.join(['this machine', *(notify or ())])}")
        typer.echo("Ctrl-C ends it")
        try:
            while not stopped.wait(3600):
                pass
        except KeyboardInterrupt:
            typer.echo("ending")


def _token(host: str, name: str | None) -> str | None:
    """Token that writing needs, out of the environment so that no child process inherits it."""
    import os

    from ldt_toolbox.errors import WrongUseError
    from ldt_toolbox.twin.guard import is_loopback

    if name is None:
        if not is_loopback(host):
            raise WrongUseError(
                f"--host {host} is open to others: put a token of 16 characters or more into an "
                "environment variable and name it with --token-env"
            )
        return None
    token = os.environ.pop(name, "")
    if not token:
        raise WrongUseError(f"--token-env {name}: this environment variable is not set")
    return token
