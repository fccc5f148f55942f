"""docs/capacity.md names the reasons, fields, metrics and files that there are."""

import re

import pytest

from awsbatch_operator.api import capacity_reasons, catalogue
from awsbatch_operator.api.findings import Reason
from awsbatch_operator.capacity.model import Rung
from awsbatch_sandbox.paths import REPOSITORY

DOCS = REPOSITORY / "docs"
PAGE = (DOCS / "capacity.md").read_text()
# What they say is no hindrance to a launch.
TOLD = {
    "InstancesLeaving",
    "InstancesLaunched",
    "InstancesEnded",
    "InstanceProtected",
    "OrphansRemoved",
    "OrphansHeld",
    "CapacityReserved",
}


def rows(heading):
    """The first cells of the tables below a heading."""
    (section,) = [part for part in PAGE.split("\n## ") if part.startswith(heading)]
    return [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("| `")]


def words(cells):
    return {word for cell in cells for word in re.findall(r"`(\w+)`", cell)}


def test_every_reason_for_which_nothing_is_launched_is_explained():
    known = {one.name for one in vars(capacity_reasons).values() if isinstance(one, Reason)}
    assert known <= {reason.name for reason in catalogue.reasons()}
    assert words(rows("Why is nothing launched?")) == known - TOLD


def test_every_way_to_a_block_is_explained():
    assert words(rows("Guaranteed duration")) == {rung.value for rung in Rung}


@pytest.mark.parametrize("field", sorted(set(re.findall(r"`(?:\w+(?:\[\])?\.)*(\w+)`", PAGE))))
def test_a_field_that_it_names_exists_in_the_reference_or_in_the_code(field):
    reference = (DOCS / "api" / "computeenvironment.md").read_text()
    others = {reason.name for reason in catalogue.reasons()} | {"DurationNotGuaranteed"}
    told = (DOCS / "operations.md").read_text() + (DOCS / "reasons.md").read_text()
    known = field in others or f"`{field}`" in told or field in reference
    assert known or field in {
        "BlockDurationMinutes",
        "prices",
        "AmazonEC2ContainerServiceforEC2Role",
    }


def test_the_files_that_it_links_to_are_there():
    links = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert len(links) > 5
    assert [each for each in links if not (DOCS / each).exists()] == []
