"""Pictures of dashboards: what they show is what the queries have answered."""

import re

import pytest
from tools.dashboard_pictures import Line, Shown, picture, said

LEFT, WIDTH, HEIGHT = 52, 472 - 52 - 10, 200 - 40 - 46  # of a plot in a panel of 12 columns
EVERY = 30.0


def panel(*lines, stacked=False, unit="short"):
    """The SVG of one panel with these lines."""
    custom = {"stacking": {"mode": "normal"}} if stacked else {}
    one = {
        "id": 1,
        "title": "How many?",
        "gridPos": {"x": 0, "y": 0, "w": 12, "h": 8},
        "fieldConfig": {"defaults": {"unit": unit, "custom": custom}},
    }
    return picture({"title": "All", "panels": [one]}, {1: Shown("quiet" if lines else "", lines)})


def drawn(svg):
    """The parts of each line: (x, y) of their points, with y as a share of the plot's height."""
    found = []
    for path in re.findall(r'<path d="([^"]*)" fill="none"', svg):
        parts = [re.findall(r"(-?[\d.]+) (-?[\d.]+)", part) for part in path.split("M")[1:]]
        found.append([[(float(x), 1 - float(y) / HEIGHT) for x, y in part] for part in parts])
    return found


def steady(value, first=0, last=600):
    """A series with this value at each scrape from the first to the last."""
    return [(EVERY * step, value) for step in range(first, last)]


@pytest.mark.parametrize("first", [0, 1, 7])
def test_a_line_that_begins_later_is_stacked_on_those_below_it(first):
    svg = panel(Line("a", steady(6.0)), Line("b", steady(4.0, first)), stacked=True)
    below, above = ([y for part in line for _, y in part] for line in drawn(svg))
    assert below == pytest.approx([0.6] * len(below), abs=0.01)
    assert above == pytest.approx([1.0] * len(above), abs=0.01)


def test_no_line_is_drawn_over_a_time_without_a_value():
    [line] = drawn(panel(Line("a", [*steady(1.0, 0, 20), *steady(1.0, 300, 320)])))
    assert len(line) == 2
    assert line[0][-1][0] < WIDTH / 10
    assert line[1][0][0] > WIDTH * 9 / 10


def test_a_single_value_is_seen():
    svg = panel(Line("a", [*steady(0.0, 0, 10), *steady(1.0, 40, 41)]))
    alone = re.findall(r'M(\S+) (\S+)h(\S+)"', svg)
    assert [(float(y), float(length) > 0) for _, y, length in alone] == [(0.0, True)]


def test_a_peak_between_two_points_is_kept():
    points = steady(1.0)
    points[307] = (points[307][0], 10.0)
    [[line]] = drawn(panel(Line("a", points)))
    assert len(line) <= 61
    assert max(y for _, y in line) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("highest", "unit", "top"),
    [
        (4000.0, "s", "2 h"),
        (700.0, "s", "20 min"),
        (3570.0, "s", "1 h"),  # and not a hundred minutes
        (40.0, "s", "50 s"),
        (55.0, "s", "1 min"),
        (0.3, "s", "500 ms"),
        (330.0 * 2**20, "bytes", "500 MiB"),
        (0.4, "currencyUSD", "$0.5"),
        (1700.0, "short", "2000"),
    ],
)
def test_the_axis_ends_at_a_round_number_of_its_unit(highest, unit, top):
    assert f">{top}<" in panel(Line("a", steady(highest)), unit=unit)


def test_nothing_is_said_to_be_nothing():
    assert said(0.0, "s") == "0 s"
    assert "no data" in panel()
