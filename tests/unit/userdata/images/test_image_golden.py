"""Every byte that builders get, in files for reviewers: GOLDEN=write pytest … writes them."""

import os
from pathlib import Path

import pytest
from tests.unit.userdata.images.recipes import all_user_data

GOLDEN = Path(__file__).with_name("golden")
MADE = all_user_data()


@pytest.mark.parametrize("name", MADE)
def test_what_builds_an_image_is_to_the_byte_what_a_reviewer_has_read(name):
    path = GOLDEN / f"{name}.mime"
    if os.environ.get("GOLDEN") == "write":
        path.write_bytes(MADE[name])
    assert path.read_bytes() == MADE[name]


def test_every_golden_file_belongs_to_a_recipe():
    assert {path.stem for path in GOLDEN.iterdir()} == set(MADE)
