"""Draws a dashboard as SVG from its own JSON and the answers to its queries.

No Grafana: a plain picture of the same titles, places, units, queries and legends, for the docs.
The same input gives the same bytes.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Any

CELL_WIDTH, CELL_HEIGHT = 40, 26  # of Grafana's grid, in pixels
HEAD = 34
MARGINS = (52, 40, 10, 46)  # left, top, right and bottom of a plot in its panel
POINTS, LINES = 60, 6  # at most, of a line and of a panel: pictures stay small
COLOURS = ("#7eb26d", "#eab839", "#6ed0e0", "#ef843c", "#e24d42", "#9d8cd6")
_LABEL = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_SCALES = {"s": (3600.0, 60.0, 1.0), "bytes": (2.0**20,)}  # what the values of a unit are told in
_DOT = 3  # pixels that a value without a neighbour is drawn as

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """One series, as it is called in the legend."""

    name: str
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a panel shows, and in which run."""

    run: str
    lines: Sequence[Line]


def legend(form: str, labels: Mapping[str, str]) -> str:
    """The name of a series, as Grafana makes it of `legendFormat`."""
    if form == "__auto":
        return ", ".join(f"{name}={text}" for name, text in sorted(labels.items()))
    return _LABEL.sub(lambda found: labels.get(found[1], ""), form).strip()


def picture(dashboard: Mapping[str, Any], shown: Mapping[int, Shown]) -> str:
    """The whole dashboard; `shown` by the panels' ids."""
    panels = dashboard["panels"]
    width = max(each["gridPos"]["x"] + each["gridPos"]["w"] for each in panels) * CELL_WIDTH
    rows = max(each["gridPos"]["y"] + each["gridPos"]["h"] for each in panels)
    height = HEAD + rows * CELL_HEIGHT
    namespace = 'xmlns="http://www.w3.org/2000/svg"'
    body = [
        f'<svg {namespace} viewBox="0 0 {width} {height}" font-family="sans-serif">',
        f'<rect width="{width}" height="{height}" fill="#111217"/>',
        _text(12, 22, dashboard["title"], "#d8d9da", size=15),
    ]
    for panel in panels:
        body += _panel(panel, shown.get(panel["id"], Shown("", ())))
    return "\n".join([*body, "</svg>", ""])


def _panel(panel: Mapping[str, Any], shown: Shown) -> Iterator[str]:
    place, defaults = panel["gridPos"], panel["fieldConfig"]["defaults"]
    x, y = place["x"] * CELL_WIDTH + 4, HEAD + place["y"] * CELL_HEIGHT
    width, height = place["w"] * CELL_WIDTH - 8, place["h"] * CELL_HEIGHT - 8
    lines, apart = _thinned(shown.lines[:LINES])
    yield f'<g transform="translate({x} {y})">'
    yield f'<rect width="{width}" height="{height}" rx="2" fill="#181b1f" stroke="#2c3235"/>'
    yield _text(10, 18, panel["title"], "#d8d9da", size=12)
    yield _text(10, 31, f"run: {shown.run}" if shown.run else "no data", "#7b8087", size=9)
    left, top, right, bottom = MARGINS
    size = (width - left - right, height - top - bottom)
    yield f'<g transform="translate({left} {top})">'
    yield from _plot(lines, apart, size, defaults)
    yield "</g>"
    yield from _legend(lines, width, height)
    yield "</g>"


def _plot(
    lines: Sequence[Line], apart: float, size: tuple[int, int], defaults: Mapping[str, Any]
) -> Iterator[str]:
    """The lines, whose points are so many seconds apart where nothing is missing."""
    width, height = size
    stacked = "stacking" in defaults["custom"]
    layers = list(_layers(lines)) if stacked else [line.points for line in lines]
    highest = max((value for points in layers for _, value in points), default=1.0)
    most = defaults.get("max") or _top(highest, defaults["unit"])
    times = [at for line in lines for at, _ in line.points]
    begin, end = min(times, default=0.0), max(times, default=1.0)
    for part in range(3):
        y = height - height * part / 2
        yield f'<path d="M0 {y:.0f}H{width}" stroke="#2c3235"/>'
        yield _text(-6, y + 4, said(most * part / 2, defaults["unit"]), "#9fa7b3", end=True)
        minutes = (end - begin) * part / 2 / 60
        at, anchored = width * part / 2, part == 2  # noqa: PLR2004 - the last
        yield _text(at, height + 14, f"{minutes:.0f} min", "#9fa7b3", end=anchored)
    for points, colour in zip(layers, COLOURS, strict=False):
        placed = [
            [
                (width * (at - begin) / max(end - begin, 1), height - height * value / most)
                for at, value in part
            ]
            for part in _parts(points, apart)
        ]
        path = "".join(map(_path, placed))
        yield f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'


