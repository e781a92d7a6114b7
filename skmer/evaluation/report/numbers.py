"""What a report shows of numbers: true against predicted, and curves of the worst songs."""

from typing import Any

from skmer.evaluation.displays.style import PALETTE
from skmer.evaluation.report.overview import Overview
from skmer.evaluation.report.words import name_of, name_of_score, two_digits
from skmer.evaluation.statistics.curves import Curve, curves_of

# Points of a scatter, and songs with a curve.
N_POINTS = 3000
N_WORST = 8


def best_predictions(seen: Overview) -> dict:
    """Return the name of the best configuration of each target and its predictions, by target."""
    found = {}
    for target in dict.fromkeys(seen.ranked["target"]):
        best = seen.ranked[seen.ranked["target"] == target].iloc[0]
        rows = seen.predictions
        for key in seen.result.configuration:
            rows = rows[rows[key] == best[key]]
        model = name_of(best[seen.result.task.model_kind])
        found[target] = (f"{name_of(best['feature'], seen.random)} + {model}", rows)
    return found


def scatter_charts(seen: Overview) -> list[dict]:
    """Return for each target a chart of true against predicted values, and words for it."""
    import altair as alt
    import pandas as pd

    charts = []
    for target, (name, rows) in best_predictions(seen).items():
        keys = [key for key in ("row", "time") if key in rows]
        points = rows.groupby(keys)[["y_true", "y_pred"]].mean().reset_index()
        score = seen.result.task.score(rows, rows.groupby(["repeat", "fold", "row"]).ngroup())
        if len(points) > N_POINTS:
            points = points.sample(N_POINTS, random_state=0)
        values = points[["y_true", "y_pred"]]
        ends = [float(values.min().min()), float(values.max().max())]
        axes = {
            axis: make(f"{field}:Q", title=f"{target}, {word}", scale=alt.Scale(domain=ends))
            for axis, make, field, word in (
                ("x", alt.X, "y_true", "annotated"),
                ("y", alt.Y, "y_pred", "predicted"),
            )
        }
        shown = alt.Chart(points.round(4)).mark_point(
            filled=True, size=18 if "time" in keys else 40, color=PALETTE[0], opacity=0.7
        )
        shown = shown.encode(**axes, tooltip=[f"{key}:Q" for key in points])
        line = alt.Chart(pd.DataFrame({"end": ends})).mark_line(strokeDash=[4, 4], color="#888")
        chart = line.encode(x="end:Q", y="end:Q") + shown
        numbers = ", ".join(
            f"{name_of_score(metric)} {two_digits(score[metric])}"
            for metric in seen.result.task.metrics
            if metric in score and not metric.endswith("_song")
        )
        charts.append({"chart": chart.properties(height=300), "text": f"{name}: {numbers}."})
    return charts


def curve_charts(seen: Overview, clips: dict[int, dict[str, str]]) -> list[dict]:
    """Return for each target a chart of the songs that are followed worst, and a list of them."""
    charts = []
    for target, (name, rows) in best_predictions(seen).items():
        songs = []
        scores = rows.groupby("row")
        for row, curve in curves_of(rows, N_WORST).items():
            part = scores.get_group(row)
            score = seen.result.task.score(part, part["row"])
            facts = {"error": two_digits(curve.error), "pearson": two_digits(score["pearson"])}
            group = str(part["group"].iloc[0]) if "group" in part else ""
            songs.append(clips[row] | facts | {"row": row, "group": group, "curve": curve})
        chart = _curves_chart(target, songs)
        words = f"The songs with the largest errors of {target} by {name}."
        charts.append({"chart": chart, "text": words, "target": target, "songs": songs})
    return charts


def _curves_chart(target: str, songs: list[dict]):
    import altair as alt
    import pandas as pd

    names = [f"{song['name']} (row {song['row']})" for song in songs]
    table = pd.concat(
        [_table(song["curve"]).assign(song=name) for song, name in zip(songs, names)],
        ignore_index=True,
    )
    bind = alt.binding_select(options=names, name="Song ")
    song = alt.param(name="song_shown", value=names[0], bind=bind)
    base = alt.Chart(table.round(4)).transform_filter("datum.song == song_shown")
    x = alt.X("time:Q", title="Time [s]", scale=alt.Scale(zero=False))
    scale = alt.Scale(domain=["annotated", "predicted"], range=[PALETTE[3], PALETTE[0]])
    color: dict[str, Any] = {"scale": scale, "legend": alt.Legend(orient="top", title=None)}
    zero = alt.Scale(zero=False)
    band = base.mark_area(opacity=0.18, color=PALETTE[0]).encode(
        x=x, y=alt.Y("low:Q", title=target, scale=zero), y2="high:Q"
    )
    lines = [
        base.mark_line(strokeDash=dash, point={"size": 14}).encode(
            x=x,
            y=alt.Y(f"{word}:Q", title=target, scale=zero),
            color=alt.Color(datum=word, type="nominal", **color),
            tooltip=["time:Q", "annotated:Q", "predicted:Q"],
        )
        for word, dash in (("annotated", [1, 0]), ("predicted", [5, 3]))
    ]
    return alt.layer(band, *lines).add_params(song).properties(height=260)


def _table(curve: Curve):
    import pandas as pd

    low, high = curve.interval
    return pd.DataFrame(
        {
            "time": curve.times,
            "annotated": curve.y_true,
            "predicted": curve.y_pred,
            "low": low,
            "high": high,
        }
    )
