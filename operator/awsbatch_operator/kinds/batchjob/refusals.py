"""What a BatchJob may ask in the API and this version does not do: said, never ignored."""

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.kinds.batchjob.submission import submission_of

# Field of the spec -> the values of it that are honoured today.
_NOT_YET: dict[str, tuple[object, ...]] = {
    "activeDeadlineSeconds": (),
    "arrayProperties": (),
    "dependsOn": ([],),
    "nodeOverrides": (),
    "rerunPolicy": ("Never",),
    "suspend": (False,),
    "ttlSecondsAfterFinished": (),
}


def job_refusals(resource: Resource) -> tuple[Finding, ...]:
    """The findings that keep this BatchJob from being worked on."""
    asked = [
        f"spec.{name}"
        for name, honoured in _NOT_YET.items()
        if name in resource.spec and resource.spec[name] not in honoured
    ]
    found = []
    if asked:
        found.append(
            Finding(
                catalogue.NOT_SUPPORTED_YET,
                f"This version does not honour {', '.join(asked)} yet.",
            )
        )
    try:
        submission_of(resource)
    except ValueError as error:
        found.append(Finding(catalogue.INVALID_RECORD, f"{error}."))
    return tuple(found)
