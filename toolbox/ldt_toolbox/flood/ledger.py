"""Where the water of a run came from and went to, in cubic metres and double precision."""

from dataclasses import dataclass


@dataclass
class Ledger:
    """Volumes since the start of a run, m3.

    Attributes
    ----------
    initial, rain, inflow : float
        What was there, fell, and came in through cells and sides.
    losses, outflow : float
        What seeped away or went into sewers, and what left through sides and cells.
    stored : float
        What is there now.
    """

    initial: float = 0.0
    rain: float = 0.0
    inflow: float = 0.0
    losses: float = 0.0
    outflow: float = 0.0
    stored: float = 0.0

    @property
    def error(self) -> float:
        """Water that appeared (positive) or vanished, m3."""
        return self.stored - (self.initial + self.rain + self.inflow - self.losses - self.outflow)

    @property
    def relative_error(self) -> float:
        """The error as a share of all the water that was ever in the model; 0 if there was none."""
        supplied = self.initial + self.rain + self.inflow
        return self.error / supplied if supplied > 0 else self.error

    def exchange(self, volume_m3: float) -> None:
        """Book what went through a boundary, positive into the model."""
        if volume_m3 >= 0:
            self.inflow += volume_m3
        else:
            self.outflow -= volume_m3
