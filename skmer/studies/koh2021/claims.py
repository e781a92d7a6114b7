"""The claims of the study, each judged for both editions."""

from functools import partial
from typing import NamedTuple

from sklearn.metrics import f1_score

from skmer.classifiers import CLASSIFIERS
from skmer.evaluation import cluster_bootstrap, corrected_resampled_ttest
from skmer.evaluation.report.words import name_of
from skmer.studies.koh2021 import data as study

HELD, NOT_HELD, NOT_TESTABLE = "held", "not held", "not testable here"


class Verdict(NamedTuple):
    """A judgement and its reason, one sentence."""

    state: str
    reason: str


class Claim(NamedTuple):
    """A claim, where it is from, and a verdict for each edition that it concerns."""

    text: str
    origin: str
    verdicts: dict[str, Verdict]


def judge(held: bool | None, reason: str) -> Verdict:
    """Return the verdict of a claim; `held` is None of one that cannot be tested."""
    return Verdict(NOT_TESTABLE if held is None else HELD if held else NOT_HELD, reason)


def judge_counts(published: dict[str, int], here: dict[str, int | None]) -> Verdict:
    """Judge whether the classes have as many clips as printed."""
    counts = {label: count for label, count in here.items() if count is not None}
    total = sum(published.values())
    if not counts:
        return judge(None, "the dataset is not in place")
    if counts == published:
        return judge(True, f"{total} clips, class by class")
    if all(count <= published[label] for label, count in counts.items()):
        fewer = f"{sum(counts.values())} of {total} clips are in place"
        return judge(None, f"{fewer}, and no class has more than printed")
    differ = ", ".join(f"{label} {count} for {published[label]}" for label, count in counts.items())
    return judge(False, differ)


def judge_value(published: float, found: dict, *, above: bool = False) -> Verdict:
    """Judge whether a printed score lies in the interval of the one found, or all below it."""
    estimate, low, high = found.values()
    if not low <= high:
        return judge(None, f"found {estimate:.3f}, without an interval for a single group")
    if above:
        reason = f"found {estimate:.3f}, {low:.3f} to {high:.3f}, against {published:.3f}"
        return judge(low > published, reason)
    where = "below" if published < low else "above" if published > high else "inside"
    reason = f"{published:.3f} lies {where} the interval {low:.3f} to {high:.3f} of {estimate:.3f}"
    return judge(where == "inside", reason)


def judge_order(accuracies: dict, *, best: str, but: set[str], wanted: set[str]) -> Verdict:
    """Judge whether one feature is best with every classifier, but those excepted.

    `accuracies` holds the features' scores by classifier; `wanted` are the classifiers of the
    claim.
    """
    winners = {name: max(scores, key=scores.__getitem__) for name, scores in accuracies.items()}
    against = [name for name, winner in winners.items() if (winner == best) is (name in but)]
    if against:
        return judge(False, ", ".join(f"{winners[name]} is best with {name}" for name in against))
    if wanted - set(accuracies):
        return _too_few(accuracies)
    return judge(True, f"in all {len(wanted)} classifiers, the stated exceptions included")


def _too_few(ran) -> Verdict:
    """Return the verdict of a claim on all classifiers when only some of them were run."""
    return judge(None, f"nothing against it, but of the classifiers only {', '.join(ran)} were run")


def judge_difference(difference: float, low: float, high: float) -> Verdict:
    """Judge whether a paired difference is positive beyond its interval."""
    reason = f"{difference:+.3f}, {low:+.3f} to {high:+.3f}"
    if low <= 0 < difference:
        reason += ": the sign is as claimed, but the interval holds 0"
    return judge(low > 0, reason)


def judge_purities(purities: dict, spreads: dict) -> dict[str, Verdict]:
    """Judge the clusters of a map by the purity, chance and range over perplexities of labels."""
    sex, _ = purities["sex"]
    lift = {name: (found - chance) / (1 - chance) for name, (found, chance) in purities.items()}
    widest = max(high - low for low, high in spreads.values())
    return {
        "sex": judge(sex >= 0.9, f"{sex:.0%} of 10 neighbours share the sex (held from 90 %)"),
        "singer": judge(
            lift["singer"] > lift["emotion"],
            f"above chance the purity of singers is {lift['singer']:.2f} of what is possible and "
            f"that of emotions {lift['emotion']:.2f} (held where singers have more)",
        ),
        "stable": judge(
            widest <= 0.1,
            f"no purity varies by more than {widest:.2f} over perplexities (held up to 0.10)",
        ),
    }


def judge_claims(findings) -> list[Claim]:
    """Judge every claim by what a reproduction has found."""
    kinds = _counts, _orders, _scores, _sizes, _reports, _maps
    return [claim for kind in kinds for claim in kind(findings)]


