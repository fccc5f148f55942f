"""The command line: what an installation may set, and what it is told when that is wrong."""

import gc
import re
import subprocess
import sys
from importlib import metadata

import pytest
from pydantic import ValidationError

from awsbatch_operator.__main__ import main, version
from awsbatch_operator.command_line import parser, settings_from
from awsbatch_operator.settings import Settings
from awsbatch_sandbox.paths import REPOSITORY


def run(*flags: str, **environment: str) -> Settings:
    """The settings of `run` with these flags, in that environment."""
    return settings_from(parser().parse_args(["run", "--cluster-id=lab", *flags]), environment)


def test_only_the_cluster_must_be_named():
    settings = run(POD_NAME="operator-1", POD_NAMESPACE="awsbatch", AWS_REGION="eu-north-1")
    assert (settings.cluster_id, settings.identity) == ("lab", "operator-1")
    assert (settings.lease_namespace, settings.region) == ("awsbatch", "eu-north-1")
    assert (settings.lease_seconds, settings.aws_call_seconds) == (30, 13)
    assert settings.namespaces == ()


def test_a_list_that_is_empty_allows_nothing_and_one_that_is_not_given_sets_no_limit():
    assert run().allowed_role_arns is None
    assert run("--allowed-role-arns=").allowed_role_arns == ()
    roles = run("--allowed-role-arns=arn:a, arn:b,").allowed_role_arns
    assert roles == ("arn:a", "arn:b")


def test_regions_are_limited_to_the_own_one_and_those_that_are_listed():
    assert run("--region=eu-north-1").own_regions is None
    assert run("--region=eu-north-1", "--allowed-regions=").own_regions == ("eu-north-1",)
    more = run("--region=eu-north-1", "--allowed-regions=us-east-1")
    assert more.own_regions == ("eu-north-1", "us-east-1")


def test_prices_are_given_as_a_list_and_a_wrong_one_is_named():
    prices = run("--prices=m5.large=0.08, Spot:eu-west-1a/m5.large=0.03").prices
    assert prices == ("m5.large=0.08", "Spot:eu-west-1a/m5.large=0.03")
    with pytest.raises(ValidationError, match=r"'m5\.large' is no price"):
        run("--prices=r5.large=1,m5.large")


def test_an_interruption_queue_is_named_by_url_or_arn_and_leaves_threads_to_others():
    assert run().queue is None
    arn = "--interruption-queue=arn:aws:sqs:eu-north-1:111122223333:q"
    queue = run(arn, "--region=us-east-1").queue
    assert queue is not None
    assert queue.region == "eu-north-1"
    local = "--interruption-queue=http://127.0.0.1:4566/111122223333/q"
    queue = run(local, "--region=us-east-1").queue
    assert queue is not None
    assert queue.region == "us-east-1"
    for flags, words in (
        (["--interruption-queue=q"], "neither the URL nor the ARN"),
        ([local], "Give the queue's ARN"),
        ([arn, "--aws-threads=3"], "raise --aws-threads to 4"),
    ):
        with pytest.raises(ValidationError, match=words):
            run(*flags)


def test_an_event_queue_is_another_one_than_that_of_interruptions_and_takes_a_thread():
    assert run().job_events is None
    name = "arn:aws:sqs:eu-north-1:111122223333"
    queue = run(f"--event-queue={name}:jobs").job_events
    assert queue is not None
    assert (queue.name, queue.region) == ("jobs", "eu-north-1")
    both = [f"--interruption-queue={name}:hosts", f"--event-queue={name}:jobs"]
    assert run(*both, "--aws-threads=5").listens
    same = "https://sqs.eu-north-1.amazonaws.com/111122223333/hosts"
    for flags, words in (
        (["--event-queue=q"], "neither the URL nor the ARN"),
        ([both[1], "--aws-threads=3"], "raise --aws-threads to 4"),
        ([*both, "--aws-threads=4"], "raise --aws-threads to 5"),
        ([both[0], f"--event-queue={same}"], "a queue of its own"),
    ):
        with pytest.raises(ValidationError, match=words):
            run(*flags)


def test_a_flag_is_given_by_a_variable_as_well_and_the_flag_goes_before():
    """As the keys of a ConfigMap become variables of a container."""
    given = {
        "AWSBATCH_FLAG_event-queue": "arn:aws:sqs:eu-north-1:111122223333:jobs",
        "AWSBATCH_FLAG_ALLOWED_REGIONS": "us-east-1,us-west-2",
        "AWSBATCH_FLAG_region": "eu-north-1",
        "AWS_REGION": "ap-south-1",
        "AWSBATCH_FLAG_workers": "8",
    }
    settings = run("--workers=9", **given)
    assert settings.job_events is not None
    assert settings.allowed_regions == ("us-east-1", "us-west-2")
    assert (settings.region, settings.workers) == ("eu-north-1", 9)


