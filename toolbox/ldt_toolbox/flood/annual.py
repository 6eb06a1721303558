"""Expected annual damage: what floods of all sizes cost in a year on average."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ldt_toolbox.errors import DataError, ParameterError

FEWEST_RETURN_PERIODS = 5


@dataclass(frozen=True)
class AnnualDamage:
    """Expected annual damage and what it is made of.

    Attributes
    ----------
    total : float
        Sum of the three parts, in the unit of the damages a year.
    computed : float
        Between the most frequent and the rarest flood that were computed.
    frequent_tail : float
        More frequent than the first one, down to the flood that does no damage.
    rare_tail : float
        Rarer than the last one, whose damage is kept.
    """

    computed: float
    frequent_tail: float
    rare_tail: float

    @property
    def total(self) -> float:
        """All parts together."""
        return self.computed + self.frequent_tail + self.rare_tail

    @property
    def tail_share(self) -> float:
        """Part of the total that rests on assumptions about the tails, 0 to 1."""
        return (self.frequent_tail + self.rare_tail) / self.total if self.total > 0 else 0.0


def expected_annual_damage(
    damage_by_return_period: Mapping[float, float],
    *,
    harmless_return_period_years: float | None = None,
    protection_return_period_years: float | None = None,
) -> AnnualDamage:
    """Integral of damage over the probability of a year, by trapezoids.

    Parameters
    ----------
    damage_by_return_period : mapping of float to float
        Return period in years (above 0) -> damage, or people, in any unit. At least
        `FEWEST_RETURN_PERIODS`.
    harmless_return_period_years : float, optional
        Return period up to which a flood does no damage, at most the first computed one. Between
        both the damage is taken to grow linearly with falling probability. Not given: nothing is
        added, the total is a lower bound on that side.
    protection_return_period_years : float, optional
        Standard of protection: rarer floods do their damage in full, all others none. The damage
        at the standard is interpolated linearly in probability.

    Returns
    -------
    AnnualDamage
        Rarer than the rarest flood the damage is taken as constant: a lower bound.

    Raises
    ------
    DataError
        If there are too few return periods, or a damage is missing or negative.
    ParameterError
        If the harmless return period is above the first computed one, or the protection is
        beyond the last.
    """
    periods = np.array(sorted(damage_by_return_period), np.float64)
    damage = np.array([damage_by_return_period[t] for t in sorted(damage_by_return_period)])
    if len(periods) < FEWEST_RETURN_PERIODS:
        raise DataError(
            f"{len(periods)} return periods are too few for an annual mean: compute "
            f"{FEWEST_RETURN_PERIODS} or more, from frequent to rare"
        )
    if not (periods > 0).all() or not np.isfinite(periods).all():
        raise DataError(f"a return period of {periods[0]:g} years: give numbers above 0")
    if not (np.isfinite(damage) & (damage >= 0)).all():
        raise DataError("a damage is missing or negative: compute every return period first")
    chance = 1 / periods
    harmless = harmless_return_period_years
    if harmless is not None and not 0 < harmless <= periods[0]:
        raise ParameterError(
            f"a harmless return period of {harmless:g} years, but {periods[0]:g} years already "
            "has a damage: choose one up to that"
        )
    if harmless is not None and harmless < periods[0]:
        chance, damage = np.r_[1 / harmless, chance], np.r_[0.0, damage]
    standard = protection_return_period_years
    if standard is not None:
        if not 0 < standard <= periods[-1]:
            raise ParameterError(
                f"a protection of {standard:g} years lies beyond the rarest flood computed "
                f"({periods[-1]:g} years): compute a rarer one"
            )
        limit = 1 / standard
        if limit < chance[0]:
            at_limit = np.interp(limit, chance[::-1], damage[::-1])
            kept = chance < limit
            chance, damage = np.r_[limit, chance[kept]], np.r_[at_limit, damage[kept]]
    pieces = (chance[:-1] - chance[1:]) * (damage[:-1] + damage[1:]) / 2
    # the piece on the frequent side of the first computed flood rests on an assumption
    assumed = chance[:-1] > 1 / periods[0]
    split = float(pieces[assumed].sum())
    return AnnualDamage(
        computed=float(pieces.sum()) - split,
        frequent_tail=split,
        rare_tail=float(chance[-1] * damage[-1]),
    )
