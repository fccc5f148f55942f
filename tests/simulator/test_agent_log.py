"""The ECS agent's own words on the console, as far as the user data puts them there."""

import pytest
from tests.simulator.hosts import console, joined, joining, launch, unmanaged

PRINTS = """for after in 90 240; do
  systemd-run --on-active="${after}s" /bin/sh -c 'tail /var/log/ecs/*.log >/dev/console'
done
"""


@pytest.mark.parametrize(
    ("fault", "fields", "logged"),
    [
        (
            "instance_role_lacks_permissions",
            {},
            "is not authorized to perform: ecs:RegisterContainerInstance on resource: *",
        ),
        ("no_way_to_ecs", {}, "dial tcp 10.0.0.5:443: i/o timeout"),
        ("", {"IamInstanceProfile": {}}, "NoCredentialProviders: no valid providers in chain"),
    ],
)
def test_what_keeps_the_agent_out_is_on_the_console_if_the_user_data_prints_its_log(
    fault, fields, logged
):
    cloud = unmanaged()
    if fault:
        cloud.fault(fault)
    silent = launch(cloud, joining(cloud), **fields, seconds=300)
    telling = launch(cloud, joining(cloud) + PRINTS, **fields, seconds=85)
    assert logged not in console(cloud, telling)
    cloud.step(30)
    assert joined(cloud) == []
    assert logged in console(cloud, telling)
    assert 'msg="Unable to register as a container instance with ECS"' in console(cloud, telling)
    assert logged not in console(cloud, silent)
