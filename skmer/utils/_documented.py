"""Links from scikit-learn's diagrams to the pages of this documentation."""

from functools import cache
from importlib.metadata import PackageNotFoundError, metadata


@cache
def documentation_url() -> str | None:
    """Return where the package's own metadata say that its documentation is; None: nowhere."""
    try:
        stated = metadata("skmer").get_all("Project-URL") or []
    except PackageNotFoundError:
        return None
    pages = dict(entry.split(", ", 1) for entry in stated)
    return pages.get("Documentation", "").rstrip("/") or None


class DocumentedMixin:
    """Give a step of a pipeline's diagram a link to its page.

    The address is the ``Documentation`` of ``project_urls`` in setup.cfg; where none is stated,
    there is no link, instead of scikit-learn's own or of one that leads nowhere.
    """

    # The package that the reference lists the class under.
    _documented_in: str

    # What scikit-learn asks for; it links a class whose module starts with this.
    @property
    def _doc_link_module(self) -> str:
        return "skmer" if documentation_url() else ""

    @property
    def _doc_link_template(self) -> str:
        return f"{documentation_url()}/generated/{{page}}.html"

    def _doc_link_url_param_generator(self) -> dict[str, str]:
        return {"page": f"{self._documented_in}.{type(self).__name__}"}
