"""What happened when, as a picture in text. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

COLUMNS = 20


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that has happened."""

    seconds: float  # since the story began
    text: str


def drawn(moments: Sequence[Moment], *, columns: int = COLUMNS) -> list[str]:
    """A line for each moment: when, how long after the one before, and that time as a bar.

    0.0 s            │                    │  applied
    2.1 s  +  2.1 s  │━━━━                │  the environment is VALID
    """
    if not moments:
        return []
    first, whole = moments[0].seconds, moments[-1].seconds - moments[0].seconds
    lines, before = [], first
    for moment in moments:
        after = "" if moment is moments[0] else f"+{moment.seconds - before:5.1f} s"
        start, end = (
            0 if not whole else round((at - first) / whole * columns)
            for at in (before, moment.seconds)
        )
        bar = f"{' ' * start}{'━' * (end - start)}".ljust(columns)
        lines.append(f"{moment.seconds - first:7.1f} s  {after:>8}  │{bar}│  {moment.text}")
        before = moment.seconds
    return lines