def why_untestable(findings, dataset: str, edition: str, features, classifiers=()) -> str | None:
    """Return why a claim on some cells cannot be tested; None where it can."""
    result = findings.results.get((dataset, edition))
    reasons = ["its audio is not in place"] if result is None else []
    for feature in features:
        if feature in findings.left_out:
            reasons.append(f"the weights of {name_of(feature)} are not here")
        elif feature in findings.random_features:
            reasons.append(f"the network of {name_of(feature)} has random weights")
        elif feature not in findings.features:
            reasons.append(f"{name_of(feature)} was not asked for")
    if result is not None:
        ran = set(result.scores["classifier"])
        reasons += [f"{name_of(name)} was not asked for" for name in classifiers if name not in ran]
    return ", and ".join(reasons) or None


def _claim(findings, text: str, origin: str, judge_edition, dataset: str, features, classifiers=()):
    """Return a claim on some cells, judged for each edition in which it can be tested."""
    verdicts = {}
    for edition in study.EDITIONS:
        why = why_untestable(findings, dataset, edition.name, features, classifiers)
        verdict = judge_edition(edition) if why is None else judge(None, why)
        if why is None:
            counts = findings.datasets.class_counts[dataset]
            printed, here = (sum(of_classes.values()) for of_classes in counts)
            if here < printed:
                reason = f"{verdict.reason}; {here} of the study's {printed} clips are in place"
                verdict = Verdict(verdict.state, reason)
        verdicts[edition.name] = verdict
    return Claim(text, origin, verdicts)


def _counts(findings):
    for dataset, (printed, here) in findings.datasets.class_counts.items():
        n_clips, verdict = sum(printed.values()), judge_counts(printed, here)
        text = f"{study.titles()[dataset]} has {n_clips} clips, distributed as printed"
        yield Claim(text, study.published()["clips"]["origin"], {study.FAITHFUL.name: verdict})


def _orders(findings):
    order = study.published()["order"]
    for dataset in study.DATASETS:
        but = {classifier for name, classifier in order["except"] if name == dataset}

        def of_edition(edition, dataset=dataset, but=but) -> Verdict:
            scores = edition.headline_rows(findings.results[dataset, edition.name].summary())
            scores = scores[scores["feature"].isin(study.FEATURES)]
            table = scores.pivot_table(index="classifier", columns="feature", values="accuracy")
            accuracies = table.to_dict("index")
            return judge_order(accuracies, best=order["best"], but=but, wanted=set(CLASSIFIERS))

        text = f"{study.titles()[dataset]}: L3-Net is more accurate than VGGish and MFCC with "
        text += " but ".join(["every classifier", *map(name_of, but)])
        yield _claim(findings, text, order["origin"], of_edition, dataset, study.FEATURES)


def _scores(findings):
    """Judge the printed accuracies, and what was raised above scores that were known before."""
    printed = study.published()
    for row in printed["accuracy"]:
        text = f"{_in_words(row)} has an accuracy of {row['value']:.2f}"
        yield _score(findings, text, row)
    for row in printed["improvements"]:
        if row["value"] > row["earlier"]:
            metric = row["metric"].replace("_", " ")
            text = f"{_in_words(row)} raises the {metric} of {row['earlier']:.3f} known before"
            yield _score(findings, text, row)
    yield _baseline(findings)
    for row in printed["r2"]:
        text = f"Emotion in Music: L3-Net raises the r2 of {row['target']} of {row['earlier']:.3f} "
        text += f"known before, to {row['value']:.3f}"
        yield _score(findings, text, row)


def _in_words(row: dict) -> str:
    names = f"{name_of(row['feature'])} + {name_of(row['classifier'])}"
    return f"{study.titles()[row['dataset']]}: {names}"


def _score(findings, text: str, row: dict) -> Claim:
    """Return a claim that compares one printed number with the score of its cell."""

    def of_edition(edition) -> Verdict:
        found, above = _estimate(findings, row, edition), "earlier" in row
        return judge_value(row["earlier" if above else "value"], found, above=above)

    classifiers = [row["classifier"]] if "classifier" in row else ()
    features = [row.get("feature", "l3")]
    return _claim(findings, text, row["origin"], of_edition, row["dataset"], features, classifiers)


