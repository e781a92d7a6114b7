"""The claims of the study, each judged for both editions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from sklearn.metrics import f1_score

from skmer.classifiers import CLASSIFIERS
from skmer.evaluation import cluster_bootstrap, corrected_resampled_ttest
from skmer.evaluation.displays import CLASSIFIER_NAMES, FEATURE_NAMES
from skmer.studies.koh2021._datasets import titles
from skmer.studies.koh2021._editions import EDITIONS, FAITHFUL, Edition
from skmer.studies.koh2021._features import LARGE, LARGE_CLASSIFIER
from skmer.studies.koh2021._findings import Findings
from skmer.studies.koh2021._published import DATASETS, FEATURES, published
from skmer.studies.koh2021._table import headline_protocol
from skmer.studies.koh2021.claims._verdicts import (
    Verdict,
    judge,
    judge_above,
    judge_counts,
    judge_difference,
    judge_order,
    judge_purities,
    judge_value,
    not_testable,
)


@dataclass(frozen=True)
class Claim:
    """A claim, where it is from, and a verdict for each edition that it concerns."""

    text: str
    origin: str
    verdicts: dict[str, Verdict]


def judge_claims(findings: Findings) -> list[Claim]:
    """Judge every claim by what a reproduction has found."""
    return [
        *_counts(findings),
        *_orders(findings),
        *_values(findings),
        *_improvements(findings),
        _baseline(findings),
        *_regressions(findings),
        *_sizes(findings),
        *_reports(findings),
        *_maps(findings),
    ]


def why_untestable(
    findings: Findings, dataset: str, edition: str, features, classifiers=()
) -> str | None:
    """Say what keeps a claim on some cells from being tested; None when nothing does."""
    result = findings.results.get((dataset, edition))
    reasons = ["its audio is not in place"] if result is None else []
    for feature in features:
        name = FEATURE_NAMES.get(feature, feature)
        if feature in findings.left_out:
            reasons.append(f"the weights of {name} are not here")
        elif feature in findings.random_features:
            reasons.append(f"the network of {name} has random weights")
        elif feature not in findings.features:
            reasons.append(f"{name} was not asked for")
    if result is not None:
        ran = set(result.scores["classifier"])
        missing = [CLASSIFIER_NAMES[name] for name in classifiers if name not in ran]
        reasons += [f"{name} was not asked for" for name in missing]
    return ", and ".join(reasons) or None


def _in_words(row: dict) -> str:
    return f"{FEATURE_NAMES[row['feature']]} + {CLASSIFIER_NAMES[row['classifier']]}"


def _judge_editions(
    findings: Findings, dataset, features, classifiers, judge_edition: Callable[[Edition], Verdict]
) -> dict[str, Verdict]:
    """Judge a claim for each edition, or say what keeps it from being tested."""
    verdicts = {}
    for edition in EDITIONS:
        why = why_untestable(findings, dataset, edition.name, features, classifiers)
        if why is None:
            verdict = judge_edition(edition)
            verdicts[edition.name] = replace(
                verdict, reason=verdict.reason + _share(findings, dataset)
            )
        else:
            verdicts[edition.name] = not_testable(why)
    return verdicts


def _share(findings: Findings, dataset: str) -> str:
    """Say how much of the study's dataset is in place, where it is not all."""
    rows = [row for row in findings.class_counts if row["dataset"] == dataset]
    here, printed = (sum(row[key] for row in rows) for key in ("here", "published"))
    return f"; {here} of the study's {printed} clips are in place" if here < printed else ""


def _counts(findings: Findings) -> Iterator[Claim]:
    for dataset in DATASETS:
        rows = [row for row in findings.class_counts if row["dataset"] == dataset]
        verdict = judge_counts(
            {row["class"]: row["published"] for row in rows},
            {row["class"]: row["here"] for row in rows},
        )
        total = sum(row["published"] for row in rows)
        text = f"{titles()[dataset]} has {total} clips, distributed as printed"
        yield Claim(text, published()["clips"]["origin"], {FAITHFUL.name: verdict})


