"""Run the pinned kubectl against one sandbox and nothing else."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from awsbatch_sandbox.errors import KubectlFailed
from awsbatch_sandbox.parts import base_environment

TIMEOUT_SECONDS = 300.0  # kubectl's own --timeout decides; this only keeps a hung one from staying


@dataclass(frozen=True, slots=True)
class Kubectl:
    """The pinned kubectl with the administrator's kubeconfig of one control plane.

    `prefix` is what stands before the command where the control plane is in another network.
    """

    binary: Path
    kubeconfig: Path
    cache: Path
    prefix: tuple[str, ...] = ()

    def __call__(
        self,
        *arguments: str,
        input: str | None = None,  # noqa: A002 - as in subprocess.run
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl and return what it printed.

        KubectlFailed, with kubectl's own words, when it ends with an error and `check` is set.
        """
        done = subprocess.run(
            [*self.prefix, str(self.binary), *arguments],
            input=input if input is not None else "",
            capture_output=True,
            text=True,
            env=self.environment(),
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        if check and done.returncode != 0:
            words = (done.stderr or done.stdout).strip()
            raise KubectlFailed(f"kubectl {' '.join(arguments)} failed:\n{words}")
        return done

    def forget(self) -> None:
        """Make it ask anew which kinds there are."""
        shutil.rmtree(self.cache, ignore_errors=True)

    def environment(self) -> dict[str, str]:
        """What keeps kubectl to this control plane: no caches or preferences of the user."""
        return base_environment() | {
            "KUBECONFIG": str(self.kubeconfig),
            "KUBECACHEDIR": str(self.cache),
            "KUBERC": "off",
        }
