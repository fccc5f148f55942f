"""The first process of a node's namespaces: sets them up, then waits for orphans for ever.

Nothing of this machine may change: the node writes into its own /run, /var/log and the like, and
where the kubelet would set values of the kernel that are everybody's, it finds them as it wants
them. All that ends with this process.

Run as a file, so it imports nothing of ours:
`python -I -S first.py READY_FILE SCRATCH ADDRESS/LENGTH GATEWAY [IN_MEMORY …]`: the last are
directories whose files shall be in memory.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

# Written to by containerd, CNI and the kubelet under fixed names.
OWN = ("/run", "/var/log", "/var/lib/cni", "/var/lib/kubelet")
# What the kubelet sets (pkg/kubelet/cm, setupKernelTunables) and wants to read back.
KERNEL = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}


def run(*command: str) -> None:
    """Run a command that must work."""
    subprocess.run(command, check=True)


def files(scratch: Path, in_memory: list[str]) -> None:
    """Give the node its own places to write to; volumes of pods are seen by all in the node."""
    run("mount", "--make-rshared", "/")
    for place in (*OWN, *in_memory):
        if Path(place).is_dir():
            run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", place)
    scratch.mkdir()
    for name, value in KERNEL.items():
        path = Path("/proc/sys", name)
        if path.exists() and path.read_text(encoding="ascii").strip() != value:
            wanted = scratch / name.replace("/", ".")
            wanted.write_text(f"{value}\n", encoding="ascii")
            run("mount", "--bind", str(wanted), str(path))


def network(address: str, gateway: str) -> None:
    """Give the node an interface with an address; there is no way out of it."""
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "node0", "type", "bridge")
    run("ip", "address", "add", address, "dev", "node0")
    run("ip", "link", "set", "node0", "up")
    # Leads nowhere; the kubelet and the API server look for a default route to know themselves.
    run("ip", "route", "add", "default", "via", gateway)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1", encoding="ascii")


def reap() -> None:
    """Wait for every orphan, for ever: that is the duty of a first process."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    while True:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass
        signal.sigwait({signal.SIGCHLD})


def main() -> None:
    """Set the namespaces up, say so, and stay."""
    ready, scratch, address, gateway, *in_memory = sys.argv[1:]
    files(Path(scratch), in_memory)
    network(address, gateway)
    Path(ready).touch()
    reap()


if __name__ == "__main__":
    main()
