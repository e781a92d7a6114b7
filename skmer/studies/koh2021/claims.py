"""The claims of the study, each judged for both editions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score

from skmer.classifiers import CLASSIFIERS
from skmer.embeddings.registry import label_of
from skmer.evaluation import cluster_bootstrap, corrected_resampled_ttest
from skmer.evaluation.displays import CLASSIFIER_NAMES
from skmer.studies.koh2021.data import (
    ADDITIONS,
    DATASETS,
    EDITIONS,
    FAITHFUL,
    FEATURES,
    LARGE,
    LARGE_CLASSIFIER,
    Budget,
    Edition,
    Feature,
    StudyDatasets,
    published,
    titles,
)
from skmer.studies.koh2021.pieces import SingerMap


def headline_protocol(scores, edition) -> str:
    """Return the protocol of an edition's headline; without groups there are only random splits."""
    return edition.protocol if edition.protocol in set(scores["protocol"]) else "koh2021"


def accuracy_rows(intervals: dict) -> list[dict]:
    """Return a row for each cell that was run, or has a printed accuracy."""
    rows = []
    for dataset in DATASETS:
        tables = {
            edition.name: _accuracies(intervals[dataset, edition.name], edition)
            for edition in EDITIONS
            if (dataset, edition.name) in intervals
        }
        printed = [
            (row["feature"], row["classifier"])
            for row in published()["accuracy"]
            if row["dataset"] == dataset
        ]
        for feature, classifier in dict.fromkeys(chain(printed, *tables.values())):
            known = next(
                (
                    r
                    for r in published()["accuracy"]
                    if (r["dataset"], r["feature"], r["classifier"])
                    == (dataset, feature, classifier)
                ),
                None,
            )
            row = {"dataset": dataset, "feature": feature, "classifier": classifier}
            row |= {"target": "", "score": "accuracy", "addition": feature in ADDITIONS}
            row["published"] = known["value"] if known else np.nan
            for edition in EDITIONS:
                found = tables.get(edition.name, {}).get((feature, classifier), {})
                row |= _columns(edition.name, found)
            rows.append(row)
    return rows


def regression_rows(intervals: dict) -> list[dict]:
    """Return a row for each target and feature: random splits beside the published split."""
    rows = []
    known = {row["target"]: row["value"] for row in published()["r2"]}
    features = {feature for feature, _ in intervals}
    for feature in dict.fromkeys(["l3", *(feature for feature, _ in intervals)]):
        for axis in ("arousal", "valence"):
            for label in ("static", "dynamic"):
                row = {"dataset": "emomusic", "feature": feature, "classifier": "svr"}
                row |= {"target": f"{label} {axis}", "score": "r2"}
                row["addition"] = feature in ADDITIONS
                # The study does not say which label; its predecessors took the static one.
                row["published"] = known[axis] if (feature, label) == ("l3", "static") else np.nan
                for edition in EDITIONS:
                    table = intervals.get((feature, edition.name))
                    found = {} if table is None else _r2(table, edition, row["target"])
                    row |= _columns(edition.name, found)
                if feature in features or np.isfinite(row["published"]):
                    rows.append(row)
    return rows


def _columns(edition: str, found: dict) -> dict:
    return {
        edition if key == "estimate" else f"{edition}_{key}": found.get(key, np.nan)
        for key in ("estimate", "low", "high", "gap", "protocol")
    }


def _accuracies(table, edition) -> dict[tuple[str, str], dict]:
    """Return estimate, interval and gap of each feature and classifier."""
    protocol = headline_protocol(table, edition)
    intervals = table.set_index(["protocol", "feature", "classifier"])
    return {
        key: _found(intervals, protocol, key, "accuracy", "koh2021", "grouped")
        for key in intervals.loc[protocol].index
    }