def _estimate(findings, row: dict, edition) -> dict:
    """Return a score and its interval over groups, from the out-of-fold predictions."""
    if "target" in row:
        cell = {"feature": "l3", "target": f"static {row['target']}", "score": "r2"}
        return findings.estimate(edition.name, **cell)
    cell = {name: row[name] for name in ("dataset", "feature", "classifier")}
    if row.get("metric", "accuracy") == "accuracy":
        return findings.estimate(edition.name, score="accuracy", **cell)
    predictions = findings.results[cell.pop("dataset"), edition.name].predictions
    predictions = edition.headline_rows(study.rows_of(predictions, cell))
    interval = cluster_bootstrap(
        partial(f1_score, average="weighted", zero_division=0),
        predictions["y_true"].to_numpy(),
        predictions["y_pred"].to_numpy(),
        groups=predictions["group" if "group" in predictions else "row"].to_numpy(),
        n_resamples=500,
        random_state=findings.seed,
    )
    return {"estimate": interval.estimate, "low": interval.low, "high": interval.high}


def _baseline(findings) -> Claim:
    """Return the claim that figure 3 makes by its bars: MFCC stays below the best of L3-Net."""
    dataset = "ravdess-song"
    best = next(row["value"] for row in study.published()["accuracy"] if row["dataset"] == dataset)

    def of_edition(edition) -> Verdict:
        scores = findings.intervals[dataset, edition.name]
        headline = edition.headline_protocol(scores)
        scores = scores[scores["feature"] == "mfcc"]
        top = scores.loc[scores.groupby("protocol")["accuracy"].idxmax()].set_index("protocol")
        own = top.loc[headline]
        highest = own["accuracy"]
        reason = f"the best is {name_of(own['classifier'])} with {own['accuracy']:.3f}, "
        reason += f"{own['low']:.3f} to {own['high']:.3f}"
        if edition.protocol == "grouped" and "koh2021" in top.index:
            other = top.loc["koh2021"]
            highest = max(highest, other["accuracy"])
            reason += f"; under random splits, as the {best:.2f} is, "
            reason += f"{name_of(other['classifier'])} has {other['accuracy']:.3f}"
        ran = [name for name in CLASSIFIERS if name in set(scores["classifier"])]
        if highest < best and len(ran) < len(CLASSIFIERS):
            return _too_few(ran)
        return judge(highest < best, reason)

    text = f"{study.titles()[dataset]}: no classifier on MFCC reaches L3-Net's best, {best:.2f}"
    origin = study.published()["order"]["origin"]
    return _claim(findings, text, origin, of_edition, dataset, ["mfcc"])


def _sizes(findings):
    for dataset in study.DATASETS:

        def of_edition(edition, dataset=dataset) -> Verdict:
            scores = edition.headline_rows(findings.results[dataset, edition.name].scores)
            scores = study.rows_of(scores, {"classifier": study.LARGE_CLASSIFIER})
            scores = scores.sort_values(["repeat", "fold"])
            small, large = (study.rows_of(scores, {"feature": one}) for one in ("l3", study.LARGE))
            sizes = {name: small[name].to_numpy() for name in ("n_train", "n_test")}
            accuracies = (one["accuracy"].to_numpy() for one in (small, large))
            test = corrected_resampled_ttest(*accuracies, **sizes)
            return judge_difference(test.difference, test.low, test.high)

        text = f"{study.titles()[dataset]}: 512 dimensions of L3-Net do better than 6144, by "
        text += name_of(study.LARGE_CLASSIFIER)
        cells = dataset, ["l3"], [study.LARGE_CLASSIFIER]
        yield _claim(findings, text, "text on features", of_edition, *cells)


def _reports(findings):
    for dataset, check in findings.reports.items():
        text = f"{study.titles()[dataset]}: the classification report is of one test set of 10 % "
        text += f"({' or '.join(map(str, check['tenth']))} clips)"
        reason = "the smallest number of clips that rounds to the printed table is "
        verdict = judge(bool(check["tenth_possible"]), f"{reason}{check['sizes'][0]}")
        yield Claim(text, study.published()["reports"]["origin"], {study.FAITHFUL.name: verdict})


def _maps(findings):
    texts = {
        "sex": "the large clusters of the map are the singers' sex",
        "singer": "the small clusters of the map are singers rather than emotions",
        "stable": "the clusters are the same over perplexities",
    }
    why = why_untestable(findings, "ravdess-song", study.FAITHFUL.name, ["l3"])
    if why is None and "l3" not in findings.maps:
        why = "there are too few clips for the perplexity"
    if why is None:
        singer_map, names = findings.maps["l3"], ("emotion", "singer", "sex")
        purities = {name: singer_map.purity_of(name) for name in names}
        verdicts = judge_purities(purities, {name: singer_map.purity_range(name) for name in names})
    else:
        verdicts = dict.fromkeys(texts, judge(None, why))
    origin = study.published()["map"]["origin"]
    for key, text in texts.items():
        yield Claim(f"RAVDESS, song, L3-Net: {text}", origin, {study.FAITHFUL.name: verdicts[key]})
