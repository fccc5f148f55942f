from tests.unit.engine.rig import Rig, job, manifest


async def test_an_object_that_is_listed_at_the_start_gets_a_turn():
    rig = Rig()
    rig.kube.apply(manifest(job("one")))
    async with rig.running():
        assert rig.turns == [job("one")]
