"""What the report says about each layer that went into a run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class InputRecord:
    """One input of a run.

    Attributes
    ----------
    role : str
        The role that it served.
    title : str
        What the role is; the role's id stands in where it is empty.
    source, url, licence, attribution, date : str
        Where it is from, on which terms, whom to name, how old it is.
    provenance : str
        `observed`, `derived` or `synthetic`.
    sha256 : str
        Hash of the file that was read or of what a server sent, or empty.
    note : str
        Anything that a reader has to know of it.
    accessed, query : str
        When a server was asked, in UTC, and for what, as JSON; empty for a file.
    kept : str
        What the server sent, as a path in the run's folder; empty for a file.
    """

    role: str
    title: str = ""
    source: str = ""
    url: str = ""
    licence: str = ""
    attribution: str = ""
    date: str = ""
    provenance: str = ""
    sha256: str = ""
    note: str = ""
    accessed: str = ""
    query: str = ""
    kept: str = ""

    @property
    def credit(self) -> str:
        """Whom a figure names below it."""
        return self.attribution or self.source
