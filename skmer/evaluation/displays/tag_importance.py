"""Which tags speak for which emotion."""

import numpy as np
from sklearn.base import clone
from sklearn.inspection import permutation_importance
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, check_cv
from sklearn.utils import check_consistent_length, check_random_state

from skmer.evaluation.displays.style import PALETTE, Display, annotate, plain, text_color
from skmer.evaluation.statistics.paired import corrected_resampled_ttest
from skmer.exceptions import InputError
from skmer.utils import floats, labels


class TagImportanceDisplay(Display):
    """What a classifier loses on each emotion when it cannot read a tag, with intervals.

    Parameters
    ----------
    importances : array-like of shape (n_classes, n_tags)
        What the clips of a class lose when the tag is shuffled.
    intervals : array-like of shape (2, n_classes, n_tags)
        Lower and upper ends.
    directions : array-like of shape (n_classes, n_tags)
        Above 0 where clips of the class have more of the tag than others, below 0 where less.
    classes, tags : list of str
        Their names.
    score : str, default="probability of the true class"
        What is lost.

    Attributes
    ----------
    shown_ : list of tuple of int
        Indices of the class and of the tag of each bar, from top to bottom.
    bars_ : matplotlib BarContainer
        The bars.
    ax_ : matplotlib Axes
        Axes of the bars.
    figure_ : matplotlib Figure
        Figure of the axes.

    See Also
    --------
    sklearn.inspection.permutation_importance : For one fitted model and all classes together.

    References
    ----------
    Breiman, L. (2001). Random forests. Machine Learning, 45, 5-32. (Permutation importance.)

    Nadeau, C., & Bengio, Y. (2003). Inference for the generalization error. Machine Learning, 52,
    239-281. (The interval over folds.)

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skmer.evaluation import TagImportanceDisplay
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["calm", "angry"], 40)
    >>> X = rng.random((80, 3))
    >>> X[:, 1] += y == "angry"
    >>> display = TagImportanceDisplay.from_estimator(
    ...     GaussianNB(), X, y, tags=["piano", "loud", "vocal"]
    ... )
    >>> display.tags[display.importances[0].argmax()], bool(display.directions[0, 1] > 0)
    ('loud', True)
    """

    def __init__(
        self,
        importances,
        intervals,
        directions,
        classes,
        tags,
        *,
        score="probability of the true class",
    ):
        self.importances = np.asarray(importances, dtype=float)
        self.intervals = np.asarray(intervals, dtype=float)
        self.directions = np.asarray(directions, dtype=float)
        self.classes = list(classes)
        self.tags = list(tags)
        self.score = score

    @classmethod
    def from_estimator(
        cls,
        classifier,
        X,
        y,
        *,
        tags=None,
        groups=None,
        cv=None,
        n_repeats=10,
        random_state=0,
        n_tags=4,
        ax=None,
    ):
        """Shuffle one tag after the other on the clips of each fold that were not trained on.

        A copy of the classifier is fitted in each fold. Correlated tags can replace each
        other, so that each has a low importance if it is shuffled alone.

        Parameters
        ----------
        classifier : estimator
            A classifier on tags, such as ``make_classifier("rf")``. Without ``predict_proba`` the
            loss is one of recall.
        X : array-like of shape (n_clips, n_tags)
            The tags of the clips, as ``MusiCNNTransformer(layer="tags")`` gives them.
        y : array-like of shape (n_clips,)
            The emotion of each clip; of several tags, whether a clip has one of them.
        tags : list of str, default=None
            Their names. None: the columns of a data frame.
        groups : array-like of shape (n_clips,), default=None
            The singer or artist of each clip, kept apart by the default folds.
        cv : splitter, default=None
            None: five stratified folds, by group where groups are given.
        n_repeats : int, default=10
            How often each tag is shuffled in each fold.
        random_state : int, RandomState instance or None, default=0
            Seed of the shuffles, and of the default folds.
        n_tags : int, default=4
            How many tags to show for each emotion.
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.

        Returns
        -------
        TagImportanceDisplay
            The display, drawn.
        """
        labels.check_order({"X": X, "y": y, "groups": groups})
        tags = getattr(X, "columns", None) if tags is None else tags
        X, y = floats.check_floats(X, "X", ndim=2), labels.check_labels(y, "The labels y")
        groups = None if groups is None else labels.check_labels(groups, "The groups")
        check_consistent_length(X, y, groups)
        if tags is None or len(tags) != X.shape[1]:
            raise InputError(
                "The 'tags' parameter of TagImportanceDisplay must name each of the "
                f"{X.shape[1]} columns of X. Got {None if tags is None else len(tags)} instead."
            )
        rng = check_random_state(random_state)
        if cv is None:
            splitter = StratifiedKFold if groups is None else StratifiedGroupKFold
            cv = splitter(5, shuffle=True, random_state=rng)
        classes = np.unique(y)
        # By class: of each fold that has clips of the class, a row of losses and the fold's sizes.
        losses: dict = {label: [] for label in classes}
        for train, test in check_cv(cv, y, classifier=True).split(X, y, groups):
            model = clone(classifier).fit(X[train], y[train])
            found = permutation_importance(
                model,
                X[test],
                y[test],
                scoring=_score_classes,
                n_repeats=n_repeats,
                random_state=rng,
            )
            for label, one in found.items():
                losses[label].append((one["importances_mean"], len(train), len(test)))
        lost = np.full((3, classes.size, X.shape[1]), np.nan)
        for k, folds in enumerate(losses.values()):
            of_folds, n_train, n_test = zip(*folds) if len(folds) > 1 else ((), (), ())
            for tag, loss in enumerate(np.transpose(of_folds)):
                test = corrected_resampled_ttest(loss, 0 * loss, n_train=n_train, n_test=n_test)
                lost[:, k, tag] = test.difference, test.low, test.high
        own = np.array([X[y == label].mean(axis=0) for label in classes])
        others = np.array([X[y != label].mean(axis=0) for label in classes])
        score = "probability of the true class" if hasattr(model, "predict_proba") else "recall"
        display = cls(lost[0], lost[1:], own - others, classes, tags, score=score)
        return display.plot(ax, n_tags=n_tags)

    def plot(self, ax=None, *, n_tags=4):
        """Draw the tags that matter most for each class.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.
        n_tags : int, default=4
            How many for each class.

        Returns
        -------
        TagImportanceDisplay
            The display itself.
        """
        order = np.argsort(-np.nan_to_num(self.importances, nan=-np.inf), axis=1, kind="stable")
        self.shown_ = [
            (k, int(tag)) for k, row in enumerate(order) for tag in row[: max(1, n_tags)]
        ]
        classes, tags = np.array(self.shown_).T
        middle = self.importances[classes, tags]
        low, high = self.intervals[:, classes, tags]
        # A gap between two classes.
        places = np.arange(len(middle)) + 0.8 * classes
        ax = self._start(ax, 6.0, 0.2 * places[-1] + 1.2)
        self.bars_ = ax.barh(
            places,
            middle,
            xerr=np.stack([middle - low, high - middle]),
            color=[PALETTE[k % len(PALETTE)] for k in classes],
            ecolor=text_color(),
            capsize=2,
            error_kw={"elinewidth": 0.9},
        )
        signs = np.where(self.directions[classes, tags] < 0, "less", "more")
        ax.set_yticks(places, [f"{sign} {plain(self.tags[tag])}" for sign, tag in zip(signs, tags)])
        ax.tick_params(axis="y", length=0)
        ax.invert_yaxis()
        for k, name in enumerate(self.classes):
            place = (1, places[classes == k].mean())
            annotate(ax, plain(name), place, shift=4, coordinates=ax.get_yaxis_transform())
        ax.axvline(0, color=text_color(), linewidth=0.8)
        ax.set_xlabel(f"loss of {plain(self.score)} without the tag (95 % interval)")
        return self._finish()


def _score_classes(model, X, y) -> dict:
    """Return the mean probability, or else the recall, of each class that has clips."""
    if hasattr(model, "predict_proba"):
        classes, hits = model.classes_, model.predict_proba(X)
    else:
        classes = np.unique(y)
        hits = model.predict(X)[:, np.newaxis] == classes
    columns = dict(zip(classes, np.transpose(hits)))
    # A class that the model was not trained on has no probability.
    return {
        label: float(columns[label][y == label].mean()) if label in columns else 0.0
        for label in np.unique(y)
    }
