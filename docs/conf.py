"""How the documentation is built: `make docs`."""

import hashlib
import sys
from pathlib import Path

import molloop

HERE = Path(__file__).parent
SOURCE = Path(molloop.__file__).parent
sys.path.insert(0, str(HERE / "_ext"))


def checksum(folder: Path) -> str:
    """Return a checksum of the Python files of a folder."""
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        whole.update(path.read_bytes())
    return whole.hexdigest()[:12]


project = "molloop"
author = "The molloop developers"
project_copyright = author
version = release = molloop.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
    "command_line",
    "configuration",
    "database",
    "models",
]
exclude_patterns = ["_build", "_ext"]
nitpicky = True
# what is documented elsewhere: nothing is fetched to link it
nitpick_ignore = [
    ("py:class", "molloop.replay.tune.C")
]  # a TypeVar, which autodoc takes for a class
nitpick_ignore_regex = [("py:.*", r"(?!molloop\.).*")]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

nb_execution_mode = "cache"
# what a notebook shows depends on the package: another package, another cache
nb_execution_cache_path = str(HERE / "_build" / "notebooks" / checksum(SOURCE))
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_timeout = 300
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True}
napoleon_google_docstring = False
napoleon_use_ivar = True

html_theme = "pydata_sphinx_theme"
html_title = "molloop"
html_static_path = ["_static"]
html_css_files = ["molloop.css"]
html_show_sourcelink = False
html_show_sphinx = False
html_theme_options = {
    "navigation_with_keys": False,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "header_links_before_dropdown": 6,
    "navbar_align": "left",
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_context = {"default_mode": "auto"}
html_sidebars: dict[str, list[str]] = {
    page: [] for page in ("index", "get-started", "tutorial", "glossary", "contributing")
}
# a copied command has no prompt, and no output
copybutton_prompt_text = "$ "
copybutton_exclude = ".linenos, .gp, .go"
