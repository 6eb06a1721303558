"""The command line: ``ldt``. Heavy libraries are imported inside the commands."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from ldt_toolbox import __version__
from ldt_toolbox.twin.command import app as twin
from ldt_toolbox.watch.command import watch

if TYPE_CHECKING:
    from ldt_toolbox.parameters import Parameter
    from ldt_toolbox.run import Progress

FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130
DEMO = ("heat-islands", "monaco")

app = typer.Typer(
    help="Replicate proven local digital twin use cases on a territory's own data.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(twin, name="twin")


class _RunCommand(TyperCommand):
    """Adds every use case's parameters, as its manifest tells them, to the help of `ldt run`."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        from ldt_toolbox.use_case import UseCase, use_case_folders

        for name, folder in use_case_folders():
            case = UseCase.read(folder)
            with formatter.section(f"Parameters of {name} (-p name=value)"):
                formatter.write_dl([_described(p, "en") for p in case.parameters.values()])


def _described(parameter: "Parameter", language: str) -> tuple[str, str]:
    default = "found by the use case" if parameter.default is None else f"{parameter.default}"
    facts = [parameter.range_text(), parameter.unit, f"default {default}"]
    return parameter.name, f"{parameter.help[language]} [{'; '.join(f for f in facts if f)}]"


Language = Annotated[str, typer.Option("--lang", help="Language of the texts: en or fr.")]
TerritoryOption = Annotated[
    str,
    typer.Option("--territory", "-t", help="Bundled territory, or path of a territory.yaml."),
]
ParameterOption = Annotated[
    list[str] | None,
    typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="Set a parameter; repeatable."),
]
OutOption = Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")]


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    if version:
        typer.echo(f"ldt-toolbox {__version__}")
        raise typer.Exit


@app.command("use-cases")
def use_cases(lang: Language = "en") -> None:
    """List the use cases that can be found here."""
    from ldt_toolbox.use_case import UseCase, use_case_folders

    for name, folder in use_case_folders(near=Path.cwd()):
        case = UseCase.read(folder)
        typer.echo(f"{name}  {_in(case.title, lang)}. {_in(case.question, lang)}")


@app.command()
def territories(lang: Language = "en") -> None:
    """List the bundled territories and the roles that each can serve."""
    from ldt_toolbox.territory import Territory, bundled_territories

    for name, folder in bundled_territories():
        place = Territory.read(folder)
        typer.echo(f"{name}  {place.name(lang)} ({place.country}): {', '.join(place.sources)}")


@app.command()
def params(
    use_case: Annotated[str, typer.Argument(help="Use case id, or path of its folder.")],
    territory: Annotated[
        str | None, typer.Option("--territory", "-t", help="Show the values that apply there.")
    ] = None,
    lang: Language = "en",
) -> None:
    """List the parameters of a use case: value, unit, range, meaning and source."""
    from ldt_toolbox.territory import Territory
    from ldt_toolbox.use_case import UseCase

    place = Territory.find(territory) if territory else None
    case = UseCase.find(use_case, near=place.folder if place else Path.cwd())
    values = case.validate(territory=place)
    for name, parameter in case.parameters.items():
        value = values[name]
        shown = "found by the use case" if value is None else value
        facts = [parameter.unit, parameter.range_text()]
        inside = "; ".join(fact for fact in facts if fact)
        origin = "" if values.origin[name] == "manifest" else "  (from territory.yaml)"
        typer.echo(f"{name} = {shown}{origin}" + (f"  [{inside}]" if inside else ""))
        typer.echo(f"    {_in(parameter.help, lang)} (source: {parameter.source})")


@app.command(cls=_RunCommand)
def run(
    use_case: Annotated[str, typer.Argument(help="Use case id, or path of its folder.")],
    territory: TerritoryOption,
    parameter: ParameterOption = None,
    out: OutOption = Path("results"),
) -> None:
    """Run a use case on a territory and write report, layers, indicators and record."""
    from ldt_toolbox.territory import Territory
    from ldt_toolbox.use_case import UseCase

    place = Territory.find(territory)
    case = UseCase.find(use_case, near=place.folder)
    given = _pairs(parameter or [])
    from ldt_toolbox.run import run as execute

    with _progress(f"{case.id} on {place.id}") as told:
        done = execute(case, place, given, out=out, progress=told)
    typer.echo(f"{done.seconds:.0f} s, {done.peak_memory_mb:.0f} MB at most", err=True)
    typer.echo(str(done.report))


