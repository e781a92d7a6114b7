"""One html page that stands alone: computing is done, this only shows."""

import json
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from skmer.evaluation.displays.style import (
    MARKERS,
    PALETTE,
    axes_or_new,
    feature_colors,
    plain,
    text_color,
)
from skmer.evaluation.report.tables import comparison_matrix, confusions, scores_table
from skmer.evaluation.report.words import (
    Overview,
    bibliography,
    make_headline,
    methods_paragraph,
    name_of,
    name_of_score,
    time_of_stages,
    trust_notes,
)
from skmer.exceptions import InputError
from skmer.utils.files import atomic_write, check_output_file


def _spec(chart) -> dict:
    fitted = chart.properties(width="container", autosize={"type": "fit-x", "contains": "padding"})
    return fitted.to_dict(validate=False)


def _feature_scale(seen: Overview):
    import altair as alt

    colours = feature_colors(seen.intervals["feature"])
    return alt.Scale(
        domain=[name_of(name, seen.random) for name in colours],
        range=list(colours.values()),
    )


def scores_chart(seen: Overview) -> dict:
    """Draw every configuration with its interval, and the line of guessing."""
    import altair as alt
    import pandas as pd

    score = seen.headline
    table = seen.intervals.assign(
        Feature=[name_of(name, seen.random) for name in seen.intervals["feature"]],
        Splits=[
            f"{name} (groups apart)" if apart else name
            for name, apart in zip(seen.intervals["protocol"], seen.intervals["apart"])
        ],
    )
    order = list(seen.ranked["name"])
    base = alt.Chart(table).encode(
        y=alt.Y("name:N", sort=order, title=None, axis=alt.Axis(labelLimit=230)),
        yOffset=alt.YOffset("Splits:N"),
        color=alt.Color(
            "Feature:N",
            scale=_feature_scale(seen),
            legend=alt.Legend(orient="top", symbolType="circle"),
        ),
    )
    title = f"{name_of_score(score)}, 95 % interval"
    n_protocols = table["protocol"].nunique()
    # A single protocol needs no key.
    splits = alt.Legend(orient="top", title="Splits") if n_protocols > 1 else None
    has_zero = seen.result.task.scores_start_at_zero
    bars = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=title, scale=alt.Scale(zero=has_zero)),
        x2="high:Q",
    )
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        x=alt.X(f"{score}:Q", title=title, axis=alt.Axis(tickCount=6)),
        shape=alt.Shape("Splits:N", legend=splits),
        tooltip=[
            alt.Tooltip("name:N", title="Configuration"),
            alt.Tooltip("protocol:N", title="Splits"),
            alt.Tooltip(f"{score}:Q", title=name_of_score(score), format=".2f"),
            alt.Tooltip("low:Q", title="from", format=".2f"),
            alt.Tooltip("high:Q", title="to", format=".2f"),
        ],
    )
    layers = [bars, points]
    if seen.chance is not None:
        guess = pd.DataFrame({"chance": [seen.chance]})
        layers.insert(
            0, alt.Chart(guess).mark_rule(strokeDash=[4, 4], color="#888").encode(x="chance:Q")
        )
    height = len(order) * (26 if n_protocols == 1 else 18 * n_protocols)
    return _spec(alt.layer(*layers).properties(height=height))


