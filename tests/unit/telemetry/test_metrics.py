from prometheus_client import CollectorRegistry, generate_latest

from awsbatch_operator.telemetry.metrics import CODES, Metrics


def test_all_metrics_have_our_prefix_and_no_label_that_names_an_object():
    metrics = Metrics(CollectorRegistry())
    metrics.turn("BatchJob", "ok", 0.2)
    metrics.retry("BatchJob")
    metrics.kube_write("BatchJob", "patch", "ok")
    metrics.event("created")
    metrics.aws_call("batch", "SubmitJob", "ok", "", 0.05)
    metrics.token_wait("batch", "SubmitJob", 0.5)
    metrics.job_started(61)
    metrics.counts("jobs_ended", "Ends.", ("result",), lambda: [(("Succeeded",), 2)])
    metrics.resync("ok")
    metrics.ghost("BatchJob")
    metrics.watched("BatchJob", "LISTED")
    metrics.launched("Spot", "some")
    metrics.joined("Spot", 61)
    metrics.gauge("queue_depth", "Keys that wait.", lambda: 7)
    metrics.gauges("objects", "Objects.", ("kind",), lambda: [(("BatchJob",), 3)])
    families = list(metrics.registry.collect())
    labels = {name for family in families for sample in family.samples for name in sample.labels}
    assert all(family.name.startswith("awsbatch_operator_") for family in families)
    known = {"kind", "result", "verb", "outcome", "service", "operation", "event", "market", "le"}
    assert labels == known
    text = generate_latest(metrics.registry).decode()
    assert 'awsbatch_operator_reconciles_total{kind="BatchJob",result="ok"} 1.0' in text
    assert "awsbatch_operator_queue_depth 7.0" in text
    assert 'awsbatch_operator_capacity_launches_total{market="Spot",result="some"} 1.0' in text
    assert 'awsbatch_operator_capacity_join_seconds_bucket{le="60.0",market="Spot"} 0.0' in text
    assert 'awsbatch_operator_capacity_join_seconds_bucket{le="90.0",market="Spot"} 1.0' in text
    assert 'awsbatch_operator_objects{kind="BatchJob"} 3.0' in text
    assert 'awsbatch_operator_jobs_ended_total{result="Succeeded"} 2.0' in text
    assert "awsbatch_operator_job_wait_seconds_sum 61.0" in text


def test_errors_are_counted_by_code_but_not_by_whatever_somebody_calls_a_code():
    metrics = Metrics(CollectorRegistry())
    for number in range(CODES + 5):
        metrics.aws_call("batch", "SubmitJob", "Invalid", f"Code{number}", 0.05)
    metrics.aws_call("batch", "SubmitJob", "Invalid", "Code1", 0.05)
    metrics.aws_call("batch", "SubmitJob", "Invalid", "no code, but a sentence", 0.05)

    def counted(code):
        labels = {"service": "batch", "operation": "SubmitJob", "code": code}
        return metrics.registry.get_sample_value("awsbatch_operator_aws_errors_total", labels)

    assert (counted("Code1"), counted(f"Code{CODES}"), counted("Other")) == (2, None, 6)


def test_two_operators_in_one_process_do_not_share_metrics():
    one, two = Metrics(CollectorRegistry()), Metrics(CollectorRegistry())
    one.event("created")
    assert two.registry.get_sample_value(
        "awsbatch_operator_events_total", {"outcome": "created"}
    ) in {None, 0}
