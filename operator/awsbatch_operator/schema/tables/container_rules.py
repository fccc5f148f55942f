"""Rules of containers."""

from awsbatch_operator.schema.forms import AMOUNT
from awsbatch_operator.schema.rules import Rule, where_formed

CONTAINER = (
    Rule(
        id="mount-names-volume",
        # The names are listed once: the API server bounds the cost of a rule beforehand, and one
        # that looked through the volumes for each mount point would cost their product.
        cel="""!has(self.mountPoints)
            || [has(self.volumes) ? self.volumes.map(v, v.name) : []].all(names,
                self.mountPoints.all(m, !has(m.sourceVolume) || m.sourceVolume in names))""",
        message=(
            "A mount point shows a volume of the same definition. Add the missing one to volumes, "
            "or correct sourceVolume."
        ),
        field=".mountPoints",
    ),
)
RESERVED_VARIABLE = Rule(
    id="variable-reserved",
    cel="!self.name.startsWith('AWS_BATCH')",
    message="Variables that begin with AWS_BATCH are set by AWS Batch itself. Rename the variable.",
    field=".name",
)
RESOURCE = (
    Rule(
        id="resource-whole",
        cel=where_formed("self.value", AMOUNT, "self.type == 'VCPU' || !self.value.contains('.')"),
        message="Memory (MiB) and GPUs are whole numbers. Remove the fraction from value.",
        field=".value",
    ),
    Rule(
        id="resource-smallest",
        cel=where_formed(
            "self.value",
            AMOUNT,
            """double(self.value) >= (self.type == 'MEMORY' ? 4.0
                : self.type == 'GPU' ? 1.0 : 0.25)""",
        ),
        message=(
            "AWS Batch needs at least 4 MiB of MEMORY, 0.25 VCPU (1 on EC2) and 1 GPU where one "
            "is asked for. Raise value, or remove the entry."
        ),
        field=".value",
    ),
)
EVALUATE_CONDITION = Rule(
    id="evaluate-condition",
    cel="has(self.onStatusReason) || has(self.onReason) || has(self.onExitCode)",
    message=(
        "This says what to do and not after what. Set onStatusReason, onReason or onExitCode; "
        'onReason "*" is about every attempt that the entries before it are not about.'
    ),
)
EVALUATE_NEEDS_ATTEMPTS = Rule(
    id="evaluate-needs-attempts",
    cel="!has(self.evaluateOnExit) || size(self.evaluateOnExit) == 0 || has(self.attempts)",
    message="evaluateOnExit decides whether another attempt is made. Set attempts (1 to 10), too.",
    field=".attempts",
)
