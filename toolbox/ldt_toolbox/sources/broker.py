"""What a context broker sends, or once sent: entities, and their evolution in a period."""

import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ldt_toolbox.clients.errors import AuthError, ClientError
from ldt_toolbox.clients.http import HttpClient
from ldt_toolbox.clients.imperfect import CutAnswerWarning, ImperfectServerWarning
from ldt_toolbox.clients.masking import mask_url
from ldt_toolbox.clients.named_auth import named_auth
from ldt_toolbox.clients.ngsi_ld import NgsiLd, observations
from ldt_toolbox.clients.ngsi_ld.connection import api_root
from ldt_toolbox.errors import DataError, MissingFileError
from ldt_toolbox.results import Note
from ldt_toolbox.sources.received import canonical
from ldt_toolbox.sources.series import Observed

if TYPE_CHECKING:
    from ldt_toolbox.territory import Source

Entity = dict[str, Any]

RETRIES = 2
IDS_A_REQUEST = 50
LONGEST_IDS = 3000
"""Characters of all ids in one address: servers begin to refuse addresses at 8000."""


class Answers(Protocol):
    """Where entities and evolutions come from: a broker, or the snapshot of its answer."""

    notes: list[Note]
    accessed: str

    def entities(self) -> list[Entity]:
        """Entities that the query selects."""

    def evolutions(self, ids: list[str], attributes: list[str]) -> list[Entity]:
        """Evolution of some of them in the period."""

    def content(self, entities: list[Entity], evolutions: list[Entity]) -> bytes:
        """All that came, as it is kept."""


class Broker:
    """A broker, asked now.

    Parameters
    ----------
    source : Source
        Address, query and names of the environment variables with credentials.
    name : str
        Role and host, for messages.
    """

    def __init__(self, source: "Source", name: str) -> None:
        self._source = source
        self._asked = source.settings
        self._name = name
        self.notes: list[Note] = []
        self.accessed = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

    def entities(self) -> list[Entity]:
        """Entities that the query selects, each page of them."""
        with self._client() as client:
            return client.entities.query(
                type=self._asked["type"], q=self._asked["q"], scope_q=self._asked["scope"]
            )

    def evolutions(self, ids: list[str], attributes: list[str]) -> list[Entity]:
        """Evolution of some of them in the period, whole or not at all."""
        found = []
        with self._client() as client:
            for some in _batches(ids):
                found += client.temporal.query(
                    start=self._asked["from"], end=self._asked["until"], type=self._asked["type"],
                    id=some, attrs=attributes, page_size=IDS_A_REQUEST,
                )  # fmt: skip
        return [_in_order(one) for one in found]

    def content(self, entities: list[Entity], evolutions: list[Entity]) -> bytes:
        """All that came, in an order of its own."""
        return canonical(
            {
                "entities": sorted(entities, key=canonical),
                "evolutions": sorted(evolutions, key=canonical),
            }
        )

    @contextmanager
    def _client(self) -> Iterator[NgsiLd]:
        url = self._source.url
        try:
            with (
                self._told(),
                HttpClient(
                    api_root(url), auth=named_auth(self._asked["auth"]), retries=RETRIES
                ) as http,
            ):
                yield NgsiLd(
                    url, tenant=self._asked["tenant"] or None,
                    context=self._asked["context"] or None, http=http,
                )  # fmt: skip
        except AuthError as error:
            raise DataError(f"{self._name}: {error}") from error
        except ClientError as error:
            raise DataError(
                f"{self._name}: {mask_url(url)} does not give what is asked for: {error}. Check "
                "`url` and the query in territory.yaml, or name the snapshot of an earlier run "
                "with `snapshot:`"
            ) from error

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Make notes of what an imperfect server does; an answer that stays cut is an error."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
        for one in caught:
            if isinstance(one.message, CutAnswerWarning):
                raise one.message
            if isinstance(one.message, ImperfectServerWarning):
                said = f"{self._name}: {one.message}"
                fr = f"{self._name}, message du client : {one.message}"
                self.notes.append(Note("warning", {"en": said, "fr": fr}))
            else:
                warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


