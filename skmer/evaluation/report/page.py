"""One html page that stands alone, and the table and the figure of a paper."""

import json
from functools import cache

import numpy as np
import pandas as pd

from skmer.evaluation.displays import style
from skmer.evaluation.displays.numbers import curves_of
from skmer.evaluation.report import tables, words
from skmer.evaluation.report.overview import Overview
from skmer.utils import files, messages


def _chart(name: str, height: int, **options) -> dict:
    """Return the specification of a chart in Vega-Lite, from its macro among the templates."""
    macros = words.environment().get_template("charts.json.j2").module
    chart = json.loads(getattr(macros, name)(**options))
    fit = {"type": "fit-x", "contains": "padding"}
    return chart | {"height": height, "width": "container", "autosize": fit}


def _records(table: pd.DataFrame) -> list[dict]:
    """Return the rows of a table as JSON can have them."""
    return table.astype(object).where(table.notna(), None).to_dict("records")


def scores_chart(seen: Overview) -> dict:
    """Draw every configuration with its interval, and the line of guessing."""
    table, order = seen.intervals, list(seen.ranked["name"])
    labels = {name: words.name_of(name, seen.random) for name in table["feature"]}
    colors = style.feature_colors(table["feature"])
    apart = table["apart"].map({True: " (groups apart)", False: ""})
    table = table.assign(Feature=table["feature"].map(labels), Splits=table["protocol"] + apart)
    n_protocols = table["protocol"].nunique()
    # On two lines where one would be wider than a narrow screen.
    lines = [words.name_of_score(seen.headline), "95 % interval"]
    return _chart(
        "scores",
        len(order) * (26 if n_protocols == 1 else 18 * n_protocols),
        rows=_records(table),
        score=seen.headline,
        title=lines if len(lines[0]) > 20 else ", ".join(lines),
        order=order,
        colors={labels[name]: color for name, color in colors.items()},
        chance=seen.chance,
        has_key=n_protocols > 1,
        has_zero=seen.result.task.scores_start_at_zero,
    )


def map_chart(rows: list[dict]) -> dict | None:
    """Draw the map of clips; the reader chooses in the page which values color them."""
    if not rows:
        return None
    targets = list(rows[0].get("targets", ()))
    return _chart(
        "map",
        420,
        rows=rows,
        features=list(dict.fromkeys(row["feature"] for row in rows)),
        options=targets or ["label", "group", "mostly"],
        is_text=not targets or isinstance(rows[0]["targets"][targets[0]], str),
        has_targets=bool(targets),
        palette=style.PALETTE,
    )


def plane_chart(seen: Overview) -> dict | None:
    """Draw targets and predictions on the plane of valence and arousal."""
    axes = ("valence", "arousal")
    if "plane" not in seen.result.task.charts or not set(axes) <= set(seen.ranked["target"]):
        return None
    columns: dict = {}
    for target in axes:
        clips = seen.rows_of(seen.best[target]).groupby("row")
        columns |= {target: clips["y_pred"].mean(), f"{target}_true": clips["y_true"].first()}
    table = pd.DataFrame(columns).dropna().round(3).reset_index()
    return _chart("plane", 420, rows=_records(table), color=style.PALETTE[0])


# Points of a scatter, and songs with a curve.
N_POINTS = 3000
N_WORST = 8


def scatter_charts(seen: Overview) -> list[dict]:
    """Return for each target a chart of true against predicted values, and words for it."""
    charts = []
    for target, best in seen.best.items():
        rows = seen.rows_of(best)
        keys = [key for key in ("row", "time") if key in rows]
        points = rows.groupby(keys)[["y_true", "y_pred"]].mean().reset_index()
        score = seen.result.task.score(rows, rows.groupby(["repeat", "fold", "row"]).ngroup())
        if len(points) > N_POINTS:
            points = points.sample(N_POINTS, random_state=0)
        values = points[["y_true", "y_pred"]].to_numpy()
        chart = _chart(
            "scatter",
            300,
            rows=_records(points.round(4)),
            target=target,
            ends=[float(values.min()), float(values.max())],
            color=style.PALETTE[0],
        )
        charts.append({"chart": chart, "name": seen.model_name(best), "scores": score})
    return charts