def test_every_flag_can_be_given_by_a_variable():
    texts = {
        "namespaces": "a",
        "prices": "m5.large=1",
        "log_format": "json",
        "log_level": "debug",
        "lease_seconds": "40",
        "aws_connect_timeout": "2",
        "cluster_id": "lab",
        "status_log_lines": "false",
        "allow_adoption": "true",
        "interruption_queue": "arn:aws:sqs:eu-north-1:111122223333:q",
        "event_queue": "arn:aws:sqs:eu-north-1:111122223333:jobs",
        "region": "eu-north-1",
        "allowed_regions": "eu-north-1",
    }
    for field in Settings.model_fields:
        name, text = f"AWSBATCH_FLAG_{field.replace('_', '-')}", texts.get(field, "7")
        flags = [] if field == "cluster_id" else ["--cluster-id=lab"]
        arguments = parser().parse_args(["run", *flags])
        assert field in settings_from(arguments, {name: text}).model_fields_set


def test_what_has_to_be_given_and_what_there_is_not_is_told(monkeypatch, capsys):
    monkeypatch.setenv("AWSBATCH_FLAG_even-queue", "q")
    assert main(["run"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "aws-batch-operator: --cluster-id: It has to be given.",
        "aws-batch-operator: --even-queue: There is no such flag; run --help lists them.",
    ]


@pytest.mark.parametrize("flag", ["--cluster-id=-x", "--workers=0", "--lease-seconds=26.9"])
def test_a_value_that_makes_no_sense_is_refused(flag):
    with pytest.raises(ValidationError):
        run(flag)


def test_a_lease_must_outlast_two_calls():
    assert run("--lease-seconds=26").lease_seconds == 26
    with pytest.raises(ValidationError, match="shorter than twice the AWS timeouts"):
        run("--lease-seconds=25")


def test_each_wrong_flag_is_named_on_a_line_of_its_own(capsys):
    flags = ["run", "--cluster-id=lab", "--workers=none", "--listen-port=99999"]
    assert main(flags) == 2
    said = capsys.readouterr().err.splitlines()
    assert [line.split(":")[1] for line in said] == [" --workers", " --listen-port"]


@pytest.mark.parametrize(
    ("flag", "says"),
    [
        ("--cluster-id=a b", "'a b': This is no name for a cluster. Names have"),
        ("--region=Frankfurt", "'Frankfurt': This is no AWS region. Write its code"),
        ("--allowed-regions=eu-west-1,Frankfurt", "'Frankfurt': This is no AWS region."),
        ("--log-level=loud", "'debug', 'info', 'warning' or 'error'"),
        ("--log-format=xml", "'auto', 'json' or 'human'"),
    ],
)
def test_a_text_of_a_wrong_form_is_told_in_words_and_not_by_a_pattern(flag, says, capsys):
    assert main(["run", "--cluster-id=lab", flag]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"aws-batch-operator: {flag.partition('=')[0]}: ")
    assert says in said
    assert "pattern" not in said


def test_what_is_wrong_with_several_flags_names_them_in_words(capsys):
    assert main(["run", "--cluster-id=lab", "--lease-seconds=5"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("aws-batch-operator: The lease of 5 s")


def test_uninstalling_has_to_say_that_it_retains(capsys):
    with pytest.raises(SystemExit):
        main(["uninstall"])
    assert "--retain" in capsys.readouterr().err


def test_namespaces_are_watched_or_left_out_and_an_installation_is_called_by_its_lease():
    settings = run("--exclude-namespaces=a, b", POD_NAMESPACE="ops")
    assert settings.exclude_namespaces == ("a", "b")
    assert settings.installation == "ops/aws-batch-operator"
    with pytest.raises(ValidationError, match="not both"):
        run("--namespaces=a", "--exclude-namespaces=b")


def test_the_version_is_printed_at_once(capsys):
    assert main(["--version"]) == 0
    assert re.fullmatch(r"aws-batch-operator \S.*\n", capsys.readouterr().out)


def test_to_print_the_version_nothing_of_the_operator_is_imported():
    script = (
        "import sys\n"
        "from awsbatch_operator.__main__ import main\n"
        "main(['--version'])\n"
        "found = [name for name in sys.modules if name.startswith('awsbatch_operator.')]\n"
        "sys.exit(0 if found == ['awsbatch_operator.__main__'] else str(found))"
    )
    environment = {"PYTHONPATH": str(REPOSITORY / "operator")}
    done = subprocess.run([sys.executable, "-c", script], env=environment, timeout=30, check=False)
    assert done.returncode == 0


def test_the_version_of_what_is_installed_is_that_of_its_metadata(monkeypatch):
    monkeypatch.setattr(metadata, "version", {"aws-batch-operator": "1.2.3"}.__getitem__)
    assert version() == "1.2.3"


def test_the_collector_rests_only_until_all_is_imported():
    assert main(["userdata", "--file=/nowhere"]) == 2
    assert gc.isenabled()