class Snapshot:
    """What a broker once sent, read from the file in which it was kept.

    Parameters
    ----------
    source : Source
        Its `path` is the snapshot.
    name : str
        Role and host, for messages.

    Raises
    ------
    MissingFileError, DataError
        If there is none, or it is none.
    """

    def __init__(self, source: "Source", name: str) -> None:
        path = source.path or Path()
        self.notes: list[Note] = []
        self.accessed = _accessed(path)
        try:
            self._content = path.read_bytes()
            kept = json.loads(self._content)
            self._entities = list(kept["entities"])
            self._evolutions = list(kept["evolutions"])
        except OSError as error:
            raise MissingFileError(
                f"{name}: {path} cannot be read ({error.strerror}): check `snapshot`, or remove it "
                "to ask the broker"
            ) from error
        except (ValueError, TypeError, KeyError) as error:
            raise DataError(
                f"{name}: {path.name} is no snapshot of a broker's answer: name the file "
                f"inputs/{source.role}.json of a run, or remove `snapshot` to ask the broker"
            ) from error

    def entities(self) -> list[Entity]:
        """Entities that were selected then."""
        return self._entities

    def evolutions(self, ids: list[str], attributes: list[str]) -> list[Entity]:
        """Evolutions that came then."""
        return [one for one in self._evolutions if one.get("id") in set(ids)]

    def content(self, entities: list[Entity], evolutions: list[Entity]) -> bytes:
        """The file as it is."""
        return self._content


def observed(evolutions: list[Entity], attribute: str) -> Iterator[Observed]:
    """Observations of one attribute, station after station."""
    for evolution in evolutions:
        station, blocks = str(evolution.get("id", "")), evolution.get(attribute, [])
        for block in blocks if isinstance(blocks, list) else [blocks]:
            if isinstance(block, dict) and "value" in block:  # nearly all, and there are many
                yield Observed(
                    station, str(block.get("datasetId", "")), str(block.get("observedAt", "")),
                    block["value"], str(block.get("unitCode", "")),
                )  # fmt: skip
                continue
            for one in observations({"id": station, attribute: block}):
                yield Observed(station, one.dataset_id, one.time, one.value, one.unit_code)


def attribute_value(attribute: Any, language: str) -> Any:
    """Value of an attribute of an entity: normalized or concise, in a language where it has some.

    Parameters
    ----------
    attribute : object
        As it stands in the entity; of several instances the default one counts.
    language : str
        Preferred language of a LanguageProperty.
    """
    if isinstance(attribute, list):
        own = [one for one in attribute if isinstance(one, Mapping) and "datasetId" not in one]
        attribute = next(iter(own or attribute), None)
    if not isinstance(attribute, Mapping) or "coordinates" in attribute:
        return attribute
    if isinstance(spoken := attribute.get("languageMap"), Mapping) and spoken:
        return spoken.get(language) or next(iter(spoken.values()))
    return attribute.get("value", attribute.get("object"))


def _batches(ids: list[str]) -> Iterator[list[str]]:
    some: list[str] = []
    for one in ids:
        if some and (len(some) == IDS_A_REQUEST or sum(map(len, some)) + len(one) > LONGEST_IDS):
            yield some
            some = []
        some.append(one)
    if some:
        yield some


def _in_order(evolution: Entity) -> Entity:
    """The same evolution with the instances of each attribute in the order of their times."""
    return {
        name: sorted(value, key=_time) if isinstance(value, list) else value
        for name, value in evolution.items()
    }


def _time(instance: Any) -> str:
    return str(instance.get("observedAt", "")) if isinstance(instance, Mapping) else ""


def _accessed(snapshot: Path) -> str:
    """When a snapshot was taken, if that was kept beside it."""
    told = snapshot.with_name(f"{snapshot.stem}.received.json")
    try:
        return str(json.loads(told.read_text(encoding="utf-8"))["accessed"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