def curve_charts(seen: Overview) -> list[dict]:
    """Return for each target a chart of the songs that are followed worst, and a list of them."""
    charts = []
    for target, best in seen.best.items():
        rows, songs, curves = seen.rows_of(best), [], []
        for row, curve in curves_of(rows, N_WORST).items():
            part = rows[rows["row"] == row]
            score = seen.result.task.score(part, part["row"])
            facts = {"row": row, "error": curve.error, "pearson": score["pearson"]}
            songs.append(seen.clips[row] | facts)
            columns = {"time": curve.times, "annotated": curve.y_true, "predicted": curve.y_pred}
            columns |= dict(zip(("low", "high"), curve.interval))
            curves.append(pd.DataFrame(columns).assign(song=f"{songs[-1]['name']} (row {row})"))
        table = pd.concat(curves, ignore_index=True).round(4)
        chart = _chart(
            "curves",
            260,
            rows=_records(table),
            target=target,
            songs=table["song"].unique().tolist(),
            colors=[style.PALETTE[3], style.PALETTE[0]],
        )
        name = seen.model_name(best)
        charts.append({"chart": chart, "name": name, "target": target, "songs": songs})
    return charts


N_HARD = 12


def hard_clips(seen: Overview) -> list[dict]:
    """Return the clips that most configurations get wrong, with the answer given most often."""
    rows = seen.predictions
    if len(seen.random) < rows["feature"].nunique():
        rows = rows[~rows["feature"].isin(seen.random)]
    rows = rows.assign(wrong=rows["y_true"] != rows["y_pred"])
    shares = rows.groupby("row", sort=False)["wrong"].mean()
    shares = shares[shares > 0].sort_values(ascending=False, kind="stable")[:N_HARD]
    found = []
    for row, share in shares.items():
        answers = rows[rows["row"] == row]
        answer = answers.loc[answers["wrong"], "y_pred"].mode().iloc[0]
        clip = {"label": answers["y_true"].iloc[0], "answer": answer, "share": share}
        found.append(seen.clips[row] | clip)
    return found


def map_rows(seen: Overview) -> list[dict]:
    """Return a row for each clip and feature: place on the map, targets, group, right or wrong.

    For classes the target is the label; numbers have their own names and are neither right nor
    wrong.
    """
    predictions, has_targets = seen.predictions, "target" in seen.result.configuration
    truth = predictions.drop_duplicates("row").set_index("row")["y_true"]
    if has_targets:
        numbers = predictions.pivot_table(index="row", columns="target", values="y_true").round(3)
    else:
        is_right = predictions["y_true"] == predictions["y_pred"]
        right = is_right.groupby([predictions["feature"], predictions["row"]]).mean()
    places, rows = seen.result.maps, []
    for place in places[places["row"].isin(truth.index)].round(2).to_dict("records"):
        row = place.pop("row")
        name, address, group = seen.clips[row].values()
        if has_targets:
            place["targets"] = numbers.loc[row].to_dict()
        else:
            mostly = "right" if right[place["feature"], row] >= 0.5 else "wrong"
            place |= {"label": str(truth[row]), "mostly": mostly}
        rows.append(place | {"clip": name, "address": address, "group": group or "none"})
    return rows


