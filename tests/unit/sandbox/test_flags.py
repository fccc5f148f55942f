"""How the control plane's processes are started."""

import pytest

from awsbatch_sandbox.flags import environ

GIGABYTE = 2**30


@pytest.mark.parametrize(("memory", "heap"), [(2, 1), (4, 1), (8, 2), (64, 16)])
def test_go_collects_by_a_quarter_of_the_memory_and_never_by_less_than_a_gigabyte(memory, heap):
    assert environ(memory * GIGABYTE)["GOMEMLIMIT"] == str(heap * GIGABYTE)
