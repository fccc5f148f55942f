"""One node with its control plane, in namespaces of its own, as a context manager.

Everything in it dies with its first process, and that with this one, however this one ends. What
outlives processes is removed at the end, or by the next node: the directory and the cgroups.
"""

import os
import platform
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from awsbatch_node import (
    archive,
    cgroups,
    first,
    leftovers,
    namespaces,
    outage,
    requirements,
    settings,
    trust,
    words,
)
from awsbatch_node.place import ADDRESS, GATEWAY, NODE, PAUSE_IMAGE, PREFIX_LENGTH, Place
from awsbatch_node.requirements import search_path
from awsbatch_node.trust import Credentials
from awsbatch_sandbox import flags, processes
from awsbatch_sandbox.binaries import Binaries
from awsbatch_sandbox.errors import ProcessFailed
from awsbatch_sandbox.interrupts import uninterrupted
from awsbatch_sandbox.kubectl import Kubectl
from awsbatch_sandbox.parts import Launcher, Part
from awsbatch_sandbox.pins import Tool

READY_SECONDS = 120.0
NAMESPACES = "namespaces"  # the part that holds them


class Node:
    """A cluster of one node; `kubectl` is its administrator's.

    What its parts have logged is in `logs` afterwards.
    """

    def __init__(self, binaries: Binaries, *, logs: Path) -> None:
        self._binaries = binaries
        self._logs = logs
        root = tempfile.mkdtemp(prefix=leftovers.PREFIX, dir=leftovers.DIRECTORIES)
        self.place = Place(Path(root))
        self._held = ExitStack()
        self._launcher = Launcher(secrets.token_hex(4), self.place.logs)
        self._parts: dict[str, Part] = {}
        self._first = 0
        self._spaces: frozenset[str] = frozenset()
        self._credentials: Credentials | None = None

    @property
    def kubectl(self) -> Kubectl:
        """Runs kubectl with this machine's files in the node's network."""
        return Kubectl(
            self._binaries[Tool.KUBECTL],
            self.place.kubeconfig,
            self.place.root / "kubectl-cache",
            prefix=tuple(words.in_network(self._first, [])),
        )

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def load(self, archive: Path) -> None:
        """Make the images of an archive known to the node."""
        self.run(words.ctr("images", "import", str(archive)))

    def kill(self, container: str) -> None:
        """SIGKILL to the first process of a container, which containerd knows by that id."""
        self.run(words.ctr("task", "kill", "--signal=SIGKILL", container))

    def freeze(self, seconds: float) -> None:
        """Stop the API server for so long: connections stay, and nobody answers."""
        enters = self._parts[Tool.API_SERVER].identity
        server = [each for each in processes.session(enters.pid) if each != enters]
        if not server:
            raise ProcessFailed("The API server does not run: there is nothing to freeze.")
        try:
            processes.signal_each(server, signal.SIGSTOP)
            time.sleep(seconds)
        finally:
            # `nsenter` stops by itself when what it has started is stopped. Were it stopped by us,
            # too, or the first to go on, it would stop once more, for ever, and nothing could end.
            processes.signal_each([*server, enters], signal.SIGCONT)

    def restart(self) -> None:
        """A power cut, and all of it started again: what was on disk is there, and no process.

        Returns when the node is Ready once more; its pods are not yet.
        """
        if self._credentials is None:
            raise ProcessFailed("The node has not been started yet.")
        self.run(words.outage(outage.__file__, self.place))
        for name in [name for name in self._parts if name != NAMESPACES]:
            self._parts.pop(name).kill()
        cgroups.remove(self.place.name)
        (self.place.etcd / flags.CLIENT_SOCKET).unlink(missing_ok=True)
        self._start_parts(self._credentials)

    def run(self, command: Sequence[str]) -> str:
        """Run a command in the node and return what it printed; ProcessFailed if it fails."""
        done = self._run(command)
        if done.returncode != 0:
            raise ProcessFailed(f"{' '.join(command)} failed in the node:\n{done.stderr.strip()}")
        return done.stdout

    def _run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words.inside(self._first, command),
            capture_output=True,
            text=True,
            env=self._environment(),
            check=False,
        )

    def _environment(self) -> dict[str, str]:
        return {"PATH": search_path(dict(os.environ)), "HOME": str(self.place.root)}

    def _start(self) -> None:
        self._held.enter_context(leftovers.held(self.place.root))
        self.place.create()
        self._start_namespaces()
        self._write_settings()
        self._start_parts(trust.create(self.place))

    def _start_parts(self, credentials: Credentials) -> None:
        self._credentials, begun = credentials, datetime.now(UTC)
        self._start_containerd()
        self._start_control_plane(credentials)
        self._start_node(credentials, begun)

    def _start_namespaces(self) -> None:
        leftovers.make(self.place.root, map(Path, first.OWN))
        script = [sys.executable, "-I", "-S", first.__file__, str(self.place.ready)]
        address = [f"{ADDRESS}/{PREFIX_LENGTH}", GATEWAY]
        memory = [str(self.place.containerd)] if requirements.much_memory() else []
        command = namespaces.words(
            [*script, str(self.place.root / "kernel"), *address, *memory], network=True
        )
        part = self._launch(NAMESPACES, command)
        part.wait_until(self.place.ready.exists, what="it has set itself up", seconds=READY_SECONDS)
        self._first = namespaces.first_process(part).pid
        self._spaces = namespaces.of(self._first)

    def _write_settings(self) -> None:
        place = self.place
        for path, text in (
            (place.containerd_settings, settings.containerd(place)),
            (place.cni / "pods.conflist", settings.pod_network()),
            (place.kubelet_settings, settings.kubelet(place, cgroup=f"/{place.name}")),
            (place.proxy_settings, settings.proxy(place)),
            (place.audit.policy, settings.AUDIT_POLICY),
            (place.resolver, "nameserver 127.0.0.1\n"),  # nobody answers there: no cluster DNS
        ):
            path.write_text(text, encoding="utf-8")

    def _start_containerd(self) -> None:
        part = self._launch_inside("containerd", words.containerd(self.place))
        part.wait_until(
            lambda: self._run(words.ctr("version")).returncode == 0,
            what="containerd answers",
            seconds=READY_SECONDS,
        )
        pause = archive.write(
            self.place.images / "pause.tar",
            name=PAUSE_IMAGE,
            entrypoint="/pause",
            files={"pause": self._binaries[Tool.PAUSE].read_bytes()},
            machine=platform.machine(),
        )
        self.load(pause)

    def _start_control_plane(self, credentials: Credentials) -> None:
        tools, audit = self._binaries, self.place.audit
        etcd = self._launch_inside(Tool.ETCD, flags.etcd(tools[Tool.ETCD]))
        socket = self.place.etcd / flags.CLIENT_SOCKET
        etcd.wait_until(socket.exists, what="etcd listens", seconds=READY_SECONDS)
        server = self._launch_inside(
            Tool.API_SERVER,
            words.api_server(tools[Tool.API_SERVER], credentials, audit),
        )
        server.wait_until(
            lambda: self.kubectl("get", "--raw=/readyz", check=False).returncode == 0,
            what="the API server is ready",
            seconds=READY_SECONDS,
        )

    def _start_node(self, credentials: Credentials, begun: datetime) -> None:
        tools, place = self._binaries, self.place
        manager = self._launch_inside(
            Tool.CONTROLLER_MANAGER,
            words.controller_manager(
                tools[Tool.CONTROLLER_MANAGER], place, trust=credentials.trust
            ),
        )
        self._launch_inside(Tool.SCHEDULER, words.scheduler(tools[Tool.SCHEDULER], place))
        cgroups.create(place.name)
        kubelet = self._launch_inside(Tool.KUBELET, words.kubelet(tools[Tool.KUBELET], place))
        self._launch_inside(Tool.PROXY, words.proxy(tools[Tool.PROXY], place))
        kubelet.wait_until(
            lambda: self._is_ready(begun), what="the node is Ready", seconds=READY_SECONDS
        )
        manager.wait_until(
            lambda: self.kubectl("get", "serviceaccount/default", check=False).returncode == 0,
            what="the namespace default has its ServiceAccount",
            seconds=READY_SECONDS,
        )

    def _is_ready(self, since: datetime) -> bool:
        """Whether the kubelet has said so since then: what it said before a power cut stays."""
        condition = '.status.conditions[?(@.type=="Ready")]'
        path = f"{{{condition}.status}} {{{condition}.lastHeartbeatTime}}"
        asked = self.kubectl("get", f"node/{NODE}", f"--output=jsonpath={path}", check=False)
        status, _, told = asked.stdout.partition(" ")
        return status == "True" and datetime.fromisoformat(told) >= since

    def _launch_inside(self, name: str, command: Sequence[str]) -> Part:
        inside = words.inside(self._first, command, directory=self.place.etcd)
        return self._launch(name, inside)

    def _launch(self, name: str, command: Sequence[str]) -> Part:
        part = self._launcher.start(
            name, command, environ=self._environment(), directory=self.place.root
        )
        self._parts[name] = part
        return part

    def _end(self) -> None:
        """End all that runs in the node with its first process, then remove what is left of it."""
        with uninterrupted():
            for part in self._parts.values():
                part.kill()
            self._parts.clear()
            self._launcher.end_leftovers()
            try:
                self._keep_logs()
            finally:
                leftovers.clear(self.place.root)
                self._held.close()
            if left := leftovers.left(self.place.root, self._spaces):
                raise ProcessFailed(f"The node has left behind: {', '.join(left)}")

    def _keep_logs(self) -> None:
        if self.place.logs.is_dir():  # else it was interrupted before it began
            shutil.rmtree(self._logs, ignore_errors=True)
            shutil.copytree(self.place.logs, self._logs)