def write_report(result, path):
    """Write the page of `EvaluationResult.report`."""
    path = files.check_output_file(path)
    page = render_report(result)
    with files.atomic_write(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return path


def render_report(result) -> str:
    """Return the page as a string."""
    seen, shown = Overview(result), result.task.charts
    scatters = scatter_charts(seen) if "scatter" in shown else []
    curves = curve_charts(seen) if "curves" in shown else []
    charts = {
        "scores": scores_chart(seen),
        "map": map_chart(map_rows(seen)) if "map" in shown else None,
        "plane": plane_chart(seen),
    }
    for kind, several in (("scatter", scatters), ("curves", curves)):
        charts |= {f"{kind}{i}": one["chart"] for i, one in enumerate(several)}
    return render_page(
        "report.html.j2",
        charts=charts,
        data={"confusions": tables.confusions(seen)} if "confusions" in shown else {},
        title=f"Evaluation of {result.manifest['dataset'].get('name') or 'clips'}",
        seen=seen,
        tables=tables,
        words=words,
        scatters=scatters,
        curves=curves,
        hard=hard_clips(seen) if "hard_clips" in shown else [],
    )


def render_page(template: str, *, charts: dict, data: dict, package=__package__, **context) -> str:
    """Fill a template of a package, which may extend this one's base, with charts and data."""
    charts = {name: chart for name, chart in charts.items() if chart is not None}
    scripts = {"charts": charts, "data": data, "vega": _vega() if charts else ""}
    return words.fill_template(template, package=package, **scripts, **context)


@cache
def _vega() -> str:
    """Return the charting library, so that a page needs nothing from elsewhere."""
    import vl_convert

    script = vl_convert.javascript_bundle()  # type: ignore[call-arg]
    return script.replace("</script", "<\\/script")


def result_to_html(result) -> str:
    """Return headline, notes on trust, and the table of scores, as notebooks show them."""
    seen = Overview(result)
    return words.fill_template("notebook.html.j2", seen=seen, tables=tables, words=words)


# Width, greatest height, height of a row [inch], and size of the letters [pt].
SIZES = {"paper": (3.46, 9.0, 0.2, 8.0), "wide": (13.33, 7.5, 0.5, 18.0)}


@style.without_tex
def result_to_figure(result, size: str):
    """Draw the figure of `EvaluationResult.figure`."""
    from matplotlib import rc_context

    messages.check_choice("figure", SIZES, size=size)
    seen = Overview(result)
    n_rows, n_protocols = len(seen.ranked), seen.intervals["protocol"].nunique()
    width, highest, row, letters = SIZES[size]
    # Above and below the rows stand the legend, the numbers and their name.
    around = 6 * letters / 72
    row = min(row * (0.5 + 0.5 * n_protocols), (highest - around) / n_rows)
    letters = min(letters, 0.75 * 72 * row)
    with rc_context({"font.size": letters, "axes.labelsize": letters, "legend.fontsize": letters}):
        ax = style.axes_or_new(None, figsize=(width, around + row * n_rows))
        _draw(ax, seen, scale=letters / 8)
    return ax.figure


@style.without_tex
def plot_result(result, ax):
    """Draw what `EvaluationResult.plot` returns."""
    seen = Overview(result)
    n_marks = len(seen.ranked) * seen.intervals["protocol"].nunique()
    ax = style.axes_or_new(ax, figsize=(6.0, 1.2 + 0.25 * n_marks))
    _draw(ax, seen, scale=1)
    return ax


def _draw(ax, seen: Overview, *, scale: float) -> None:
    names = list(seen.ranked["name"])
    protocols = list(dict.fromkeys(seen.intervals["protocol"]))
    colors, size = style.feature_colors(seen.intervals["feature"]), {"markersize": 4 * scale}
    for k, protocol in enumerate(protocols):
        rows = seen.intervals[seen.intervals["protocol"] == protocol]
        mark, shift = style.MARKERS[k % len(style.MARKERS)], (k - (len(protocols) - 1) / 2) * 0.5
        for row in rows.to_dict("records"):
            score = row[seen.headline]
            reach = np.nan_to_num(np.maximum([[score - row["low"]], [row["high"] - score]], 0))
            look = {"color": colors[row["feature"]], "elinewidth": 1.2 * scale, **size}
            place = names.index(row["name"]) + shift / len(protocols)
            ax.errorbar(score, place, xerr=reach, fmt=mark, **look)
        if len(protocols) > 1:
            ax.plot([], [], mark, color=style.text_color(), label=style.plain(protocol), **size)
    if seen.chance is not None:
        dashes = {"color": style.text_color(), "linestyle": "--", "linewidth": 0.8 * scale}
        ax.axvline(seen.chance, **dashes, label="guessing")
    ax.set_yticks(range(len(names)), [style.plain(name) for name in names])
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.tick_params(axis="x", width=0.8 * scale)
    ax.set_xlabel(f"{words.name_of_score(seen.headline)}, 95 % interval")
    ax.grid(axis="x", color="#888888", alpha=0.25, linewidth=0.6 * scale)
    ax.set_axisbelow(True)
    ax.spines[["top", "right", "left"]].set_visible(False)
    if ax.get_legend_handles_labels()[0]:
        ax.figure.legend(loc="outside upper center", ncols=3, frameon=False)
