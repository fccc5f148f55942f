"""The demo of machine images tells in the order of causes, whatever a look has found first."""

from typing import Any

from awsbatch_sandbox.image_demo import Story

BUILDER = {"InstanceId": "i-1", "State": {"Name": "pending"}, "role": "builder"}


class _Stage:
    def __init__(self):
        self.status = {}

    def objects(self, *_kinds):
        return [{"kind": "ExtendedAMI", "status": self.status}]


class _Account:
    def machines(self):
        return [BUILDER]


def _told(story):
    return [text for _, text in story.look().lines]


def test_a_builder_that_is_there_before_the_status_is_written_is_told_after_its_reason():
    stage: Any = _Stage()
    account: Any = _Account()
    story = Story(stage, account)
    assert _told(story) == []
    stage.status = {"bake": {"needed": True, "because": ["mounts"]}}
    assert _told(story) == [
        "an image has to be made, because of mounts",
        "launched i-1: the builder, which nobody logs in to",
    ]
