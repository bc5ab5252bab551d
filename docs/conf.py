"""Sphinx builds the pages of this folder into a site: `make docs`."""

from ernn import __version__

project = "ernn"
author = "the ernn developers"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3  # pages link to each other's headings as they do in a repository's viewer
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"ernn {__version__}"
html_static_path = ["static"]
html_css_files = ["narrow.css"]
html_show_copyright = False
suppress_warnings = ["myst.xref_missing"]  # of files outside this folder; tests check those
