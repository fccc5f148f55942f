"""What an instance prints, and when: GetConsoleOutput shows the most recent 64 KB of it.

Source: `GetConsoleOutput` in the EC2 API reference.
"""

from dataclasses import dataclass, field

CONSOLE_BYTES = 65_536
PIECES = 16  # of what is printed over a while


@dataclass(slots=True, eq=False)
class Console:
    """Texts with the moments (epoch seconds) at which they are printed; some are still to come."""

    said: list[tuple[float, str]] = field(default_factory=list)

    def say(self, at: float, text: str) -> None:
        """Print a text at a moment; what no answer can show any more is forgotten."""
        if not text:
            return
        self.said.append((at, text))
        if len(self.said) > PIECES and sum(len(each) for _, each in self.said) > 2 * CONSOLE_BYTES:
            joined = "".join(each for moment, each in self.said if moment <= at)[-CONSOLE_BYTES:]
            self.said = [(at, joined), *(each for each in self.said if each[0] > at)]

    def say_over(self, start: float, seconds: float, text: str) -> None:
        """Print lines one after the other over a while: the first at once, the last at its end."""
        lines = text.splitlines(keepends=True)
        size = max(1, -(-len(lines) // PIECES))
        pieces = ["".join(lines[at : at + size]) for at in range(0, len(lines), size)]
        for number, piece in enumerate(pieces, start=1):
            share = (number - 1) / (len(pieces) - 1) if number < len(pieces) else 1.0
            self.say(start + seconds * share, piece)

    def cut(self, now: float) -> None:
        """The host has ended: nothing more is printed."""
        self.said = [each for each in self.said if each[0] <= now]

    def text(self, until: float) -> str:
        """What was printed up to a moment, at most 64 KB of it."""
        whole = "".join(each for at, each in self.said if at <= until)
        return whole.encode()[-CONSOLE_BYTES:].decode("utf-8", "ignore")
