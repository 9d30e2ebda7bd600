#!/usr/bin/env bash
# A study as a job array on SLURM, without Dask:
#   sbatch --array=1-20 slurm-array.sh SPEC [OPTIONS]
#SBATCH --job-name=rnnstudy
#SBATCH --cpus-per-task=2
#SBATCH --mem=8G
#SBATCH --time=04:00:00
#SBATCH --requeue
# Two minutes before the end: running jobs write their checkpoints. Without B: SLURM signals job
# steps alone, and not this shell, which becomes rnnstudy.
#SBATCH --signal=B:TERM@120
set -euo pipefail
count=${SLURM_ARRAY_TASK_MAX:?submit with --array=1-N}
exec rnnstudy run "$@" --shard "$SLURM_ARRAY_TASK_ID/$count"
