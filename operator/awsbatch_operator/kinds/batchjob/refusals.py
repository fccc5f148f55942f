"""What keeps a BatchJob from being worked on, whatever AWS says: said, never ignored."""

from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.kinds.batchjob.spec import RESOURCE
from awsbatch_operator.kinds.batchjob.submission import submission_of
from awsbatch_operator.kinds.infrastructure import refusals
from awsbatch_operator.kinds.recording import RecordError, unreadable


def job_refusals(resource: Resource) -> tuple[Finding, ...]:
    """An unsound spec, a field that is not honoured yet, a damaged record of the submission."""
    found = refusals(RESOURCE, resource)
    try:
        submission_of(resource)
    except RecordError as error:
        return (*found, unreadable(error))
    return found
