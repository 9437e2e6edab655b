# The environment on Polaris: `source examples/0_activate_env.sh` in the clone.
# On a login node, which reaches the Internet, its first use makes the environment in .venv.

module use /soft/modulefiles
module load conda
conda activate base

if [ ! -x .venv/bin/molloop ]; then
    python -m venv .venv
    .venv/bin/python -m pip install --quiet --editable .
fi
source .venv/bin/activate

# sockets have short names: the default folder there is too long for them
export TMPDIR=/tmp
