"""The whole study, piece by piece, and its outcome beside the published numbers."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

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
from skmer.utils.files import atomic_folder, check_output_folder
from skmer.utils.messages import check_choice, html_list, in_words, name_slowest


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
        The features that were run.
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
    cells : dict of str to tuple
        Each cell and its result, after as many rounds as were done of it.
    rounds : int
        How many rounds were done of every cell.
    ended_by : {"time", "interrupt"} or None
        What ended the work before the last round.
    """

    datasets: study.StudyDatasets
    budget: study.Budget
    seed: int
    features: dict[str, study.Feature] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    results: dict = field(default_factory=dict)
    regressions: dict = field(default_factory=dict)
    maps: dict[str, pieces.SingerMap] = field(default_factory=dict)
    audits: dict = field(default_factory=dict)
    reports: dict = field(default_factory=dict)
    computed: list[str] = field(default_factory=list)
    cells: dict[str, tuple] = field(default_factory=dict)
    rounds: int = 0
    ended_by: str | None = None

    def _costs(self) -> tuple[dict[str, float], float]:
        """Return the seconds of each cell so far, and about how many all other fits take."""
        n_fits = {"koh2021": self.budget.n_shuffles, "grouped": 5 * self.budget.n_draws}
        costs, left = {}, 0.0
        for name, (_, result) in self.cells.items():
            seconds = result.scores["fit_time"] + result.scores["score_time"]
            costs[name] = float(seconds.sum())
            for protocol, fits in seconds.groupby(result.scores["protocol"]):
                left += fits.mean() * (n_fits[protocol] - len(fits))
        return costs, left

    def slowest(self) -> dict[str, float]:
        """Return the share of the time that the slowest cells take."""
        costs, _ = self._costs()
        total = sum(costs.values()) or 1.0
        order = sorted(costs, key=costs.__getitem__, reverse=True)[:3]
        return {name: costs[name] / total for name in order}

    def estimate_rest(self, n_jobs: int | None) -> str:
        """Return in a sentence how many rounds are done, and about how long the others take."""
        of, left = self.budget.n_rounds, self._costs()[1] / effective_n_jobs(n_jobs)
        # What the cells take that have no fit yet is not known.
        how = "about" if self.rounds else "at least"
        rest = f", {how} {in_words(left)} are left" if self.rounds < of else ""
        return f"{self.rounds} of {of} rounds are done{rest}.{name_slowest(self.slowest())}"

    @property
    def random_features(self) -> dict[str, str]:
        """Labels of the weights of networks that were never trained."""
        features = self.features.items()
        return {name: str(one.weights_label) for name, one in features if one.is_random}

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
        rows = [row for dataset in study.DATASETS for row in self._accuracy_rows(dataset)]
        return pd.DataFrame([*rows, *self._r2_rows()])

    def _accuracy_rows(self, dataset: str) -> list[dict]:
        """Return a row for each cell that was run, or has a printed accuracy."""
        cells = {
            (row["feature"], row["classifier"]): row["value"]
            for row in study.published()["accuracy"]
            if row["dataset"] == dataset
        }
        tables = [self.intervals.get((dataset, edition.name)) for edition in study.EDITIONS]
        for table in tables:
            if table is not None:
                ran = zip(table["feature"], table["classifier"])
                cells |= dict.fromkeys((cell for cell in ran if cell not in cells), np.nan)
        rows = []
        for (feature, classifier), value in cells.items():
            cell = {"feature": feature, "classifier": classifier}
            row = {"dataset": dataset, **cell, "target": "", "score": "accuracy"}
            row |= {"addition": feature in study.ADDITIONS, "published": value}
            for edition, table in zip(study.EDITIONS, tables):
                protocol = None if table is None else edition.headline_protocol(table)
                row |= _columns(edition.name, table, cell, protocol, "accuracy", "koh2021")
            rows.append(row)
        return rows

    def _r2_rows(self) -> list[dict]:
        """Return a row for each target and feature: random splits beside the published split."""
        rows = []
        printed = {row["target"]: row["value"] for row in study.published()["r2"]}
        ran = dict.fromkeys(feature for feature, _ in self.r2_intervals)
        targets = [(axis, label) for axis in printed for label in ("static", "dynamic")]
        for feature in dict.fromkeys(["l3", *ran]):
            for axis, label in targets:
                # The study does not say which label; its predecessors took the static one.
                is_published = (feature, label) == ("l3", "static")
                if not is_published and feature not in ran:
                    continue
                target = f"{label} {axis}"
                row: dict[str, Any] = {
                    "dataset": "emomusic",
                    "feature": feature,
                    "classifier": "svr",
                }
                row |= {"target": target, "score": "r2", "addition": feature in study.ADDITIONS}
                row["published"] = printed[axis] if is_published else np.nan
                for edition in study.EDITIONS:
                    table = self.r2_intervals.get((feature, edition.name))
                    wanted = "shuffled" if edition.protocol == "koh2021" else "fixed"
                    has_wanted = table is not None and wanted in set(table["protocol"])
                    protocol = wanted if has_wanted else "grouped"
                    cell = {"target": target}
                    row |= _columns(edition.name, table, cell, protocol, "r2", "shuffled")
                rows.append(row)
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
        return html_list([make_headline(sort_claims(self.claims)), *news])

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

        folder = check_output_folder(folder)
        claims = pd.DataFrame(
            [
                (claim.text, claim.origin, edition, verdict.state, verdict.reason)
                for claim in self.claims
                for edition, verdict in claim.verdicts.items()
            ],
            columns=["claim", "origin", "edition", "verdict", "reason"],
        )
        results = self.results | {("emomusic", *key): one for key, one in self.regressions.items()}
        pages = {f"{'-'.join(key)}.html": render_report(one) for key, one in results.items()}
        pages["report.html"] = render_study(self)
        with atomic_folder(folder) as whole:
            self.table.to_csv(whole / "table.csv", index=False)
            claims.to_csv(whole / "claims.csv", index=False)
            for name, text in pages.items():
                (whole / name).write_text(text, encoding="utf-8")
        return folder


