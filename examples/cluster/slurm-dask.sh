#!/usr/bin/env bash
# The process of a run on SLURM. It submits its workers itself:
#   sbatch slurm-dask.sh SPEC [OPTIONS]
# The spec describes the workers (runtime.cluster). If it has options for them, add --allow-plugins.
#SBATCH --job-name=rnnstudy
#SBATCH --cpus-per-task=1
#SBATCH --mem=4G
#SBATCH --time=3-00:00:00
#SBATCH --requeue
# Two minutes before the end: running jobs write their checkpoints. Without B: SLURM signals job
# steps alone, and not this shell, which becomes rnnstudy.
#SBATCH --signal=B:TERM@120
set -euo pipefail
exec rnnstudy run "$@" --cluster slurm
