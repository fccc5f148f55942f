"""The table of kinds and points has no hole."""

import importlib
from pathlib import Path

from tests.conformance.conftest import CELL, subjects_of
from tests.conformance.points import NOT_APPLICABLE, Cell, Point
from tests.conformance.subjects import SUBJECTS

from awsbatch_operator.assembly import KINDS

HERE = Path(__file__).parent


def held() -> set[Cell]:
    """The cells for which there is a test in the modules beside this one."""
    found = set()
    for path in sorted(HERE.glob("test_*.py")):
        module = importlib.import_module(f"tests.conformance.{path.stem}")
        for function in vars(module).values():
            for mark in getattr(function, "pytestmark", ()):
                if mark.name == CELL:
                    point, *subjects = mark.args
                    found |= {(each, point) for each in subjects or subjects_of(point)}
    return found


def test_each_kind_is_held_to_each_point_that_can_apply_to_it():
    every = {(subject, point) for subject in SUBJECTS for point in Point}
    assert held() == every - NOT_APPLICABLE.keys()


def test_each_kind_has_a_subject():
    assert {subject.kind for subject in SUBJECTS} == set(KINDS)
