"""What a process prints, as the lines of a log: complete, bounded, and never waiting for more."""

import codecs

LINE_CHARACTERS = 16_384  # Docker's awslogs driver splits longer lines, too


class Lines:
    """Bytes in, lines out; after `limit` bytes one last line says that the rest is lost."""

    def __init__(self, limit: int) -> None:
        self._limit = self._left = limit
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._rest = ""

    def feed(self, chunk: bytes) -> list[str]:
        """The lines that a chunk completes."""
        if not self._left:
            return []
        taken = chunk[: self._left]
        self._left -= len(taken)
        *lines, self._rest = (self._rest + self._decoder.decode(taken)).split("\n")
        while len(self._rest) > LINE_CHARACTERS:
            lines.append(self._rest[:LINE_CHARACTERS])
            self._rest = self._rest[LINE_CHARACTERS:]
        if not self._left:
            lines += [self._rest] * bool(self._rest)
            self._rest = ""
            lines.append(f"[the simulator keeps {self._limit} bytes of output; the rest is lost]")
        return [part for line in lines for part in _parts(line.removesuffix("\r"))]

    def end(self) -> list[str]:
        """What stands without a newline at the end."""
        last, self._rest = self._rest + self._decoder.decode(b"", final=True), ""
        return [last] if last and self._left else []


def _parts(line: str) -> list[str]:
    return [
        line[start : start + LINE_CHARACTERS]
        for start in range(0, max(len(line), 1), LINE_CHARACTERS)
    ]
