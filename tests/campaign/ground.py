"""Where the campaign goes on: an installation with all that the specs of `bases.py` name."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.campaign import bases
from tests.campaign.picture import Picture, content_of, described
from tests.campaign.words import IMAGES, PARAMETERS
from tests.support import manifests
from tests.support.cheap_clients import unburden
from tests.support.installation import ACCOUNT, NAMESPACE, Installation
from tests.support.one_process import aws_models
from tests.support.remedies.deeds import TRUST
from tests.support.rights import OWN_ROLES
from tests.support.simulated_aws import catch_up, make_simulator

from awsbatch_operator.api import tags as marks
from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_simulator.inprocess import session
from awsbatch_simulator.jobscript import JobScript

Spec = Mapping[str, Any]

POLL_SCALE = 3.0  # polls change nothing, and cost most of the time
# Seconds: longer than two looks at an object are apart, shorter than what only a person can mend is
# left alone before it is tried again.
RESTING = 540.0
AT_MOST = 2 * 3600.0
STEP = 60.0
GRANTED, DENIED = 200, 403
_READS = ("Describe", "List", "Get", "AssumeRole")
_MORE_PROFILES = ("ecsInstanceRole2", "ecsInstanceRole3")
# Roles of `words.py` that the operator may pass besides those of the tests; `service-role/none`,
# a mistake, it may not.
_ROLES = ("alpha", "beta", "fleet", "AmazonEC2SpotFleetTaggingRole", "batch-operator")
_PROFILES = (*_MORE_PROFILES, "ecsInstanceRole-none")
SHARED: Mapping[str, Mapping[str, Spec]] = {
    "JobQueue": {
        **{f"ComputeEnvironment/{name}": manifests.fargate() for name in ("second", "third")},
        "ComputeEnvironment/pool": manifests.fargate(),
        "SchedulingPolicy/fair": manifests.policy(),
        "SchedulingPolicy/fairer": manifests.policy("2"),
        "SchedulingPolicy/fairest": manifests.policy("4"),
    },
    "BatchJob": {
        "ComputeEnvironment/pool": manifests.environment(),
        "JobQueue/main": manifests.queue("pool"),
        "JobDefinition/simulate": manifests.definition(),
        "JobDefinition/other": manifests.definition("other"),
        "JobDefinition/another": manifests.definition("another"),
        "SchedulingPolicy/fair": manifests.policy(),
    },
}


def key(kind: str, name: str) -> ObjectKey:
    return ObjectKey(kind, "" if kind == "AWSAccount" else NAMESPACE, name)


@dataclass(frozen=True, slots=True)
class Sent:
    """A call of the operator's that was to change something in Batch, and what became of it."""

    operation: str
    body: Mapping[str, Any]
    status: int
    said: str = ""  # what it was refused with

    def names(self, name: str) -> bool:
        """Whether it is about the thing of that name, its tags or a revision of it."""
        said = {str(value) for value in self.body.values() if isinstance(value, str)}
        return any(name in text for text in said)


class Listening:
    """A botocore `before-send` handler around another one, that keeps what changes Batch."""

    def __init__(self, answer: Any) -> None:
        self.sent: list[Sent] = []
        self._answer = answer

    def connect(self, client: Any) -> None:
        """Take over all requests of a client."""
        unburden(client)
        client.meta.events.register("before-send", self, unique_id="listening")

    def __call__(self, request: Any, event_name: str, **context: Any) -> Any:
        _, service, operation = event_name.split(".", maxsplit=2)
        response = self._answer(request=request, event_name=event_name, **context)
        if service == "batch" and not operation.startswith(_READS):
            sent = json.loads(request.body) if request.body else {}
            body = {**sent, "url": request.url}  # of a tagged thing, only that names it
            said = "" if response.status_code == GRANTED else _message(response.content)
            self.sent.append(Sent(operation, body, response.status_code, said))
        return response


