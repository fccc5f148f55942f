"""Rules of BatchJobs."""

from awsbatch_operator.schema.rules import Rule, at_most_one, chosen, exactly_one, unchanged

# What enters SubmitJob, and where it is sent: fixed once a submission stands in the status, and
# free until then, so that whoever has mistyped something can correct it.
SUBMITTED = (
    "accountRef",
    "region",
    "arrayProperties",
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
_REQUIRED = ("jobQueueRef", "jobDefinitionRef")
_CHANGED = {
    **{name: f"self.spec.{name} != oldSelf.spec.{name}" for name in _REQUIRED},
    **{name: f"!({unchanged(name, 'self.spec')})" for name in SUBMITTED},
}
# Running again on change is not supported yet, so rerunPolicy makes no difference here: a change
# that is accepted must run, or the result would stand for a spec that never ran.
_NOT_SUBMITTED = "!has(self.status) || !has(self.status.run)"

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
        cel=f"{_NOT_SUBMITTED} || !({' || '.join(_CHANGED.values())})",
        message=(
            "A job runs as it was submitted, and AWS cannot change it. To run the changed job, "
            "create another BatchJob."
        ),
        words=f"""'A job runs as it was submitted, but these changed:' + {chosen(_CHANGED)}
            + '. To run the changed job, create another BatchJob.'""",
        field=".spec",
    ),
)

SPEC_RULES = (
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
    at_most_one(
        "array-or-nodes",
        ("arrayProperties", "nodeOverrides"),
        "AWS Batch has no arrays of multi-node parallel jobs. Remove arrayProperties or "
        "nodeOverrides.",
    ),
    Rule(
        id="array-dependencies",
        cel="""has(self.arrayProperties) || !has(self.dependsOn)
            || self.dependsOn.all(d, !has(d.type) || (has(d.jobRef) && d.type != 'N_TO_N'))""",
        message=(
            "N_TO_N, and SEQUENTIAL without jobRef, are about the jobs of an array. Set "
            "arrayProperties, or remove type."
        ),
        field=".dependsOn",
    ),
)
