"""A simulator of which some molecules wait for each other."""

import os
import time
from pathlib import Path

from molloop.simulate.outcome import Success

OTHER = {"first": "second", "second": "first"}


def simulate(smiles):
    if smiles == "crash":
        os._exit(3)
    if smiles not in OTHER:
        return Success({"ie": 2.0})
    folder = Path(os.environ["MEETING"])
    (folder / smiles).touch()
    while not (folder / OTHER[smiles]).exists():
        time.sleep(0.01)
    return Success({"ie": 1.0})
