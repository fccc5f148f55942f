"""A real cluster, and a trial of the installation in it; the steps are told with their seconds."""

import os
import signal
import sys

import pytest
from tests.support.steps import Steps
from tests.support.trial import OPERATOR, SIMULATOR, Trial

from awsbatch_node.clusters import open_cluster
from awsbatch_sandbox.interrupts import SIGNALS
from awsbatch_sandbox.progress import Progress


class Interruption:
    """SIGTERM and a closed terminal end the tests as Ctrl-C does; nothing disturbs tearing down."""

    def __init__(self):
        self.came = False

    def __call__(self, *_):
        self.came = True
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt


@pytest.fixture(scope="session", autouse=True)
def interruption():
    made = Interruption()
    before = {number: signal.signal(number, made) for number in SIGNALS}
    yield made
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def steps(request):
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    return Steps(reporter.write_line)


@pytest.fixture(scope="session")
def cluster(steps, interruption):
    with open_cluster(Progress(sys.stderr), steps.done, os.environ) as made:
        yield made


@pytest.fixture(scope="session")
def trial(cluster, steps, interruption):
    made = Trial(cluster)
    try:
        with steps.step("CRDs established"):
            made.install_kinds()
        with steps.step("operator and simulator Ready"):
            made.install()
            made.wait_until_ready(SIMULATOR)
            made.wait_until_ready(OPERATOR)
        with steps.step("quickstart Complete"):
            made.run_quickstart()
        yield made
        if cluster.stays or not interruption.came:
            with steps.step("objects, operator and CRDs removed"):
                made.remove()
    except Exception as error:
        error.add_note(made.what_is_there())
        raise
