"""The dashboards about jobs, queues and the operator: a panel for each question."""

from tools.dashboard_panels_of_aws import CALLS, ENVIRONMENTS
from tools.dashboard_queries import OURS, QUEUE, QUEUES, RATE, quantiles
from tools.dashboards import Dashboard, Panel, Query

JOB_QUEUES = Dashboard(
    "queues",
    "Queues",
    "Which job queue is stuck, and why.",
    [
        Panel(
            "How many jobs wait in each queue?",
            "Jobs that are not held and have not started, dependencies included.",
            [
                Query(
                    "sum by (queue) (awsbatch_operator_jobs"
                    f'{{{QUEUE}, state=~"NotSubmitted|SUBMITTED|PENDING|RUNNABLE"}})',
                    "{{queue}}",
                )
            ],
            stacked=True,
        ),
        Panel(
            "How many run?",
            "Jobs of each queue in STARTING and RUNNING.",
            [
                Query(
                    "sum by (queue) (awsbatch_operator_jobs"
                    f'{{{QUEUE}, state=~"STARTING|RUNNING"}})',
                    "{{queue}}",
                )
            ],
            stacked=True,
        ),
        Panel(
            "For how long has the first job waited?",
            "Since the submission of the job that waits longest in RUNNABLE.",
            [
                Query(
                    f"max by (queue) (awsbatch_operator_jobs_oldest_runnable_seconds{{{QUEUE}}})",
                    "{{queue}}",
                )
            ],
            unit="s",
        ),
        Panel(
            "Why do they wait?",
            "AWS's code for jobs at the head of a queue that it cannot place.",
            [
                Query(
                    f"sum by (queue, code) (awsbatch_operator_jobs_blocked{{{QUEUE}}})",
                    "{{queue}}: {{code}}",
                )
            ],
        ),
        Panel(
            "What share of the jobs fails?",
            "Of all jobs of the queue that have ended within an hour.",
            [
                Query(
                    "sum by (queue) (increase(awsbatch_operator_jobs_ended_total"
                    f'{{{QUEUE}, result!="Succeeded"}}[1h])) / sum by (queue) '
                    f"(increase(awsbatch_operator_jobs_ended_total{{{QUEUE}}}[1h]))",
                    "{{queue}}",
                )
            ],
            unit="percentunit",
            most=1,
        ),
        Panel(
            "Are the queues ready?",
            "JobQueues by their condition Ready. Of all queues.",
            [
                Query(
                    "sum by (status, reason) (awsbatch_operator_objects"
                    f'{{{OURS}, kind="JobQueue", condition="Ready"}})',
                    "{{status}}: {{reason}}",
                )
            ],
            stacked=True,
        ),
    ],
    [QUEUES],
)

JOBS = Dashboard(
    "jobs",
    "Jobs",
    "How many jobs come, wait, run and end, and how.",
    [
        Panel(
            "Where are the jobs?",
            "Unfinished jobs by state. Held: by spec.suspend; NotSubmitted: AWS has none yet.",
            [Query(f"sum by (state) (awsbatch_operator_jobs{{{QUEUE}}})", "{{state}}")],
            stacked=True,
        ),
        Panel(
            "How many are submitted?",
            "Submissions a second, by what AWS answered. Of all queues.",
            [
                Query(
                    "sum by (outcome) (rate(awsbatch_operator_aws_calls_total"
                    f'{{{OURS}, operation="SubmitJob"}}{RATE}))',
                    "{{outcome}}",
                )
            ],
            unit="reqps",
        ),
        Panel(
            "How do they end?",
            "Jobs that have ended within an hour, by result.",
            [
                Query(
                    "sum by (result) "
                    f"(increase(awsbatch_operator_jobs_ended_total{{{QUEUE}}}[1h])) > 0",
                    "{{result}}",
                )
            ],
        ),
        Panel(
            "How long do they wait for their start?",
            "From the submission until the first attempt started. Of all queues.",
            quantiles("job_wait_seconds"),
            unit="s",
        ),
        Panel(
            "Which need a person?",
            "Jobs that are Stalled and have not failed. Of all queues.",
            [
                Query(
                    "sum by (reason) (awsbatch_operator_objects"
                    f'{{{OURS}, kind="BatchJob", condition="Stalled", status="True"}}) '
                    "unless sum by (reason) (awsbatch_operator_objects"
                    f'{{{OURS}, kind="BatchJob", condition="Failed", status="True"}})',
                    "{{reason}}",
                )
            ],
            stacked=True,
        ),
        Panel(
            "How many are polled?",
            "Jobs whose state is asked for. Of all queues.",
            [Query(f"sum(awsbatch_operator_jobs_followed{{{OURS}}})", "followed")],
        ),
    ],
    [QUEUES],
)

