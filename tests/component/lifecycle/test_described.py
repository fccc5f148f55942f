"""What AWS describes of an object is its spec: applied as a manifest, it causes no call."""

from tests.support.described import APPLIED, DEFINITIONS, described, spec_of
from tests.support.installation import Installation
from tests.support.simulated_aws import make_simulator

from awsbatch_operator.api.metadata import ObjectKey

EVERY_ROLE = ("*",)  # what people have published has roles of their own


async def test_every_example_and_published_definition_survives_the_way_to_aws_and_back():
    there = Installation(make_simulator(limits=False), roles=EVERY_ROLE)
    async with there.running():
        for key, spec in APPLIED.items():
            there.apply(key, spec)
        await there.until_ready(*APPLIED, within=900)
        await there.clock.advance(30)
        there.calls.clear()
        for key in APPLIED:
            there.apply(key, spec_of(key.kind, described(there, key)))
        await there.until_ready(*APPLIED, within=60)
        await there.clock.advance(700)
        assert there.changes() == []
        assert [key for key in APPLIED if there.status(key).get("revision", 1) != 1] == []


async def test_a_description_made_anew_is_the_same_again():
    there = Installation(make_simulator(limits=False), roles=EVERY_ROLE)
    async with there.running():
        for key, spec in DEFINITIONS.items():
            there.apply(key, spec)
        await there.until_ready(*DEFINITIONS)
        copies = {
            ObjectKey(key.kind, "other", key.name): spec_of(key.kind, described(there, key))
            for key in DEFINITIONS
        }
        for key, spec in copies.items():
            there.apply(key, spec)
        await there.until_ready(*copies)
        for key, spec in copies.items():
            assert spec_of(key.kind, described(there, key)) == spec
