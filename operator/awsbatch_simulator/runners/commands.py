"""Commands that stand in for the machine's own where a job runs as a local process.

A container on an instance sees the instance's disk; a local process would see this machine's.
"""

from pathlib import Path

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_USED_GIB = 2  # of an ECS-optimized image, before anything is pulled
_DF = """\
#!/bin/sh
# The root file system as it is on the simulated instance; anything else is asked of the machine.
human=
for word; do
  case $word in
    -h|--human-readable) human=1 ;;
    /|-k|-P) ;;
    *) exec /usr/bin/df "$@" ;;
  esac
done
if [ -n "$human" ]; then
  echo 'Filesystem      Size  Used Avail Use% Mounted on'
  echo 'overlay         {size}G  {used}.0G  {free}G   {percent}% /'
else
  echo 'Filesystem     1K-blocks    Used Available Use% Mounted on'
  echo 'overlay        {blocks} {used_blocks} {free_blocks}   {percent}% /'
fi
"""


def path(place: Path, *, root_gib: int) -> str:
    """A job's PATH, with these commands in front, for which there is an empty directory."""
    if root_gib <= _USED_GIB:
        return PATH
    free = root_gib - _USED_GIB
    text = _DF.format(
        size=root_gib,
        used=_USED_GIB,
        free=free,
        percent=-(-100 * _USED_GIB // root_gib),
        blocks=root_gib << 20,
        used_blocks=_USED_GIB << 20,
        free_blocks=free << 20,
    )
    command = place / "df"
    command.write_text(text, encoding="utf-8")
    command.chmod(0o755)
    return f"{place}:{PATH}"
