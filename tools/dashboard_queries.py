"""What the queries of the dashboards share: labels, variables, and quantiles of histograms.

`$job` is the installation. Gauges of objects are summed over its replicas: only the one that leads
has them. Rates are over Grafana's own interval, which follows that of the scrapes.
"""

from tools.dashboards import Query, Variable

OURS = 'job=~"$job"'
RATE = "[$__rate_interval]"
QUEUES = Variable("queue", "Job queue", "awsbatch_operator_jobs", "queue")
NAMESPACES = Variable("namespace", "Namespace", "awsbatch_operator_capacity_instances", "namespace")
POOL = f'{OURS}, namespace=~"$namespace"'
QUEUE = f'{OURS}, queue=~"$queue"'


def quantiles(metric: str, by: str = "") -> list[Query]:
    """The median and what one in twenty exceeds, of a histogram; one of them for each `by`."""
    grouped = f"le, {by}" if by else "le"
    name = f"{{{{{by}}}}} " if by else ""
    rate = f"sum by ({grouped}) (rate(awsbatch_operator_{metric}_bucket{{{OURS}}}{RATE}))"
    return [
        Query(f"histogram_quantile({share}, {rate})", f"{name}{label}")
        for share, label in ((0.5, "median"), (0.95, "95 %"))
    ]
