"""Single clips in a report: where they lie on a map, and which ones are hard."""

from pathlib import Path

from skmer.evaluation.report._overview import Overview

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
    maps, has_classes = seen.result.maps, seen.result.has_classes
    predictions = seen.result.predictions
    part = predictions[predictions["protocol"] == seen.protocol]
    right = (part["y_true"] == part["y_pred"]).groupby([part["feature"], part["row"]]).mean()
    clips = part.drop_duplicates("row").set_index("row")
    if not has_classes:
        numbers = part.pivot_table(index="row", columns="target", values="y_true")
    names = clip_names(seen)
    rows = []
    for place in maps.to_dict("records"):
        row = place["row"]
        if row not in clips.index:
            continue
        told: dict[str, object]
        if has_classes:
            mostly = "right" if right[place["feature"], row] >= 0.5 else "wrong"
            told = {"label": str(clips.at[row, "y_true"]), "mostly": mostly}
        else:
            told = {"targets": {name: round(x, 3) for name, x in numbers.loc[row].items()}}
        rows.append(
            told
            | {
                "feature": place["feature"],
                "x": round(place["x"], 2),
                "y": round(place["y"], 2),
                "clip": names[row][0],
                "address": names[row][1],
                "group": str(clips.at[row, "group"]) if "group" in clips else "none",
            }
        )
    return rows