OPERATOR = Dashboard(
    "operator",
    "Operator",
    "Whether the operator itself keeps up.",
    [
        Panel(
            "Who leads?",
            "1 for the replica that leads.",
            [Query(f"awsbatch_operator_leader{{{OURS}}}", "{{pod}}")],
            most=1,
            columns=8,
        ),
        Panel(
            "How many objects wait for a turn?",
            "The depth of the work queue.",
            [Query(f"sum(awsbatch_operator_queue_depth{{{OURS}}})", "waiting")],
            columns=8,
        ),
        Panel(
            "For how long has the first waited?",
            "The age of the oldest entry of the work queue.",
            [Query(f"max(awsbatch_operator_queue_oldest_seconds{{{OURS}}})", "oldest")],
            unit="s",
            columns=8,
        ),
        Panel(
            "How do turns end?",
            "Turns a second, by result.",
            [
                Query(
                    f"sum by (result) (rate(awsbatch_operator_reconciles_total{{{OURS}}}{RATE}))",
                    "{{result}}",
                )
            ],
            unit="reqps",
        ),
        Panel(
            "How long does a turn take?",
            "By kind.",
            quantiles("reconcile_seconds", "kind"),
            unit="s",
        ),
        Panel(
            "For how long is the event loop away?",
            "The longest pause in the last minute or two. Some seconds put the lease at risk.",
            [
                Query(
                    f"max by (pod) (awsbatch_operator_event_loop_pause_seconds{{{OURS}}})",
                    "{{pod}}",
                )
            ],
            unit="s",
        ),
        Panel(
            "What does it hold?",
            "Objects in the cache, by kind.",
            [
                Query(
                    f'sum by (kind) (awsbatch_operator_objects{{{OURS}, condition=~"Stalled|"}})',
                    "{{kind}}",
                )
            ],
            stacked=True,
        ),
        Panel(
            "How much memory has it?",
            "Resident memory of each replica.",
            [Query(f"process_resident_memory_bytes{{{OURS}}}", "{{pod}}")],
            unit="bytes",
        ),
        Panel(
            "How much CPU does it use?",
            "Cores of each replica; it can use little more than one.",
            [Query(f"rate(process_cpu_seconds_total{{{OURS}}}{RATE})", "{{pod}}")],
        ),
        Panel(
            "What is written to Kubernetes?",
            "Writes a second by outcome. Conflicts are repeated.",
            [
                Query(
                    "sum by (verb, outcome) "
                    f"(rate(awsbatch_operator_kube_writes_total{{{OURS}}}{RATE}))",
                    "{{verb}} {{outcome}}",
                )
            ],
            unit="reqps",
        ),
        Panel(
            "Are all of its objects known?",
            "Passes that compare all objects with the API server within an hour, by outcome.",
            [
                Query(
                    "sum by (outcome) "
                    f"(increase(awsbatch_operator_resync_passes_total{{{OURS}}}[1h]))",
                    "{{outcome}}",
                )
            ],
        ),
    ],
)

DASHBOARDS = (ENVIRONMENTS, JOB_QUEUES, JOBS, CALLS, OPERATOR)
