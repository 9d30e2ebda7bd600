#!/usr/bin/env bash
# A study as a job array on PBS, without Dask:
#   qsub -J 1-20 -v SPEC=study.yaml,SHARDS=20 pbs-array.sh
#PBS -N rnnstudy
#PBS -l select=1:ncpus=2:mem=8gb
#PBS -l walltime=04:00:00
#PBS -r y
set -euo pipefail
cd "${PBS_O_WORKDIR:?submit with qsub}"
exec rnnstudy run "${SPEC:?name the study: -v SPEC=study.yaml}" \
    --shard "${PBS_ARRAY_INDEX:?submit with -J 1-N}/${SHARDS:?name the number: -v SHARDS=20}"
