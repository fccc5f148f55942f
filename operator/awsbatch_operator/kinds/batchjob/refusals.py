"""What a BatchJob may ask in the API and this version does not do: said, never ignored."""

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.kinds.batchjob.spec import RESOURCE
from awsbatch_operator.kinds.batchjob.submission import submission_of
from awsbatch_operator.schema.declare import unsupported


def job_refusals(resource: Resource) -> tuple[Finding, ...]:
    """The findings that keep this BatchJob from being worked on."""
    found = [
        Finding(catalogue.NOT_SUPPORTED_YET, f"spec.{field.path} is not honoured.", field.remedy)
        for field in unsupported(RESOURCE, resource.spec)
    ]
    try:
        submission_of(resource)
    except ValueError as error:
        found.append(Finding(catalogue.INVALID_RECORD, f"{error}."))
    return tuple(found)