def _columns(edition: str, table, cell: dict, protocol, score: str, mixed: str) -> dict:
    """Return the columns of an edition: estimate, interval, gap and protocol, or NaN."""
    found = dict.fromkeys(("estimate", "low", "high", "gap", "protocol"), np.nan)
    rows = (
        {} if table is None else study.rows_of(table, cell).set_index("protocol").to_dict("index")
    )
    if protocol in rows:
        row = rows[protocol]
        found |= {"estimate": row[score], "low": row["low"], "high": row["high"]}
        found["protocol"] = protocol
        if mixed in rows and "grouped" in rows:
            found["gap"] = rows[mixed][score] - rows["grouped"][score]
    return {edition if key == "estimate" else f"{edition}_{key}": x for key, x in found.items()}


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
        A network without weights is left out, and the report says so. The study did not have
        MusiCNN: it is shown as an addition, and no claim is judged by it.
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
    check_choice("reproduce_koh2021", ("raise", "return"), on_interrupt=on_interrupt)
    features = check_names("features", features, (*study.FEATURES, *study.ADDITIONS))
    classifiers = check_names("classifiers", classifiers, CLASSIFIERS)
    out = check_output_folder(out)
    datasets = study.find_datasets(data_home, verbose=verbose)
    if not datasets.clips and datasets.annotations is None:
        raise DatasetNotFoundError(
            f"None of the study's datasets is in place ({', '.join(datasets.missing)}). "
            + datasets.missing["ravdess-song"]
        )
    context = pieces.RunContext(
        pieces.PieceStore(out / "pieces"),
        study.FeatureExtractor(study.QUICK if quick else study.FULL),
        random_state,
        n_jobs,
        verbose,
    )
    found = Reproduction(
        datasets, context.budget, random_state, reports=pieces.check_reports(context)
    )
    features_of = {}
    for edition in study.EDITIONS:
        found.features, found.left_out = study.make_features(
            features,
            edition=edition,
            budget=context.budget,
            weights=weights,
            random_state=random_state,
            memory=out / "cache" if memory is None else memory,
            n_jobs=n_jobs,
            verbose=verbose,
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
        (cell, found.datasets.clips[dataset, edition.name])
        for classifier in classifiers
        for edition in study.EDITIONS
        for dataset in found.datasets.names
        for cell in pieces.list_cells(dataset, features_of[edition.name].values(), [classifier])
    ]
    n_rounds = context.budget.n_rounds
    finished = [pieces.count_rounds(cell, clips, context) for cell, clips in cells]
    first = max(1, min(finished, default=n_rounds))
    for n in range(first, n_rounds + 1):
        done: dict[str, tuple] = {}
        if n == first:
            # Where not even this round becomes whole, some classifiers may.
            found.cells = done
        for cell, clips in cells:
            if deadline.is_over:
                raise OutOfTimeError
            context.announce(f"{cell}, round {n} of {n_rounds}")
            done[str(cell)] = cell, pieces.evaluate_cell(cell, clips, context, n)
        found.cells, found.rounds = done, n
        if n == first:
            context.announce(found.estimate_rest(context.n_jobs))
            _do_once(found, features_of, data_home, context)
    if not cells:
        _do_once(found, features_of, data_home, context)


