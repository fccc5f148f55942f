"""What the ECS agent is told: by us, by the user, and what the user may not tell it."""

import json
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.env_files import as_systemd, as_the_agent
from tests.support.reading import reads_badly
from tests.unit.userdata.wishes import (
    CLUSTER,
    PLAIN,
    agent_settings,
    refused,
    rendered,
    with_given,
)

from awsbatch_operator.userdata import agent
from awsbatch_operator.userdata.agent_variables import NOT_YOURS, VARIABLES, Form


def told(wish):
    """What the agent reads from the block that is written for it."""
    return as_the_agent(agent.block(wish))


def test_an_instance_joins_just_the_cluster_of_its_environment():
    assert told(PLAIN)["ECS_CLUSTER"] == CLUSTER
    assert told(replace(PLAIN, cluster="AWSBatch-lab"))["ECS_CLUSTER"] == "AWSBatch-lab"


@pytest.mark.parametrize(
    "cluster",
    ["", "default", "a b", "x\ny", f"{CLUSTER}\n", CLUSTER.replace("eu-central-1", "us-east-1")],
)
def test_no_user_data_is_made_for_a_cluster_that_cannot_be_meant(cluster):
    (problem,) = refused(replace(PLAIN, cluster=cluster)).problems
    assert problem.path == "spec.capacity.pools[name=main]"


@pytest.mark.parametrize(
    ("market", "draining", "stop"),
    [("OnDemand", "false", "30s"), ("Spot", "true", "100s"), ("SpotBlock", "true", "100s")],
)
def test_what_may_be_interrupted_drains_and_gives_jobs_time_to_stop(market, draining, stop):
    settings = told(replace(PLAIN, market=market))
    assert settings["ECS_ENABLE_SPOT_INSTANCE_DRAINING"] == draining
    assert settings["ECS_CONTAINER_STOP_TIMEOUT"] == stop


def test_a_container_instance_tells_whose_it_is_by_attributes():
    assert json.loads(told(PLAIN)["ECS_INSTANCE_ATTRIBUTES"]) == {
        "awsbatch.dev/cluster": "lab",
        "awsbatch.dev/owner-uid": PLAIN.environment_uid,
        "awsbatch.dev/pool": "main",
        "awsbatch.dev/market": "OnDemand",
        "awsbatch.dev/image": "ami-0123456789abcdef0",
    }


def test_the_users_attributes_are_added_to_ours():
    wish = with_given(ecs_config=(("ECS_INSTANCE_ATTRIBUTES", '{"team":"climate"}'),))
    attributes = json.loads(told(wish)["ECS_INSTANCE_ATTRIBUTES"])
    assert attributes["team"] == "climate"
    assert attributes["awsbatch.dev/pool"] == "main"


def test_what_batch_needs_is_there_and_a_gpu_and_an_endpoint_only_where_they_are():
    settings = told(PLAIN)
    assert "awslogs" in json.loads(settings["ECS_AVAILABLE_LOGGING_DRIVERS"])
    assert settings["ECS_ENABLE_TASK_IAM_ROLE"] == "true"
    assert not {"ECS_ENABLE_GPU_SUPPORT", "ECS_BACKEND_HOST"} & set(settings)
    more = told(replace(PLAIN, gpu=True, ecs_endpoint="http://127.0.0.1:4566"))
    assert more["ECS_ENABLE_GPU_SUPPORT"] == "true"
    assert more["ECS_BACKEND_HOST"] == "http://127.0.0.1:4566"


def test_the_user_overrides_what_does_not_keep_an_instance_from_joining():
    wish = with_given(ecs_config=(("ECS_IMAGE_CLEANUP_INTERVAL", "1h"),))
    assert told(wish)["ECS_IMAGE_CLEANUP_INTERVAL"] == "1h"
    assert agent_settings(wish).count("ECS_IMAGE_CLEANUP_INTERVAL=") == 1


@pytest.mark.parametrize("name", NOT_YOURS)
def test_what_would_keep_an_instance_from_joining_is_refused(name):
    (problem,) = refused(with_given(ecs_config=((name, "x"),))).problems
    assert problem.path == f"spec.capacity.pools[name=main].userData.ecsConfig.{name}"
    assert problem.what == "may not be set"
    assert problem.remedy.startswith("Leave it out")


def test_nothing_that_is_refused_is_also_known_and_all_that_we_write_is():
    assert not set(NOT_YOURS) & set(VARIABLES)
    whole = replace(PLAIN, gpu=True, ecs_endpoint="https://ecs.example.org")
    assert set(agent.generated(whole)) <= set(VARIABLES) | {"ECS_CLUSTER", "AWS_DEFAULT_REGION"}


