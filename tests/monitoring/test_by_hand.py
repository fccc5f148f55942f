"""The rules over scrapes that are written by hand: what no run of one operator shows."""

import itertools

import pytest
from tests.support.expressions import rule_file
from tests.support.prometheus import EVERY, Scrape, ask

MINUTES = 12
LEADS = "AWSBatchOperatorLeads"


@pytest.fixture
def scraped(tmp_path):
    """Makes scrapes of a quarter of an hour: by (namespace, pod), what it serves; None: nothing."""
    numbers = itertools.count()

    def make(served):
        files = {}
        for place, text in served.items():
            files[place] = tmp_path / f"{next(numbers)}.txt"
            files[place].write_text(text or "")
        return [
            Scrape(
                at=EVERY * step,
                labels={"job": "aws-batch-operator", "namespace": place[0], "pod": place[1]},
                honor=True,
                file=str(files[place]) if text is not None else "",
            )
            for step in range(int(MINUTES * 60 / EVERY))
            for place, text in served.items()
        ]

    return make


def leading(value):
    return f"# TYPE awsbatch_operator_leader gauge\nawsbatch_operator_leader {value}\n"


def fired(scrapes):
    return [each for each in ask(scrapes, [], rule_file()).alerts if each.name == LEADS]


def test_each_of_two_installations_has_a_leader_and_nothing_is_said(scraped):
    served = {
        ("awsbatch-system", "a"): leading(1),
        ("awsbatch-system", "b"): leading(0),
        ("team-a", "c"): leading(1),
    }
    assert fired(scraped(served)) == []


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
    [alert] = fired(scraped(served))
    assert alert.labels["namespace"] == "team-a"
    assert alert.annotations["summary"].endswith(f": {said}")


def test_that_no_replica_answers_is_said_as_well(scraped):
    [alert] = fired(scraped({("awsbatch-system", "a"): None}))
    assert alert.annotations["summary"].endswith(": 0")


def test_a_rate_of_what_is_no_counter_is_no_answer(scraped):
    text = "# TYPE awsbatch_operator_queue_depth gauge\nawsbatch_operator_queue_depth 1\n"
    scrapes = scraped({("awsbatch-system", "a"): text})
    with pytest.raises(AssertionError, match="might not be a counter"):
        ask(scrapes, ["rate(awsbatch_operator_queue_depth[2m])"])
