#!/usr/bin/env bash
# A study as a job array on LSF, without Dask:
#   bsub -J "rnnstudy[1-20]" < lsf-array.sh     with SPEC=study.yaml in the environment
#BSUB -n 2
#BSUB -R "span[hosts=1] rusage[mem=8GB]"
#BSUB -W 04:00
#BSUB -r
# Ten minutes before the end: running jobs write their checkpoints.
#BSUB -wa TERM -wt 10
set -euo pipefail
count=${LSB_JOBINDEX_END:?submit with -J "rnnstudy[1-N]"}
exec rnnstudy run "${SPEC:?name the study: export SPEC=study.yaml}" --shard "$LSB_JOBINDEX/$count"
