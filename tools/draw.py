"""Draw docs/pictures/*.svg from tools/pictures/*.yaml: boxes in rows, and arrows between them.

The pictures are narrow, so that they can be read on a phone, and have a ground of their own, so
that they can be read on a dark page. Equal descriptions give equal files.

Without arguments it writes; with --check it says what would differ, and fails if anything does.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import yaml

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "tools" / "pictures"
PICTURES = ROOT / "docs" / "pictures"

WIDTH, MARGIN, GAP = 440, 10, 20
COLUMN = (WIDTH - 2 * MARGIN - GAP) // 2
LINE, PADDING, BETWEEN = 19, 16, 38  # heights: of a line, of what is above and below, of an arrow
LETTER = 7.3  # about as wide as a letter of this size is
KINDS = {  # ground, edge, and what the legend calls it
    "kube": ("#e3ecff", "#3f5fb5", "Kubernetes"),
    "ours": ("#e0f3e8", "#2e7d55", "the operator"),
    "aws": ("#fff0d9", "#b26a00", "AWS"),
    "bad": ("#fde4e4", "#b33a3a", "needs a person"),
}
_STYLE = (
    "text{font:14px system-ui,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;fill:#1c2330}"
    ".small{font-size:12.5px;fill:#47505f}"
    "path{fill:none;stroke:#5a6475;stroke-width:1.5;marker-end:url(#tip)}"
)
_HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
    'viewBox="0 0 {width} {height}" role="img">'
)
_TIP = (
    '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
    'orient="auto"><polygon points="0,0 8,4 0,8" fill="#5a6475"/></marker>'
)


@dataclass(frozen=True, slots=True)
class Box:
    """A box where it is drawn."""

    kind: str
    lines: tuple[str, ...]
    left: int
    top: int
    width: int
    height: int

    @property
    def middle(self) -> int:
        """Where an arrow from or to it is, unless both ends have to meet elsewhere."""
        return self.left + self.width // 2


def laid_out(rows: Sequence[Any]) -> tuple[dict[str, Box], int]:
    """The boxes by their names, and where the last row ends.

    A row is one wide box, or a list of two narrow ones, of which one may be missing (null).
    """
    boxes, top = {}, MARGIN
    for row in rows:
        cells = row if isinstance(row, list) else [row]
        width = COLUMN if isinstance(row, list) else WIDTH - 2 * MARGIN
        lines = [tuple(cell["text"].strip().splitlines()) if cell else () for cell in cells]
        height = PADDING + LINE * max(map(len, lines))
        for column, (cell, text) in enumerate(zip(cells, lines, strict=True)):
            if cell:
                left = MARGIN + column * (COLUMN + GAP)
                boxes[cell["name"]] = Box(cell["kind"], text, left, top, width, height)
        top += height + BETWEEN
    return boxes, top - BETWEEN


def drawn(picture: Mapping[str, Any]) -> str:
    """The picture as SVG."""
    boxes, bottom = laid_out(picture["rows"])
    kinds = [kind for kind in KINDS if any(box.kind == kind for box in boxes.values())]
    height = bottom + 34
    parts = [
        _HEAD.format(width=WIDTH, height=height),
        f"<title>{escape(picture['title'])}</title>",
        f"<style>{_STYLE}</style><defs>{_TIP}</defs>",
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#f7f9fc"/>',
        *(part for box in boxes.values() for part in _box(box)),
        *(part for arrow in picture["arrows"] for part in _arrow(arrow, boxes)),
        *_legend(kinds, height - 12),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _box(box: Box) -> Iterator[str]:
    ground, edge, _ = KINDS[box.kind]
    yield (
        f'<rect x="{box.left}" y="{box.top}" width="{box.width}" height="{box.height}" rx="6" '
        f'fill="{ground}" stroke="{edge}"/>'
    )
    first = box.top + (box.height - LINE * len(box.lines)) // 2 + 14
    for number, line in enumerate(box.lines):
        yield (
            f'<text x="{box.middle}" y="{first + number * LINE}" text-anchor="middle">'
            f"{escape(line)}</text>"
        )


def _arrow(arrow: Mapping[str, Any], boxes: Mapping[str, Box]) -> Iterator[str]:
    """From the lower edge of one to the upper edge of the other, or sideways within a row."""
    start, end = boxes[arrow["from"]], boxes[arrow["to"]]
    if start.top == end.top:
        y = start.top + start.height // 2
        if start.left < end.left:
            yield f'<path d="M{start.left + start.width} {y}H{end.left - 2}"/>'
        else:
            yield f'<path d="M{start.left} {y}H{end.left + end.width + 2}"/>'
        return
    y, tip = start.top + start.height, end.top - 2
    if start.width != end.width:
        x = narrow_of(start, end).middle
        yield f'<path d="M{x} {y}V{tip}"/>'
    elif (x := start.middle) == end.middle:
        yield f'<path d="M{x} {y}V{tip}"/>'
    else:
        yield f'<path d="M{x} {y}V{y + BETWEEN // 2}H{end.middle}V{tip}"/>'
    if text := arrow.get("text"):
        yield f'<text class="small" x="{x + 8}" y="{y + BETWEEN // 2 + 4}">{escape(text)}</text>'


def narrow_of(start: Box, end: Box) -> Box:
    """The narrower of two boxes, below or above whose middle the arrow between them is."""
    return min(start, end, key=lambda box: box.width)


def _legend(kinds: Sequence[str], y: int) -> Iterator[str]:
    x = MARGIN
    for kind in kinds:
        ground, edge, words = KINDS[kind]
        yield (
            f'<rect x="{x}" y="{y - 10}" width="12" height="12" rx="2" fill="{ground}" '
            f'stroke="{edge}"/><text class="small" x="{x + 17}" y="{y}">{words}</text>'
        )
        x += 34 + round(LETTER * len(words) * 12.5 / 14)


def too_wide(picture: Mapping[str, Any]) -> list[str]:
    """Texts that would not fit into their box, or beside their arrow."""
    boxes, _ = laid_out(picture["rows"])
    found = [
        line
        for box in boxes.values()
        for line in box.lines
        if len(line) * LETTER > box.width - PADDING // 2
    ]
    for arrow in picture["arrows"]:
        start, end = boxes[arrow["from"]], boxes[arrow["to"]]
        x, text = narrow_of(start, end).middle, arrow.get("text", "")
        sideways = bool(text) and start.top == end.top  # which is as short as GAP
        if sideways or x + 8 + len(text) * LETTER * 12.5 / 14 > WIDTH:
            found.append(text)
    return found


def pictures() -> dict[Path, str]:
    """Each file that is drawn, with its content."""
    found = {}
    for source in sorted(SOURCES.glob("*.yaml")):
        picture = yaml.safe_load(source.read_text(encoding="utf-8"))
        if wide := too_wide(picture):
            raise SystemExit(f"{source.relative_to(ROOT)}: too long for its place: {wide}")
        found[PICTURES / f"{source.stem}.svg"] = drawn(picture)
    return found


def main(arguments: Sequence[str]) -> int:
    """Write or check; 1 if something differs."""
    wanted = pictures()
    if "--check" not in arguments:
        PICTURES.mkdir(parents=True, exist_ok=True)
        for path, text in wanted.items():
            path.write_text(text, encoding="utf-8")
        return 0
    differing = [
        path for path, text in wanted.items() if not path.exists() or path.read_text() != text
    ]
    strays = set(PICTURES.glob("*.svg")) - wanted.keys()
    for path in sorted(differing):
        print(f"{path.relative_to(ROOT)} is not what its source says; run: make reference")
    for path in sorted(strays):
        print(f"{path.relative_to(ROOT)} has no source any more; remove it")
    return 1 if differing or strays else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