def _message(content: bytes) -> str:
    """What an error's body says; botocore knows it under both names."""
    body = json.loads(content or b"{}")
    return str(body.get("message") or body.get("Message") or "")


class Ground(Installation):
    """The installation, and what the campaign sees of an object in AWS."""

    def __init__(self, kind: str) -> None:
        roles = (*OWN_ROLES, *_ROLES, *_PROFILES)
        super().__init__(make_simulator(limits=False), roles=roles, poll_scale=POLL_SCALE)
        self.kind = kind
        self.listening = Listening(self.wire(self._called))
        self.lagging = self.listening  # type: ignore[assignment]
        self.words: dict[str, str] = {}  # what stands for an id that is known only here
        self.plans: dict[str, set[str]] = {}  # by object: the kinds of change that were announced
        self._writes = 0
        self._regional: dict[str, Any] = {}
        self.kube.subscribe(lambda _, body: self._note(body))
        aws = self.simulator.world
        scripts = (JobScript(job_name="*", duration_seconds=1e6),)
        aws.change(aws.settings.model_copy(update={"job_scripts": scripts}))

    def _note(self, body: Mapping[str, Any]) -> None:
        self._writes += 1
        action = body.get("status", {}).get("plan", {}).get("action")
        reasons = {each["reason"] for each in body.get("status", {}).get("conditions", ())}
        told = self.plans.setdefault(body["metadata"]["name"], set())
        told |= {action} if action else set()
        told |= {"Remaking"} & reasons

    async def furnish(self) -> None:
        """Make what specs name, in AWS and in Kubernetes."""
        if self.kind == "ComputeEnvironment":
            self._make_ec2()
        self._make_iam()
        await self._make_outside()
        for name in ("research", "other"):
            served: dict[str, Any] = {
                "roleArn": f"arn:aws:iam::{ACCOUNT}:role/batch-operator",
                "allowedNamespaces": {"names": [NAMESPACE]},
            }
            self.apply(key("AWSAccount", name), served)
        shared = [(each.split("/"), spec) for each, spec in SHARED.get(self.kind, {}).items()]
        for (kind, name), spec in shared:
            self.apply(key(kind, name), spec)
        await self.until_ready(*(key(*each) for each, _ in shared), within=900)
        if self.kind == "BatchJob":
            await self._make_revisions()

    async def _make_revisions(self) -> None:
        """Some more of a definition, so that a job can name one."""
        simulate = key("JobDefinition", "simulate")
        for command in ("second", "third", "fourth"):
            self.apply(simulate, manifests.definition(command, keepRevisions=4))
            await self.until_ready(simulate)

    def _make_ec2(self) -> None:
        ec2, ssm = self.aws("ec2"), self.aws("ssm")
        for alias, parameter in zip(IMAGES, PARAMETERS, strict=True):
            self.words[alias] = ssm.get_parameter(Name=parameter)["Parameter"]["Value"]
        for alias in ("sg-0a1b", "sg-0a1c"):
            group = ec2.create_security_group(GroupName=alias, Description="-", VpcId="vpc-1")
            self.words[alias] = group["GroupId"]
        for alias, name in (("lt-0a1b", "web"), ("lt-0a1c", "wide"), ("lt-0a1d", "deep")):
            made = ec2.create_launch_template(
                LaunchTemplateName=name, LaunchTemplateData={"EbsOptimized": True}
            )
            self.words[alias] = made["LaunchTemplate"]["LaunchTemplateId"]
            ec2.create_launch_template_version(
                LaunchTemplateName=name, LaunchTemplateData={"EbsOptimized": False}
            )
        for name in ("first-key", "second-key"):
            ec2.create_key_pair(KeyName=name)
        for name in ("near", "far"):
            ec2.create_placement_group(GroupName=name, Strategy="cluster")

    def _make_iam(self) -> None:
        iam = self.aws("iam")
        for name in _MORE_PROFILES:
            iam.create_instance_profile(InstanceProfileName=name)
            iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName="ecsInstanceRole")
        for name, path in (("ours", "/service-role/"), ("other", "/"), ("fleet", "/")):
            iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=json.dumps(TRUST))

    def has_role(self, arn: str) -> bool:
        """Whether IAM has the role of that ARN."""
        found = self.aws("iam").list_roles()["Roles"]
        return any(role["Arn"] == arn for role in found)

    async def _make_outside(self) -> None:
        """What specs name by ARN: it is nobody's here, and was there before."""
        batch = self.aws()
        if self.kind == "BatchJob":
            for name in ("outside", "other"):
                batch.register_job_definition(
                    jobDefinitionName=name,
                    type="container",
                    containerProperties=bases.container(),
                )
        if self.kind != "JobQueue":
            return
        resources = manifests.fargate()["computeResources"]
        batch.create_compute_environment(
            computeEnvironmentName="outside", type="MANAGED", computeResources=resources
        )
        for name in ("outside", "other"):
            batch.create_scheduling_policy(name=name, fairsharePolicy={})
        await self.clock.advance(STEP)

    # --- objects ---

    def written(self, name: str, spec: Spec) -> dict[str, Any]:
        """The spec as it is applied under that name."""
        text = json.dumps(spec).replace("{object}", name)
        for alias, real in self.words.items():
            text = text.replace(f'"{alias}"', f'"{real}"')
        written: dict[str, Any] = json.loads(text)
        return written

    def arns(self) -> dict[str, str]:
        """The ARNs of all objects that references may name."""
        return {
            body["metadata"]["name"]: body["status"]["arn"]
            for kind in self.kube.definitions
            for body in self.kube.objects.of_kind(kind)
            if "arn" in body.get("status", {})
        }

    # --- rest ---

    async def rest(self) -> bool:
        """Let time pass until nothing happens any more; whether it comes to that."""
        quiet, waited, before = 0.0, 0.0, self._traces()
        while quiet < RESTING and waited < AT_MOST:
            await self.clock.advance(STEP)
            waited, now = waited + STEP, self._traces()
            quiet = quiet + STEP if now == before else 0.0
            before = now
        return quiet >= RESTING

    def _traces(self) -> tuple[int, int]:
        return sum(sent.status == GRANTED for sent in self.listening.sent), self._writes

    # --- AWS ---

    def picture(self, kind: str, name: str) -> Picture:
        """What AWS has of the object of that name, whatever its status says."""
        catch_up(self.simulator, self.clock)
        spec = self.kube.see(key(kind, name))["spec"] if self.kube.exists(key(kind, name)) else {}
        region = str(spec.get("region") or self.simulator.place.region)
        store = self.simulator.world.region(replace(self.simulator.place, region=region)).batch
        mine = {marks.KIND: kind, marks.NAMESPACE: NAMESPACE, marks.NAME: name}
        things: list[Any]
        match kind:
            case "ComputeEnvironment":
                things = list(store.environments.values())
            case "JobQueue":
                things = list(store.queues.values())
            case "SchedulingPolicy":
                things = list(store.policies.values())
            case "JobDefinition":
                things = [one for every in store.definitions.values() for one in every.values()]
            case _:
                raise AssertionError(f"{kind} does not last")
        found = [each for each in things if mine.items() <= each.tags.items()]
        active = [each for each in found if getattr(each, "active", True)]
        if not active:
            return Picture(made=len(found))
        newest = max(active, key=lambda each: getattr(each, "revision", 0))
        detail = described(self._client(region), kind, newest.arn)
        thing = getattr(newest, "cluster_arn", newest.arn)
        return Picture(content_of(kind, detail), thing, len(found), str(detail.get("status", "")))

    def _client(self, region: str) -> Any:
        if region not in self._regional:
            made = session(self.simulator, self.wire(), loader=aws_models())
            self._regional[region] = made.client("batch", region_name=region)
        return self._regional[region]
