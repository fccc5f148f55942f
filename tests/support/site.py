"""An installation at work for tests: operators as processes and an AWS in a hurry, on a cluster."""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from tests.support.api_server import ApiServer
from tests.support.cluster import Cluster
from tests.support.deadline import wait_until

from awsbatch_sandbox import installation
from awsbatch_sandbox.aws import SimulatedAws
from awsbatch_sandbox.controlplane import ControlPlane
from awsbatch_sandbox.parts import Part
from awsbatch_sandbox.sandbox import OPERATOR, Sandbox

HURRY = 20.0  # how many times as quick as the real one the simulated AWS is
# As quick as the settings allow. The clock is the real one on both sides.
QUICK = {
    "--poll-scale": str(1 / HURRY),
    "--lease-seconds": "5",
    "--aws-connect-timeout": "1",
    "--aws-read-timeout": "1",
    "--settling-seconds": "2",
    "--definition-grace": "0",
}
# Flags of `start` where nobody waits for a lease to run out, and every event is looked at: with a
# second for an answer, a busy machine makes calls whose outcome is unknown.
PATIENT = {"lease_seconds": "30", "aws_connect_timeout": "3", "aws_read_timeout": "10"}
_FAMILY = re.compile(r"^# TYPE awsbatch_operator_(\w+) ", re.MULTILINE)
_SAMPLE = re.compile(r"^awsbatch_operator_(\w+?)(?:\{(.*)\})? (\S+)$", re.MULTILINE)


