"""Rules of BatchJobs."""

from awsbatch_operator.kinds.batchjob.array_values import VALUES_LENGTH
from awsbatch_operator.schema.rules import (
    Rule,
    at_most_one,
    chosen,
    exactly_one,
    form,
    unchanged,
)

# What enters SubmitJob: fixed once a submission stands in the status, unless the new spec lets a
# change run, and free until then, so that whoever has mistyped something can correct it.
SUBMITTED = (
    "jobDefinitionRef",
    "jobDefinition",
    "arrayProperties",
    "arrayValues",
    "packing",
    "parameters",
    "containerOverrides",
    "nodeOverrides",
    "ecsPropertiesOverride",
    "eksPropertiesOverride",
    "consumableResourcePropertiesOverride",
    "retryStrategy",
    "timeout",
    "shareIdentifier",
    "schedulingPriorityOverride",
    "propagateTags",
    "tags",
    "dependsOn",
)
# Where it is sent: whatever runs, and has run, stays in one account and region.
PLACE = ("accountRef", "region")
_REQUIRED = ("jobQueueRef",)
_CHANGED = {
    **{name: f"self.spec.{name} != oldSelf.spec.{name}" for name in _REQUIRED},
    **{name: f"!({unchanged(name, 'self.spec')})" for name in SUBMITTED},
}
_MOVED = {name: f"!({unchanged(name, 'self.spec')})" for name in PLACE}
# Equal specs are told first: the API server judges every rule at each write of a status, where the
# spec never differs, and each member that a rule reads costs it a map of all members beside it.
_FREE = "self.spec == oldSelf.spec || !has(self.status) || !has(self.status.run)"
# The new spec says so, not the old one: a change that is accepted must run, or the result would
# stand for a spec that never ran.
_RUNS_CHANGES = "has(self.spec.rerunPolicy) && self.spec.rerunPolicy == 'OnChange'"

VARIABLE = form(
    "variable",
    r"^[A-Za-z_][A-Za-z0-9_]*$",
    "is no name of an environment variable that a shell can read",
    "Names have letters, digits and '_', and do not begin with a digit, such as SHARD.",
)
RETRY_RULES = (
    Rule(
        id="index-map-reserved",
        cel="!self.indexMapVariable.startsWith('AWS_BATCH')",
        message=(
            "Variables that begin with AWS_BATCH are set by AWS Batch itself. Rename the variable."
        ),
        field=".indexMapVariable",
    ),
)

VALUE = form(
    "array-value",
    r"^[^,\r\n]+$",
    "cannot be one value in a list",
    "The values stand in one variable with a comma between them: write at least one character, and "
    "neither a comma nor a line break.",
)
ARRAY_VALUES_RULES = (
    Rule(
        id="array-variable-reserved",
        cel="!self.variable.startsWith('AWS_BATCH')",
        message=(
            "Variables that begin with AWS_BATCH are set by AWS Batch itself. Rename the variable."
        ),
        field=".variable",
    ),
    Rule(
        id="array-values-length",
        cel=f"self.values.map(v, size(v) + 1).sum() <= {VALUES_LENGTH}",
        message=(
            "All values travel in one environment variable, and ECS starts no task whose overrides "
            "have more than 8,192 characters. Shorten them, or let the job read its value from a "
            "file by its index."
        ),
        field=".values",
    ),
)

JOB_REF_RULE = exactly_one(
    "job-ref-name-or-id",
    ("name", "jobId"),
    "A dependency is a BatchJob of this namespace or a job in AWS. Set exactly one of name and "
    "jobId.",
)
DEPENDENCY_RULES = (
    Rule(
        id="dependency-on-something",
        cel="has(self.jobRef) || (has(self.type) && self.type == 'SEQUENTIAL')",
        message=(
            "A dependency names the job to wait for; only SEQUENTIAL, within an array, does "
            "without. Set jobRef."
        ),
    ),
)

OBJECT_RULES = (
    Rule(
        id="submitted-immutable",
        cel=f"{_FREE} || ({_RUNS_CHANGES}) || !({' || '.join(_CHANGED.values())})",
        message=(
            "A job runs as it was submitted, and AWS cannot change it. To run the changed job, set "
            "rerunPolicy to OnChange with the same change, or create another BatchJob."
        ),
        words=f"""'A job runs as it was submitted, but these changed:' + {chosen(_CHANGED)}
            + '. To run the changed job, set rerunPolicy to OnChange with the same change, or '
            + 'create another BatchJob.'""",
        field=".spec",
    ),
    Rule(
        id="place-immutable",
        cel=f"{_FREE} || !({' || '.join(_MOVED.values())})",
        message=(
            "A job stays in the account and the region that it was submitted in. To run it in "
            "another one, create another BatchJob."
        ),
        field=".spec",
    ),
)

