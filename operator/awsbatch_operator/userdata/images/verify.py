"""What an instance of a new image boots with: it joins a cluster, measures itself and tells.

The measuring runs in cloud-init's last stage, before the agent starts; so the agent's version is
that of its package, and whether it joins is seen in ECS.
"""

from collections.abc import Iterator

from awsbatch_operator.userdata.images import functions
from awsbatch_operator.userdata.images.build import kernel_arguments, registry_settings
from awsbatch_operator.userdata.images.frame import limit_part, opening
from awsbatch_operator.userdata.images.model import Recipe
from awsbatch_operator.userdata.images.quoting import call, feeding
from awsbatch_operator.userdata.images.sending import sent
from awsbatch_operator.userdata.model import AGENT_PART, BOOTHOOK, Part

_JOIN = """\
#cloud-boothook
#!/bin/sh
# Made by aws-batch-operator. Joins this instance to the cluster in which images are verified.
set -eu
mkdir -p /etc/ecs
@LINES@"""

_MEASURE = """
measured=
measured_mounts=
measured_volumes=
container_images=0
differences=()

# A member of the JSON object: name and value.
measure() {
  measured+="${measured:+,}\\"$1\\":$2"
}

json_text() {
  printf '"%s"' "$(printf '%s' "$1" | tr -cd '[:print:]' | sed -e 's/[\\\\"]/\\\\&/g')"
}

gib_at() {
  local bytes
  bytes=$(df -B1 --output=size -- "$1" | tail -n 1)
  printf '%d' $(((bytes + 1073741823) / 1073741824))
}

# A file system takes some room of its volume for itself.
large_enough() {
  local found
  found=$(gib_at "$1")
  if [[ $1 != / ]]; then
    measured_volumes+="${measured_volumes:+,}$(json_text "$1"):$found"
  fi
  if ((found * 100 < $2 * 90)); then
    differences+=("$1 has $found GiB, not $2")
  fi
}

mounted() {
  for _ in {1..20}; do
    if findmnt -n --mountpoint "$1" >/dev/null; then
      measured_mounts+="${measured_mounts:+,}$(json_text "$1")"
      return
    fi
    sleep 5
  done
  differences+=("nothing is mounted at $1")
}

command_line_has() {
  local line
  line=" $(cat /proc/cmdline) "
  [[ $line == *" $1 "* ]] || differences+=("the kernel was not given $1")
}

container_image_is_there() {
  if docker image inspect --format '{{.Id}}' "$1"; then
    ((container_images += 1))
  else
    differences+=("the container image $1 is missing")
  fi
}

measure_host() {
  measure rootGiB "$(gib_at /)"
  measure cpus "$(nproc)"
  measure kernel "$(json_text "$(uname -r)")"
  measure commandLine "$(json_text "$(cat /proc/cmdline)")"
  measure dockerVersion "$(json_text "$(docker version --format '{{.Server.Version}}')")"
  measure agentVersion "$(json_text "$(rpm -q --qf '%{VERSION}' ecs-init || :)")"
}

one_thread_each_core() {
  if grep -qsx 1 /sys/devices/system/cpu/smt/active; then
    differences+=('more than one thread of each core is online')
  fi
}

at_most_cpus() {
  local found
  found=$(nproc)
  if ((found > $1)); then
    differences+=("$found CPUs are online, more than $1")
  fi
}

no_agent_state() {
  local found
  found=$(find /var/lib/ecs/data -type f -print -quit)
  [[ -z $found ]] || differences+=("the image brings the state of an agent: $found")
}

# All that differs is told at once.
compared() {
  local each told=
  measure mounts "[$measured_mounts]"
  measure volumes "{$measured_volumes}"
  measure containerImages "$container_images"
  for _ in 1 2; do
    tell "MEASURED {$measured}"
  done
  # Bash before 4.4 takes an empty array for one that there is not.
  for each in ${differences[@]+"${differences[@]}"}; do
    told+="${told:+; }$each"
  done
  [[ -z $told ]] || refuse "$told"
}
"""

_CONTAINER = """
run_container() {
  timeout --kill-after=30 "$1" docker run --rm "${@:2}" </dev/null
}
"""

_DONE = """
settle
trap - EXIT HUP INT TERM
verdict OK
"""


def verify_user_data(
    recipe: Recipe,
    *,
    nonce: str,
    cluster: str,
    timeout_seconds: int,
    container: tuple[str, ...] = (),
) -> bytes:
    """What EC2 shall hand to a verifier, before base64; compressed where it is long.

    `container` is an image and its command: it must end with exit code 0. After OK the instance
    goes on, for its agent to join, and is turned off at its limit; after FAIL it turns itself off.
    Raises UserDataTooLongError, and ValueError for a nonce of other than letters and digits.
    """
    lines = feeding("cat >>/etc/ecs/ecs.config", content=f"\nECS_CLUSTER={cluster}\n")
    hooks = (
        limit_part(nonce=nonce, timeout_seconds=timeout_seconds),
        Part(BOOTHOOK, AGENT_PART, _JOIN.replace("@LINES@", lines)),
    )
    steps = "".join(_steps(recipe, container, timeout_seconds))
    library = functions.DOCKER + _MEASURE + (_CONTAINER if container else "")
    if registry_settings(container[:1]):
        library += functions.PACKAGES + functions.HELPERS + functions.REGISTRIES
    script = f"{opening(nonce=nonce, keep=False)}{library}\n{steps}{_DONE}"
    return sent(hooks, script, recipe)


def _steps(recipe: Recipe, container: tuple[str, ...], seconds: int) -> Iterator[str]:
    yield call("begin", "docker") + call("docker_up")
    yield call("begin", "measure") + call("measure_host") + call("no_agent_state")
    if recipe.root_gib is not None:
        yield call("large_enough", "/", str(int(recipe.root_gib)))
    for volume in recipe.volumes:
        if volume.mount_path:
            yield call("mounted", volume.mount_path)
            yield call("large_enough", volume.mount_path, str(int(volume.size_gib)))
    yield from (call("mounted", each.mount_path) for each in recipe.mounts)
    for argument in kernel_arguments(recipe):
        yield from (call("command_line_has", each) for each in argument.split())
    if recipe.no_smt:
        yield call("one_thread_each_core")
    if recipe.max_cpus is not None:
        yield call("at_most_cpus", str(int(recipe.max_cpus)))
    yield from (call("container_image_is_there", each) for each in recipe.container_images)
    yield call("begin", "compare") + call("compared")
    if container:
        yield call("begin", "container")
        if settings := registry_settings(container[:1]):
            yield feeding("registries", content=settings)
        yield call("run_container", str(int(seconds)), *container)
