"""The reasons that are about what AWS had before, and about what somebody else changes there."""

from awsbatch_operator.api.findings import TARGET_CHECK, note, stall, wait

NOTHING_TO_ADOPT = wait(
    "NothingToAdopt",
    "The spec only takes over what there is (adoptionPolicy Adopt), and there is nothing yet.",
    "Make it in AWS, and it is taken over by itself; or set spec.adoptionPolicy to AdoptOrCreate, "
    "and it is made.",
    TARGET_CHECK,
)
DELETED_IN_AWS = stall(
    "DeletedInAWS",
    "Somebody has deleted the AWS object, and driftPolicy is Report: it is not made anew.",
    "Set spec.driftPolicy to Correct, or change anything else in the spec, and it is made anew.",
    TARGET_CHECK,
)
DRIFTED = note(
    "Drifted",
    "AWS was changed elsewhere and differs from the spec; driftPolicy is Report, so it stays so.",
    "Set spec.driftPolicy to Correct, and AWS is changed back; or take what AWS has into the spec.",
    warning=True,
)
ADOPTED = note("Adopted", "What AWS had was taken over: it carries this object's tags from now on.")
