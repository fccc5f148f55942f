"""Rules of job definitions as a whole."""

from collections.abc import Mapping

from awsbatch_operator.schema.rules import Rule, chosen, filled

_BODIES = ("containerProperties", "ecsProperties", "eksProperties")
_ONE_BODY = " + ".join(f"(has(self.{name}) ? 1 : 0)" for name in _BODIES)
_ON_FARGATE = "(has(self.platformCapabilities) && 'FARGATE' in self.platformCapabilities)"
_MANAGED_INSTANCES = (
    "(has(self.platformCapabilities) && 'MANAGED_INSTANCES' in self.platformCapabilities)"
)
_CONTAINER = "self.containerProperties"
_TASKS = "self.ecsProperties"
# The reference of ContainerProperties says of each that Fargate, or EC2, does not take it. AWS
# describes some of them as empty all the same.
_LINUX = f"{_CONTAINER}.linuxParameters"
_NOT_FARGATE = {
    "privileged": f"(has({_CONTAINER}.privileged) && {_CONTAINER}.privileged)",
    **filled(("ulimits", "instanceType"), _CONTAINER),
    "GPU": f"""(has({_CONTAINER}.resourceRequirements)
        && {_CONTAINER}.resourceRequirements.exists(r, r.type == 'GPU'))""",
}
_NOT_FARGATE_LINUX = {
    **filled(("devices", "tmpfs"), _LINUX),
    **{name: f"has({_LINUX}.{name})" for name in ("sharedMemorySize", "maxSwap", "swappiness")},
}
_ONLY_FARGATE = {
    "networkConfiguration": f"""(has({_CONTAINER}.networkConfiguration)
        && has({_CONTAINER}.networkConfiguration.assignPublicIp))""",
    "fargatePlatformConfiguration": f"""(has({_CONTAINER}.fargatePlatformConfiguration)
        && has({_CONTAINER}.fargatePlatformConfiguration.platformVersion))""",
    "ephemeralStorage": f"has({_CONTAINER}.ephemeralStorage)",
}


def _any(conditions: Mapping[str, str]) -> str:
    return " || ".join(conditions.values())


SPEC = (
    Rule(
        id="container-one-body",
        cel=f"self.type != 'container' || ({_ONE_BODY} == 1 && !has(self.nodeProperties))",
        message=(
            "A definition of type container runs one thing. Set exactly one of "
            "containerProperties, ecsProperties and eksProperties, and no nodeProperties."
        ),
    ),
    Rule(
        id="multinode-body",
        cel=f"self.type != 'multinode' || ({_ONE_BODY} == 0 && has(self.nodeProperties))",
        message=(
            "A definition of type multinode says in nodeProperties what runs on which nodes. Set "
            "nodeProperties, and move containerProperties, ecsProperties or eksProperties into it."
        ),
    ),
    Rule(
        id="container-complete",
        cel=f"""!has({_CONTAINER}) || (has({_CONTAINER}.image)
            && has({_CONTAINER}.resourceRequirements)
            && {_CONTAINER}.resourceRequirements.exists(r, r.type == 'VCPU')
            && {_CONTAINER}.resourceRequirements.exists(r, r.type == 'MEMORY'))""",
        message=(
            "AWS Batch places jobs by what they need, and starts an image. Set image, and "
            "resourceRequirements with an entry for VCPU and one for MEMORY (in MiB)."
        ),
        field=".containerProperties",
    ),
    Rule(
        id="fargate-single-node",
        cel=f"!({_ON_FARGATE} || {_MANAGED_INSTANCES}) || self.type == 'container'",
        message=(
            "Multi-node parallel jobs run on EC2 only. Remove platformCapabilities, or set type to "
            "container."
        ),
        field=".platformCapabilities",
    ),
    Rule(
        id="managed-instances-task",
        cel=f"!{_MANAGED_INSTANCES} || !has(self.containerProperties)",
        message=(
            "AWS Batch takes jobs for MANAGED_INSTANCES as ECS tasks only. Write the container "
            "under ecsProperties instead of containerProperties."
        ),
    ),
    Rule(
        id="eks-platform",
        cel="""!has(self.eksProperties) || (
            (!has(self.platformCapabilities) || size(self.platformCapabilities) == 0)
            && (!has(self.propagateTags) || !self.propagateTags))""",
        message=(
            "platformCapabilities and propagateTags are about ECS, and AWS refuses them for jobs "
            "on EKS. Remove them."
        ),
    ),
    Rule(
        id="fargate-execution-role",
        cel=f"""!{_ON_FARGATE} || ((!has({_CONTAINER}) || has({_CONTAINER}.executionRoleArn))
            && (!has(self.ecsProperties)
                || self.ecsProperties.taskProperties.all(t, has(t.executionRoleArn))))""",
        message=(
            "On Fargate there is no instance whose role could pull the image and write the log. "
            "Set executionRoleArn."
        ),
    ),
    Rule(  # "This parameter isn't applicable to single-node container jobs" (API reference)
        id="single-node-instance-type",
        cel=f"""!has({_CONTAINER}) || !has({_CONTAINER}.instanceType)
            || size({_CONTAINER}.instanceType) == 0""",
        message=(
            "instanceType is about multi-node parallel jobs; on one node, the compute environment "
            "chooses. Remove it, and name the type in the ComputeEnvironment."
        ),
        field=".containerProperties.instanceType",
    ),
    Rule(
        id="only-fargate-task",
        cel=f"""{_ON_FARGATE} || !has({_TASKS}) || {_TASKS}.taskProperties.all(t,
            !(has(t.networkConfiguration) && has(t.networkConfiguration.assignPublicIp))
            && (!has(t.ephemeralStorage) || {_MANAGED_INSTANCES}))""",
        message=(
            "networkConfiguration and ephemeralStorage are about Fargate. Remove them from "
            "taskProperties, or set platformCapabilities to [FARGATE]."
        ),
        field=".ecsProperties",
    ),
    Rule(
        id="task-network-mode",
        cel=f"""{_MANAGED_INSTANCES} || !has({_TASKS})
            || {_TASKS}.taskProperties.all(t, !has(t.networkMode))""",
        message=(
            "networkMode is about ECS Managed Instances. Remove it, or set platformCapabilities "
            "to [MANAGED_INSTANCES]."
        ),
        field=".ecsProperties",
    ),
    Rule(
        id="fargate-container",
        cel=f"""!{_ON_FARGATE} || !has({_CONTAINER}) || !({_any(_NOT_FARGATE)}
            || (has({_LINUX}) && ({_any(_NOT_FARGATE_LINUX)})))""",
        message=(
            "Fargate gives no access to a host: it takes no privileged, ulimits, instanceType, no "
            "GPU, and of linuxParameters only initProcessEnabled. Remove them, or run on EC2."
        ),
        field=".containerProperties",
    ),
    Rule(
        id="only-fargate-container",
        cel=f"{_ON_FARGATE} || !has({_CONTAINER}) || !({_any(_ONLY_FARGATE)})",
        message=(
            f"{', '.join(_ONLY_FARGATE)} are about Fargate. Remove them from containerProperties, "
            "or set platformCapabilities to [FARGATE]."
        ),
        words=f"""'These are about Fargate:' + {chosen(_ONLY_FARGATE)}
            + '. Remove them from containerProperties, or set '
            + 'platformCapabilities to [FARGATE].'""",
        field=".containerProperties",
    ),
)
