"""What the parts of the engine share."""

from dataclasses import dataclass
from random import Random

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.engine.cache import Cache
from awsbatch_operator.engine.engine_settings import EngineSettings
from awsbatch_operator.engine.queue import WorkQueue
from awsbatch_operator.engine.store import Store
from awsbatch_operator.kube.port import KubePort
from awsbatch_operator.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """One of each; `Engine` is made with the same names."""

    cache: Cache
    queue: WorkQueue[ObjectKey]
    store: Store
    kube: KubePort
    clock: Clock
    random: Random
    metrics: Metrics
    settings: EngineSettings
