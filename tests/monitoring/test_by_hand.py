"""The rules over scrapes that are written by hand: what no run of one operator shows."""

import itertools

import pytest
from tests.support.expressions import rule_file
from tests.support.prometheus import EVERY, Scrape, ask

STEPS = 80  # forty minutes
LEADS, JOIN = "AWSBatchOperatorLeads", "AWSBatchInstancesDoNotCome"


@pytest.fixture
def scraped(tmp_path):
    """Makes scrapes: by (namespace, pod), what it serves at each step; None: it does not answer."""
    numbers = itertools.count()

    def one(step, place, text):
        file = ""
        if text is not None:
            path = tmp_path / f"{next(numbers)}.txt"
            path.write_text(text)
            file = str(path)
        target = {"job": "aws-batch-operator", "namespace": place[0], "pod": place[1]}
        return Scrape(at=EVERY * step, labels=target, honor=True, file=file)

    def make(served):
        return [
            one(step, place, serve(step))
            for step in range(STEPS)
            for place, serve in served.items()
        ]

    return make


def leading(value):
    text = f"# TYPE awsbatch_operator_leader gauge\nawsbatch_operator_leader {value}\n"
    return lambda _: text


def fired(scrapes, name):
    return [each for each in ask(scrapes, [], rule_file()).alerts if each.name == name]


def test_each_of_two_installations_has_a_leader_and_nothing_is_said(scraped):
    served = {
        ("awsbatch-system", "a"): leading(1),
        ("awsbatch-system", "b"): leading(0),
        ("team-a", "c"): leading(1),
    }
    assert fired(scraped(served), LEADS) == []


@pytest.mark.parametrize(("numbers", "said"), [((0, 0), "0"), ((1, 1), "2")])
def test_of_two_installations_the_one_is_named_in_which_not_exactly_one_leads(
    scraped, numbers, said
):
    one, other = map(leading, numbers)
    served = {
        ("awsbatch-system", "a"): leading(1),
        ("team-a", "b"): one,
        ("team-a", "c"): other,
    }
    [alert] = fired(scraped(served), LEADS)
    assert alert.labels["namespace"] == "team-a"
    assert alert.annotations["summary"].endswith(f": {said}")


def test_that_no_replica_answers_is_said_as_well(scraped):
    [alert] = fired(scraped({("awsbatch-system", "a"): lambda _: None}), LEADS)
    assert alert.annotations["summary"].endswith(": 0")


def pool(wanted, joined):
    """What an operator that leads serves of a pool; both are numbers by the step."""
    name = "awsbatch_operator_capacity_instances"
    labels = 'namespace="science",environment="own",pool="main"'

    def serve(step):
        rows = [("wanted", wanted(step)), ("joined", joined(step))]
        lines = [f'{name}{{{labels},stage="{stage}"}} {number}' for stage, number in rows]
        return "\n".join([f"# TYPE {name} gauge", *lines, leading(1)(step)])

    return {("awsbatch-system", "a"): serve}


def test_a_pool_that_grows_all_the_time_and_whose_instances_join_in_time_is_well(scraped):
    """There are always some on their way: two a minute, each of which takes four minutes."""
    assert fired(scraped(pool(lambda step: step + 8, lambda step: step)), JOIN) == []


def test_instances_of_a_pool_that_do_not_join_while_others_serve_are_told_of(scraped):
    [alert] = fired(scraped(pool(lambda step: 6 if step > 10 else 5, lambda _: 5)), JOIN)
    assert 20 * 60 <= alert.at - 10 * EVERY <= 25 * 60
    assert "science/own, pool main" in alert.annotations["summary"]


def test_a_rate_of_what_is_no_counter_is_no_answer(scraped):
    text = "# TYPE awsbatch_operator_queue_depth gauge\nawsbatch_operator_queue_depth 1\n"
    scrapes = scraped({("awsbatch-system", "a"): lambda _: text})
    with pytest.raises(AssertionError, match="might not be a counter"):
        ask(scrapes, ["rate(awsbatch_operator_queue_depth[2m])"])
