"""The dashboards about what is in AWS, and how it is asked: a panel for each question."""

from tools.dashboard_queries import NAMESPACES, OURS, POOL, RATE, quantiles
from tools.dashboards import Dashboard, Panel, Query

ENVIRONMENTS = Dashboard(
    "environments",
    "Environments",
    "Compute environments and machine images: whether they stand as they should, their instances "
    "and what those cost.",
    [
        Panel(
            "Are the environments ready?",
            "ComputeEnvironments by their condition Ready; if that is False, the reason says why. "
            "Of all namespaces.",
            [
                Query(
                    "sum by (status, reason) (awsbatch_operator_objects"
                    f'{{{OURS}, kind="ComputeEnvironment", condition="Ready"}})',
                    "{{status}}: {{reason}}",
                )
            ],
            stacked=True,
        ),
        Panel(
            "What needs a person?",
            "Objects of all kinds but jobs that are Stalled, cannot be deleted or differ from AWS. "
            "Of all namespaces.",
            [
                Query(
                    "sum by (kind, condition, reason) (awsbatch_operator_objects"
                    f'{{{OURS}, kind!="BatchJob", '
                    'condition=~"Stalled|DeletionBlocked|Drifted", status="True"})',
                    "{{kind}} {{condition}}: {{reason}}",
                )
            ],
            stacked=True,
        ),
        Panel(
            "How far are the instances?",
            "Instances of UNMANAGED environments: wanted, and how many have come how far.",
            [
                Query(
                    f"sum by (stage) (awsbatch_operator_capacity_instances{{{POOL}}})",
                    "{{stage}}",
                )
            ],
        ),
        Panel(
            "Which pools wait for instances?",
            "Instances that are wanted and have not joined their cluster.",
            [
                Query(
                    "sum by (namespace, environment, pool) (awsbatch_operator_capacity_instances"
                    f'{{{POOL}, stage="wanted"}}) - sum by (namespace, environment, pool) '
                    f'(awsbatch_operator_capacity_instances{{{POOL}, stage="joined"}}) > 0',
                    "{{namespace}}/{{environment}} {{pool}}",
                )
            ],
        ),
        Panel(
            "What do the instances cost?",
            "US dollars an hour, where prices are known.",
            [
                Query(
                    "sum by (namespace, environment) "
                    f"(awsbatch_operator_capacity_hourly_dollars{{{POOL}}})",
                    "{{namespace}}/{{environment}}",
                )
            ],
            unit="currencyUSD",
            stacked=True,
        ),
        Panel(
            "How do launches end?",
            "Calls that launch instances within an hour: none and some mean that EC2 is short. "
            "Of all namespaces.",
            [
                Query(
                    "sum by (market, result) "
                    f"(increase(awsbatch_operator_capacity_launches_total{{{OURS}}}[1h]))",
                    "{{market}} {{result}}",
                )
            ],
        ),
        Panel(
            "How soon do instances join?",
            "From the launch of an instance until it joined its ECS cluster. Of all namespaces.",
            quantiles("capacity_join_seconds", "market"),
            unit="s",
        ),
        Panel(
            "What is there without an owner?",
            "Things of EC2 with our tags whose object is gone. They cost money. Of all namespaces.",
            [
                Query(f"sum by (thing) (awsbatch_operator_orphans{{{OURS}}})", "{{thing}}"),
                Query(f"sum(awsbatch_operator_images_without_owner{{{OURS}}})", "finished images"),
            ],
        ),
    ],
    [NAMESPACES],
)

CALLS = Dashboard(
    "aws-calls",
    "AWS calls",
    "What is asked of AWS, what it refuses, and how much of its rates is left.",
    [
        Panel(
            "What is asked of AWS?",
            "The ten operations that are called most.",
            [
                Query(
                    "topk(10, sum by (service, operation) "
                    f"(rate(awsbatch_operator_aws_calls_total{{{OURS}}}{RATE})))",
                    "{{service}}:{{operation}}",
                )
            ],
            unit="reqps",
        ),
        Panel(
            "What fails, and with which code?",
            "Calls that failed within an hour. NoAnswer: nobody answered, or nothing readable.",
            [
                Query(
                    "sum by (service, operation, code) "
                    f"(increase(awsbatch_operator_aws_errors_total{{{OURS}}}[1h])) > 0",
                    "{{service}}:{{operation}} {{code}}",
                )
            ],
        ),
        Panel(
            "Does AWS throttle?",
            "Calls a second that AWS refused because of the rate. Others use the same rates.",
            [
                Query(
                    "sum by (service, operation) (rate(awsbatch_operator_aws_calls_total"
                    f'{{{OURS}, outcome="Throttled"}}{RATE}))',
                    "{{service}}:{{operation}}",
                )
            ],
            unit="reqps",
        ),
        Panel(
            "Which calls wait for a token?",
            "Calls a second that were put off, because the rate that we keep to was used up.",
            [
                Query(
                    "sum by (service, operation) "
                    f"(rate(awsbatch_operator_token_wait_seconds_count{{{OURS}}}{RATE}))",
                    "{{service}}:{{operation}}",
                )
            ],
            unit="reqps",
        ),
        Panel(
            "For how long do they wait?",
            "What a call is put off by at once; it may be put off again.",
            quantiles("token_wait_seconds", "service"),
            unit="s",
        ),
        Panel(
            "How long does AWS take?",
            "Duration of a call, by service.",
            quantiles("aws_call_seconds", "service"),
            unit="s",
        ),
        Panel(
            "What do the two queues bring?",
            "Messages of the event queue and the interruption queue within an hour.",
            [
                Query(
                    f"sum by (kind) (increase(awsbatch_operator_job_events_total{{{OURS}}}[1h]))",
                    "event: {{kind}}",
                ),
                Query(
                    f"sum by (kind) (increase(awsbatch_operator_notices_total{{{OURS}}}[1h]))",
                    "notice: {{kind}}",
                ),
            ],
        ),
        Panel(
            "Can they be read?",
            "1 while a queue of SQS cannot be read, or nothing be deleted from it.",
            [
                Query(f"max(awsbatch_operator_event_queue_failing{{{OURS}}})", "event queue"),
                Query(
                    f"max(awsbatch_operator_notice_queue_failing{{{OURS}}})",
                    "interruption queue",
                ),
            ],
            most=1,
        ),
    ],
)
