"""Scripts whose texts are in ConfigMaps, held to what those in the spec are held to (pure).

The texts are in no status, event or log: a message names the ConfigMap and the key.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from awsbatch_operator.api import image_reasons as reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.kinds.extendedami.desired import Desired
from awsbatch_operator.kinds.extendedami.observed import Observed, Text
from awsbatch_operator.kinds.extendedami.recipes import TextSource
from awsbatch_operator.kinds.extendedami.rules import FIRST_LINE
from awsbatch_operator.kinds.extendedami.spec_contents import TEXT

_FIRST_LINE = re.compile(FIRST_LINE)


def with_texts(desired: Desired, observed: Observed) -> Desired:
    """The same with the texts of ConfigMaps in its scripts, or with what is wrong with them."""
    if not desired.borrowed:
        return desired
    texts = {each.script: _read(observed, each).content for each in desired.borrowed}
    scripts = tuple(
        replace(each, content=texts.get(each.name, each.content)) for each in desired.recipe.scripts
    )
    return replace(
        desired,
        recipe=replace(desired.recipe, scripts=scripts),
        unread=tuple(_faults(desired, observed)),
    )


def _read(observed: Observed, source: TextSource) -> Text:
    return observed.texts.get((source.name, source.key), Text(missing="it was not read yet"))


def _faults(desired: Desired, observed: Observed) -> Iterator[Finding]:
    for each in desired.borrowed:
        text = _read(observed, each)
        what = f"Script {each.script}: key {each.key} of ConfigMap {desired.namespace}/{each.name}"
        if text.missing:
            yield Finding(reasons.SCRIPT_MISSING, f"{what} cannot be read: {text.missing}.")
        elif len(text.content) > TEXT:
            words = f"{what} has {len(text.content)} characters, and a script {TEXT} at most."
            yield Finding(reasons.SCRIPT_UNFIT, words, "Shorten it, or load what is large in it.")
        elif not _FIRST_LINE.match(text.content):
            words = (
                f"{what} does not begin with a line that names the program which runs it, or that "
                "line ends with the carriage return of a file made on Windows."
            )
            yield Finding(reasons.SCRIPT_UNFIT, words)
