#!/usr/bin/env bash
# Run the Airflow DAG and the Dagster job once each, in environments of their own, on a small
# simulated company:  docs/deployment/try_schedulers.sh FOLDER
# Needs the keepwell command on PATH. Stays in FOLDER, listens nowhere, sends nothing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mkdir -p "$1" && cd "$1" && pwd)
command=$(command -v keepwell)
export DO_NOT_TRACK=true SCARF_ANALYTICS=false DAGSTER_DISABLE_TELEMETRY=1
export AIRFLOW__USAGE_DATA_COLLECTION__ENABLED=False

environment() { # NAME PACKAGE: a virtual environment, made once
  [ -x "$work/$1/bin/python" ] || python3 -m venv "$work/$1"
  "$work/$1/bin/python" -m pip install --quiet "$2"
}

company() { # NAME: a fresh simulated company
  rm -rf "${work:?}/$1" && keepwell simulate --customers 600 --seed 7 --out "$work/$1"
}

delivered() { # NAME DATE
  test -f "$work/$1/outbox/as_of=$2/manifest.json" && echo "$1: delivered as_of=$2"
}

company by-airflow
environment airflow 'apache-airflow>=3,<4'
export AIRFLOW_HOME="$work/airflow-home" AIRFLOW__CORE__LOAD_EXAMPLES=False
export AIRFLOW__CORE__DAGS_FOLDER="$work/dags"
export AIRFLOW_VAR_KEEPWELL_PROJECT="$work/by-airflow" AIRFLOW_VAR_KEEPWELL_COMMAND="$command"
mkdir -p "$work/dags" && cp "$here/airflow_dag.py" "$work/dags/"
"$work/airflow/bin/airflow" db migrate
"$work/airflow/bin/airflow" dags test keepwell 2026-01-01 || echo "airflow: the monitor task may fail, by design"
delivered by-airflow 2026-01-01

company by-dagster
environment dagster 'dagster>=1.10,<2'
export DAGSTER_HOME="$work/dagster-home" KEEPWELL_PROJECT="$work/by-dagster" KEEPWELL_COMMAND="$command"
mkdir -p "$DAGSTER_HOME" && printf 'telemetry:\n  enabled: false\n' >"$DAGSTER_HOME/dagster.yaml"
"$work/dagster/bin/dagster" job execute -f "$here/dagster_job.py" -j keepwell \
  --tags '{"dagster/partition": "2026-01-01"}'
delivered by-dagster 2026-01-01