@dataclass
class Site:
    """A sandbox on the shared control plane, and the hands on its parts."""

    sandbox: Sandbox
    aws: SimulatedAws
    _clients: dict[tuple[str, str, str], Any] = field(default_factory=dict)

    @property
    def control_plane(self) -> ControlPlane:
        """The cluster."""
        return self.sandbox.control_plane

    @contextmanager
    def cluster(self, namespace: str) -> Iterator[Cluster]:
        """A namespace of it."""
        with ApiServer(self.control_plane) as api:
            yield Cluster(api, namespace)

    def start(self, name: str = OPERATOR, **flags: str | None) -> Part:
        """Start an operator and wait until it is ready; `resync_seconds="2"` sets that flag.

        None leaves a flag out, so that the operator's own default counts.
        """
        chosen = QUICK | {f"--{key.replace('_', '-')}": value for key, value in flags.items()}
        words = [word for flag, value in chosen.items() if value for word in (flag, value)]
        return self.sandbox.start_operator(*words, name=name)

    def begin(self, name: str = OPERATOR, *, environ: Mapping[str, str] | None = None) -> Part:
        """Start an operator that lacks something, and so is not ready; `environ` is on top."""
        words = [word for pair in QUICK.items() for word in pair]
        return self.sandbox.start_operator(*words, name=name, environ=environ, until="/livez")

    def client(self, service: str, *, account: str = "", region: str = "") -> Any:
        """A boto3 client of somebody else in the same account, or with a role in another one.

        In another region, if it is given.
        """
        key = service, account, region
        if key not in self._clients:
            made = boto3.client(
                service,
                endpoint_url=self.aws.url,
                region_name=region or self.aws.region,
                **(self._credentials(account) if account else self._own_credentials()),
            )
            self._clients[key] = made
        return self._clients[key]

    def calls(self, operation: str = "", *, outcome: str = "") -> int:
        """How many calls were made to AWS since the last reset."""
        made = self.aws.admin("GET", "/_simulator/calls")["calls"]
        return sum(
            call["count"]
            for call in made
            if operation in ("", call["operation"]) and outcome in ("", call["outcome"])
        )

    def done(self, operation: str) -> int:
        """How often AWS has done it, whatever anybody was told."""
        return sum(self.calls(operation, outcome=each) for each in ("OK", "DroppedAfterCommit"))

    def asked(self, operation: str) -> int:
        """How often AWS was asked for it, by whomever; what is throttled is asked for again."""
        return self.calls(operation) - self.calls(operation, outcome="TooManyRequestsException")

    def fault(self, effect: str, **details: Any) -> str:
        """Let something go wrong from now on; the fault's id."""
        spec = {"effect": effect, **details}
        return str(self.aws.admin("POST", "/_simulator/faults", spec)["id"])

    def struck(self, fault: str) -> int:
        """How often a fault has struck so far."""
        listed = self.aws.admin("GET", "/_simulator/faults")["faults"]
        return next(int(each["struck"]) for each in listed if each["id"] == fault)

    def mend(self, fault: str) -> None:
        """Take a fault away."""
        self.aws.admin("DELETE", f"/_simulator/faults/{fault}")

    def script(self, **script: Any) -> None:
        """Let jobs that it matches follow this script, before all earlier ones."""
        before = self.aws.admin("GET", "/_simulator/settings")["jobScripts"]
        self.aws.admin("PUT", "/_simulator/settings", {"jobScripts": [script, *before]})

    def metric(self, name: str, *, operator: str = OPERATOR, **labels: str) -> float:
        """The sum of an operator's metric over all samples that carry these labels.

        AssertionError if it has no metric of that name: 0 means that nothing was counted yet.
        """
        url = self.sandbox.operator_url(operator)
        with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:  # noqa: S310 - ours
            text = answer.read().decode()
        families = set(_FAMILY.findall(text))
        assert name in families, f"{name} is none of the metrics: {sorted(families)}"
        wanted = {f'{label}="{value}"' for label, value in labels.items()}
        return sum(
            float(value)
            for found, carried, value in _SAMPLE.findall(text)
            if found == name and wanted <= set(carried.split(","))
        )

    def not_ready(self, operator: str = OPERATOR) -> str:
        """What an operator answers at /readyz; "" if it is ready."""
        url = f"{self.sandbox.operator_url(operator)}/readyz"
        try:
            with urllib.request.urlopen(url, timeout=10):  # noqa: S310 - ours
                return ""
        except urllib.error.HTTPError as error:
            return error.read().decode()

    def said(self, about: str) -> str:
        """The lines of the operator's log that mention something, for a test that fails."""
        log = self.sandbox._operators[OPERATOR].log
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(["", *(line for line in lines if about in line)])

    def deeds(self, namespace: str, *, at_least: int) -> list[tuple[str, str, str]]:
        """What the operator's log tells of the objects there: what was done, kind and name.

        A status is written before it is told, so `at_least` that many lines are waited for.
        """
        found: list[tuple[str, str, str]] = []

        def enough() -> bool:
            found[:] = self._deeds(namespace)
            return len(found) >= at_least

        try:
            wait_until(enough, f"{at_least} lines about objects in {namespace}")
        except AssertionError as error:
            error.add_note(f"there are {found}")
            raise
        return found

    def _deeds(self, namespace: str) -> list[tuple[str, str, str]]:
        log = self.sandbox._operators[OPERATOR].log
        whole, _, _ = log.read_text(encoding="utf-8").rpartition("\n")  # another may be coming
        lines = [json.loads(line) for line in whole.splitlines()]
        return [
            (line["message"], line["kind"], line["name"])
            for line in lines
            if "aws_name" in line and line["namespace"] == namespace
        ]

    def close(self) -> None:
        """Close what was opened here; the sandbox is ended by whoever made it."""
        for client in self._clients.values():
            client.close()

    def _own_credentials(self) -> Mapping[str, str]:
        return {
            "aws_access_key_id": self.aws.access_key_id,
            "aws_secret_access_key": self.aws.secret_access_key,
        }

    def _credentials(self, account: str) -> Mapping[str, str]:
        role = f"arn:aws:iam::{account}:role/batch-operator"
        assumed = self.client("sts").assume_role(RoleArn=role, RoleSessionName="test")
        made = assumed["Credentials"]
        return {
            "aws_access_key_id": made["AccessKeyId"],
            "aws_secret_access_key": made["SecretAccessKey"],
            "aws_session_token": made["SessionToken"],
        }


@contextmanager
def opened(
    control_plane: ControlPlane,
    directory: Path,
    *,
    runner: str = "script",
    user_data: str = "auto",
    overlay: Path = installation.BASE,
) -> Iterator[Site]:
    """A site without an operator yet; all that runs in it is ended afterwards.

    `overlay` has the operator's ServiceAccount and its permissions. `user_data` of instances is
    interpreted, executed, or the latter where that is possible.
    """
    with Sandbox(directory, control_plane=control_plane) as sandbox:
        sandbox.install_operator_identity(overlay)
        everything = ("get", "awsbatch", "--all-namespaces", "--output=name")
        left = control_plane.kubectl(*everything, check=False).stdout  # CRDs may come later
        assert not left, f"an earlier test has left this behind: {left}"
        aws = sandbox.start_simulator("--job-runner", runner, "--user-data", user_data)
        aws.hurry(HURRY)
        with closing(Site(sandbox, aws)) as site:
            yield site
            failed = aws.admin("GET", "/_simulator/state")["failedTimers"]
            assert not failed, "timers of the simulator have failed; see its log"
    # A killed operator cannot give its lease back, and the next one need not wait for that.
    control_plane.kubectl("delete", "leases", "--all", f"--namespace={sandbox.operator_namespace}")