# Which member of a definition each override is for.
_OVERRIDDEN = {
    "containerOverrides": "containerProperties",
    "ecsPropertiesOverride": "ecsProperties",
    "eksPropertiesOverride": "eksProperties",
    "nodeOverrides": "nodeProperties",
}
_UNFIT = {
    override: f"(has(self.{override}) && !has(self.jobDefinition.{body}))"
    for override, body in _OVERRIDDEN.items()
}

SPEC_RULES = (
    exactly_one(
        "one-definition",
        ("jobDefinitionRef", "jobDefinition"),
        "A job runs one definition: jobDefinitionRef refers to one, and jobDefinition is one. Set "
        "exactly one of them.",
    ),
    Rule(
        id="override-fits",
        cel=f"!has(self.jobDefinition) || !({' || '.join(_UNFIT.values())})",
        message=(
            "An override is for what the definition has: containerOverrides for "
            "containerProperties, ecsPropertiesOverride for ecsProperties, eksPropertiesOverride "
            "for eksProperties, nodeOverrides for nodeProperties. Write it into jobDefinition."
        ),
    ),
    at_most_one(
        "one-array",
        ("arrayProperties", "arrayValues"),
        "arrayValues makes an array with one job for each value. Remove arrayProperties or "
        "arrayValues.",
    ),
    at_most_one(
        "values-or-nodes",
        ("arrayValues", "nodeOverrides"),
        "AWS Batch has no arrays of multi-node parallel jobs. Remove arrayValues or nodeOverrides.",
    ),
    Rule(
        id="array-of-one-node",
        cel="""!has(self.jobDefinition) || self.jobDefinition.type != 'multinode'
            || (!has(self.arrayProperties) && !has(self.arrayValues))""",
        message=(
            "AWS Batch has no arrays of multi-node parallel jobs. Remove arrayProperties or "
            "arrayValues, or set jobDefinition.type to container."
        ),
    ),
    at_most_one(
        "one-override",
        (
            "containerOverrides",
            "nodeOverrides",
            "ecsPropertiesOverride",
            "eksPropertiesOverride",
        ),
        "A job is of one kind, and each of containerOverrides, nodeOverrides, "
        "ecsPropertiesOverride and eksPropertiesOverride is for another kind. Keep the one that "
        "fits the definition.",
    ),
    Rule(  # "isn't applicable to single-node container jobs or jobs that run on Fargate"
        # (API reference, ContainerOverrides); jobs of several nodes take nodeOverrides instead.
        id="override-instance-type",
        cel="""!has(self.containerOverrides) || !has(self.containerOverrides.instanceType)
            || size(self.containerOverrides.instanceType) == 0""",
        message=(
            "instanceType is about multi-node parallel jobs, whose overrides are in nodeOverrides; "
            "on one node, the compute environment chooses. Remove it, and name the type in the "
            "ComputeEnvironment."
        ),
        field=".containerOverrides.instanceType",
    ),
    at_most_one(
        "array-or-nodes",
        ("arrayProperties", "nodeOverrides"),
        "AWS Batch has no arrays of multi-node parallel jobs. Remove arrayProperties or "
        "nodeOverrides.",
    ),
    Rule(
        id="packing-of-array",
        cel="!has(self.packing) || has(self.arrayProperties) || has(self.arrayValues)",
        message=(
            "packing puts several jobs of an array into one. Set arrayProperties or arrayValues, "
            "or remove packing."
        ),
    ),
    Rule(
        id="packing-of-one-container",
        cel="""!has(self.packing) || !(has(self.ecsPropertiesOverride)
            || has(self.eksPropertiesOverride)
            || (has(self.jobDefinition) && !has(self.jobDefinition.containerProperties)))""",
        message=(
            "packing sets the command of the one container that containerProperties describe. Use "
            "containerProperties and containerOverrides, or remove packing."
        ),
    ),
    Rule(
        id="packing-without-order",
        cel="""!has(self.packing) || !has(self.dependsOn)
            || self.dependsOn.all(d, has(d.jobRef) || !has(d.type) || d.type != 'SEQUENTIAL')""",
        message=(
            "SEQUENTIAL lets a task begin when the one before it has succeeded, and with packing a "
            "job goes on after a task that failed. Remove packing, or that dependency."
        ),
        field=".dependsOn",
    ),
    Rule(
        id="array-dependencies",
        cel="""has(self.arrayProperties) || has(self.arrayValues) || !has(self.dependsOn)
            || self.dependsOn.all(d, !has(d.type) || (has(d.jobRef) && d.type != 'N_TO_N'))""",
        message=(
            "N_TO_N, and SEQUENTIAL without jobRef, are about the jobs of an array. Set "
            "arrayProperties or arrayValues, or remove type."
        ),
        field=".dependsOn",
    ),
)
