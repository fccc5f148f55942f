"""The functions of bash that a builder's steps call: each is sent only where a step needs it."""

# Where AWS's kernels for Amazon Linux 2023 are called kernel, kernel6.12 and so on.
PACKAGES = """
# A newer kernel never comes along: on GPU images it would not fit the driver.
packages() {
  local tool
  plain "$@"
  tool=$(command -v dnf || command -v yum)
  "$tool" -y install --exclude=kernel --exclude='kernel[0-9].[0-9]' \\
    --exclude='kernel[0-9].[0-9][0-9]' "$@"
}
"""

NETWORK = """
network() {
  for _ in {1..60}; do
    if systemctl is-active --quiet network-online.target; then
      return
    fi
    sleep 1
  done
  echo 'After a minute the network is not up; going on all the same'
}
"""

FSTAB = """
# Source, mount point (as fstab has it), type, options, order of checks; in place of such a line.
fstab() {
  touch /etc/fstab
  where=$2 awk '$2 != ENVIRON["where"]' /etc/fstab >"$work/fstab"
  printf '%s %s %s %s 0 %s\\n' "$@" >>"$work/fstab"
  cat "$work/fstab" >/etc/fstab
}
"""

# On Nitro a udev rule of Amazon Linux links EC2's name to the NVMe device; where it does not,
# `ebsnvme-id` asks the device (EBS User Guide, "Map Amazon EBS volumes to NVMe device names").
VOLUMES = """
# The device that EC2 calls so.
device_of() {
  local name=${1#/dev/} each told
  for _ in {1..20}; do
    for each in "/dev/$name" "/dev/xvd${name#sd}"; do
      if [[ -e $each ]]; then
        readlink -f -- "$each"
        return
      fi
    done
    for each in /dev/nvme*n1; do
      told=$(ebsnvme-id -b "$each" 2>/dev/null) || continue
      if [[ ${told#/dev/} == "$name" ]]; then
        printf '%s\\n' "$each"
        return
      fi
    done
    sleep 3
  done
  refuse "There is no device $1 after a minute"
}

# EC2's name, GiB, file system or nothing, mount point or nothing, and as fstab has it.
volume() {
  local device bytes found uuid
  device=$(device_of "$1")
  bytes=$(lsblk -bdno SIZE "$device")
  ((bytes >= $2 * 1073741824)) || refuse "$1 has $((bytes / 1073741824)) GiB, not $2"
  [[ -n $3 ]] || return 0
  # Nothing is printed, and the exit code is 2, for a blank device.
  found=$(blkid -p -o value -s TYPE -s PTTYPE "$device") || :
  if [[ -z $found ]]; then
    "mkfs.$3" "$device"
  elif [[ $found != "$3" ]]; then
    refuse "$1 is not blank and not $3: it holds $found"
  fi
  [[ -n $4 ]] || return 0
  uuid=$(blkid -p -o value -s UUID "$device")
  [[ -n $uuid ]] || refuse "The file system on $1 has no UUID"
  mkdir -p -- "$4"
  fstab "UUID=$uuid" "$5" "$3" defaults,nofail,x-systemd.growfs 2
  mount -- "$4"
}
"""

MOUNTS = """
# Only written: the builder's subnet may have no way to the file system.
network_mount() {
  mkdir -p -- "$1"
  fstab "$3" "$2" "$4" "$5" 0
}
"""

HELPERS = """
helper() {
  if ! command -v "$1"; then
    packages "$2"
  fi
}
"""

# `nofail` lets a host boot without its mounts, so that it can be looked at; the agent does not
# start there, and no job writes into a bare directory (docs/decisions).
GUARD = """
agent_after_mounts() {
  mkdir -p /etc/systemd/system/ecs.service.d
  cat >/etc/systemd/system/ecs.service.d/50-awsbatch-mounts.conf
}
"""

FILES = """
put() {
  install -D -T -m "$1" -- /dev/stdin "$2"
}
"""

KERNEL = """
# grubby puts an argument in the place of one with the same name.
kernel() {
  grubby --update-kernel=ALL --args="$*"
}
"""

# Docker may be ordered after cloud-init's last stage, in which this runs (amazon-ecs-agent#1707): a
# start that waits could wait for ever.
DOCKER = """
docker_up() {
  local try
  systemctl --no-block start docker.service
  for try in {1..60}; do
    if docker info >/dev/null 2>&1; then
      return
    fi
    if ((try == 10)); then
      systemctl --no-block --job-mode=ignore-dependencies start containerd.service docker.socket \\
        docker.service || :
    fi
    sleep 3
  done
  refuse 'Docker does not start'
}
"""

CONTAINERS = """
container_image() {
  local try
  plain "$1"
  for try in 1 2 3; do
    if docker pull --quiet "$1"; then
      break
    fi
    ((try < 3)) || exit 1
    sleep 5
  done
  docker image inspect --format '{{.Id}}' "$1"
}
"""

# The helper asks for credentials with the instance profile and keeps none in the image.
REGISTRIES = """
registries() {
  helper docker-credential-ecr-login amazon-ecr-credential-helper
  export DOCKER_CONFIG=$work/docker AWS_ECR_CACHE_DIR=$work/ecr
  mkdir -p "$DOCKER_CONFIG"
  cat >"$DOCKER_CONFIG/config.json"
}
"""

AGENT = """
# In place of what an earlier image of ours has written.
agent_settings() {
  local config=/etc/ecs/ecs.config
  mkdir -p /etc/ecs
  touch "$config"
  {
    sed -e '/^# begin awsbatch[.]dev image$/,/^# end awsbatch[.]dev image$/d' -e '/^$/d' "$config"
    echo '# begin awsbatch.dev image'
    cat
    echo '# end awsbatch.dev image'
  } >"$work/ecs.config"
  cat "$work/ecs.config" >"$config"
}
"""

SCRIPTS = """
# Without our variables, and ended with all that it has started when its time is over.
script() {
  local file=$work/script rc=0
  cat >"$file"
  chmod 700 "$file"
  env -i HOME=/root USER=root LOGNAME=root SHELL=/bin/bash LANG=C.UTF-8 PATH="$PATH" \\
    timeout --kill-after=30 "$1" "$file" </dev/null || rc=$?
  rm -f "$file"
  if ((rc == 124 || rc == 137)); then
    echo "The script was ended: it may take $1 seconds"
  fi
  ((rc == 0)) || exit "$rc"
}
"""
