#!/bin/bash
# The loop on several nodes of Polaris: `qsub -A PROJECT examples/4_submit_multinode.sh`.
# For other sites, stops in time and chains of jobs there is `molloop submit`.
#PBS -N molloop
#PBS -l select=2:system=polaris
#PBS -l place=scatter
#PBS -l walltime=0:30:00
#PBS -l filesystems=home:eagle
#PBS -q debug
#PBS -j oe

cd "$PBS_O_WORKDIR" || exit 1
source examples/0_activate_env.sh

# the script itself runs on the first node, and its workers on all of them
python examples/3_ml_in_the_loop.py polaris