def map_chart(rows: list[dict]) -> dict | None:
    """Draw the map of clips; what colours them is chosen in the page."""
    import altair as alt

    if not rows:
        return None
    features = list(dict.fromkeys(row["feature"] for row in rows))
    feature = alt.param(
        name="feature",
        value=features[0],
        bind=alt.binding_select(
            options=features, labels=[name_of(one) for one in features], name="Embedding "
        ),
    )
    targets = list(rows[0].get("targets", ()))
    options = targets or ["label", "group", "mostly"]
    colour = alt.param(
        name="colour",
        value=options[0],
        bind=alt.binding_select(
            options=options,
            labels=["right or wrong" if one == "mostly" else one for one in options],
            name="Colour by ",
        ),
    )
    shown: dict[str, object]
    if targets:
        shown = {
            "color": alt.Color(
                "shown:Q", scale=alt.Scale(scheme="viridis"), legend=alt.Legend(title=None)
            )
        }
    else:
        shown = {
            "color": alt.Color(
                "shown:N",
                scale=alt.Scale(range=list(PALETTE)),
                legend=alt.Legend(orient="top", title=None, columns=4, symbolLimit=24),
            ),
            "shape": alt.Shape(
                "mostly:N",
                scale=alt.Scale(domain=["right", "wrong"], range=["circle", "cross"]),
                legend=alt.Legend(orient="top", title=None),
            ),
        }
    told = ["clip", "shown", "group"] if targets else ["clip", "label", "group", "mostly"]
    chart = (
        alt.Chart(alt.Data(values=rows))
        .transform_filter("datum.feature == feature")
        .transform_calculate(shown="datum.targets[colour]" if targets else "datum[colour]")
        .mark_point(filled=True, size=60, opacity=0.85)
        .encode(
            x=alt.X("x:Q", axis=None, scale=alt.Scale(zero=False)),
            y=alt.Y("y:Q", axis=None, scale=alt.Scale(zero=False)),
            tooltip=[
                alt.Tooltip(f"{name}:N", title="value" if name == "shown" else name)
                for name in told
            ],
            **shown,
        )
        .add_params(feature, colour)
        .properties(height=420)
    )
    return _spec(chart)


def plane_chart(seen: Overview) -> dict | None:
    """Draw targets and predictions on the plane of valence and arousal."""
    import altair as alt

    charts = seen.result.task.charts
    if "plane" not in charts or not {"arousal", "valence"} <= set(seen.ranked["target"]):
        return None
    best = seen.ranked.drop_duplicates("target").set_index("target")
    predictions = seen.result.predictions
    columns = {}
    for target in ("valence", "arousal"):
        row = best.loc[target]
        mine = predictions[
            (predictions["protocol"] == seen.protocol)
            & (predictions["target"] == target)
            & (predictions["feature"] == row["feature"])
            & (predictions["regressor"] == row["regressor"])
        ].groupby("row")
        columns[target] = mine["y_pred"].mean()
        columns[f"{target}_true"] = mine["y_true"].first()
    import pandas as pd

    frame = pd.DataFrame(columns).dropna().round(3).reset_index()
    base = alt.Chart(frame)
    predicted = base.mark_point(filled=True, size=40, color=PALETTE[0], opacity=0.7).encode(
        x=alt.X("valence:Q", title="Valence", scale=alt.Scale(zero=False)),
        y=alt.Y("arousal:Q", title="Arousal", scale=alt.Scale(zero=False)),
        tooltip=["row:Q", "valence:Q", "valence_true:Q", "arousal:Q", "arousal_true:Q"],
    )
    moved = base.mark_rule(opacity=0.2).encode(
        x="valence:Q", y="arousal:Q", x2="valence_true:Q", y2="arousal_true:Q"
    )
    return _spec((moved + predicted).properties(height=420))


N_HARD = 12


def address(path) -> str:
    """Return what a browser opens for a clip; nothing where it has no path."""
    return Path(path).resolve().as_uri() if isinstance(path, str) and path else ""


def clip_names(seen: Overview) -> dict[int, tuple[str, str]]:
    """Return the name and the address of each clip, by its row."""
    predictions = seen.result.predictions
    rows = predictions.drop_duplicates("row")
    paths = rows["path"] if "path" in rows else [""] * len(rows)
    return {
        int(row): (Path(path).name if path else f"clip {row}", address(path))
        for row, path in zip(rows["row"], paths)
    }


