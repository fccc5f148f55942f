"""A measured figure beside its target, and the table of them."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One row. `least` says that more is better; without a target it is only shown."""

    what: str
    measured: float
    target: float | None
    unit: str
    note: str = ""
    least: bool = False

    @property
    def reached(self) -> bool:
        """Whether the target is met."""
        if self.target is None:
            return True
        if self.least:
            return self.measured >= self.target
        return self.measured <= self.target

    def row(self) -> tuple[str, str, str, str]:
        """The cells of the table."""
        what = f"{self.what} ({self.note})" if self.note else self.what
        measured = f"{self.measured:.4g} {self.unit}"
        if self.target is None:
            return what, measured, "", ""
        sign = "≥" if self.least else "≤"
        verdict = "reached" if self.reached else "FALLS SHORT"
        return what, measured, f"{sign} {self.target:g}", verdict


def print_table(figures: Iterable[Figure]) -> None:
    """Each figure beside its target, whether it is met or not."""
    rows = [("what", "measured", "target", ""), *(figure.row() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """Progress, apart from the table."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
