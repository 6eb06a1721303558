"""YAML documents that people write: read with line numbers, all problems told together."""

import difflib
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from ldt_toolbox.errors import DocumentError, MissingFileError, Problem

Where = tuple[str | int, ...]


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML 1.2 scalars: `NO` is Norway, `091` is a code and dates stay text."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("null", r"^(?:~|null|Null|NULL|)$", "~nN"),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
    ("float", r"^[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)\.[0-9]*|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?"
              r"[eE][-+]?[0-9]+|\.(?:inf|Inf|INF))$|^\.(?:nan|NaN|NAN)$", "-+.0123456789"),
):  # fmt: skip
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^$"), [""])


class Document:
    """One YAML file, its lines, and the problems found in it so far.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Raises
    ------
    MissingFileError
        If there is no such file.
    DocumentError
        If it is not YAML or its top level is not a mapping.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self._lines: dict[Where, int] = {}
        self._written: dict[Where, str] = {}
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise MissingFileError(f"{path} does not exist: check the path") from None
        except OSError as error:
            raise DocumentError(
                path, [Problem(None, f"cannot be read ({error.strerror}): give a text file")]
            ) from None
        except UnicodeDecodeError as error:
            raise DocumentError(
                path, [Problem(None, f"not UTF-8 at byte {error.start}: save the file as UTF-8")]
            ) from None
        if control := yaml.reader.Reader.NON_PRINTABLE.search(text):
            line = text.count("\n", 0, control.start()) + 1
            message = f"not YAML: it holds the control character {control.group()!r}: remove it"
            raise DocumentError(path, [Problem(line, message)])
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            self.data: dict[str, Any] = self._build(loader, node, ()) if node else {}
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            said = error.problem or error.context or "not YAML"
            raise DocumentError(
                path, [Problem(mark.line + 1 if mark else None, f"not YAML: {said}")]
            ) from None
        except RecursionError:
            raise DocumentError(path, [Problem(1, "nested too deeply: write it flat")]) from None
        finally:
            loader.dispose()
        if not isinstance(self.data, dict):
            raise DocumentError(path, [Problem(1, "the file must hold `key: value` lines")])

    def _build(self, loader: Any, node: yaml.Node, where: Where) -> Any:
        self._lines[where] = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            built: dict[str, Any] = {}
            for key_node, value_node in node.value:
                key = str(loader.construct_object(key_node, deep=True))
                line = key_node.start_mark.line + 1
                if key in built:
                    self.problems.append(Problem(line, f"`{key}` stands twice: keep one"))
                built[key] = self._build(loader, value_node, (*where, key))
                self._lines[(*where, key)] = line
            return built
        if isinstance(node, yaml.SequenceNode):
            return [self._build(loader, item, (*where, i)) for i, item in enumerate(node.value)]
        self._written[where] = node.value
        try:
            return loader.construct_object(node, deep=True)
        except ValueError:
            line = node.start_mark.line + 1
            self.problems.append(Problem(line, f"`{node.value:.40}` is no {node.tag[18:]}"))
            return None

    def line(self, where: Where) -> int | None:
        """Line of a place in the document, or of the nearest parent that has one."""
        while where and where not in self._lines:
            where = where[:-1]
        return self._lines.get(where)

    def problem(self, where: Where, message: str) -> None:
        """Note a problem, once; ``finish`` raises them all."""
        found = Problem(self.line(where), message)
        if found not in self.problems:
            self.problems.append(found)

    def at(self, where: Where) -> Any:
        """Value at a place, or None."""
        value: Any = self.data
        for step in where:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def mapping(
        self, where: Where, *, known: Collection[str] | None = None, required: Collection[str] = ()
    ) -> Mapping[str, Any]:
        """Mapping at a place; notes unknown keys with the nearest valid name, and missing ones."""
        value = self.at(where)
        name = dotted(where) or "the file"
        if value is None:
            value = {}
        if not isinstance(value, dict):
            self.problem(where, f"`{name}` must hold `key: value` lines, not {value!r}")
            return {}
        if known is not None:
            for key in value:
                if key not in known:
                    self.problem(
                        (*where, key),
                        f"unknown key `{key}` in {name}: {nearest(key, known)}",
                    )
        for key in required:
            if value.get(key) in (None, "", [], {}):
                self.problem(where, f"{name} lacks `{key}`: add it")
        return value

    def text(self, where: Where, *, pattern: str | None = None, example: str = "") -> str:
        """Text at a place ('' if absent); notes other types and a broken pattern."""
        value = self.at(where)
        if value is None:
            return ""
        hint = f", for example `{example}`" if example else ""
        if not isinstance(value, str):
            if isinstance(value, bool | list | dict):
                self.problem(where, f"`{dotted(where)}` must be text{hint}, not {value!r}")
                return ""
            # as written: `10.10` and `12E45` are codes here, no numbers
            value = self._written.get(where, str(value))
        if pattern and not re.fullmatch(pattern, value):
            self.problem(where, f"`{dotted(where)}: {value}` has the wrong form{hint}")
        return value

    def texts(self, where: Where, *, languages: Collection[str] = ()) -> dict[str, str]:
        """Texts by language code at a place; notes languages that are missing."""
        value = self.mapping(where, required=languages)
        return {language: self.text((*where, language)) for language in value}

    def items(self, where: Where) -> list[Any]:
        """List at a place ([] if absent); notes anything else."""
        value = self.at(where)
        if value is None:
            return []
        if not isinstance(value, list):
            self.problem(where, f"`{dotted(where)}` must be a list such as [a, b], not {value!r}")
            return []
        return value

    def number(self, where: Where, *, above: float | None = None) -> float | None:
        """Number at a place (None if absent); notes other types and values that are too small."""
        value = self.at(where)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            self.problem(where, f"`{dotted(where)}` must be a number, not {value!r}")
            return None
        if above is not None and not value > above:
            self.problem(where, f"`{dotted(where)}: {value:g}` must be above {above:g}")
        return value

    def flag(self, where: Where, *, default: bool) -> bool:
        """Tell true from false at a place; notes other values."""
        value = self.at(where)
        if value is not None and not isinstance(value, bool):
            self.problem(where, f"`{dotted(where)}` is true or false, not {value!r}")
        return value if isinstance(value, bool) else default

    def choice(self, where: Where, choices: Collection[str]) -> str:
        """One of a few words at a place; notes any other with the nearest valid one."""
        value = self.text(where)
        if value and value not in choices:
            self.problem(
                where, f"`{dotted(where)}: {value}` is not known: {nearest(value, choices)}"
            )
        return value

    def finish(self) -> None:
        """Raise all problems together.

        Raises
        ------
        DocumentError
            If any problem was noted.
        """
        if self.problems:
            raise DocumentError(self.path, self.problems)


def dotted(where: Where) -> str:
    """`a.b[2]` for ('a', 'b', 2)."""
    out = ""
    for step in where:
        out += f"[{step}]" if isinstance(step, int) else f".{step}" if out else step
    return out


def nearest(word: str, valid: Collection[str]) -> str:
    """Say which valid word was probably meant, else list them all."""
    close = difflib.get_close_matches(word, list(valid), n=1, cutoff=0.6)
    if close:
        return f"did you mean `{close[0]}`?"
    if not valid:
        return "none is allowed here"
    return "use one of " + ", ".join(f"`{v}`" for v in sorted(valid))
