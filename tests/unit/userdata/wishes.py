"""User data that is asked for in the tests, by the names of their golden files."""

from dataclasses import replace

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.userdata.model import Given, Refused, Rendered, UserData
from awsbatch_operator.userdata.render import render

CLUSTER = "arn:aws:ecs:eu-central-1:111122223333:cluster/AWSBatch-lab-shared-0c9f-4d1e"
PLAIN = UserData(
    cluster=CLUSTER,
    cluster_id="lab",
    environment_uid="8f14e45f-ceea-467f-a8b5-1c2d3e4f5a6b",
    pool="main",
    market="OnDemand",
    region="eu-central-1",
    image_id="ami-0123456789abcdef0",
)
END = Instant.parse("2027-03-01T12:00:00Z")

SCRIPT = """\
#!/bin/bash
# Mounts the file system of the group.
set -euo pipefail
mkdir -p /efs
echo "fs-0123 /efs efs _netdev,nofail 0 0" >>/etc/fstab
mount -a
"""
CLOUD_CONFIG = """\
#cloud-config
packages: [htop, nfs-utils]
write_files:
- path: /etc/motd
  content: |
    Jobs of the laboratory
runcmd:
- [sysctl, -w, vm.max_map_count=262144]
- mkdir -p /scratch && mount /dev/nvme1n1 /scratch
"""
BOOTHOOK = """\
#cloud-boothook
#!/bin/sh
mkdir -p /etc/docker
echo '{"default-ulimits": {"nofile": {"Name": "nofile", "Soft": 65536, "Hard": 65536}}}' \\
  >/etc/docker/daemon.json
"""
# With what people's messages have: carriage returns, a blank line at the top, a part in base64,
# one whose type its content tells, one without a name, one in another encoding.
MIME = """\

MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="==BOUNDARY=="

--==BOUNDARY==
Content-Type: text/cloud-boothook; charset="us-ascii"

#!/bin/sh
echo 'OPTIONS="--default-ulimit nofile=65536"' >/etc/sysconfig/docker

--==BOUNDARY==
Content-Type: text/x-shellscript; charset="utf-8"
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename="first one.sh"

IyEvYmluL2Jhc2gKZWNobyBmaXJzdAo=
--==BOUNDARY==
Content-Type: text/plain

#cloud-config
packages: [lustre-client]
--==BOUNDARY==
Content-Type: text/cloud-config; charset="utf-8"
Merge-Type: list(append)+dict(no_replace,recurse_list)+str()

packages: [htop]
--==BOUNDARY==
Content-Type: text/x-shellscript-per-boot; charset="iso-8859-1"
Content-Transfer-Encoding: quoted-printable

#!/bin/sh
echo Gr=FC=DFe
--==BOUNDARY==--
""".replace("\n", "\r\n")
ECS_CONFIG = (
    ("ECS_IMAGE_PULL_BEHAVIOR", "prefer-cached"),
    ("ECS_RESERVED_MEMORY", "512"),
    ("ECS_INSTANCE_ATTRIBUTES", '{"team": "climate"}'),
    ("ECS_CONTAINER_INSTANCE_TAGS", '{"cost centre": "4711 = Klima & Co <x>"}'),
    ("ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION", "1h30m"),
    ("HTTP_PROXY", "http://proxy.example.org:3128"),
    ("NO_PROXY", "169.254.169.254,169.254.170.2,/var/run/docker.sock"),
)
# Letters that look random would not compress.
LONG = "#!/bin/bash\n" + "".join(
    f"echo 'line {number} of a long script'\n" for number in range(600)
)


def with_given(**fields) -> UserData:
    """The plain one with that from the user."""
    return replace(PLAIN, given=Given(**fields))


def rendered(wish: UserData) -> Rendered:
    """Its user data; fails if it is refused."""
    made = render(wish)
    assert isinstance(made, Rendered), made
    return made


def refused(wish: UserData) -> Refused:
    """Why it has none; fails if it has."""
    made = render(wish)
    assert isinstance(made, Refused), made
    return made


def agent_settings(wish: UserData) -> str:
    """The part that writes the agent's settings."""
    return rendered(wish).parts[-1].text


WISHES = {
    "plain": PLAIN,
    "spot-with-gpu-and-endpoint": replace(
        PLAIN, market="Spot", gpu=True, ecs_endpoint="https://ecs.eu-central-1.example.org"
    ),
    "script": with_given(script=SCRIPT),
    "script-without-shebang-in-utf-8": with_given(script="echo 'Grüße — 計算'\n"),
    "boothook": with_given(script=BOOTHOOK),
    "cloud-config-and-script": with_given(script=SCRIPT, cloud_config=CLOUD_CONFIG),
    "mime": with_given(mime=MIME),
    "ecs-config": with_given(ecs_config=ECS_CONFIG),
    "block-with-an-end": replace(PLAIN, market="SpotBlock", ends_at=END),
    "ends-after-some-hours": replace(PLAIN, ends_after_seconds=14_400, given=Given(script=SCRIPT)),
}
