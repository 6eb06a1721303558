"""A territory's own repository: written from the scaffold, and brought up to date with it.

Copier is started as a program and never imported (docs/decisions/0002), and updates go through
a vendor branch, because an installed toolbox has no git history (docs/decisions/0003).
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ldt_toolbox import __version__
from ldt_toolbox.errors import MissingFileError, OutputError, RunError, WrongUseError
from ldt_toolbox.paths import data_root

VENDOR_BRANCH = "ldt-template"
ANSWERS = ".copier-answers.yml"
_HOOK_VARIABLES = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"}
_IDENTITY = ("-c", "user.name=ldt-toolbox", "-c", "user.email=ldt-toolbox@localhost")


@dataclass(frozen=True)
class Update:
    """What `update` did.

    Attributes
    ----------
    changed : bool
        False if the scaffold gives nothing new.
    conflicts : tuple of str
        Files in which git marked a conflict; the merge waits for the user then.
    """

    changed: bool
    conflicts: tuple[str, ...] = ()


def new(
    destination: Path,
    *,
    answers: Mapping[str, Any] | None = None,
    defaults: bool = False,
    vcs: bool = True,
) -> Path:
    """Write a territory's repository.

    Parameters
    ----------
    destination : pathlib.Path
        Folder to make; it may exist if it is empty or holds nothing but `.git`.
    answers : mapping of str to object, optional
        Answers to the questions of `copier.yml`, by name; those given are not asked.
    defaults : bool
        Take the default of each other question instead of asking in the terminal.
    vcs : bool
        Make it a git repository with a first commit and the branch `ldt-template`, which
        `update` needs.

    Returns
    -------
    pathlib.Path
        The folder, absolute.

    Raises
    ------
    WrongUseError
        If the destination is in use, an answer has no question, or an answer is refused.
    OutputError
        If the destination cannot be written.
    RunError
        If git is missing or the template cannot be rendered.
    """
    destination = destination.absolute()
    _refuse_taken(destination)
    _refuse_unknown(answers or {})
    if vcs:
        _require_git("or give --no-git to do without")
    existed = destination.exists()
    try:
        destination.mkdir(parents=True, exist_ok=True)
        _render(destination, answers or {}, defaults=defaults)
        if vcs:
            _first_commit(destination)
    except BaseException as error:
        _clear(destination, keep_folder=existed)
        if isinstance(error, OSError) and not isinstance(error, OutputError):
            raise OutputError(
                f"{destination} cannot be written: {error.strerror or error}; "
                "choose another folder or free space"
            ) from error
        raise
    return destination


def update(destination: Path) -> Update:
    """Bring a territory's repository up to date with the scaffold of this toolbox.

    The scaffold is rendered with the stored answers onto the branch `ldt-template`, which is
    then merged. Local edits stay; files that the scaffold dropped go; files that the territory
    owns (`_skip_if_exists` in `copier.yml`) are not touched.

    Parameters
    ----------
    destination : pathlib.Path
        The repository's folder.

    Raises
    ------
    MissingFileError
        If the folder was not made by `new`.
    WrongUseError
        If it is no git repository, has changes that are not committed, lacks the branch, or
        belongs to `copier update`.
    RunError
        If git or the rendering fails.
    """
    destination = destination.absolute()
    answers = _stored_answers(destination)
    _require_git("updates need it")
    _refuse_unready(destination)
    with tempfile.TemporaryDirectory(prefix="ldt-") as scratch:
        tree = Path(scratch) / "tree"
        _git(destination, "worktree", "add", "--quiet", str(tree), VENDOR_BRANCH)
        try:
            _render_anew(tree, answers)
        finally:
            _git(destination, "worktree", "remove", "--force", str(tree))
    if not _git(destination, "log", "--oneline", f"HEAD..{VENDOR_BRANCH}").strip():
        return Update(changed=False)
    merged = _run_git(
        destination, *_identity(destination), "merge", "--quiet", "--no-edit",
        "-m", f"Take in the scaffold of ldt-toolbox {__version__}", VENDOR_BRANCH,
    )  # fmt: skip
    conflicts = _git(destination, "diff", "--name-only", "--diff-filter=U", "-z").split("\0")
    conflicts = sorted({name for name in conflicts if name})
    if merged.returncode != 0 and not conflicts:
        raise RunError(
            f"git could not merge {VENDOR_BRANCH} in {destination}: "
            f"{_last_lines(merged.stderr or merged.stdout)}"
        )
    return Update(changed=True, conflicts=tuple(conflicts))


def _refuse_taken(destination: Path) -> None:
    if destination.exists() and not destination.is_dir():
        raise WrongUseError(f"{destination} is a file: give the name of a folder")
    if destination.is_dir() and any(p.name != ".git" for p in destination.iterdir()):
        raise WrongUseError(
            f"{destination} is not empty: give the name of a new folder"
            + (", or run `ldt update` there" if (destination / ANSWERS).exists() else "")
        )


def _refuse_unknown(answers: Mapping[str, Any]) -> None:
    questions = [name for name in _template_settings() if not name.startswith("_")]
    unknown = [name for name in answers if name not in questions]
    if unknown:
        raise WrongUseError(
            f"no question is called {', '.join(f'`{name}`' for name in unknown)}: "
            f"the questions are {', '.join(questions)}"
        )


def _refuse_unready(destination: Path) -> None:
    top = _run_git(destination, "rev-parse", "--show-toplevel")
    if top.returncode != 0 or Path(top.stdout.strip()).resolve() != destination.resolve():
        raise WrongUseError(
            f"{destination} is not the top of a git repository: updates merge with git; "
            f"run `ldt new` in a new folder and copy your files, or keep {destination} as it is"
        )
    changes = _git(destination, "status", "--porcelain").splitlines()
    if changes:
        raise WrongUseError(
            f"{destination} has {len(changes)} change{'s' if len(changes) > 1 else ''} that are "
            f"not committed ({', '.join(line[3:] for line in changes[:5])}): "
            "commit or stash them first, so that nothing gets lost in the merge"
        )
    if _run_git(destination, "rev-parse", "--verify", "--quiet", VENDOR_BRANCH).returncode != 0:
        remote = _git(destination, "branch", "--remotes", "--list", f"*/{VENDOR_BRANCH}").split()
        step = (
            f"get it with `git branch {VENDOR_BRANCH} {remote[0]}`"
            if remote
            else "fetch it from where the repository was made"
        )
        raise WrongUseError(f"{destination} has no branch `{VENDOR_BRANCH}`: {step}")


def _stored_answers(destination: Path) -> dict[str, Any]:
    path = destination / ANSWERS
    if not path.exists():
        raise MissingFileError(
            f"{destination} has no {ANSWERS}: it was not made by `ldt new`; give another folder"
        )
    stored = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    if "_commit" in stored:
        raise WrongUseError(
            f"{destination} was made with copier from {stored.get('_src_path')}: "
            "bring it up to date with `copier update`"
        )
    known = _template_settings()
    answers = {name: value for name, value in stored.items() if name in known}
    return answers | {"toolbox_version": __version__}


def _template_settings() -> dict[str, Any]:
    settings: dict[str, Any] = yaml.safe_load(
        (data_root() / "copier.yml").read_text(encoding="utf-8")
    )
    return settings


def _render(destination: Path, answers: Mapping[str, Any], *, defaults: bool) -> None:
    asked = not defaults
    if asked and not sys.stdin.isatty():
        raise WrongUseError(
            "there is no terminal to ask questions in: give --defaults and the answers that differ"
        )
    with _plain_template() as (template, scratch):
        given = scratch / "answers.yml"
        chosen = {"toolbox_version": __version__, **answers}
        given.write_text(yaml.safe_dump(chosen, allow_unicode=True), encoding="utf-8")
        command = [sys.executable, "-m", "copier", "copy", "--quiet", "--overwrite"]
        command += [] if asked else ["--defaults"]
        command += ["--data-file", str(given), str(template), str(destination)]
        done = subprocess.run(  # noqa: S603 - our own interpreter, no shell
            command, env=_copier_environment(scratch), text=True, encoding="utf-8", check=False,
            stdin=None if asked else subprocess.DEVNULL,
            stdout=None if asked else subprocess.PIPE, stderr=None if asked else subprocess.STDOUT,
        )  # fmt: skip
    if done.returncode == 0:
        return
    said = done.stdout or ""
    refused = re.search(r"Validation error for question '(\w+)': (.+)", said)
    if refused:
        name, hint = refused.groups()
        raise WrongUseError(f"the answer `{name}: {answers.get(name, '')}` is refused: give {hint}")
    raise RunError(
        f"the scaffold could not be rendered into {destination}: "
        f"{_last_lines(said, count=1) or 'the questions were not answered to the end'}"
    )


@contextmanager
def _plain_template() -> Iterator[tuple[Path, Path]]:
    """Template as a plain folder, and scratch space beside it.

    From a checkout copier would otherwise render the last tag instead of what lies there.
    """
    with tempfile.TemporaryDirectory(prefix="ldt-") as name:
        template = Path(name) / "template"
        template.mkdir()
        shutil.copy(data_root() / "copier.yml", template)
        shutil.copytree(data_root() / "templates", template / "templates")
        yield template, Path(name)


def _copier_environment(scratch: Path) -> dict[str, str]:
    environment = dict(os.environ, PYTHONIOENCODING="utf-8")
    environment.setdefault("COPIER_CACHE_DIR", str(scratch / "cache"))
    return environment


def _render_anew(tree: Path, answers: Mapping[str, Any]) -> None:
    """Replace what is on the vendor branch, except for what the territory owns."""
    _git(tree, "rm", "-r", "-f", "--quiet", "--ignore-unmatch", ".")
    _render(tree, answers, defaults=True)
    for pattern in _template_settings().get("_skip_if_exists", ()):
        if _git(tree, "ls-tree", "-r", "--name-only", "HEAD", "--", pattern):
            _git(tree, "checkout", "--quiet", "HEAD", "--", pattern)
    _git(tree, "add", "--all", "--force")
    if _git(tree, "status", "--porcelain"):
        _commit(tree, f"Scaffold of ldt-toolbox {__version__}")


def _first_commit(destination: Path) -> None:
    if not (destination / ".git").exists():
        _git(destination, "init", "--quiet", "--initial-branch=main")
    _git(destination, "add", "--all")
    _commit(destination, f"Scaffold of ldt-toolbox {__version__}")
    _git(destination, "branch", VENDOR_BRANCH)


def _commit(folder: Path, message: str) -> None:
    _git(
        folder, *_identity(folder), "-c", "commit.gpgsign=false",
        "commit", "--quiet", "--no-verify", "-m", message,
    )  # fmt: skip


def _identity(folder: Path) -> tuple[str, ...]:
    """Name for commits where the user has set none."""
    known = _run_git(folder, "config", "user.email").stdout.strip()
    return () if known or os.environ.get("GIT_AUTHOR_EMAIL") else _IDENTITY


def _require_git(otherwise: str) -> None:
    if shutil.which("git") is None:
        raise RunError(f"git is not installed: install it, {otherwise}")


def _git(folder: Path, *arguments: str) -> str:
    done = _run_git(folder, *arguments)
    if done.returncode != 0:
        verb = next((a for a in arguments if not a.startswith("-") and "=" not in a), "")
        raise RunError(f"git {verb} failed in {folder}: {_last_lines(done.stderr or done.stdout)}")
    return done.stdout


def _run_git(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - no shell
        ["git", "-C", str(folder), "-c", "core.quotepath=off", *arguments],  # noqa: S607 - the user's own
        capture_output=True, text=True, encoding="utf-8", check=False, stdin=subprocess.DEVNULL,
        # inside a git hook these point to another repository
        env={k: v for k, v in os.environ.items() if k not in _HOOK_VARIABLES},
    )  # fmt: skip


def _clear(destination: Path, *, keep_folder: bool) -> None:
    if not keep_folder:
        shutil.rmtree(destination, ignore_errors=True)
        return
    for path in destination.iterdir():
        if path.name == ".git":
            continue
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()


def _last_lines(text: str, *, count: int = 3) -> str:
    lines: Sequence[str] = [line.strip() for line in text.splitlines() if line.strip()]
    return " / ".join(lines[-count:])
