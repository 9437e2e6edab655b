"""What a run's model says of its library."""

from contextlib import closing
from pathlib import Path

from molloop.api.libraries import open_library
from molloop.api.runs import run_settings
from molloop.assembly.conditions import select_for
from molloop.assembly.features import features_for, knowing
from molloop.assembly.predictions import Predictions, predictions_of
from molloop.config.settings import Settings
from molloop.errors import InputError
from molloop.files import AnyPath
from molloop.library.shards import Library, Progress
from molloop.store.reader import Reader
from molloop.store.records import Session
from molloop.store.run_dir import find_run


def predict(
    run_dir: AnyPath,
    top: int | None = None,
    progress: Progress | None = None,
    *,
    trust: bool = False,
) -> Predictions:
    """Say what the model of a run expects of every molecule that the run may choose.

    The model is trained on all values that the run has, as its next ranking would do it, in this
    process.

    Parameters
    ----------
    run_dir
        Of a run that goes on or has ended.
    top
        How many molecules, the best predicted first; None: all, in the order of the library. Of
        several objectives or constraints the best are those that are expected to keep the
        constraints, first the ones that no other is expected to beat.
    progress
        Called with what is being done, and how much of it, 0 to 1.
    trust
        Whether the model and features that the run's database names are used also where the
        directory belongs to another user, or its config.toml names others.

    Raises
    ------
    InputError
        The directory holds no run or is not to be trusted, the policy goes by no model, there is
        no value, or the library is another one by now.
    RunError
        The library is damaged.
    StoreError
        The run's database cannot be read.
    """
    if top is not None and top < 1:
        raise InputError("top", top, "1 at least", "Ask for more.")
    settings = run_settings(run_dir, trust=trust)
    with closing(Reader.read(find_run(Path(run_dir)))) as store:
        library = library_of(store.sessions()[-1], settings, progress)
        library = features_for([settings.policy()], library, progress)
        library = knowing(settings, library, progress)
        selection, _ = select_for(settings, library, progress)
        report = progress or _show_nothing
        return predictions_of(store, settings, library, selection, top, report)


def library_of(session: Session, settings: Settings, progress: Progress | None) -> Library:
    """Return the library of a run, as going on with it opens it; InputError if it is another."""
    library = open_library(settings, progress)
    if library.manifest.key != session.environment.get("library", {}).get("key"):
        raise InputError(
            "library.source",
            settings.library.source,
            "the library that this run has used",
            "Its molecules are other ones, or in another order: give back the old one.",
        )
    return library


def _show_nothing(_what: str, _fraction: float) -> None:
    pass
