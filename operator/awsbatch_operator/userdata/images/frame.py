"""What stands around the steps of a builder and of a verifier: limit, markers, strictness, end.

The instance is turned off at its limit by a unit of systemd's, whatever hangs: `shutdown +N` would
ask logind, which does not run yet when a boothook does.

Markers go to /dev/console, each with the nonce; the end is told three times, because the kernel
may write into the midst of a line. Everything else that is printed goes to cloud-init's standard
output, which is the console as well, through a pipe that keeps a copy for the last words. This
guards against accidents and confused scripts. It does not guard against a script of the owner's
that wants to lie: what runs as root on the builder can read the nonce in the user data.
"""

from awsbatch_operator.userdata.images.quoting import word
from awsbatch_operator.userdata.model import BOOTHOOK, Part

LIMIT_PART = "awsbatch-limit"
SCRIPT_PART = "awsbatch-image"

_LIMIT = """\
#cloud-boothook
#!/bin/sh
# Made by aws-batch-operator. Turns this instance off at its time limit, whatever hangs.
set -eu
umask 077
mkdir -p /run/awsbatch
[ -e /run/awsbatch/step ] || printf boot >/run/awsbatch/step
cat >/run/awsbatch/limit <<'END_OF_LIMIT'
[ -e /run/awsbatch/told ] && exit 0
: >/run/awsbatch/told
printf '\\nawsbatch-image %s FAIL step=%s rc=124 %s\\n' @NONCE@ "$(cat /run/awsbatch/step)" \\
  'the time limit of @SECONDS@ seconds is over' >/dev/console
END_OF_LIMIT
systemd-run --no-block --unit=awsbatch-limit --on-active=@SECONDS@s \\
  --timer-property=AccuracySec=1s --timer-property=DefaultDependencies=no \\
  --property=DefaultDependencies=no \\
  /bin/sh -c '/bin/sh /run/awsbatch/limit; systemctl --no-block poweroff'
"""

OPENING = """\
#!/bin/bash
# Made by aws-batch-operator.
set -euo pipefail
shopt -s inherit_errexit 2>/dev/null || :
umask 022
cd /
export LC_ALL=C HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
nonce=@NONCE@
keep=@KEEP@
step=start
work=/run/awsbatch
log=$work/log

tell() {
  printf '\\nawsbatch-image %s %s\\n' "$nonce" "$1" >/dev/console || :
}

# The end is told three times: the kernel may write into the midst of a line.
verdict() {
  : >"$work/told"
  for _ in 1 2 3; do
    tell "$1"
    sleep 1
  done
}

begin() {
  step=$1
  : >"$log"
  printf '%s' "$step" >"$work/step"
  tell "STEP $step"
}

refuse() {
  printf '%s\\n' "$*" >&2
  exit 1
}

# What was printed comes through a pipe. Waits until all of it is in the log, five seconds at most.
settle() {
  printf 'awsbatch: end of %s\\n' "$step"
  for _ in {1..50}; do
    if grep -qF "awsbatch: end of $step" "$log"; then
      return
    fi
    sleep 0.1
  done
}

last_words() {
  tail -c 4096 "$log" | tr -c '[:print:]\\n' ' ' | grep -v -e '^ *$' -e '^awsbatch: end of ' |
    tail -n 1 | cut -c 1-300
}

ended() {
  local rc=$? words
  trap - EXIT
  set +e
  settle
  words=$(last_words)
  if [[ ! -e $work/told ]]; then
    verdict "FAIL step=$step rc=$rc $words"
  fi
  if [[ $keep == yes ]]; then
    echo 'This instance is kept until its time limit.'
  else
    systemctl --no-block poweroff
  fi
  exit "$rc"
}

# None of these words may be taken for an option.
plain() {
  local each
  for each; do
    [[ $each != -* ]] || refuse "$each begins with a hyphen"
  done
}

mkdir -p "$work"
: >"$log"
trap ended EXIT
trap 'exit 143' HUP INT TERM
# A script may print without end: of what it prints, 16 MiB are kept.
exec > >(
  trap '' XFSZ
  ulimit -f 16384
  exec tee -a "$log"
) 2>&1
# The kernel writes into the midst of others' lines: only its errors, such as killed processes.
dmesg --console-level err 2>/dev/null || :
"""


def limit_part(*, nonce: str, timeout_seconds: int) -> Part:
    """The boothook that turns the instance off at its limit. Raises ValueError: no such nonce."""
    if not (nonce.isascii() and nonce.isalnum()):
        raise ValueError(f"{nonce!r} is no nonce: it is made of letters and digits")
    text = _LIMIT.replace("@SECONDS@", str(int(timeout_seconds))).replace("@NONCE@", word(nonce))
    return Part(BOOTHOOK, LIMIT_PART, text)


def opening(*, nonce: str, keep: bool) -> str:
    """How a script begins; `keep` says whether the instance goes on after a failure."""
    return OPENING.replace("@NONCE@", word(nonce)).replace("@KEEP@", "yes" if keep else "no")
