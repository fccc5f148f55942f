"""kubectl diff has nothing to show of what the operator has made: it writes no spec."""

import pytest
import yaml
from tests.support import quickstart
from tests.support.cluster import is_complete, is_ready
from tests.support.site import opened

APPLIES = {"server": ("--server-side",), "client": ()}


@pytest.fixture(scope="module")
def site(control_plane, crds, tmp_path_factory):
    """As everywhere, but jobs end soon."""
    with opened(control_plane, tmp_path_factory.mktemp("site")) as site:
        site.script(durationSeconds=2)
        site.start()
        yield site


@pytest.mark.parametrize("how", APPLIES.values(), ids=APPLIES)
def test_there_is_no_difference_after_all_is_ready_and_one_after_an_edit(
    site, cluster, tmp_path, how
):
    kubectl, here = site.control_plane.kubectl, f"--namespace={cluster.namespace}"
    where = f"--kustomize={quickstart.DIRECTORY}"
    kubectl("apply", *how, where, here)
    cluster.wait(*quickstart.JOB, is_complete, "is Complete")
    for each in (quickstart.ENVIRONMENT, quickstart.QUEUE, quickstart.DEFINITION):
        cluster.wait(*each, is_ready, "is Ready")
    found = kubectl("diff", *how, where, here, check=False)
    assert (found.returncode, found.stdout) == (0, ""), found.stderr
    changed = quickstart.bodies()
    changed[1]["spec"]["priority"] = 11
    edited = tmp_path / "edited.yaml"
    edited.write_text(yaml.safe_dump_all(changed))
    found = kubectl("diff", *how, f"--filename={edited}", here, check=False)
    assert found.returncode == 1, found.stderr
    lines = [line for line in found.stdout.splitlines() if line.startswith(("+ ", "- "))]
    assert [line.strip("+- ") for line in lines if "generation" not in line] == [
        "priority: 10",
        "priority: 11",
    ]
