"""What examples/ show is valid, complete, and says what this version does not do yet."""

from decimal import Decimal

import pytest
import yaml
from tests.support.examples import DIRECTORY, manifests

from awsbatch_operator.generate import RESOURCES
from awsbatch_operator.schema.declare import unsupported
from awsbatch_operator.schema.validate import read_spec

BY_KIND = {resource.kind: resource for resource in RESOURCES}
MANIFESTS = manifests()
FOLDERS = sorted(path.parent for path in DIRECTORY.glob("*/kustomization.yaml"))


@pytest.mark.parametrize("path", MANIFESTS)
def test_an_example_is_a_valid_object(path):
    body = MANIFESTS[path]
    read_spec(BY_KIND[body["kind"]], body["spec"])


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_kustomization_applies_every_file_beside_it(folder):
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    there = {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"}
    assert sorted(listed) == sorted(there)


def test_examples_ask_for_nothing_that_is_not_honoured_yet():
    asked = [
        (path, field.path)
        for path, body in MANIFESTS.items()
        for field in unsupported(BY_KIND[body["kind"]], body["spec"])
    ]
    assert asked == []


def test_the_block_is_that_of_the_write_up_and_fits_its_own_limits():
    capacity = MANIFESTS["spot-block/environment.yaml"]["spec"]["capacity"]
    (pool,) = capacity["pools"]
    block, limits = pool["spotBlock"], capacity["limits"]
    assert (pool["instanceTypes"], pool["maxPricePerHour"]) == (["r5.large"], "0.03")
    assert block["durationSeconds"] % 3600 == 0
    assert block["instanceCount"] <= limits["maxInstances"]
    cost = block["instanceCount"] * Decimal(pool["maxPricePerHour"])
    assert cost <= Decimal(limits["maxHourlyCost"])
