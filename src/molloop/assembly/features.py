"""The features that policies' models learn from, where a library does not have them."""

from collections.abc import Iterable

from molloop.assembly.campaign import cores
from molloop.config.settings import Settings
from molloop.library.beside import with_features
from molloop.library.known import with_known
from molloop.library.shards import Library, Progress
from molloop.search.policy import Policy


def features_for(
    policies: Iterable[Policy], library: Library, progress: Progress | None = None
) -> Library:
    """Return a library with all features that some policies' models learn from.

    Raises
    ------
    InputError, RunError
        As of :func:`molloop.library.beside.with_features`.
    """
    import platformdirs

    cache_dir = platformdirs.user_cache_path("molloop") / "features"
    for policy in policies:
        library = with_features(library, policy.features, cache_dir, cores(), progress)
    return library


def knowing(settings: Settings, library: Library, progress: Progress | None = None) -> Library:
    """Return a library that knows what a configuration's goal asks of it.

    Raises
    ------
    RunError
        As of :func:`molloop.library.known.with_known`.
    """
    import platformdirs

    asked = [one.descriptor for one in settings.goal().quantities]
    cache_dir = platformdirs.user_cache_path("molloop") / "conditions"
    return with_known(library, asked, cache_dir, cores(), progress)
