"""cloud-init and what else of a first boot stays on a disk.

Sources: cloud-init's documentation, "cloud-init clean" and "Instance metadata: per-instance,
per-boot, per-once"; machine-id(5). A new instance id has new semaphores, so user data runs anew
whether the image was cleaned or not; what is cleaned is what hosts would have in common.
"""

import hashlib
import json
import shutil

from awsbatch_simulator.host.guest.machine import OK, Answer, Guest

CLOUD = "/var/lib/cloud"
LOGS = ("/var/log/cloud-init.log", "/var/log/cloud-init-output.log")
MACHINE_ID = "/etc/machine-id"
HOST_KEY = "/etc/ssh/ssh_host_ed25519_key"
_UNSET = {"", "uninitialized"}


def begin(guest: Guest) -> None:
    """What systemd and cloud-init write before any user data."""
    identity = str(guest.about["instanceId"])
    own = hashlib.sha256(identity.encode()).hexdigest()
    if guest.read(MACHINE_ID).strip() in _UNSET:
        guest.write(MACHINE_ID, f"{own[:32]}\n")
    new = guest.read(f"{CLOUD}/data/instance-id").strip() != identity
    if new or not guest.read(HOST_KEY):  # cloud-init's ssh_deletekeys
        guest.write(HOST_KEY, f"-----BEGIN OPENSSH PRIVATE KEY-----\n{own}\n")
        guest.write(f"{HOST_KEY}.pub", f"ssh-ed25519 {own} root@{identity}\n")
    guest.write(f"{CLOUD}/data/instance-id", f"{identity}\n")
    here = guest.path(f"{CLOUD}/instances/{identity}")
    for name in ("scripts", "boothooks", "sem"):
        (here / name).mkdir(parents=True, exist_ok=True)
    link = guest.path(f"{CLOUD}/instance")
    link.unlink(missing_ok=True)
    link.symlink_to(f"{CLOUD}/instances/{identity}")
    for name in LOGS:
        guest.write(name, guest.read(name) + f"Cloud-init running on {identity}\n")


def cloud_init(guest: Guest, words: list[str]) -> Answer:
    """`status` and `clean`; the rest is written down."""
    verb = next((each for each in words if not each.startswith("-")), "")
    if verb == "status":
        return _status(guest, words)
    if verb == "clean":
        return _clean(guest, words)
    if {"-v", "--version"} & set(words):
        return Answer(out="/usr/bin/cloud-init 22.2.2\n")
    return OK


def _status(guest: Guest, words: list[str]) -> Answer:
    """While user data runs, it runs; `--wait` waits for the script that waits for it."""
    if {"-w", "--wait"} & set(words):
        return Answer(err="cloud-init: waiting for its own end\n", then="never")
    status = "error" if guest.failed else "running"
    errors = [f"Failed to run {each}" for each in guest.failed]
    if "json" in words or "--format=json" in words:
        told = {"status": status, "errors": errors, "extended_status": status}
        return Answer(int(bool(errors)), out=json.dumps(told) + "\n")
    detail = (
        "".join(f"detail: {each}\n" for each in errors) if {"-l", "--long"} & set(words) else ""
    )
    return Answer(int(bool(errors)), out=f"status: {status}\n{detail}")


def _clean(guest: Guest, words: list[str]) -> Answer:
    for entry in guest.path(CLOUD).glob("*"):
        if entry.name == "seed" and not {"-s", "--seed"} & set(words):
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
    if {"-l", "--logs"} & set(words):
        for name in LOGS:
            guest.path(name).unlink(missing_ok=True)
    if "--machine-id" in words:
        guest.write(MACHINE_ID, "uninitialized\n")
    return OK