def _r2(table, edition, target: str) -> dict:
    intervals = table.set_index(["protocol", "feature", "regressor", "target"])
    wanted = "shuffled" if edition.protocol == "koh2021" else "fixed"
    protocol = wanted if wanted in set(table["protocol"]) else "grouped"
    key = (*intervals.index[0][1:3], target)
    return _found(intervals, protocol, key, "r2", "shuffled", "grouped")


def _found(intervals, protocol, key, score, mixed, kept) -> dict:
    row = intervals.loc[(protocol, *key)]
    values = {"estimate": float(row[score]), "low": float(row["low"]), "high": float(row["high"])}
    places = [(name, *key) for name in (mixed, kept)]
    if all(place in intervals.index for place in places):
        random, grouped = (float(intervals.loc[place, score]) for place in places)
        values["gap"] = random - grouped
    return values | {"protocol": protocol}


@dataclass
class Findings:
    """Results of every piece; the attributes are described at `Reproduction`."""

    datasets: StudyDatasets
    budget: Budget
    seed: int
    features: dict[str, Feature] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    results: dict = field(default_factory=dict)
    regressions: dict = field(default_factory=dict)
    maps: dict[str, SingerMap] = field(default_factory=dict)
    audits: dict = field(default_factory=dict)
    reports: dict = field(default_factory=dict)
    computed: list[str] = field(default_factory=list)

    @cached_property
    def class_counts(self) -> list[dict]:
        """The study's first table, and how many clips of each class are here."""
        return self.datasets.class_counts

    @property
    def random_features(self) -> dict[str, str]:
        """Labels of the weights of networks that were never trained."""
        return {
            name: str(feature.weights_label)
            for name, feature in self.features.items()
            if feature.is_random
        }

    @cached_property
    def intervals(self) -> dict[tuple[str, str], pd.DataFrame]:
        """Accuracy with its interval, by dataset and edition."""
        return {key: result.intervals() for key, result in self.results.items()}

    @cached_property
    def r2_intervals(self) -> dict[tuple[str, str], pd.DataFrame]:
        """r2 with its interval, by feature and edition."""
        return {key: result.intervals() for key, result in self.regressions.items()}

    @cached_property
    def table(self) -> pd.DataFrame:
        """The table 'published / faithful / defensible'.

        Columns dataset, feature, classifier, target, score, addition (whether the study did not
        have the feature), published, and for each edition the estimate, low, high, gap (random
        minus grouped) and the protocol of the headline.
        """
        return pd.DataFrame([*accuracy_rows(self.intervals), *regression_rows(self.r2_intervals)])

    def accuracy_of(self, row: dict, edition: str) -> dict[str, float]:
        """Return estimate, low and high of the accuracy of one cell."""
        keys = {name: row[name] for name in ("dataset", "feature", "classifier")}
        return self._estimate(keys | {"score": "accuracy"}, edition)

    def r2_of(self, feature: str, target: str, edition: str) -> dict[str, float]:
        """Return estimate, low and high of the r2 of one target."""
        return self._estimate({"feature": feature, "target": target, "score": "r2"}, edition)

    def _estimate(self, keys: dict, edition: str) -> dict[str, float]:
        table = self.table
        for name, value in keys.items():
            table = table[table[name] == value]
        row = table.iloc[0]
        columns = {"estimate": edition, "low": f"{edition}_low", "high": f"{edition}_high"}
        return {name: float(row[column]) for name, column in columns.items()}


HELD, NOT_HELD, NOT_TESTABLE = "held", "not held", "not testable here"


@dataclass(frozen=True)
class Verdict:
    """A judgement and its reason, one sentence."""

    state: str
    reason: str


def not_testable(reason: str) -> Verdict:
    """Return the verdict of what cannot be looked at."""
    return Verdict(NOT_TESTABLE, reason)


def judge(held: bool, reason: str) -> Verdict:
    """Return the verdict of what was looked at."""
    return Verdict(HELD if held else NOT_HELD, reason)


