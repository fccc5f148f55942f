"""What the API server must accept and refuse, rule by rule, for each kind."""

from tests.support.crd_cases.cases import Bound, Case, Patch, patched
from tests.support.crd_cases.tables import BASES, BOUNDS, cases

__all__ = ["BASES", "BOUNDS", "Bound", "Case", "Patch", "cases", "patched"]
