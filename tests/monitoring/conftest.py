"""Builds the evaluator before any test's time runs."""

from tests.support import prometheus


def pytest_collection_modifyitems(items):
    if items and not items[0].config.option.collectonly:
        prometheus.find()