def _do_once(found: Reproduction, features_of, data_home, context: pieces.RunContext) -> None:
    """Do the regressions, the maps, and the audits of files and annotations."""
    datasets = found.datasets
    context.announce("leakage audit of files and annotations")
    if datasets.clips:
        found.audits["files", ""] = pieces.audit_files(datasets, context)
    if datasets.annotations is not None:
        found.audits["emomusic annotations", ""] = pieces.audit_labels(
            datasets.annotations, context
        )
    published = pieces.find_published_features(data_home, datasets.annotations)
    for edition in study.EDITIONS:
        found.features = features_of[edition.name]
        _regress(found, edition, published, context)
        if edition is study.FAITHFUL:
            _map(found, edition, context)


def _join(found: Reproduction, features_of, context: pieces.RunContext) -> None:
    """Put the whole classifiers together by dataset and edition, and audit their splits."""
    for dataset in found.datasets.names:
        whole = [
            _whole_classifiers(found, dataset, features_of, edition) for edition in study.EDITIONS
        ]
        if not all(whole):
            # The report compares both editions of a dataset.
            for edition in study.EDITIONS:
                del found.datasets.clips[dataset, edition.name]
            found.datasets.notes.append(
                f"{study.titles()[dataset]} is left out: no classifier has a whole round yet."
            )
            continue
        for edition, results in zip(study.EDITIONS, whole):
            context.announce(f"{dataset}-{edition.name}: leakage audit")
            # The plainest feature stands for all: a leak is a matter of clips and splits.
            features = features_of[edition.name]
            plainest = features.get("mfcc", next(iter(features.values())))
            clips = found.datasets.clips[dataset, edition.name]
            audit = pieces.audit_splits(dataset, plainest, clips, context)
            found.audits[dataset, edition.name] = audit
            name = {"name": f"{study.titles()[dataset]}, {edition.name} edition"}
            found.results[dataset, edition.name] = pieces.join_results(
                results, audit=audit, dataset=results[0].manifest["dataset"] | name
            )
    if found.ended_by == "time" and not found.results and not found.regressions:
        raise InputError(
            "The 'time_limit' parameter is too short: no classifier has a whole round on any "
            "dataset. What is finished is kept; call it again with more time.",
            param="time_limit",
        )
    if found.ended_by == "interrupt" and not found.results and not found.regressions:
        raise KeyboardInterrupt


def _whole_classifiers(found: Reproduction, dataset: str, features_of, edition) -> list:
    """Return the results of the classifiers of which every feature has the round."""
    done: dict[str, list] = {}
    for cell, result in found.cells.values():
        if (cell.dataset, cell.feature.edition) == (dataset, edition):
            done.setdefault(cell.classifier, []).append(result)
    features = features_of[edition.name].values()
    return [
        result
        for classifier, results in done.items()
        if len(results) == len(pieces.list_cells(dataset, features, [classifier]))
        for result in results
    ]


def _regress(
    found: Reproduction, edition: study.Edition, published, context: pieces.RunContext
) -> None:
    """Predict arousal and valence of Emotion in Music with whatever features there are."""
    clips = found.datasets.clips.get(("emomusic", edition.name))
    sources = [(published, found.datasets.annotations)] if published is not None else []
    if clips is not None:
        small = [one for name, one in found.features.items() if name != study.LARGE]
        sources = [(feature, clips) for feature in small] + sources
    for feature, dataset in sources:
        context.announce(f"emomusic-{edition.name}: r2 of {feature.name}")
        result = pieces.regress(dataset, feature, context)
        found.regressions[feature.name, edition.name] = result


def _map(found: Reproduction, edition: study.Edition, context: pieces.RunContext) -> None:
    """Map the clips of RAVDESS by every feature."""
    clips = found.datasets.clips.get(("ravdess-song", edition.name))
    if clips is None:
        return
    for name, feature in found.features.items():
        if name != study.LARGE:
            context.announce(f"ravdess-song: map of {name}")
            singer_map = pieces.map_singers(feature, clips, context)
            if singer_map is not None:
                found.maps[name] = singer_map
