"""The commands that stand in for those of a real host: recorders, and the few that answer.

A recorder writes down how it was called and succeeds. What is written down is one string a call:
the words separated by the character US (037), and RS (036) at the end.
"""

RECORDERS = (
    *("dnf", "yum", "rpm", "apt", "apt-get", "pip", "pip3", "amazon-linux-extras", "snap"),
    *("systemctl", "service", "chkconfig", "initctl", "start", "stop", "restart"),
    *("shutdown", "poweroff", "halt", "reboot", "at", "systemd-run", "crontab"),
    *("mount", "umount", "mkfs", "mkfs.ext4", "mkfs.xfs", "mkfs.btrfs", "mkswap", "swapon"),
    *("growpart", "resize2fs", "xfs_growfs", "lvextend", "pvcreate", "vgcreate", "lvcreate"),
    *("mdadm", "fdisk", "parted", "blockdev", "udevadm", "modprobe", "sysctl", "setenforce"),
    *("hostnamectl", "timedatectl", "localectl", "loginctl", "journalctl", "restorecon"),
    *("iptables", "ip6tables", "ip", "ifconfig", "useradd", "usermod", "groupadd", "passwd"),
    *("chown", "chgrp", "mknod", "docker", "docker-storage-setup", "aws", "nvidia-smi"),
    *("amazon-cloudwatch-agent-ctl", "cfn-init", "cfn-signal", "wall"),
)

_WRITE = """\
{ printf '%s' "${0##*/}"; for word; do printf '\\037%s' "$word"; done; printf '\\036'; } \\
  >> /run/simulator/calls
"""

# A start of ecs or docker that waits: both come after cloud-init, so it never ends (see the docs).
_BLOCKS = """\
name=${0##*/} waits= unit=
for word; do
  case $word in
    --no-block) exit 0 ;;
    start|restart|try-restart|reload-or-restart|--now) waits=1 ;;
    ecs|ecs.service|docker|docker.service|docker.socket) unit=$word ;;
  esac
done
case $name in start|restart) waits=1 ;; esac
if [ -n "$waits" ] && [ -n "$unit" ]; then
  echo "$name: waiting for $unit, which waits for the end of cloud-init" >&2
  kill -USR1 1
  read -r never < /run/simulator/never
fi
"""

_METADATA = """\
file= url= previous= fails=
for word; do
  case $previous in -o|-O|--output) file=$word ;; esac
  case $word in
    http://169.254.169.254/*|http://instance-data/*) url=${word#http://*/} ;;
    --fail) fails=1 ;;
    --*) ;;
    -*f*) fails=1 ;;
  esac
  previous=$word
done
[ -n "$url" ] || exec /.host/usr/bin/@NAME@ "$@"
case $file in ''|-) ;; *) exec > "$file" ;; esac
: > /run/simulator/metadata-was-read
while [ "$url" != "${url%/}" ]; do url=${url%/}; done
here=/run/simulator/$url
if [ -f "$here" ]; then exec /.host/usr/bin/cat "$here"; fi
if [ -d "$here" ]; then cd "$here" && printf '%s\\n' *; exit; fi
if [ -n "$fails" ] || [ @NAME@ = wget ]; then
  echo "@NAME@: (22) The requested URL returned error: 404" >&2
  exit 22
fi
echo '404 - Not Found'
"""

_OTHERS = {
    "date": """\
: > /run/simulator/clock-was-read
for word; do
  case $word in -d*|--date*|-r*|--reference*|-s*|--set*) exec /.host/usr/bin/date "$@" ;; esac
done
exec /.host/usr/bin/date -d "@$(/.host/usr/bin/cat /run/simulator/now)" "$@"
""",
    "sleep": "exec /.host/usr/bin/sleep 0.01\n",  # simulated time does not pass while it boots
    "logger": """\
for word; do
  case $word in -s|--stderr) exec /.host/usr/bin/cat >&2 ;; esac
done
exec /.host/usr/bin/cat > /dev/null
""",
    "sudo": """\
while :; do
  case $1 in
    -u|-g|-h) shift 2 ;;
    -*|*=*) shift ;;
    *) break ;;
  esac
done
exec "$@"
""",
    "cloud-init-per": 'shift 2\nexec "$@"\n',
    "ec2-metadata": """\
: > /run/simulator/metadata-was-read
cd /run/simulator/latest/meta-data || exit 1
tell() { printf '%s: ' "$1"; /.host/usr/bin/cat "$2"; echo; }
case $1 in
  -i|--instance-id) tell instance-id instance-id ;;
  -t|--instance-type) tell instance-type instance-type ;;
  -z|--availability-zone) tell placement placement/availability-zone ;;
  -R|--region) tell region placement/region ;;
  -o|--local-ipv4) tell local-ipv4 local-ipv4 ;;
  -a|--ami-id) tell ami-id ami-id ;;
  *) echo "ec2-metadata: $1 is not simulated" >&2; exit 1 ;;
esac
""",
}


def shims() -> dict[str, str]:
    """The text of each command, by name."""
    starting = {"systemctl", "service", "start", "restart"}
    found = {
        name: f"#!/bin/sh\n{_WRITE}{_BLOCKS if name in starting else ''}exit 0\n"
        for name in RECORDERS
    }
    found |= {name: f"#!/bin/sh\n{_METADATA.replace('@NAME@', name)}" for name in ("curl", "wget")}
    return found | {name: f"#!/bin/sh\n{text}" for name, text in _OTHERS.items()}
