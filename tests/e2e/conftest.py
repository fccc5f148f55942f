"""A real cluster, and a trial of the installation in it; the steps are told with their seconds."""

import os
import signal
import sys

import pytest
from tests.support.steps import Steps
from tests.support.trial import Trial

from awsbatch_node.clusters import open_cluster
from awsbatch_sandbox.interrupts import heard
from awsbatch_sandbox.progress import Progress

STEPS = pytest.StashKey[Steps]()


class Interruption:
    """SIGTERM and a closed terminal end the tests as Ctrl-C does; nothing disturbs tearing down."""

    def __init__(self):
        self.came = False
        self.heard = heard()

    def __call__(self, *_):
        self.came = True
        for number in self.heard:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt


@pytest.fixture(scope="session", autouse=True)
def interruption():
    made = Interruption()
    before = {number: signal.signal(number, made) for number in made.heard}
    yield made
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def steps(request):
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    made = request.config.stash[STEPS] = Steps(reporter.write_line)
    return made


def pytest_terminal_summary(terminalreporter, config):
    """All steps once more, in one table."""
    if STEPS in config.stash:
        terminalreporter.section("steps: since the start, and of each")
        for line in config.stash[STEPS].told:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def cluster(steps, interruption):
    with open_cluster(Progress(sys.stderr), steps.done, os.environ) as made:
        yield made


@pytest.fixture(scope="session")
def removes(cluster, interruption):
    """Whether what was installed is removed: after Ctrl-C not from a cluster that ends, too."""
    return lambda: cluster.stays or not interruption.came


@pytest.fixture(scope="session")
def installed(cluster, steps, removes):
    """The trial as the test before has left it: call `ensure`, or take `trial`."""
    made = Trial(cluster, steps)
    yield made
    if made.may_be_left and removes():
        with steps.step("removed: objects, operator, CRDs"):
            made.remove()


@pytest.fixture
def trial(installed):
    """The operator with the quickstart in a real cluster."""
    installed.ensure()
    return installed


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """What saves time; no test needs another one before it.

    Removals last, which saves one installation. What is `late` last of its module: others fill the
    time that it waits for.
    """
    modules = [item.path.name for item in items]

    def place(item):
        module = item.path.name
        late = item.get_closest_marker("late") is not None
        return module == "test_removal.py", modules.index(module), late

    items.sort(key=place)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """Whoever reads of a failure wants to know what is in the cluster."""
    report = yield
    made = item.funcargs.get("installed")
    if report.failed and made is not None:
        report.sections.append(("the cluster", made.what_is_there()))
    return report
