"""Where the output of a job is said to be."""

import gzip
import json
from pathlib import Path

import botocore
import pytest
from tests.unit.kinds.batchjob.jobs import known

from awsbatch_operator.kinds.batchjob.log_place import log_place

STREAM = "simulate/default/0a1b"
HOME = "eu-central-1"
MODEL = Path(botocore.__file__).parent / "data/batch/2016-08-10/service-2.json.gz"


def place(driver=None, stream=STREAM, **options):
    configuration = {"options": options} | ({"logDriver": driver} if driver else {})
    container = {"logStreamName": stream, "logConfiguration": configuration}
    return log_place(known("FAILED", container=container), HOME)


def options(**named):
    """Options by their names, which have dashes."""
    return {name.replace("_", "-"): value for name, value in named.items()}


def test_without_a_configuration_it_is_batchs_own_group():
    found = log_place(known("FAILED", container={"logStreamName": STREAM}), HOME)
    assert found.shown() == {"group": "/aws/batch/job", "stream": STREAM}


def test_group_and_region_of_awslogs_are_those_of_the_definition():
    found = place("awslogs", **options(awslogs_group="/climate", awslogs_region="eu-west-1"))
    assert found.shown() == {"group": "/climate", "stream": STREAM, "region": "eu-west-1"}
    assert place(**options(awslogs_region=HOME)).shown() == {
        "group": "/aws/batch/job",
        "stream": STREAM,
    }


def test_a_container_that_never_ran_has_written_nowhere():
    assert log_place(known("FAILED", container={}), HOME).shown() == {}


@pytest.mark.parametrize(
    ("driver", "given", "said"),
    [
        ("splunk", options(splunk_url="https://s:8088"), "splunk-url: https://s:8088"),
        ("fluentd", options(fluentd_address="tcp://f:24224"), "fluentd-address: tcp://f:24224"),
        ("fluentd", {}, "the instance that the job ran on, port 24224"),
        ("gelf", options(gelf_address="udp://g:12201"), "gelf-address: udp://g:12201"),
        ("syslog", options(syslog_address="tcp://s:514"), "syslog-address: tcp://s:514"),
        ("awsfirelens", {"Name": "firehose"}, "Name: firehose"),
        ("json-file", options(max_size="10m"), "a file on the instance that the job ran on"),
    ],
)
def test_another_driver_is_named_with_its_main_option(driver, given, said):
    found = place(driver, **given)
    assert found.shown() == {"driver": driver, "destination": said}
    assert not found.readable


@pytest.mark.parametrize(
    "given",
    [
        options(splunk_url="https://me:hunter22@s:8088", splunk_token="0a1b2c3d"),
        options(splunk_url="https://s:8088/x?token=hunter22"),
        options(splunk_token="hunter22"),
        {"Name": "http", "http_passwd": "hunter22", "header": "X-Key hunter22"},
    ],
)
def test_what_may_be_a_credential_is_never_shown(given):
    for driver in ("splunk", "awsfirelens"):
        said = str(place(driver, **given).shown())
        assert "hunter22" not in said
        assert "0a1b2c3d" not in said


def test_every_driver_that_aws_knows_has_words_of_its_own():
    shapes = json.loads(gzip.decompress(MODEL.read_bytes()))["shapes"]
    unknown = place("of-somebody").destination
    for driver in set(shapes["LogDriver"]["enum"]) - {"awslogs"}:
        assert place(driver).destination != unknown, driver