def test_a_misspelt_setting_is_refused_with_the_nearest_that_there_is():
    (problem,) = refused(with_given(ecs_config=(("ECS_IMAGE_PULL_BEHAVIOUR", "always"),))).problems
    assert "Did you mean ECS_IMAGE_PULL_BEHAVIOR?" in problem.remedy
    (far,) = refused(with_given(ecs_config=(("WARP_SPEED", "9"),))).problems
    assert "Did you mean" not in far.remedy
    assert not any(reads_badly(each.text()) for each in (problem, far))
    assert far.remedy.startswith("Check the name. The settings are listed")


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("ECS_RESERVED_MEMORY", "256", "256MiB"),
        ("ECS_ENABLE_CONTAINER_METADATA", "true", "yes"),
        ("ECS_CONTAINER_STOP_TIMEOUT", "1m30s", "90"),
        ("ECS_IMAGE_CLEANUP_INTERVAL", "10m", "9m59s"),
        ("ECS_NUM_IMAGES_DELETE_PER_CYCLE", "1", "0"),
        ("ECS_IMAGE_PULL_BEHAVIOR", "once", "never"),
        ("ECS_RESERVED_PORTS", "[22, 80]", "22, 80"),
        ("ECS_LOG_OPTS", '{"tag":"x"}', '{"tag":1}'),
        ("ECS_TASK_METADATA_RPS_LIMIT", "100,150", "100"),
        ("ECS_DYNAMIC_HOST_PORT_RANGE", "49153-65535", "all"),
        ("ECS_AVAILABLE_LOGGING_DRIVERS", '["awslogs","splunk"]', '["splunk"]'),
        ("ECS_INSTANCE_ATTRIBUTES", '{"a":"b"}', '{"awsbatch.dev/pool":"b"}'),
        ("ECS_INSTANCE_ATTRIBUTES", '{"a":"b c"}', '{"a":" b"}'),
        ("ECS_CONTAINER_INSTANCE_TAGS", '{"a":"b"}', '{"AWS:a":"b"}'),
        ("NO_PROXY", "169.254.169.254,10.0.0.1", "10.0.0.1"),
        ("HTTP_PROXY", "http://proxy:3128", "http://me:AKIAABCDEFGHIJKLMNOP@proxy:3128"),
    ],
)
def test_a_value_is_refused_that_the_agent_would_ignore_or_that_harms(name, good, bad):
    assert told(with_given(ecs_config=((name, good),)))[name]
    rendered(with_given(ecs_config=((name, good),)))
    (problem,) = refused(with_given(ecs_config=((name, bad),))).problems
    assert problem.path.endswith(f".userData.ecsConfig.{name}")
    assert problem.remedy


@pytest.mark.parametrize(
    "value", ["a\nECS_CLUSTER=other", "a\rb", "a\0b", " a", "a\t", '"a"', "'a", "a\\", "\ud800"]
)
def test_a_value_is_refused_that_is_no_rest_of_one_line(value):
    (problem,) = refused(with_given(ecs_config=(("ECS_NVIDIA_RUNTIME", value),))).problems
    assert problem.path.endswith("ECS_NVIDIA_RUNTIME")
    assert value not in problem.text() or value == " a"


def test_a_setting_that_is_given_twice_is_refused():
    twice = (("ECS_LOGLEVEL", "info"), ("ECS_LOGLEVEL", "debug"))
    assert refused(with_given(ecs_config=twice)).problems[0].what == "is given twice"


def test_a_setting_that_needs_rights_or_gives_up_safety_is_warned_of():
    off = (("ECS_ENABLE_SPOT_INSTANCE_DRAINING", "false"),)
    spot = replace(with_given(ecs_config=off), market="Spot")
    assert "interruption notice" in rendered(spot).warnings[0]
    assert rendered(with_given(ecs_config=off)).warnings == ()
    tags = with_given(ecs_config=(("ECS_CONTAINER_INSTANCE_TAGS", '{"a":"b"}'),))
    assert "ecs:TagResource" in rendered(tags).warnings[0]


FREE = sorted(name for name, variable in VARIABLES.items() if variable.form is Form.TEXT)


@given(st.sampled_from(FREE), st.text(max_size=40) | st.text("'\"\\ $`#;=\n\t%{}!", max_size=12))
@example("ECS_LOGFILE", "$(reboot)`reboot`#;=%n")
@example("ECS_LOGFILE", "END_OF_ECS_CONFIG")
def test_both_readers_read_what_the_user_gave_or_it_is_refused(name, value):
    wish = with_given(ecs_config=((name, value),))
    problems = agent.check(wish).problems
    if not problems:
        block = agent.block(wish)
        assert as_the_agent(block)[name] == value
        assert as_systemd(block) == as_the_agent(block)
        assert as_the_agent(block)["ECS_CLUSTER"] == CLUSTER
    else:
        assert all(name in problem.path for problem in problems)
