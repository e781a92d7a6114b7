"""Settings of the documentation: python -m sphinx -W -b html docs docs/_build/html"""

import os
import warnings
from pathlib import Path

import skmer

HERE = Path(__file__).resolve().parent

# The gallery writes the generated clips here, and nothing into the user's folders.
os.environ["SKMER_DATA"] = str(HERE / "_build" / "data")
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

project = "skmer"
author = "The skmer developers"
copyright = author
version = release = skmer.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "**/GALLERY_HEADER.rst"]
autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = "skmer"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_context = {"default_mode": "auto"}
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
    # Where two columns of code stand side by side, they get the room.
    "secondary_sidebar_items": {"**": ["page-toc"], "index": [], "guide/coming_from": []},
    "show_toc_level": 2,
}

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    # Shown without results: torch runs in a process of its own, without TensorFlow. CI runs it so.
    "filename_pattern": r"/plot_(?!14_layers)",
    "within_subsection_order": "FileNameSortKey",
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("skmer",),
    "reference_url": {"skmer": None},
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,
    "min_reported_time": 1,
}

# What third parties warn of has no place on a page of the gallery; skmer's own warnings have.
warnings.filterwarnings("ignore", category=DeprecationWarning)


def write_datasets_table(path):
    """Write the table of the guide's page on data, from what the datasets have registered."""
    from skmer.datasets.registry import DATASETS

    head = ("dataset", "clips", "classes, groups, licence", "where to get it", "in the data folder")
    rows = [head]
    for name, (info, load, _) in DATASETS.items():
        classes = ", ".join(f"{label} {count}" for label, count in info.class_counts.items())
        how = ", fetched by skmer" if info.downloadable else ", by hand"
        facts = "; ".join(filter(None, (classes, info.groups, info.licence)))
        where = info.url + how if info.url else "generated the first time"
        cell = f"``{name}``, :func:`~skmer.datasets.{load.__name__}`"
        rows.append((cell, str(info.n_clips), facts, where, info.layout))
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in rows:
        lines += [f"   {'*' if cell is row[0] else ' '} - {cell}" for cell in row]
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


write_datasets_table(HERE / "generated" / "datasets.inc")
