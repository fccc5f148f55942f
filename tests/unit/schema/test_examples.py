"""What examples/ show is valid, complete, and says what this version does not do yet."""

import re
from decimal import Decimal

import pytest
from tests.support.examples import DIRECTORY, bodies, folders, listed, manifests

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.generate import RESOURCES
from awsbatch_operator.schema.declare import unsupported
from awsbatch_operator.schema.validate import read_spec

BY_KIND = {resource.kind: resource for resource in RESOURCES}
MANIFESTS = manifests()
FOLDERS = folders()


@pytest.mark.parametrize("path", MANIFESTS)
def test_an_example_is_a_valid_object(path):
    body = MANIFESTS[path]
    read_spec(BY_KIND[body["kind"]], body["spec"])


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_kustomization_applies_every_file_beside_it_and_nothing_twice(folder):
    here = DIRECTORY / folder
    there = {path.name for path in here.glob("*.yaml")} - {"kustomization.yaml"}
    assert sorted(name for name in listed(folder) if not (here / name).is_dir()) == sorted(there)
    keys = [ObjectKey(body["kind"], "", body["metadata"]["name"]) for body in bodies(folder)]
    assert len(set(keys)) == len(keys)


def test_examples_ask_for_nothing_that_is_not_honoured_yet():
    asked = {
        path.partition("/")[0]
        for path, body in MANIFESTS.items()
        if unsupported(BY_KIND[body["kind"]], body["spec"])
    }
    assert asked == set()


@pytest.mark.parametrize("folder", [each for each in FOLDERS if each != "replacement/work"])
def test_every_reference_of_an_example_is_to_an_object_beside_it(folder):
    here = bodies(folder)
    names = {(body["kind"].lower(), body["metadata"]["name"]) for body in here}
    kinds = {"account": "awsaccount", "ami": "extendedami", "job": "batchjob"}
    for body in here:
        for word, name in re.findall(r"'(\w+)Ref': {'name': '([\w-]+)'", str(body["spec"])):
            assert (kinds.get(word, word.lower()), name) in names, body["metadata"]["name"]


def test_every_example_has_a_readme_or_says_in_its_files_what_it_shows():
    for path in DIRECTORY.glob("**/*.yaml"):
        here = path.parent
        explained = (here / "README.md").exists() or (here.parent / "README.md").exists()
        assert explained or path.read_text().startswith("#") or path.name == "kustomization.yaml"


def test_the_block_is_that_of_the_write_up_and_fits_its_own_limits():
    capacity = MANIFESTS["spot-block/environment.yaml"]["spec"]["capacity"]
    (pool,) = capacity["pools"]
    block, limits = pool["spotBlock"], capacity["limits"]
    assert (pool["instanceTypes"], pool["maxPricePerHour"]) == (["r5.large"], "0.03")
    assert block["durationSeconds"] % 3600 == 0
    assert block["instanceCount"] <= limits["maxInstances"]
    cost = block["instanceCount"] * Decimal(pool["maxPricePerHour"])
    assert cost <= Decimal(limits["maxHourlyCost"])


def test_rolling_order_is_a_rotation():
    queues = [body for body in bodies("rolling-order") if body["kind"] == "JobQueue"]
    orders = [
        [
            entry["computeEnvironmentRef"]["name"]
            for entry in queue["spec"]["computeEnvironmentOrder"]
        ]
        for queue in queues
    ]
    first = orders[0]
    assert orders == [first[turn:] + first[:turn] for turn in range(len(first))]


def test_before_and_after_a_replacement_differ_in_one_line():
    before, after = (
        MANIFESTS[f"replacement/{when}/environment.yaml"]["spec"]["computeResources"]
        for when in ("before", "after")
    )
    assert {name for name in before if before[name] != after.get(name)} == {"allocationStrategy"}
    assert before.keys() == after.keys()
