"""A DAG of Airflow 3 that creates a BatchJob, waits for its end and fails with it.

It needs the provider apache-airflow-providers-cncf-kubernetes, and the queue and the definition of
examples/quickstart in the namespace.
"""

from datetime import UTC, datetime, timedelta

from airflow.exceptions import AirflowFailException
from airflow.providers.cncf.kubernetes.hooks.kubernetes import KubernetesHook
from airflow.sdk import PokeReturnValue, dag, task

BATCH_JOBS = {"group": "awsbatch.dev", "version": "v1alpha1", "plural": "batchjobs"}
NAMESPACE = "default"
LONGEST = timedelta(days=1)  # also ends the wait for a job that needs a person first


@dag(schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False)
def batch_job() -> None:
    """One job."""

    @task
    def create() -> str:
        body = {
            "apiVersion": "awsbatch.dev/v1alpha1",
            "kind": "BatchJob",
            "metadata": {"generateName": "from-airflow-"},
            "spec": {
                "jobQueueRef": {"name": "main"},
                "jobDefinitionRef": {"name": "disk-report"},
            },
        }
        made = KubernetesHook().create_custom_object(**BATCH_JOBS, body=body, namespace=NAMESPACE)
        return str(made["metadata"]["name"])

    @task.sensor(mode="reschedule", poke_interval=30, timeout=LONGEST.total_seconds())
    def end_of(name: str) -> PokeReturnValue:
        job = KubernetesHook().get_custom_object(**BATCH_JOBS, name=name, namespace=NAMESPACE)
        status = job.get("status", {})
        if status.get("result") == "Failed":
            conditions = {each["type"]: each for each in status["conditions"]}
            raise AirflowFailException(conditions["Failed"]["message"])
        return PokeReturnValue(is_done=status.get("result") == "Succeeded")

    end_of(create())


batch_job()