def _orders(findings: Findings) -> Iterator[Claim]:
    order = published()["order"]
    for dataset in DATASETS:
        but = {classifier for name, classifier in order["except"] if name == dataset}

        def of_edition(edition: Edition, dataset=dataset, but=but) -> Verdict:
            result = findings.results[dataset, edition.name]
            scores = result.summary()
            protocol = headline_protocol(result.scores, edition)
            scores = scores[(scores["protocol"] == protocol) & scores["feature"].isin(FEATURES)]
            table = scores.pivot_table(index="classifier", columns="feature", values="accuracy")
            accuracies = {name: row.to_dict() for name, row in table.iterrows()}
            return judge_order(accuracies, best=order["best"], but=but, wanted=set(CLASSIFIERS))

        text = f"{titles()[dataset]}: L3-Net is more accurate than VGGish and MFCC with every "
        text += " but ".join(["classifier", *(CLASSIFIER_NAMES[name] for name in but)])
        yield Claim(
            text, order["origin"], _judge_editions(findings, dataset, FEATURES, (), of_edition)
        )


def _values(findings: Findings) -> Iterator[Claim]:
    for row in published()["accuracy"]:
        dataset, feature, classifier = (row[key] for key in ("dataset", "feature", "classifier"))

        def of_edition(edition: Edition, row=row) -> Verdict:
            return judge_value(row["value"], findings.accuracy_of(row, edition.name))

        text = f"{titles()[dataset]}: {_in_words(row)} has an accuracy of {row['value']:.2f}"
        verdicts = _judge_editions(findings, dataset, [feature], [classifier], of_edition)
        yield Claim(text, row["origin"], verdicts)


def _improvements(findings: Findings) -> Iterator[Claim]:
    for row in published()["improvements"]:
        dataset, feature, classifier = (row[key] for key in ("dataset", "feature", "classifier"))
        if row["value"] <= row["earlier"]:
            continue

        def of_edition(edition: Edition, row=row) -> Verdict:
            return judge_above(row["earlier"], _score(findings, row, edition))

        metric = row["metric"].replace("_", " ")
        text = f"{titles()[dataset]}: {_in_words(row)} raises the {metric} of "
        text += f"{row['earlier']:.3f} known before"
        verdicts = _judge_editions(findings, dataset, [feature], [classifier], of_edition)
        yield Claim(text, row["origin"], verdicts)


def _score(findings: Findings, row, edition: Edition) -> dict:
    """Return a score and its interval over groups, from the out-of-fold predictions."""
    if row["metric"] == "accuracy":
        return findings.accuracy_of(row, edition.name)
    result = findings.results[row["dataset"], edition.name]
    predictions = result.predictions
    for column in ("feature", "classifier"):
        predictions = predictions[predictions[column] == row[column]]
    predictions = predictions[predictions["protocol"] == headline_protocol(result.scores, edition)]
    interval = cluster_bootstrap(
        lambda y_true, y_pred: f1_score(y_true, y_pred, average="weighted", zero_division=0),
        predictions["y_true"].to_numpy(),
        predictions["y_pred"].to_numpy(),
        groups=predictions["group" if "group" in predictions else "row"].to_numpy(),
        n_resamples=500,
        random_state=findings.seed,
    )
    return {"estimate": interval.estimate, "low": interval.low, "high": interval.high}


