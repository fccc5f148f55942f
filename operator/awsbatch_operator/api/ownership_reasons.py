"""The reasons about what AWS had before, and about what somebody else changes or serves."""

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
HANDED_OVER = note(
    "HandedOver",
    "The annotation awsbatch.dev/installation names another installation of the operator, so this "
    "one does nothing about the object any more.",
    "Make sure that an installation of that name runs and watches the namespace; otherwise correct "
    "the annotation.",
)
WRITES_UNDONE = note(
    "WritesUndone",
    "Somebody else keeps writing over the status, or the records, that the operator writes into "
    "the object, so it leaves the object alone for a while, which is longer each time.",
    "Look for another installation of the operator that sees the object, perhaps of an earlier "
    "version: have one of them leave the namespace out (--exclude-namespaces), or upgrade it. A "
    "change of the spec is looked at at once.",
    warning=True,
)
ADOPTED = note("Adopted", "What AWS had was taken over: it carries this object's tags from now on.")
