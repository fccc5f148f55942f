"""The commands that stand in for those of a real host: shell scripts.

Most ask the first process of the boot (`guest/desk.py`), which knows what the host would answer:
each call is written down, and nothing is really installed, mounted or switched off. The others are
about the network, the clock and the shell itself.
"""

from awsbatch_simulator.host.guest.commands import NAMES

# `never` blocks until the boot is given up; in a `timeout` it lets that be over at once.
_ASK = """\
here=/run/simulator/asked/$$
{
  printf '%s\\037%s\\037%s' "$SIMULATED_TIMEOUT" "$DOCKER_CONFIG" "${0##*/}"
  for word; do printf '\\037%s' "$word"; done
} > "$here"
/.host/usr/bin/mkfifo "$here.ready"
exec 3<>"$here.ready"
echo $$ > /run/simulator/bell
read -r code then kinds <&3
exec 3<&-
case $kinds in *out*) /.host/usr/bin/cat "$here.out" ;; esac
case $kinds in *err*) /.host/usr/bin/cat "$here.err" >&2 ;; esac
/.host/usr/bin/rm -f "$here.out" "$here.err" "$here.ready"
case $then in
  never|alarm|limit)
    if [ -n "$SIMULATED_TIMEOUT" ] && [ "$then" != limit ]; then
      kill -ALRM "${SIMULATED_TIMEOUT%%:*}"
    else
      kill -USR1 1
    fi
    read -r never < /run/simulator/never
    ;;
  off) read -r never < /run/simulator/never ;;
esac
"""
# What waits for something else of the boot lets it go on; in a `timeout` it is to be over soon.
_SLEEP = """\
if [ "$code" = 0 ] && [ -z "$SIMULATED_TIMEOUT" ]; then exec /.host/usr/bin/sleep 0.01; fi
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
    # What sleeps in it is added up (see `sleep`); what works without end is over in real seconds.
    "timeout": """\
options=
while [ $# -gt 0 ]; do
  case $1 in
    -s|--signal) options="$options -s $2"; shift 2 ;;
    -k|--kill-after) options="$options -k 0.2"; shift 2 ;;
    --kill-after=*|-k*) options="$options -k 0.2"; shift ;;
    -*) options="$options $1"; shift ;;
    *) break ;;
  esac
done
[ $# -ge 2 ] || exec /.host/usr/bin/timeout "$@"
SIMULATED_TIMEOUT=$$:$1
read -r limit < /run/simulator/patience
case $1 in 0|0[smhd]) limit=0 SIMULATED_TIMEOUT= ;; esac
export SIMULATED_TIMEOUT
shift
exec /.host/usr/bin/timeout $options "$limit" "$@"
""",
    "getconf": """\
case $1 in _NPROCESSORS_ONLN) exec nproc ;; _NPROCESSORS_CONF) exec nproc --all ;; esac
exec /.host/usr/bin/getconf "$@"
""",
    "uname": """\
case "$*" in -r|--kernel-release) exec /.host/usr/bin/cat /run/simulator/kernel ;; esac
exec /.host/usr/bin/uname "$@"
""",
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
    found = dict.fromkeys(NAMES, f'#!/bin/sh\n{_ASK}exit "$code"\n')
    found["sleep"] = f'#!/bin/sh\n{_ASK}{_SLEEP}exit "$code"\n'
    found |= {name: f"#!/bin/sh\n{_METADATA.replace('@NAME@', name)}" for name in ("curl", "wget")}
    return found | {name: f"#!/bin/sh\n{text}" for name, text in _OTHERS.items()}
