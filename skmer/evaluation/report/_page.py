"""One html page that stands alone: computing is done, this only shows."""

import json
from functools import cache
from pathlib import Path

from skmer.evaluation.report._charts import map_chart, plane_chart, scores_chart
from skmer.evaluation.report._clips import hard_clips, map_rows
from skmer.evaluation.report._headline import make_headline, trust_notes
from skmer.evaluation.report._methods import bibliography, methods_paragraph
from skmer.evaluation.report._overview import Overview
from skmer.evaluation.report._tables import comparison_matrix, confusions, scores_table
from skmer.evaluation.report._words import name_of, name_of_score, time_of_stages
from skmer.evaluation.results import BaseResult
from skmer.utils.files._output_folder import check_output_file
from skmer.utils.files._unfinished import unfinished_file


def write_report(result: BaseResult, path) -> Path:
    """Write a page that stands alone: headline, trust, charts, tables, and what they rest on.

    Parameters
    ----------
    path : path-like
        The html file to write.

    Returns
    -------
    path : pathlib.Path
        Where it was written.
    """
    path = check_output_file(path)
    page = render_report(result)
    with unfinished_file(path) as unfinished:
        unfinished.write_text(page, encoding="utf-8")
    return path


def render_report(result: BaseResult) -> str:
    """Return the page as a string."""
    seen = Overview(result)
    charts = {
        "scores": scores_chart(seen),
        "map": map_chart(map_rows(seen)),
        "plane": plane_chart(seen),
    }
    return render_page(
        "report.html.j2",
        charts=charts,
        data={"confusions": confusions(seen)} if result.has_classes else {},
        title=f"Evaluation of {result.manifest['dataset'].get('name') or 'clips'}",
        headline=make_headline(seen),
        notes=trust_notes(seen),
        seen=seen,
        manifest=result.manifest,
        table=scores_table(seen),
        took=time_of_stages(result.manifest["seconds"]),
        quadrants=set(result.manifest["dataset"].get("classes", ())) == {"Q1", "Q2", "Q3", "Q4"},
        matrix=comparison_matrix(seen),
        hard=hard_clips(seen) if result.has_classes else [],
        methods=methods_paragraph(seen),
        bibtex=bibliography(seen),
    )


def render_page(template: str, *, charts: dict, data: dict, package=__package__, **context) -> str:
    """Fill a template of a package, which may extend this one's base, with charts and data."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=ChoiceLoader(
            [PackageLoader(package, "templates"), PackageLoader(__package__, "templates")]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"score_name": name_of_score, "part_name": name_of, "for_script": _json}
    charts = {name: chart for name, chart in charts.items() if chart is not None}
    return environment.get_template(template).render(
        charts=charts, data=data, vega=_vega() if charts else "", **context
    )


def _json(value) -> str:
    """JSON that cannot end the script element that it stands in."""
    text = json.dumps(value, allow_nan=False, default=str)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


@cache
def _vega() -> str:
    """The charting library, inlined so that a page needs nothing from elsewhere."""
    import vl_convert

    return vl_convert.javascript_bundle().replace(  # type: ignore[call-arg]
        "</script", "<\\/script"
    )
