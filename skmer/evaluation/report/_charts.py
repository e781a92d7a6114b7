"""The charts of a report, as Vega-Lite specifications; the page draws them."""

from skmer.evaluation.displays._style import PALETTE, feature_colours
from skmer.evaluation.report._overview import Overview
from skmer.evaluation.report._words import name_of, name_of_score


def _spec(chart) -> dict:
    fitted = chart.properties(width="container", autosize={"type": "fit-x", "contains": "padding"})
    return fitted.to_dict(validate=False)


def _feature_scale(seen: Overview):
    import altair as alt

    colours = feature_colours(seen.intervals["feature"])
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
    bars = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=title, scale=alt.Scale(zero=seen.result.has_classes)), x2="high:Q"
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

    if seen.result.has_classes or not {"arousal", "valence"} <= set(seen.ranked["target"]):
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
