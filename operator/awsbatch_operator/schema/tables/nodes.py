"""Multi-node parallel jobs."""

from awsbatch_operator.schema import forms
from awsbatch_operator.schema.additions import Additions, Struct, many, number, plain, text
from awsbatch_operator.schema.rules import Rule, exactly_one

RANGE = text("Node indexes that this is for: 0:3, :3, 2: or 1.", 16, form=forms.NODES)
NODES = 1000  # AWS: instances an ECS cluster may have by default

# Multi-node parallel jobs run on EC2. "Jobs that are running on Amazon EC2 resources must not
# specify this parameter" (ContainerProperties and EcsTaskProperties in the API reference).
_ON_EC2 = "Multi-node parallel jobs run on EC2, where AWS takes none of these."

SHAPES: Additions = {
    "NodeProperties": Struct(
        members={
            "numNodes": number("Number of nodes.", 1, NODES),
            "mainNode": number("Index of the main node.", 0, NODES - 1),
            "nodeRangeProperties": many("What runs on which nodes; together all nodes.", (1, 5)),
        },
        rules=(
            Rule(
                id="main-node-exists",
                cel="self.mainNode < self.numNodes",
                message="Nodes are numbered from 0. Set mainNode to less than numNodes.",
                field=".mainNode",
            ),
        ),
    ),
    "NodeRangeProperty": Struct(
        members={
            "targetNodes": RANGE,
            "container": plain("The container of these nodes."),
            "instanceTypes": many(
                "Instance type of these nodes; AWS takes one.", (0, 1), length=(1, 64)
            ),
            "ecsProperties": plain("The ECS task of these nodes."),
            "eksProperties": plain("The pod of these nodes."),
            "consumableResourceProperties": plain("Consumable resources of these nodes."),
        },
        rules=(
            exactly_one(
                "node-range-one-body",
                ("container", "ecsProperties", "eksProperties"),
                "Nodes run one thing. Set exactly one of container, ecsProperties and "
                "eksProperties.",
            ),
            Rule(
                id="node-container-on-ec2",
                cel="""!has(self.container) || !(
                    (has(self.container.networkConfiguration)
                        && has(self.container.networkConfiguration.assignPublicIp))
                    || (has(self.container.fargatePlatformConfiguration)
                        && has(self.container.fargatePlatformConfiguration.platformVersion))
                    || has(self.container.ephemeralStorage))""",
                message=(
                    f"{_ON_EC2} Remove networkConfiguration, fargatePlatformConfiguration and "
                    "ephemeralStorage from container."
                ),
                field=".container",
            ),
            Rule(
                id="node-task-on-ec2",
                cel="""!has(self.ecsProperties) || self.ecsProperties.taskProperties.all(t,
                    !has(t.networkMode) && !has(t.ephemeralStorage)
                    && !(has(t.networkConfiguration)
                        && has(t.networkConfiguration.assignPublicIp)))""",
                message=(
                    f"{_ON_EC2} Remove networkConfiguration, networkMode and ephemeralStorage "
                    "from taskProperties."
                ),
                field=".ecsProperties",
            ),
        ),
    ),
    "NodeOverrides": Struct(
        members={
            "numNodes": number("Number of nodes instead of the definition's.", 1, NODES),
            "nodePropertyOverrides": many("Overrides by range of nodes.", (0, 5)),
        },
    ),
    "NodePropertyOverride": Struct(
        members={
            "targetNodes": RANGE,
            "containerOverrides": plain("Overrides of the container."),
            "ecsPropertiesOverride": plain("Overrides of the ECS task."),
            "instanceTypes": many(
                "Instance type instead of the definition's.", (0, 1), length=(1, 64)
            ),
            "eksPropertiesOverride": plain("Overrides of the pod."),
            "consumableResourcePropertiesOverride": plain("Consumable resources instead."),
        },
    ),
}