@app.command()
def publish(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run.")],
    to: Annotated[str, typer.Option("--to", help="Address of an NGSI-LD broker.")],
    tenant: Annotated[str | None, typer.Option(help="Tenant at the broker.")] = None,
    token_env: Annotated[
        str | None, typer.Option(help="Environment variable that holds the access token.")
    ] = None,
    territory: Annotated[
        str | None,
        typer.Option("--territory", "-t", help="territory.yaml, if it is not a bundled one."),
    ] = None,
    layers: Annotated[
        str | None, typer.Option(help="Layers whose features go along, as a,b; '' is none.")
    ] = None,
    catalogue: Annotated[
        Path | None, typer.Option(help="Folder for DCAT-AP record, STAC items, feed and files.")
    ] = None,
    catalogue_url: Annotated[
        str, typer.Option(help="Address at which that folder will be served.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Delete what this run published.")] = False,
) -> None:
    """Publish a run's results as entities of a context broker; once or again."""
    from ldt_toolbox import publish as publishing
    from ldt_toolbox.clients.auth import BearerToken
    from ldt_toolbox.clients.ngsi_ld import NgsiLd
    from ldt_toolbox.territory import Territory

    place = Territory.find(territory) if territory else None
    # what a run published can be deleted when its files have changed or gone
    finished = publishing.FinishedRun.read(folder, territory=place, whole=not undo)
    auth = BearerToken.from_env(token_env) if token_env else None
    chosen = None if layers is None else [name for name in layers.split(",") if name]
    with NgsiLd(to, tenant=tenant, auth=auth) as client, _progress(finished.id) as told:

        def counted(done: int, total: int) -> None:
            told(done, total, "entities")

        try:
            if undo:
                outcome = publishing.undo(
                    finished, client, catalogue=catalogue, dry_run=dry_run, told=counted
                )
            else:
                outcome = publishing.publish(
                    finished, client, layers=chosen, catalogue=catalogue,
                    catalogue_url=catalogue_url, dry_run=dry_run, told=counted,
                )  # fmt: skip
        except KeyboardInterrupt:
            typer.echo("ldt: interrupted; the same command goes on where it stopped", err=True)
            raise typer.Exit(INTERRUPTED) from None
    for line in outcome.lines(dry_run=dry_run):
        typer.echo(line)
    typer.echo(f"{'dry run: ' if dry_run else ''}{outcome}", err=True)
    if not outcome.ok:
        raise typer.Exit(FAILED)


app.command()(watch)


@app.command()
def demo(out: OutOption = Path("results")) -> None:
    """Run the heat-island use case on the bundled Monaco data; needs no network."""
    run(DEMO[0], DEMO[1], None, out)


@app.command()
def new(
    destination: Annotated[Path, typer.Argument(help="New folder for the territory.")],
    answer: Annotated[
        list[str] | None,
        typer.Option("--data", "-d", metavar="NAME=VALUE", help="Answer a question; repeatable."),
    ] = None,
    defaults: Annotated[bool, typer.Option("--defaults", help="Ask nothing.")] = False,
    git: Annotated[bool, typer.Option(help="Make it a git repository.")] = True,
) -> None:
    """Scaffold a territory's own replication project."""
    from ldt_toolbox.scaffold import new as scaffold

    made = scaffold(destination, answers=_pairs(answer or []), defaults=defaults, vcs=git)
    typer.echo(f"{made}: read README.md there, then `make demo`")


@app.command()
def update(
    project: Annotated[Path, typer.Argument(help="A project that `ldt new` made.")] = Path(),
) -> None:
    """Bring a scaffolded project to this version of the template, keeping local edits."""
    from ldt_toolbox.scaffold import update as update_scaffold

    done = update_scaffold(project)
    if done.conflicts:
        typer.echo(f"{project}: resolve these by hand, then commit: {', '.join(done.conflicts)}")
        raise typer.Exit(FAILED)
    typer.echo(f"{project}: {'updated' if done.changed else 'already up to date'}")


def _in(text: Any, language: str) -> str:
    return str(text.get(language) or text["en"])


def _pairs(items: list[str]) -> dict[str, str]:
    from ldt_toolbox.errors import ParameterError

    pairs: dict[str, str] = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not equals or not name:
            raise ParameterError(f"`{item}` must have the form name=value")
        if name in pairs:
            raise ParameterError(f"`{name}` is given twice: {pairs[name]} and {value}")
        pairs[name] = value
    return pairs


@contextmanager
def _progress(what: str) -> "Iterator[Progress]":
    """Show a bar in a terminal, one line a step elsewhere."""
    if not sys.stderr.isatty():

        def plain(done: int, total: int, step: str) -> None:
            typer.echo(f"{what}: {done}/{total} {step}", err=True)

        yield plain
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)

        def drawn(done: int, total: int, step: str) -> None:
            bar.update(task, total=total, completed=done, description=f"{what}: {step}")

        yield drawn


def _terminate(number: int, _: object) -> None:
    # as an exception, so that a run ends its kernel and removes what is half done
    raise SystemExit(128 + number)


def main() -> None:
    """Start the command line.

    Exit codes: 0 done, 1 the run failed, 2 wrong use, 130 interrupted, 143 terminated.
    """
    from ldt_toolbox.errors import LDTError, WrongUseError

    signal.signal(signal.SIGTERM, _terminate)
    try:
        app(prog_name="ldt")
    except WrongUseError as error:
        typer.echo(f"ldt: {error}", err=True)
        sys.exit(WRONG_USE)
    except LDTError as error:
        typer.echo(f"ldt: {error}", err=True)
        sys.exit(FAILED)
    except KeyboardInterrupt:
        typer.echo("ldt: interrupted; nothing half was left", err=True)
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
