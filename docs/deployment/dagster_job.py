"""Keepwell every night, by Dagster: the command line does the work, Dagster says when.

`dagster dev -f dagster_job.py` shows it; KEEPWELL_PROJECT and KEEPWELL_COMMAND name the project's
folder and the command.
"""

import os
import subprocess

import dagster as dg

PROJECT = os.environ.get("KEEPWELL_PROJECT", "/srv/keepwell")
COMMAND = os.environ.get("KEEPWELL_COMMAND", f"{PROJECT}/.venv/bin/keepwell")
DAYS = dg.DailyPartitionsDefinition(start_date="2026-01-01")


@dg.op
def run(context: dg.OpExecutionContext) -> str:
    """Deliver the actions as of the day of the partition."""
    subprocess.run(
        [COMMAND, "run", "--as-of", context.partition_key, "--project", PROJECT], check=True
    )
    return context.partition_key


@dg.op
def monitor(context: dg.OpExecutionContext, as_of: str) -> None:
    """Fail where monitoring found a warning (10) or an error (11)."""
    context.log.info(f"monitoring {as_of}")
    subprocess.run([COMMAND, "monitor", "--project", PROJECT], check=True)


@dg.job(partitions_def=DAYS)
def keepwell() -> None:
    """One date from ingest to delivery, then a look at it."""
    monitor(run())


nightly = dg.build_schedule_from_partitioned_job(keepwell, hour_of_day=3, minute_of_hour=15)
defs = dg.Definitions(jobs=[keepwell], schedules=[nightly])
