"""The Python interface: builds what a configuration names, and runs it."""

from molloop.api.libraries import build_library, enumerate_library, open_library
from molloop.api.molecules import simulate_molecules
from molloop.api.predicting import predict
from molloop.api.reading import export_run, read_results, write_report
from molloop.api.runs import new_run_dir, resume, run, run_settings
from molloop.api.suggesting import suggest

__all__ = [
    "build_library",
    "enumerate_library",
    "export_run",
    "new_run_dir",
    "open_library",
    "predict",
    "read_results",
    "resume",
    "run",
    "run_settings",
    "simulate_molecules",
    "suggest",
    "write_report",
]
