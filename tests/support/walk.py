"""The commands of a page of ours and what it says that they print, and whether they really do."""

import re
from dataclasses import dataclass

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# What differs from one walk to the next: ids, ages and durations, and vCPUs that come and go.
_DIFFERS = (
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "ID"),
    (re.compile(r"(?<=-)[0-9a-f]{8}([0-9a-f]{8})?\b"), "ID"),
    (re.compile(r"(?<!\S)(\d+[hms])+(?!\S)"), "AGE"),
    (re.compile(r"(?<=after )\d+ s\b"), "TIME"),
    (re.compile(r"(?<=ENABLED)\s+\d+\s+(?=16\b)"), " VCPUS "),
    (re.compile(r"[ \t]+"), " "),
)
_LEFT_OUT = re.escape("…")


@dataclass(frozen=True, slots=True)
class Step:
    """A command, and the lines that are shown beneath it; a line … stands for any lines."""

    command: str
    shown: str

    def shows(self, printed: str) -> bool:
        """Whether what the command has printed is what the page shows."""
        pattern = "".join(
            "(?:.*\n)*" if line == "…" else re.escape(line).replace(_LEFT_OUT, ".*") + "\n"
            for line in _alike(self.shown).splitlines()
        )
        return re.fullmatch(pattern, _alike(printed)) is not None


def steps(page: str, heading: str) -> list[Step]:
    """The commands below a heading of the page, in order."""
    (section,) = [part for part in page.split("\n## ") if part.startswith(f"{heading}\n")]
    return [
        Step(command, "".join(f"{line}\n" for line in rest).strip("\n"))
        for block in _BLOCK.findall(section)
        for command, *rest in (part.splitlines() for part in f"\n{block}".split("\n$ ")[1:])
    ]


def _alike(text: str) -> str:
    lines = [line.rstrip() for line in text.strip("\n").splitlines()]
    joined = "".join(f"{line}\n" for line in lines)
    for pattern, word in _DIFFERS:
        joined = pattern.sub(word, joined)
    return joined
