#!/usr/bin/env bash
# A study as a job array on SGE, without Dask:
#   qsub -t 1-20 sge-array.sh SPEC [OPTIONS]
#$ -N rnnstudy
#$ -cwd
#$ -pe smp 2
#$ -l h_vmem=4G,h_rt=04:00:00
#$ -r y
# A signal before the end: running jobs write their checkpoints.
#$ -notify
set -euo pipefail
count=${SGE_TASK_LAST:?submit with -t 1-N}
trap 'kill -TERM "$child"' USR1 USR2
rnnstudy run "$@" --shard "$SGE_TASK_ID/$count" &
child=$!
wait "$child" || wait "$child"
