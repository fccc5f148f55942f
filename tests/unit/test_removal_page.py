"""docs/removal.md and docs/upgrades.md say what is so."""

import itertools
import re

from tests.support.removal import PAGE, UNINSTALL, orders

from awsbatch_operator.uninstall import Exit

STEPS = ("objects", "operator", "CRDs", "namespace")


def test_the_table_has_every_order_that_makes_a_difference_and_says_how_each_ends():
    """Once a namespace goes, deleting its objects one by one does nothing more."""
    differing = {
        order
        for order in itertools.permutations(STEPS)
        if order.index("objects") < order.index("namespace")
    }
    assert orders().keys() == differing
    for order, (ends, aws) in orders().items():
        gone_first = order[0] == "operator"
        assert ends == ("by the Job" if gone_first else "by itself")
        assert aws == ("stays" if gone_first else "removed")


def test_every_exit_code_is_explained():
    listed = {int(code) for code in re.findall(r"^\| (\d) \|", PAGE.read_text(), re.MULTILINE)}
    assert listed == {*Exit, 2}


def test_the_commands_name_the_job_and_the_namespace_that_the_kustomization_has():
    body = (UNINSTALL / "job.yaml").read_text()
    [name] = set(re.findall(r"job/([\w-]+)", PAGE.read_text()))
    assert f"name: {name}\n" in body
    namespaces = set(re.findall(r"-n\s+([\w-]+)", PAGE.read_text()))
    assert [f"namespace: {each}\n" in body for each in namespaces] == [True]