def judge_counts(published: dict[str, int], here: dict[str, int | None]) -> Verdict:
    """Judge whether the classes have as many clips as printed."""
    counts = {label: count for label, count in here.items() if count is not None}
    if not counts:
        return not_testable("the dataset is not in place")
    if counts == published:
        return judge(True, f"{sum(published.values())} clips, class by class")
    if all(count <= published[label] for label, count in counts.items()):
        return not_testable(
            f"{sum(counts.values())} of {sum(published.values())} clips are in place, and no class "
            "has more than printed"
        )
    return judge(
        False, ", ".join(f"{label} {n} for {published[label]}" for label, n in counts.items())
    )


def judge_value(published: float, found: dict) -> Verdict:
    """Judge whether a printed score lies in the interval of the one found."""
    estimate, low, high = (found[key] for key in ("estimate", "low", "high"))
    if not low <= high:
        return not_testable(f"found {estimate:.3f}, without an interval for a single group")
    where = "below" if published < low else "above" if published > high else "inside"
    return judge(
        where == "inside",
        f"{published:.3f} lies {where} the interval {low:.3f} to {high:.3f} of {estimate:.3f}",
    )


def judge_above(earlier: float, found: dict) -> Verdict:
    """Judge whether a score is above an earlier one by more than its interval."""
    estimate, low, high = (found[key] for key in ("estimate", "low", "high"))
    if not low <= high:
        return not_testable(f"found {estimate:.3f}, without an interval for a single group")
    return judge(
        low > earlier, f"found {estimate:.3f}, {low:.3f} to {high:.3f}, against {earlier:.3f}"
    )


def judge_order(
    accuracies: dict[str, dict[str, float]], *, best: str, but: set[str], wanted: set[str]
) -> Verdict:
    """Judge whether one feature is best with every classifier, but those excepted.

    `accuracies` holds the features' scores by classifier; `wanted` are the classifiers of the
    claim.
    """
    against = {
        classifier: max(scores, key=scores.__getitem__)
        for classifier, scores in accuracies.items()
        if (max(scores, key=scores.__getitem__) == best) is (classifier in but)
    }
    if against:
        told = ", ".join(f"{winner} is best with {name}" for name, winner in against.items())
        return judge(False, told)
    if wanted - set(accuracies):
        ran = ", ".join(accuracies)
        return not_testable(f"nothing against it, but of the classifiers only {ran} were run")
    return judge(True, f"in all {len(wanted)} classifiers, the stated exceptions included")


def judge_difference(difference: float, low: float, high: float) -> Verdict:
    """Judge whether a paired difference is positive beyond its interval."""
    told = f"{difference:+.3f}, {low:+.3f} to {high:+.3f}"
    if low > 0:
        return judge(True, told)
    if difference > 0:
        return judge(False, f"{told}: the sign is as claimed, but the interval holds 0")
    return judge(False, told)


def judge_purities(
    purities: dict[str, tuple[float, float]], spreads: dict[str, tuple[float, float]]
) -> dict[str, Verdict]:
    """Judge what a map groups by: purity and chance, and the range over perplexities, by label."""
    sex, _ = purities["sex"]
    lift = {name: (found - chance) / (1 - chance) for name, (found, chance) in purities.items()}
    singer, emotion = lift["singer"], lift["emotion"]
    widest = max(high - low for low, high in spreads.values())
    return {
        "sex": judge(sex >= 0.9, f"{sex:.0%} of 10 neighbours share the sex (held from 90 %)"),
        "singer": judge(
            singer > emotion,
            f"above chance the purity of singers is {singer:.2f} of what is possible and that of "
            f"emotions {emotion:.2f} (held where singers have more)",
        ),
        "stable": judge(
            widest <= 0.1,
            f"no purity varies by more than {widest:.2f} over perplexities (held up to 0.10)",
        ),
    }


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
        name = label_of(feature)
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
    return f"{label_of(row['feature'])} + {CLASSIFIER_NAMES[row['classifier']]}"


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
