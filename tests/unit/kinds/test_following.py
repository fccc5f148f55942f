"""A gate holds back what is new; what was recorded is looked at all the same."""

import pytest
from tests.unit.kinds.gadget_rig import Rig
from tests.unit.kinds.gadgets import ELSEWHERE, NOBODY, ONE, Gadget, missing, step

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import PAUSED, RECONCILE_AT
from awsbatch_operator.api.tags import Ownership
from awsbatch_operator.aws.errors import AwsError, ErrorKind

UNSOUND = Finding(catalogue.INVALID_SPEC, "It is not sound.")


async def behind_a_gate(*, records: bool = True, adoption: str = "Create") -> Rig:
    """A gadget that was made; then its spec became unsound, and AWS has come on."""
    rig = Rig()
    rig.apply(adoptionPolicy=adoption)
    rig.kind.script = missing(step("A"))
    await rig.turn()
    rig.kind.script = missing(step("A"), step("New"))
    rig.kind.refused, rig.kind.records = (UNSOUND,), records
    rig.kind.things[ONE.name] = Gadget(("A", "B"), rig.kind.tags_of(ONE))
    return rig


async def test_what_was_recorded_is_shown_beside_the_finding_and_nothing_is_done():
    rig = await behind_a_gate()
    again = await rig.turn()
    assert rig.journal == ["feed", "status"]
    assert rig.status()["parts"] == ["A", "B"]
    assert rig.holds("Stalled") == "InvalidSpec"
    assert again.after == UNSOUND.again
    await rig.turn()
    assert rig.journal == ["feed"]


async def test_where_nothing_is_recorded_aws_is_not_asked():
    rig = await behind_a_gate(records=False)
    await rig.turn()
    assert rig.journal == ["status"]
    assert rig.holds("Stalled") == "InvalidSpec"


@pytest.mark.parametrize("tags", [NOBODY, ELSEWHERE])
async def test_what_is_anothers_is_neither_shown_nor_taken_over_nor_spoken_of(tags):
    rig = await behind_a_gate(adoption="Adopt")
    rig.kind.things[ONE.name] = Gadget(("theirs",), tags)
    rig.kube.annotate(ONE, **{RECONCILE_AT: "now"})
    owned = Ownership.ADOPTABLE if tags is NOBODY else Ownership.FOREIGN
    rig.kind.owned = lambda *_: owned  # type: ignore[method-assign]
    await rig.turn()
    assert "theirs" not in rig.status().get("parts", ())
    assert rig.holds("Stalled") == "InvalidSpec"
    assert not any("record" in entry for entry in rig.journal)


async def test_a_look_that_fails_leaves_the_finding_of_the_gate():
    rig = await behind_a_gate()

    async def fails(*_, **__):
        raise AwsError(ErrorKind.THROTTLED, operation="Look", message="Slow down")

    rig.kind.observe = fails  # type: ignore[method-assign]
    again = await rig.turn()
    assert rig.holds("Stalled") == "InvalidSpec"
    assert again.failed


async def test_a_paused_object_shows_what_aws_has_and_keeps_its_conditions():
    rig = await behind_a_gate()
    rig.kube.annotate(ONE, **{PAUSED: "true"})
    await rig.turn()
    assert rig.journal == ["feed", "status"]
    assert rig.status()["parts"] == ["A", "B"]
    assert rig.holds("Ready") == "Ready"
    assert rig.holds("Paused") == "PausedByAnnotation"
