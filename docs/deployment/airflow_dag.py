"""Keepwell every night, by Airflow: the command line does the work, Airflow says when.

Put it into the folder of DAGs and set the variables `keepwell_project` (the project's folder) and
`keepwell_command` (the command, for example /srv/keepwell/.venv/bin/keepwell). The end of the data
interval is the as-of date: everything up to the midnight before it is seen, and a rerun of a past
day is that day's run.
"""

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

PROJECT = "{{ var.value.get('keepwell_project', '/srv/keepwell') }}"
COMMAND = "{{ var.value.get('keepwell_command', '/srv/keepwell/.venv/bin/keepwell') }}"

with DAG(
    dag_id="keepwell",
    schedule="15 3 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=10)},
) as dag:
    # Exit code 75 (another run is writing) is retried like any other failure.
    run = BashOperator(
        task_id="run",
        bash_command=f"{COMMAND} run --as-of {{{{ data_interval_end | ds }}}} --project {PROJECT}",
        append_env=True,
    )
    # 10 and 11: a warning or an error of monitoring fails this task, after the delivery.
    monitor = BashOperator(
        task_id="monitor",
        bash_command=f"{COMMAND} monitor --project {PROJECT}",
        append_env=True,
        retries=0,
    )
    run >> monitor