def hard_clips(seen: Overview) -> list[dict]:
    """Return the clips that most configurations get wrong, with the answer given most often."""
    predictions = seen.result.predictions
    part = predictions[predictions["protocol"] == seen.protocol]
    part = (
        part[~part["feature"].isin(seen.random)]
        if len(seen.random) < part["feature"].nunique()
        else part
    )
    names = clip_names(seen)
    found: list[dict] = []
    for row, answers in part.groupby("row", sort=False):
        wrong = answers[answers["y_true"] != answers["y_pred"]]
        if len(wrong):
            name, where = names[int(row)]
            found.append(
                {
                    "name": name,
                    "address": where,
                    "label": str(answers["y_true"].iloc[0]),
                    "group": str(answers["group"].iloc[0]) if "group" in answers else "",
                    "answer": str(wrong["y_pred"].mode().iloc[0]),
                    "share": len(wrong) / len(answers),
                }
            )
    found.sort(key=lambda clip: -clip["share"])
    return found[:N_HARD]


def map_rows(seen: Overview) -> list[dict]:
    """Return a row for each clip and feature: place on the map, targets, group, right or wrong.

    For classes the target is the label; numbers have their own names and are neither right nor
    wrong.
    """
    maps, has_targets = seen.result.maps, "target" in seen.result.configuration
    predictions = seen.result.predictions
    part = predictions[predictions["protocol"] == seen.protocol]
    right = (part["y_true"] == part["y_pred"]).groupby([part["feature"], part["row"]]).mean()
    clips = part.drop_duplicates("row").set_index("row")
    if has_targets:
        numbers = part.pivot_table(index="row", columns="target", values="y_true")
    names = clip_names(seen)
    rows = []
    for place in maps.to_dict("records"):
        row = place["row"]
        if row not in clips.index:
            continue
        told: dict[str, object]
        if has_targets:
            told = {"targets": {name: round(x, 3) for name, x in numbers.loc[row].items()}}
        else:
            mostly = "right" if right[place["feature"], row] >= 0.5 else "wrong"
            told = {"label": str(clips.loc[row, "y_true"]), "mostly": mostly}
        rows.append(
            told
            | {
                "feature": place["feature"],
                "x": round(place["x"], 2),
                "y": round(place["y"], 2),
                "clip": names[row][0],
                "address": names[row][1],
                "group": str(clips.loc[row, "group"]) if "group" in clips else "none",
            }
        )
    return rows


def write_report(result: "EvaluationResult", path) -> Path:
    """Write the page of `EvaluationResult.report`."""
    path = check_output_file(path)
    page = render_report(result)
    with atomic_write(path) as unfinished:
        unfinished.write_text(page, encoding="utf-8")
    return path