def _parts(points: Sequence[Point], apart: float) -> list[list[Point]]:
    """The points between one gap and the next: over a time without a value no line is drawn."""
    parts = [[point] for point in points[:1]]
    for before, point in pairwise(points):
        if point[0] - before[0] > 1.5 * apart:
            parts.append([])
        parts[-1].append(point)
    return parts


def _path(points: Sequence[Point]) -> str:
    if len(points) > 1:
        return "M" + "L".join(f"{x:.0f} {y:.1f}" for x, y in points)
    [(x, y)] = points
    return f"M{x - _DOT / 2:.1f} {y:.1f}h{_DOT}"


def _layers(lines: Sequence[Line]) -> Iterator[Sequence[Point]]:
    """Each line on top of those before it."""
    below: dict[float, float] = {}
    for line in lines:
        layer = [(at, value + below.get(at, 0.0)) for at, value in line.points]
        below |= dict(layer)
        yield layer


def _legend(lines: Sequence[Line], width: int, height: int) -> Iterator[str]:
    columns = 2 if len(lines) < 5 else 3  # noqa: PLR2004 - two rows of them
    room = (width - 20) // columns
    for number, (line, colour) in enumerate(zip(lines, COLOURS, strict=False)):
        x, y = 10 + room * (number % columns), height - 18 + 12 * (number // columns)
        yield f'<rect x="{x}" y="{y - 5}" width="10" height="3" fill="{colour}"/>'
        most = room // 6
        name = line.name if len(line.name) <= most else f"{line.name[: most - 1]}…"
        yield _text(x + 14, y, name, "#9fa7b3", size=10)


def _thinned(lines: Sequence[Line]) -> tuple[list[Line], float]:
    """With as many points as there is room for, and how many seconds these are apart.

    What is highest between two is kept. The times are the same in all lines, which could not be
    stacked otherwise.
    """
    times = sorted({at for line in lines for at, _ in line.points})
    every = min((one - other for other, one in pairwise(times)), default=1.0)
    begin, end = (times[0], times[-1]) if times else (0.0, 0.0)
    apart = every * math.ceil(((end - begin) / every + 1) / POINTS)
    return [_at_times(line, begin, apart) for line in lines], apart


def _at_times(line: Line, begin: float, apart: float) -> Line:
    highest: dict[float, float] = {}
    for at, value in line.points:
        time = begin + apart * ((at - begin) // apart)
        highest[time] = max(value, highest.get(time, value))
    return Line(line.name, list(highest.items()))


def _top(value: float, unit: str) -> float:
    """Where an axis ends: at a number that is round in what its values are told in."""
    most = math.inf
    for scale in _SCALES.get(unit, ()):
        if value >= scale:
            return min(scale * _nice(value / scale), most)
        most = scale
    return min(_nice(value), most)


def _nice(value: float) -> float:
    """A round number that is not smaller."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * step for step in _STEPS if power * step >= value * 0.999)


def said(value: float, unit: str) -> str:
    """A value with its unit, about as Grafana writes it."""
    if unit == "percentunit":
        return f"{value:.0%}"
    if unit == "bytes":
        return f"{value / 2**20:.0f} MiB"
    if unit == "s":
        for seconds, name in zip(_SCALES["s"], ("h", "min", "s"), strict=True):
            if value >= seconds:
                return f"{value / seconds:.3g} {name}"
        return f"{value * 1000:.3g} ms" if value else "0 s"
    number = f"{value:.3g}" if value < 1000 else f"{value:.0f}"  # noqa: PLR2004 - .3g has an "e"
    return {"currencyUSD": "${}", "reqps": "{}/s"}.get(unit, "{}").format(number)


def _text(x: float, y: float, text: str, colour: str, *, size: int = 10, end: bool = False) -> str:
    anchor = ' text-anchor="end"' if end else ""
    words = escape(text)
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" fill="{colour}" font-size="{size}"{anchor}>{words}</text>'
    )
