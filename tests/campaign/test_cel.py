"""The campaign refuses what the API server refuses.

The cases are those of tests/integration/test_crds.py, which the real API server decides.
"""

import pytest
from tests.campaign.admission import BY_KIND, refused
from tests.campaign.cel import CelError, evaluate
from tests.support.crd_cases import BASES, cases, patched

KINDS = sorted(BY_KIND)
RULES = [(kind, rule) for kind in KINDS for rule in sorted(cases(kind))]


@pytest.mark.parametrize(("kind", "rule"), RULES)
def test_a_case_comes_out_as_at_the_api_server(kind, rule):
    case = cases(kind)[rule]
    before = None if case.before is None else patched(BASES[kind], case.before)
    base = BASES[kind] if before is None else before
    for patch in case.accepts:
        assert refused(kind, patched(base, patch), before, case.status) == [], patch
    for patch in case.refuses:
        assert refused(kind, patched(base, patch), before, case.status), patch


@pytest.mark.parametrize(
    ("rule", "this", "holds"),
    [
        ("has(self.a.b) || self.c == 1", {"c": 1, "a": {}}, True),
        ("!self.all(k, k != 'x')", {"x": 1}, True),
        ("[1, 2].exists_one(n, n == self)", 2, True),
        ("self.map(p, p.n).sum() <= 3 && 'a' in ['a']", [{"n": 1}, {"n": 3}], False),
        (r"self.matches('^a\\.b$')", "a.b\n", False),
        ("(self > 1 ? 'y' : 'n') + '.' == 'y.'", 2, True),
    ],
)
def test_the_words_of_cel_mean_what_they_mean(rule, this, holds):
    assert evaluate(rule, this) is holds


@pytest.mark.parametrize("rule", ["self.unheardOf()", "self.a", "self ~ 1", "f(self)"])
def test_what_cannot_be_evaluated_is_an_error_and_no_guess(rule):
    with pytest.raises(CelError):
        evaluate(rule, {})