def render_report(result: "EvaluationResult") -> str:
    """Return the page as a string."""
    seen, shown = Overview(result), result.task.charts
    charts = {
        "scores": scores_chart(seen),
        "map": map_chart(map_rows(seen)) if "map" in shown else None,
        "plane": plane_chart(seen),
    }
    return render_page(
        "report.html.j2",
        charts=charts,
        data={"confusions": confusions(seen)} if "confusions" in shown else {},
        title=f"Evaluation of {result.manifest['dataset'].get('name') or 'clips'}",
        headline=make_headline(seen),
        notes=trust_notes(seen),
        seen=seen,
        manifest=result.manifest,
        table=scores_table(seen),
        took=time_of_stages(result.manifest["seconds"]),
        quadrants=set(result.manifest["dataset"].get("classes", ())) == {"Q1", "Q2", "Q3", "Q4"},
        matrix=comparison_matrix(seen),
        hard=hard_clips(seen) if "hard_clips" in shown else [],
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


def result_to_latex(result: "EvaluationResult") -> str:
    """Return the table of `EvaluationResult.to_latex`."""
    return scores_table(Overview(result)).latex


def result_to_html(result: "EvaluationResult") -> str:
    """Return headline, what bears on trust, and the table of scores, as notebooks show them."""
    seen = Overview(result)
    table = scores_table(seen)
    kept = [i for i in range(len(table.columns)) if i not in table.hidden]
    notes = "".join(f"<li>{escape(note.text)}</li>" for note in trust_notes(seen))
    head = "".join(f"<th>{escape(table.columns[i])}</th>" for i in kept)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(row[i][0])}</td>" for i in kept) + "</tr>"
        for row in table.rows
    )
    return (
        f"<p><strong>{escape(make_headline(seen))}</strong></p><ul>{notes}</ul>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from skmer.evaluation.result import EvaluationResult

# Width, greatest height, height of a row [inch], and size of the letters [pt].
SIZES = {"paper": (3.46, 9.0, 0.2, 8.0), "wide": (13.33, 7.5, 0.5, 18.0)}


def result_to_figure(
    result: "EvaluationResult", size: Literal["paper", "wide"] = "paper"
) -> "Figure":
    """Draw the figure of `EvaluationResult.figure`."""
    from matplotlib import rc_context

    if not isinstance(size, str) or size not in SIZES:
        raise InputError(
            f"The 'size' parameter of figure must be one of {', '.join(map(repr, SIZES))}. "
            f"Got {size!r} instead."
        )
    seen = Overview(result)
    names = list(seen.ranked["name"])
    protocols = list(dict.fromkeys(seen.intervals["protocol"]))
    width, highest, row, letters = SIZES[size]
    # Above and below the rows stand the legend, the numbers and their name.
    around = 6 * letters / 72
    row = min(row * (0.5 + 0.5 * len(protocols)), (highest - around) / len(names))
    letters = min(letters, 0.75 * 72 * row)
    with rc_context({"font.size": letters, "axes.labelsize": letters, "legend.fontsize": letters}):
        ax = axes_or_new(None, figsize=(width, around + row * len(names)))
        _draw(ax, seen, names, protocols, scale=letters / 8)
    return ax.figure


def plot_result(result: "EvaluationResult", ax=None):
    """Draw what `EvaluationResult.plot` returns."""
    seen = Overview(result)
    names = list(seen.ranked["name"])
    protocols = list(dict.fromkeys(seen.intervals["protocol"]))
    ax = axes_or_new(ax, figsize=(6.0, 1.2 + 0.25 * len(protocols) * len(names)))
    _draw(ax, seen, names, protocols, scale=1)
    return ax


def _draw(ax, seen: Overview, names: list[str], protocols: list[str], *, scale: float) -> None:
    colours = feature_colors(seen.intervals["feature"])
    for k, protocol in enumerate(protocols):
        part = seen.intervals[seen.intervals["protocol"] == protocol]
        places = part["name"].map(names.index) + (k - (len(protocols) - 1) / 2) * 0.5 / len(
            protocols
        )
        score = part[seen.headline].to_numpy()
        reach = np.stack([score - part["low"], part["high"] - score])
        reach = np.nan_to_num(np.maximum(reach, 0))
        for i, place in enumerate(places):
            ax.errorbar(
                score[i],
                place,
                xerr=reach[:, [i]],
                fmt=MARKERS[k % len(MARKERS)],
                color=colours[part["feature"].iloc[i]],
                markersize=4 * scale,
                elinewidth=1.2 * scale,
            )
        if len(protocols) > 1:
            ax.plot([], [], MARKERS[k % len(MARKERS)], color=text_color(), markersize=4 * scale,
                    label=plain(protocol))  # fmt: skip
    if seen.chance is not None:
        ax.axvline(
            seen.chance, color=text_color(), linestyle="--", linewidth=0.8 * scale, label="guessing"
        )
    ax.set_yticks(range(len(names)), [plain(name) for name in names])
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.tick_params(axis="x", width=0.8 * scale)
    ax.set_xlabel(f"{name_of_score(seen.headline)}, 95 % interval")
    ax.grid(axis="x", color="#888888", alpha=0.25, linewidth=0.6 * scale)
    ax.set_axisbelow(True)
    ax.spines[["top", "right", "left"]].set_visible(False)
    if ax.get_legend_handles_labels()[0]:
        ax.figure.legend(loc="outside upper center", ncols=3, frameon=False)