def _baseline(findings: Findings) -> Claim:
    """Return the claim that figure 3 makes by its bars: MFCC stays below the best of L3-Net."""
    dataset = "ravdess-song"
    best = next(row["value"] for row in published()["accuracy"] if row["dataset"] == dataset)

    def of_edition(edition: Edition) -> Verdict:
        scores = findings.intervals[dataset, edition.name]
        protocol = headline_protocol(scores, edition)
        scores = scores[scores["feature"] == "mfcc"]
        top = scores.loc[scores.groupby("protocol")["accuracy"].idxmax()].set_index("protocol")
        own = top.loc[protocol]
        reason = (
            f"the best is {CLASSIFIER_NAMES[str(own['classifier'])]} with {own['accuracy']:.3f}, "
        )
        reason += f"{own['low']:.3f} to {own['high']:.3f}"
        if edition.protocol == "grouped" and "koh2021" in top.index:
            other = top.loc["koh2021"]
            reason += f"; under random splits, as the {best:.2f} is, "
            reason += f"{CLASSIFIER_NAMES[str(other['classifier'])]} has {other['accuracy']:.3f}"
            return judge(max(own["accuracy"], other["accuracy"]) < best, reason)
        return judge(own["accuracy"] < best, reason)

    return Claim(
        f"{titles()[dataset]}: no classifier on MFCC reaches L3-Net's best, {best:.2f}",
        published()["order"]["origin"],
        _judge_editions(findings, dataset, ["mfcc"], (), of_edition),
    )


def _regressions(findings: Findings) -> Iterator[Claim]:
    for row in published()["r2"]:

        def of_edition(edition: Edition, row=row) -> Verdict:
            target = f"static {row['target']}"
            return judge_above(row["earlier"], findings.r2_of("l3", target, edition.name))

        text = f"Emotion in Music: L3-Net raises the r2 of {row['target']} of {row['earlier']:.3f} "
        text += f"known before, to {row['value']:.3f}"
        yield Claim(
            text, row["origin"], _judge_editions(findings, "emomusic", ["l3"], (), of_edition)
        )


def _sizes(findings: Findings) -> Iterator[Claim]:
    for dataset in DATASETS:

        def of_edition(edition: Edition, dataset=dataset) -> Verdict:
            result = findings.results[dataset, edition.name]
            scores = result.scores[
                (result.scores["protocol"] == headline_protocol(result.scores, edition))
                & (result.scores["classifier"] == LARGE_CLASSIFIER)
            ].sort_values(["repeat", "fold"])
            small, large = (scores[scores["feature"] == name] for name in ("l3", LARGE))
            test = corrected_resampled_ttest(
                small["accuracy"].to_numpy(),
                large["accuracy"].to_numpy(),
                n_train=small["n_train"].to_numpy(),
                n_test=small["n_test"].to_numpy(),
            )
            return judge_difference(test.difference, test.low, test.high)

        text = f"{titles()[dataset]}: 512 dimensions of L3-Net do better than 6144, by "
        text += f"{CLASSIFIER_NAMES[LARGE_CLASSIFIER]}"
        needs = _judge_editions(findings, dataset, ["l3"], [LARGE_CLASSIFIER], of_edition)
        yield Claim(text, "text on features", needs)


def _reports(findings: Findings) -> Iterator[Claim]:
    for dataset, check in findings.reports.items():
        tenth = " or ".join(map(str, check["tenth"]))
        possible = bool(check["tenth_possible"])
        smallest = check["sizes"][0]
        reason = f"the smallest number of clips that rounds to the printed table is {smallest}"
        text = f"{titles()[dataset]}: the classification report is of one test part of 10 % "
        text += f"({tenth} clips)"
        verdict = judge(possible, reason)
        yield Claim(text, published()["reports"]["origin"], {FAITHFUL.name: verdict})


def _maps(findings: Findings) -> Iterator[Claim]:
    texts = {
        "sex": "the large clusters of the map are the singers' sex",
        "singer": "the small clusters of the map are singers rather than emotions",
        "stable": "the clusters are the same over perplexities",
    }
    why = why_untestable(findings, "ravdess-song", FAITHFUL.name, ["l3"])
    if why is None and "l3" not in findings.maps:
        why = "there are too few clips for the perplexity"
    if why is None:
        singer_map = findings.maps["l3"]
        names = ("emotion", "singer", "sex")
        verdicts = judge_purities(
            {name: singer_map.purity_of(name) for name in names},
            {name: singer_map.purity_range(name) for name in names},
        )
    else:
        verdicts = dict.fromkeys(texts, not_testable(why))
    for key, text in texts.items():
        full = f"RAVDESS, song, L3-Net: {text}"
        yield Claim(full, published()["map"]["origin"], {FAITHFUL.name: verdicts[key]})
