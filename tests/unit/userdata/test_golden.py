"""Every byte that instances get, in files for reviewers: GOLDEN=write pytest … writes them anew."""

import os
from pathlib import Path

import pytest
from tests.unit.userdata.wishes import WISHES, rendered

GOLDEN = Path(__file__).with_name("golden")


@pytest.mark.parametrize("name", WISHES)
def test_user_data_is_to_the_byte_what_a_reviewer_has_read(name):
    made = rendered(WISHES[name])
    assert made.content == made.text.encode()
    path = GOLDEN / f"{name}.mime"
    written = f"{made.text}\n{made.hash}\n"
    if os.environ.get("GOLDEN") == "write":
        path.write_text(written)
    assert path.read_text() == written


def test_every_golden_file_belongs_to_a_wish():
    assert {path.stem for path in GOLDEN.iterdir()} == set(WISHES)
