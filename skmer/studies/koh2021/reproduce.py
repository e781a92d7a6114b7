"""The whole study, piece by piece, and its outcome beside the published numbers."""

import itertools
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from joblib import effective_n_jobs

from skmer.classifiers import CLASSIFIERS
from skmer.evaluation.features import check_names
from skmer.evaluation.rounds import Deadline, OutOfTimeError
from skmer.exceptions import DatasetNotFoundError, InputError, WeightsNotFoundError
from skmer.studies.koh2021 import data as study
from skmer.studies.koh2021 import pieces
from skmer.studies.koh2021.claims import Claim, judge_claims
from skmer.utils import files, messages


@dataclass
class Reproduction:
    """Everything that `reproduce_koh2021` has found.

    Attributes
    ----------
    datasets : object
        The datasets in place, and why the others are not.
    budget : object
        How much was computed.
    seed : int
        The seed of every random number.
    features : dict of str to object
        The transformers of the features that were run.
    left_out : dict of str to str
        Why the other features were not.
    results : dict of (dataset, edition) to EvaluationResult
        Classification, editions "faithful" and "defensible".
    regressions : dict of (feature, edition) to RegressionResult
        Arousal and valence of Emotion in Music.
    maps : dict of str to object
        The map of RAVDESS by feature.
    audits : dict
        What the leakage audits found.
    reports : dict
        The numbers of clips that the printed reports can come from.
    computed : list of str
        The pieces that this run computed; the others were there from an earlier one.
    cells : dict of (dataset, edition, classifier) to EvaluationResult
        The results of each classifier, after as many rounds as were done of it.
    rounds : int
        How many rounds were done of every cell.
    ended_by : {"time", "interrupt"} or None
        What ended the work before the last round.
    """

    datasets: study.StudyDatasets
    budget: study.Budget
    seed: int
    features: dict = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    results: dict = field(default_factory=dict)
    regressions: dict = field(default_factory=dict)
    maps: dict[str, pieces.SingerMap] = field(default_factory=dict)
    audits: dict = field(default_factory=dict)
    reports: dict = field(default_factory=dict)
    computed: list[str] = field(default_factory=list)
    cells: dict = field(default_factory=dict)
    rounds: int = 0
    ended_by: str | None = None

    def _costs(self) -> tuple[Counter, float]:
        """Return the seconds of each configuration, and about how many all other fits take."""
        n_fits = {"koh2021": self.budget.n_shuffles, "grouped": 5 * self.budget.n_draws}
        costs, left = Counter[str](), 0.0
        for cell, result in self.cells.items():
            seconds = result.scores["fit_time"] + result.scores["score_time"]
            by = [result.scores["feature"], result.scores["protocol"]]
            for (feature, protocol), fits in seconds.groupby(by):
                costs["-".join([*cell, feature])] += fits.sum()
                left += fits.mean() * (n_fits[protocol] - len(fits))
        return costs, left

    def slowest(self) -> dict[str, float]:
        """Return the share of the time that the slowest configurations take."""
        costs, _ = self._costs()
        return {name: cost / (costs.total() or 1.0) for name, cost in costs.most_common(3)}

    def estimate_rest(self, n_jobs: int | None) -> str:
        """Return in a sentence how many rounds are done, and about how long the others take."""
        of, left = self.budget.n_rounds, self._costs()[1] / effective_n_jobs(n_jobs)
        # What the cells take that have no fit yet is not known.
        how = "about" if self.rounds else "at least"
        rest = f", {how} {messages.in_words(left)} are left" if self.rounds < of else ""
        slowest = messages.name_slowest(self.slowest())
        return f"{self.rounds} of {of} rounds are done{rest}.{slowest}"

    @property
    def random_features(self) -> dict[str, str]:
        """Labels of the weights of networks that were never trained."""
        return {
            name: one.weights_label_
            for name, one in self.features.items()
            if getattr(one, "weights_are_random_", False)
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
        rows = []
        for dataset in study.DATASETS:
            tables = [self.intervals.get((dataset, edition.name)) for edition in study.EDITIONS]
            cells = {
                (row["feature"], row["classifier"]): row["value"]
                for row in study.published()["accuracy"]
                if row["dataset"] == dataset
            }
            for table in tables:
                if table is not None:
                    for ran in zip(table["feature"], table["classifier"]):
                        cells.setdefault(ran, np.nan)
            for (feature, classifier), value in cells.items():
                cell = {"feature": feature, "classifier": classifier, "target": ""}
                rows.append(_row(dataset, cell, "accuracy", value, tables))
        return pd.DataFrame([*rows, *self._r2_rows()])

    def _r2_rows(self) -> list[dict]:
        """Return a row for each target and feature: random splits beside the published split."""
        rows = []
        printed = {row["target"]: row["value"] for row in study.published()["r2"]}
        ran = dict.fromkeys(feature for feature, _ in self.r2_intervals)
        for feature in dict.fromkeys(["l3", *ran]):
            tables = [self.r2_intervals.get((feature, edition.name)) for edition in study.EDITIONS]
            for axis, label in itertools.product(printed, ("static", "dynamic")):
                # The study does not state which label; its predecessors used the static one.
                is_published = (feature, label) == ("l3", "static")
                if is_published or feature in ran:
                    value = printed[axis] if is_published else np.nan
                    cell = {"feature": feature, "classifier": pieces.REGRESSOR}
                    cell["target"] = f"{label} {axis}"
                    rows.append(_row("emomusic", cell, "r2", value, tables))
        return rows

    def estimate(self, edition: str, **cell) -> dict[str, float]:
        """Return estimate, low and high of one row of the table.

        Parameters
        ----------
        edition : {"faithful", "defensible"}
            The edition.
        **cell : dict of str to str
            Values of columns that only this row has.

        Returns
        -------
        found : dict of str to float
            The score and the ends of its interval.
        """
        row = study.rows_of(self.table, cell).iloc[0]
        columns = {"estimate": edition, "low": f"{edition}_low", "high": f"{edition}_high"}
        return {name: float(row[column]) for name, column in columns.items()}

    @cached_property
    def claims(self) -> list[Claim]:
        """The claims of the study, each with a verdict for the editions that it concerns."""
        return judge_claims(self)

    def _repr_html_(self) -> str:
        """Return what the first screen of the page shows, for notebooks."""
        from skmer.studies.koh2021.page import find_news, make_headline, sort_claims

        news = [note.text for note in find_news(self)]
        return messages.html_list([make_headline(sort_claims(self.claims)), *news])

    def save(self, folder) -> Path:
        """Write table.csv, claims.csv, report.html and the pages of its results, or none of them.

        Parameters
        ----------
        folder : path-like
            Made where it does not exist.

        Returns
        -------
        folder : pathlib.Path
            Where they were written.
        """
        # Charts and templates are only needed here.
        from skmer.evaluation.report.page import render_report
        from skmer.studies.koh2021.page import render_study

        folder = files.check_output_folder(folder)
        rows = [
            (text, origin, edition, *verdict)
            for text, origin, verdicts in self.claims
            for edition, verdict in verdicts.items()
        ]
        claims = pd.DataFrame(rows, columns=["claim", "origin", "edition", "verdict", "reason"])
        results = self.results | {("emomusic", *key): one for key, one in self.regressions.items()}
        pages = {f"{'-'.join(key)}.html": render_report(one) for key, one in results.items()}
        pages["report.html"] = render_study(self)
        with files.atomic_folder(folder) as whole:
            self.table.to_csv(whole / "table.csv", index=False)
            claims.to_csv(whole / "claims.csv", index=False)
            for name, text in pages.items():
                (whole / name).write_text(text, encoding="utf-8")
        return folder


def _row(dataset: str, cell: dict, score: str, value: float, tables) -> dict:
    """Return a row of the table, from the rows of the cell in the tables by edition.

    The columns of an edition are estimate, interval, gap and protocol, or NaN.
    """
    row = {"dataset": dataset, **cell, "score": score}
    row |= {"addition": cell["feature"] in study.ADDITIONS, "published": value}
    for edition, table in zip(study.EDITIONS, tables):
        found: dict = dict.fromkeys(("", "_low", "_high", "_gap", "_protocol"), np.nan)
        if table is not None:
            protocol, mixed = edition.headline_protocol(table), "koh2021"
            if score == "r2":
                apart = "fixed" if "fixed" in set(table["protocol"]) else "grouped"
                protocol, mixed = "shuffled" if edition is study.FAITHFUL else apart, "shuffled"
            wanted = {name: one for name, one in cell.items() if name in table}
            by_protocol = study.rows_of(table, wanted).set_index("protocol").to_dict("index")
            if protocol in by_protocol:
                one = by_protocol[protocol]
                found |= {"": one[score], "_low": one["low"], "_high": one["high"]}
                found["_protocol"] = protocol
                if mixed in by_protocol and "grouped" in by_protocol:
                    found["_gap"] = by_protocol[mixed][score] - by_protocol["grouped"][score]
        row |= {edition.name + key: x for key, x in found.items()}
    return row


def reproduce_koh2021(
    out,
    *,
    data_home=None,
    quick: bool = False,
    features=study.FEATURES,
    classifiers=CLASSIFIERS,
    weights="pretrained",
    random_state: int = 0,
    memory=None,
    n_jobs: int | None = None,
    time_limit: float | None = None,
    on_interrupt: Literal["raise", "return"] = "raise",
    verbose: bool = False,
) -> Reproduction:
    """Do the study of Koh and Dubnov (2021) again, with whichever of its datasets are in place.

    Two editions stand side by side. The faithful one has the study's settings, its number of
    clips, and its random splits; the defensible one scales and searches inside the training rows,
    uses all clips, and keeps singers and artists apart. Both are scored under both protocols, so
    that the gap between them can be seen.

    Parameters
    ----------
    out : path-like
        Folder of the report. Each finished piece is kept in its sub-folder ``pieces``, by the
        content of the clips and by every setting; a run that was interrupted goes on from there. A
        piece that was cut or changed since is computed again, with a warning.
    data_home : path-like, default=None
        Folder of the datasets, as of the `fetch_*` functions; nothing is downloaded to it.
    quick : bool, default=False
        Compute far less, to see the report within minutes; the report lists what is less.
    features : list of {"l3", "vggish", "mfcc", "musicnn"}, default=the study's three
        A network without weights is left out, and the report states this. The study did not have
        MusiCNN: it is shown as an addition, and no claim is tested with it.
    classifiers : list of {"svm", "nb", "rf", "mlp", "cnn", "lstm"}, default=all six
        The classifiers.
    weights : {"pretrained", None}, path, or dict, default="pretrained"
        Weights of the networks, as of :func:`evaluate`.
    random_state : int, default=0
        Where every other seed comes from.
    memory : path or joblib.Memory, default=None
        Cache of the clips' embeddings; None = the sub-folder ``cache`` of `out`.
    n_jobs : int, default=None
        Number of fits at once, in joblib's meaning.
    time_limit : float, default=None
        Seconds after which nothing more is computed. The work goes round, one repeat of every cell
        and then the next, and the report has the rounds that are whole; of a first round that is
        not whole it has the classifiers that are. The next call goes on from there.
    on_interrupt : {"raise", "return"}, default="raise"
        What Ctrl-C does: raise `KeyboardInterrupt`, or end as the time limit does.
    verbose : bool, default=False
        Show progress on standard error.

    Returns
    -------
    reproduction : Reproduction
        With `table`, `claims`, and the results of each dataset; also saved in `out`.

    Raises
    ------
    DatasetNotFoundError
        When no dataset is in place.
    WeightsNotFoundError
        When none of the features can be had.

    See Also
    --------
    evaluate : One dataset at a time.

    References
    ----------
    Koh, E., & Dubnov, S. (2021). Comparison and analysis of deep audio embeddings for music
    emotion recognition. arXiv:2104.06517.

    Examples
    --------
    >>> from skmer.studies import reproduce_koh2021
    >>> found = reproduce_koh2021("koh2021", data_home="my_data", quick=True)  # doctest: +SKIP
    >>> found.table[["dataset", "published", "faithful", "defensible"]]  # doctest: +SKIP
    """
    deadline = Deadline(time_limit)
    messages.check_choice("reproduce_koh2021", ("raise", "return"), on_interrupt=on_interrupt)
    features = check_names("features", features, (*study.FEATURES, *study.ADDITIONS))
    classifiers = check_names("classifiers", classifiers, CLASSIFIERS)
    out = files.check_output_folder(out)
    datasets = study.find_datasets(data_home, verbose=verbose)
    if not datasets.clips and datasets.annotations is None:
        raise DatasetNotFoundError(
            f"None of the study's datasets is in place ({', '.join(datasets.missing)}). "
            + datasets.missing["ravdess-song"]
        )
    budget = study.QUICK if quick else study.FULL
    store = pieces.PieceStore(out / "pieces")
    context = pieces.RunContext(store, budget, random_state, n_jobs, verbose)
    found = Reproduction(datasets, budget, random_state, reports=pieces.check_reports(context))
    features_of = {}
    memory = out / "cache" if memory is None else memory
    options = {"random_state": random_state, "memory": memory, "n_jobs": n_jobs, "verbose": verbose}
    for edition in study.EDITIONS:
        found.features, found.left_out = study.make_features(
            features, edition=edition, budget=budget, weights=weights, **options
        )
        features_of[edition.name] = found.features
        if not found.features:
            raise WeightsNotFoundError(
                f"None of the features can be computed ({', '.join(found.left_out)}). "
                + next(iter(found.left_out.values()))
            )
    try:
        with deadline.guard():
            _work(found, features_of, classifiers, data_home, context, deadline)
    except OutOfTimeError:
        found.ended_by = "time"
    except KeyboardInterrupt:
        if on_interrupt == "raise":
            raise
        found.ended_by = "interrupt"
    _join(found, features_of, context)
    found.computed = context.store.computed
    found.save(out)
    return found


def _work(found: Reproduction, features_of, classifiers, data_home, context, deadline) -> None:
    """Do everything: the first round of every cell, what is done once, and the other rounds."""
    cells = [
        (dataset, edition, classifier)
        for classifier in classifiers
        for edition in study.EDITIONS
        for dataset in found.datasets.names
    ]
    rounds = range(1, context.budget.n_rounds + 1)
    settings = pieces.describe_rounds(features_of, classifiers, found.datasets, context)
    first = max([1, *(n for n in rounds if context.store.has(f"round-{n}", settings))])
    for n in rounds[first - 1 :] if cells else ():
        done: dict = {}
        if n == first:
            # Where not even this round becomes whole, some classifiers may.
            found.cells = done
        for dataset, edition, classifier in cells:
            if deadline.is_over:
                raise OutOfTimeError
            key = (dataset, edition.name, classifier)
            context.announce(f"{'-'.join(key)}, round {n} of {rounds[-1]}")
            clips, features = found.datasets.clips[key[:2]], features_of[edition.name]
            done[key] = pieces.evaluate_cell(key, edition, features, clips, context, n)
        context.store.facts(f"round-{n}", settings, dict)
        found.cells, found.rounds = done, n
        if n == first:
            context.announce(found.estimate_rest(context.n_jobs))
            _do_once(found, features_of, data_home, context)
    if not cells:
        _do_once(found, features_of, data_home, context)


def _do_once(found: Reproduction, features_of, data_home, context: pieces.RunContext) -> None:
    """Do the regressions, the maps, and the audits of files and annotations."""
    datasets, annotations = found.datasets, found.datasets.annotations
    context.announce("leakage audit of files and annotations")
    if datasets.clips:
        found.audits["files", ""] = pieces.audit_files(datasets, context)
    if annotations is not None:
        found.audits["emomusic annotations", ""] = pieces.audit_labels(annotations, context)
    published = pieces.find_published_features(data_home, annotations)
    for edition, features in features_of.items():
        small = {name: one for name, one in features.items() if name != study.LARGE}
        clips = datasets.clips.get(("emomusic", edition))
        sources = [] if clips is None else [(name, one, clips) for name, one in small.items()]
        if published is not None:
            sources.append((pieces.CHOI, published, annotations))
        for name, feature, dataset in sources:
            context.announce(f"emomusic-{edition}: r2 of {name}")
            found.regressions[name, edition] = pieces.regress(name, feature, dataset, context)
        singers = datasets.clips.get(("ravdess-song", edition))
        if edition != study.FAITHFUL.name or singers is None:
            continue
        for name, feature in small.items():
            context.announce(f"ravdess-song: map of {name}")
            if singer_map := pieces.map_singers(name, feature, singers, context):
                found.maps[name] = singer_map


def _join(found: Reproduction, features_of, context: pieces.RunContext) -> None:
    """Put the classifiers together by dataset and edition, and audit their splits."""
    for dataset in found.datasets.names:
        results = {
            edition: [one for cell, one in found.cells.items() if cell[:2] == (dataset, edition)]
            for edition in features_of
        }
        if not all(results.values()):
            # The report compares both editions of a dataset.
            for edition in results:
                del found.datasets.clips[dataset, edition]
            found.datasets.notes.append(
                f"{study.titles()[dataset]} is left out: no classifier has a whole round yet."
            )
            continue
        for edition, features in features_of.items():
            context.announce(f"{dataset}-{edition}: leakage audit")
            # The plainest feature stands for all: a leak is a matter of clips and splits.
            plainest = "mfcc" if "mfcc" in features else next(iter(features))
            name, clips = f"{dataset}-{edition}-{plainest}", found.datasets.clips[dataset, edition]
            audit = pieces.audit_splits(name, features[plainest], clips, context)
            found.audits[dataset, edition] = audit
            title = {"name": f"{study.titles()[dataset]}, {edition} edition"}
            described = results[edition][0].manifest["dataset"] | title
            found.results[dataset, edition] = pieces.join_results(
                results[edition], audit=audit, dataset=described
            )
    if found.ended_by is None or found.results or found.regressions:
        return
    if found.ended_by == "interrupt":
        raise KeyboardInterrupt
    raise InputError(
        "The 'time_limit' parameter is too short: no classifier has a whole round on any "
        "dataset. What is finished is kept; call it again with more time.",
        param="time_limit",
    )
