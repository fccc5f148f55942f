"""Our own parts: boothooks, which cloud-init runs at every boot before any service of ours starts.

cloud-init runs them while it reads the user data, in their order, before its modules (cloud-config)
and long before the user's scripts, which come last in the boot. ecs.service comes after all of
these (After=cloud-final.service), so the agent always finds its settings, and nothing here may
start it or wait for it.

What is not ours stands only in quoted here-documents, where the shell takes every byte as it is.
"""

from awsbatch_operator.userdata.agent import block
from awsbatch_operator.userdata.model import AGENT_PART, BOOTHOOK, DEADLINE_PART, Part, UserData

_AGENT = """\
#cloud-boothook
#!/bin/sh
# Made by aws-batch-operator. Joins this instance to the cluster of its compute environment.
# The block comes last, because of two settings with one name the later counts.
set -eu
umask 022
config=/etc/ecs/ecs.config
mkdir -p /etc/ecs
test -e "$config" || : >"$config"
{
  sed -e '/^# begin awsbatch[.]dev$/,/^# end awsbatch[.]dev$/d' -e '/^$/d' "$config"
  echo
  cat <<'END_OF_ECS_CONFIG'
# begin awsbatch.dev
@BLOCK@# end awsbatch.dev
END_OF_ECS_CONFIG
} >"$config.awsbatch"
mv "$config.awsbatch" "$config"
# What keeps the agent from joining is only in its log. The console outlives the instance.
for after in 90 240; do
  systemd-run --no-block --unit="awsbatch-agent-log-$after" --on-active="${after}s" \\
    /bin/sh -c 'grep -hE "level=(error|critical)" /var/log/ecs/*.log | tail -n 8 >/dev/console' || :
done
"""

_DEADLINE = """\
#cloud-boothook
#!/bin/sh
# Made by aws-batch-operator. Ends this instance in time, whether or not the operator still runs:
# powering off terminates it. Needs no network, and sets the timer again at every boot.
set -eu
@END@left=$((end - $(date +%s)))
if [ "$left" -le 0 ]; then
  systemctl --no-block poweroff
else
  # Both times, because the clock may be set after this. Without the default dependencies, because
  # these would hold the timer back while a boot hangs.
  systemd-run --no-block --unit=awsbatch-deadline \\
    --on-active="${left}s" --on-calendar="@$end" \\
    --timer-property=AccuracySec=1s --timer-property=DefaultDependencies=no \\
    --property=DefaultDependencies=no systemctl --no-block poweroff
fi
"""

_AT = """\
end=@SECONDS@ # @TIME@
"""

_AFTER = """\
saved=/var/lib/awsbatch/deadline.${INSTANCE_ID:-unknown}
if [ ! -s "$saved" ]; then
  mkdir -p /var/lib/awsbatch
  echo "$(($(date +%s) + @SECONDS@))" >"$saved.new"
  mv "$saved.new" "$saved"
fi
end=$(cat "$saved")
"""


def agent_part(wish: UserData) -> Part:
    """The part that writes the agent's settings."""
    return Part(BOOTHOOK, AGENT_PART, _AGENT.replace("@BLOCK@", block(wish)))


def deadline_parts(wish: UserData) -> tuple[Part, ...]:
    """The part that ends the instance, if it has an end.

    The shutdown is a unit of systemd's and not `shutdown -P +N`: that asks logind, which does not
    run yet when a boothook does, and then shuts down at once. The end after so many seconds is kept
    by the instance's id, so that neither a reboot nor an image made of the instance moves it.
    """
    if wish.ends_at is not None:
        seconds = int(wish.ends_at.epoch)
        end = _AT.replace("@SECONDS@", str(seconds)).replace("@TIME@", wish.ends_at.rfc3339())
    elif wish.ends_after_seconds is not None:
        end = _AFTER.replace("@SECONDS@", str(wish.ends_after_seconds))
    else:
        return ()
    return (Part(BOOTHOOK, DEADLINE_PART, _DEADLINE.replace("@END@", end)),)
