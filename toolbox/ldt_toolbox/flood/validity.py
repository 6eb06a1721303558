"""Whether a flood run stayed within what its scheme can do: notes for the reader."""

import math
from dataclasses import dataclass

from ldt_toolbox.flood.ledger import Ledger
from ldt_toolbox.results import Note

LARGEST_MASS_ERROR = 1e-6
FAST_FROUDE, LARGEST_FAST_SHARE = 0.5, 0.10
LARGEST_TORRENT_SHARE = 0.01


@dataclass
class Froude:
    """How fast the water ran beside its own waves, over all samples of all wet cells.

    Attributes
    ----------
    wet, fast, torrent : int
        Samples deeper than the threshold; of these with a Froude number above 0.5; above 1.
    highest : float
        Highest Froude number.
    """

    wet: int = 0
    fast: int = 0
    torrent: int = 0
    highest: float = 0.0

    def add(self, wet: int, fast: int, torrent: int, highest: float) -> None:
        """Take in one look at the grid."""
        self.wet += wet
        self.fast += fast
        self.torrent += torrent
        self.highest = max(self.highest, highest)

    @property
    def fast_share(self) -> float:
        """Share of samples above 0.5."""
        return self.fast / self.wet if self.wet else 0.0

    @property
    def torrent_share(self) -> float:
        """Share of samples above 1."""
        return self.torrent / self.wet if self.wet else 0.0


def beyond_range(scheme: str, froude: Froude) -> bool:
    """Whether the water ran faster than the scheme is made for.

    The local inertial scheme leaves out the advection of momentum, whose weight beside the other
    terms grows with the square of the Froude number (de Almeida & Bates 2013,
    doi:10.1002/wrcr.20366): it is called into question where more than a tenth of the wet samples
    are above 0.5 or a hundredth above 1.
    """
    return scheme == "inertial" and (
        froude.fast_share > LARGEST_FAST_SHARE or froude.torrent_share > LARGEST_TORRENT_SHARE
    )


@dataclass
class Tally:
    """What is kept of runs beside the event: return periods, measures, random draws.

    Attributes
    ----------
    runs, beyond : int
        How many, and in how many the water ran faster than the scheme is made for.
    mass_error : float
        Largest of all, relative, without sign; infinite where a run had none to tell.
    """

    runs: int = 0
    beyond: int = 0
    mass_error: float = 0.0

    def add(self, scheme: str, ledger: Ledger, froude: Froude) -> None:
        """Count a run."""
        error = abs(ledger.relative_error)
        self.runs += 1
        self.beyond += beyond_range(scheme, froude)
        self.mass_error = max(self.mass_error, math.inf if math.isnan(error) else error)


def notes(scheme: str, ledger: Ledger, froude: Froude) -> tuple[Note, ...]:
    """What a reader of the results has to know about the run.

    Parameters
    ----------
    scheme : str
        `inertial` or `shallow-water`.
    ledger : Ledger
        Volumes at the end.
    froude : Froude
        Of the whole run.

    Returns
    -------
    tuple of Note
        Empty if nothing is to be said against the run.
    """
    found = list(mass_notes(abs(ledger.relative_error)))
    if beyond_range(scheme, froude):
        found.append(_fast(froude))
    return tuple(found)


def mass_notes(error: float, *, where: tuple[str, str] = ("", "")) -> tuple[Note, ...]:
    """Say that water was gained or lost, if it was.

    Parameters
    ----------
    error : float
        Relative to all water, without sign; NaN counts as an error.
    where : tuple of str
        Of which run, in English and French, as in ``" of 10 years"``; the event by default.
    """
    return () if error <= LARGEST_MASS_ERROR else (_mass(error, *where),)


def range_notes(*tallies: Tally) -> tuple[Note, ...]:
    """Say in how many runs beside the event the water ran too fast for the scheme, if in any."""
    runs, beyond = (sum(getattr(one, key) for one in tallies) for key in ("runs", "beyond"))
    if not beyond:
        return ()
    return (
        Note(
            "warning",
            {
                "en": f"In {beyond} of the {runs} simulations beside the event (return periods, "
                "measures, random draws) the water runs faster than the local inertial scheme is "
                "made for (Froude numbers): read their depths with care.",
                "fr": f"Dans {beyond} des {runs} simulations autres que l'événement (périodes de "
                "retour, mesures, tirages), l'eau va plus vite que ce pour quoi le schéma inertiel "
                "local est fait (nombres de Froude) : lire leurs hauteurs avec prudence.",
            },
        ),
    )


def _mass(error: float, en: str, fr: str) -> Note:
    return Note(
        "warning",
        {
            "en": f"The simulation{en} gained or lost {error:.1e} of its water; "
            f"{LARGEST_MASS_ERROR:.0e} is accepted. Do not use the depths.",
            "fr": f"La simulation{fr} a gagné ou perdu {error:.1e} de son eau ; "
            f"{LARGEST_MASS_ERROR:.0e} est admis. Ne pas utiliser les hauteurs.",
        },
    )


def _fast(froude: Froude) -> Note:
    fast, torrent = 100 * froude.fast_share, 100 * froude.torrent_share
    torrent_fr = f"{torrent:.1f}".replace(".", ",")
    return Note(
        "warning",
        {
            "en": f"In {fast:.0f} % of the wet cells and moments the water runs faster than half "
            f"its waves, in {torrent:.1f} % faster than its waves (Froude number above 0.5 and 1). "
            "The local inertial scheme is not made for that: compare with the full shallow-water "
            "scheme before using depths and speeds there.",
            "fr": f"Dans {fast:.0f} % des mailles et instants mouillés, l'eau va plus vite que la "
            f"moitié de ses ondes, dans {torrent_fr} % plus vite que ses ondes (nombre de Froude "
            "supérieur à 0,5 et à 1). Le schéma inertiel local n'est pas fait pour cela : comparer "
            "avec le schéma complet de Saint-Venant avant d'y utiliser hauteurs et vitesses.",
        },
    )
