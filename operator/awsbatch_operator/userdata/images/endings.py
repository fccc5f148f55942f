"""The last steps of a build: the result is checked, and what must not be cloned goes.

What must go is known from the clean-up of the ECS-optimized images (aws/amazon-ecs-ami,
scripts/cleanup.sh), of the EKS ones and of the Kubernetes image builder; the agent's state from
AWS's guide to custom images ("stop the agent and remove /var/lib/ecs/data") and from outages of
those who left it in (aws/amazon-ecs-agent#2738).
"""

CHECK = """
check() {
  local each errors=
  for each in /etc/ecs/ecs.config /var/lib/ecs/ecs.config; do
    if [[ -f $each ]] && grep -E '^[[:space:]]*(export[[:space:]]+)?ECS_CLUSTER=' "$each"; then
      refuse "$each sets ECS_CLUSTER: every instance of the image would join that cluster"
    fi
  done
  for each in /root/.aws/credentials /home/*/.aws/credentials; do
    if [[ -e $each ]]; then
      refuse "$each holds credentials: every instance of the image would have them"
    fi
  done
  # cloud-init writes its own lines anew at each first boot.
  if grep -vF comment=cloudconfig /etc/fstab | grep -E '^[[:space:]]*/dev/(sd|xvd|hd|nvme)'; then
    refuse '/etc/fstab names a device, which may be called otherwise at the next boot: use UUID='
  fi
  if [[ -s /run/cloud-init/status.json ]] && command -v python3 >/dev/null; then
    errors=$(python3 -c 'import json
stages = json.load(open("/run/cloud-init/status.json"))["v1"].values()
print(*(each for one in stages if isinstance(one, dict) for each in one.get("errors") or ()))')
  fi
  [[ -z $errors ]] || refuse "cloud-init has met errors: $errors"
}
"""

CHECK_ROOT = """
# The file system takes some room for itself.
check_root() {
  local bytes gib
  bytes=$(df -B1 --output=size / | tail -n 1)
  gib=$(((bytes + 1073741823) / 1073741824))
  ((gib * 100 >= $1 * 90)) || refuse "The root file system has $gib GiB, not $1"
}
"""

CHECK_MOUNT = """
check_mount_point() {
  local found
  if ! mountpoint -q -- "$1"; then
    found=$(find "$1" -mindepth 1 -print -quit)
    [[ -z $found ]] || refuse "$found would be hidden by what is mounted at $1"
  fi
}
"""

CHECK_IMAGE = """
check_container_image() {
  docker image inspect --format '{{.Id}}' "$1"
}
"""

CLEAN = """
clean_docker() {
  local each
  if docker info >/dev/null 2>&1; then
    for each in $(docker ps --all --quiet); do
      docker rm --force --volumes "$each"
    done
    docker network prune --force
    docker volume prune --all --force || docker volume prune --force
    docker builder prune --all --force || :
  fi
  systemctl stop docker.socket docker.service containerd.service || :
  rm -rf {/root,/home/*}/.docker/config.json {/root,/home/*}/.ecr /var/lib/docker/engine-id \\
    /etc/docker/key.json
}

clean() {
  systemctl stop amazon-ssm-agent.service || :
  systemctl stop ecs.service || :
  clean_docker
  # The agent's state: with it, no instance of the image could register.
  rm -rf /var/lib/ecs/data /var/log/ecs
  mkdir -p /var/lib/ecs/data /var/log/ecs
  find /var/lib/amazon/ssm /var/lib/dhclient /var/lib/dhcp -mindepth 1 -delete 2>/dev/null || :
  dnf clean all || yum clean all || :
  rm -rf /var/cache/dnf /var/cache/yum /var/lib/awsbatch
  rm -f /etc/ssh/ssh_host_* /etc/hostname /etc/udev/rules.d/70-persistent-net.rules \\
    /etc/systemd/network/*-cloud-init-*.network /var/lib/systemd/random-seed \\
    /var/lib/systemd/credential.secret /var/lib/dbus/machine-id
  rm -f {/root,/home/*}/.ssh/{authorized_keys,known_hosts} \\
    {/root,/home/*}/.{bash_history,python_history,lesshst,viminfo,wget-hsts}
  find /tmp /var/tmp -xdev -mindepth 1 -delete || :
  journalctl --rotate || :
  find /var/log -xdev -type f -delete
  sed -i '/comment=cloudconfig/d' /etc/fstab
  # Scripts that a user has put there for every boot stay.
  find /var/lib/cloud -mindepth 1 -maxdepth 1 ! -name scripts -exec rm -rf {} +
  : >/etc/machine-id
  systemctl unmask --runtime ecs.service
}
"""

LEFTOVERS = """
leftovers() {
  local each
  for each in /etc/ssh/ssh_host_* {/root,/home/*}/.ssh/authorized_keys \\
    {/root,/home/*}/.docker/config.json {/root,/home/*}/.bash_history \\
    /var/lib/ecs/data/* /var/lib/cloud/instance /var/lib/cloud/instances; do
    if [[ -e $each || -L $each ]]; then
      refuse "$each has not gone, and must not be in an image"
    fi
  done
  [[ ! -s /etc/machine-id ]] || refuse '/etc/machine-id is not empty'
  systemctl is-enabled --quiet ecs.service ||
    refuse 'ecs.service is not enabled: no instance of the image would join a cluster'
}
"""

# After this nothing may return to cloud-init, which would write its state anew; the loop only waits
# for the power to go.
DONE = """
settle
sync
trap - EXIT HUP INT TERM
verdict OK
sync
systemctl --no-block poweroff
for _ in {1..10}; do
  sleep 60
done
"""
