"""Scripts whose texts are in ConfigMaps: missing, changed, mistaken, and never told."""

import json
from functools import partial
from typing import Any

from tests.component.extendedami.images import IMAGE, Darkroom, image
from tests.support.installation import NAMESPACE

from awsbatch_operator.kube.port import DeniedError

HOUR = 3600
PLACE = (NAMESPACE, "tuning")
FROM = {"configMapKeyRef": {"name": "tuning", "key": "tune.sh"}}
FIRST, SECOND = "#!/bin/bash\necho first-words\n", "#!/bin/bash\necho second-words\n"
NOTICED = 240  # seconds, as the documentation says


def tuned(**members: Any) -> dict[str, Any]:
    """An image with a script of a ConfigMap, that is used without a test."""
    script = {"name": "tune", "contentFrom": FROM}
    return image(verify={"enabled": False}, packages=None, scripts=[script], **members)


def told(there: Darkroom, words: str) -> bool:
    return words in there.condition(IMAGE, "Stalled").get("message", "")


async def test_a_text_is_waited_for_built_and_built_anew_when_it_changes_at_rest_for_nothing():
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, tuned())
        said = await there.until(IMAGE, "Reconciling", "ScriptTextMissing")
        assert said.startswith(
            "Script tune: key tune.sh of ConfigMap science/tuning cannot be read: there is no such "
            "ConfigMap."
        )
        there.kube.config_maps[PLACE] = {"other": FIRST}
        await there.run_until(
            lambda: "no such key" in there.condition(IMAGE, "Reconciling").get("message", ""),
            within=60,
        )
        assert not there.ec2.instances
        there.kube.config_maps[PLACE] = {"tune.sh": FIRST}
        await there.until_ready(IMAGE, within=HOUR)
        first = there.status(IMAGE)["imageId"]
        there.kube.config_maps[PLACE] = {"tune.sh": FIRST, "other": "changes nothing"}
        await there.clock.advance(600)
        before = len(there.changes())
        assert there.guests.built == 1
        del there.kube.config_maps[PLACE]
        await there.until(IMAGE, "Reconciling", "ScriptTextMissing", within=NOTICED)
        assert there.status(IMAGE)["imageId"] == first
        there.kube.config_maps[PLACE] = {"tune.sh": FIRST}
        await there.until_ready(IMAGE, within=60)
        assert len(there.changes()) == before
        there.kube.config_maps[PLACE] = {"tune.sh": SECOND}
        await there.run_until(lambda: there.guests.built == 2, within=NOTICED)
        await there.run_until(lambda: there.status(IMAGE)["imageId"] != first, within=HOUR)
        shown = json.dumps([there.kube.see(IMAGE), list(there.kube.events.values())])
        assert "words" not in shown


async def test_a_build_outlives_the_text_and_is_given_up_only_for_another_one():
    there = Darkroom()
    async with there.running():
        there.kube.config_maps[PLACE] = {"tune.sh": FIRST}
        there.apply(IMAGE, tuned())
        await there.run_until(lambda: there.guests.built == 1, within=HOUR)
        del there.kube.config_maps[PLACE]
        await there.until(IMAGE, "Reconciling", "ScriptTextMissing", within=NOTICED)
        await there.run_until(lambda: "imageId" in there.status(IMAGE), within=HOUR)
        there.kube.config_maps[PLACE] = {"tune.sh": FIRST}
        await there.until_ready(IMAGE, within=60)
        assert there.guests.built == 1


async def test_a_text_that_cannot_be_run_or_read_is_told_and_heals(monkeypatch):
    there = Darkroom()

    async def denied(*_: str) -> None:
        raise DeniedError("forbidden")

    async with there.running():
        with monkeypatch.context() as patched:
            patched.setattr(there.kube, "config_map", denied)
            there.apply(IMAGE, tuned())
            said = await there.until(IMAGE, "Reconciling", "ScriptTextMissing")
            assert "the operator may not read ConfigMaps (get) there" in said
        for text, words in {
            "echo first-words": "does not begin with a line that names the program",
            "#!/bin/bash\r\necho first-words": "the carriage return of a file made on Windows",
            "#!/bin/bash\n" + "#" * 65_536: "has 65548 characters, and a script 65536 at most",
        }.items():
            there.kube.config_maps[PLACE] = {"tune.sh": text}
            await there.run_until(partial(told, there, words), within=NOTICED)
        assert not there.ec2.instances
        there.kube.config_maps[PLACE] = {"tune.sh": FIRST}
        await there.run_until(lambda: there.guests.built == 1, within=NOTICED)
