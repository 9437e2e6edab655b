"""Parsl's launcher for `mpiexec`, whose list of nodes lies in the run directory.

Seen in Parsl 2026.10.26: the shell lines of `MpiExecLauncher` write "$JOBNAME.nodes" into the
folder from which the user has started the run. No option says otherwise, so the line is replaced.
"""

from typing import Any

from parsl.launchers import MpiExecLauncher

NODES, NODES_BESIDE_SCRIPT = '"$JOBNAME.nodes"', '"${SCRIPT_DIR:+$SCRIPT_DIR/}$JOBNAME.nodes"'


class MpiExec(MpiExecLauncher):
    """Keeps its list of nodes beside the script, not in the user's working directory."""

    def __call__(self, *words: Any) -> str:
        """Return the shell lines that start a pool on each node."""
        script: str = super().__call__(*words)
        return script.replace(NODES, NODES_BESIDE_SCRIPT)
