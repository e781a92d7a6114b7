"""Stratified folds that keep groups apart where there are any."""

from sklearn.model_selection import BaseCrossValidator, StratifiedGroupKFold, StratifiedKFold


class GroupAwareKFold(BaseCrossValidator):
    """`StratifiedGroupKFold` when groups are given, else `StratifiedKFold`; always the same folds.

    With fewer groups than `n_splits` there is one fold for each group.
    """

    # Where metadata are routed, groups come here without being asked for.
    __metadata_request__split = {"groups": True}

    def __init__(self, n_splits=5):
        self.n_splits = n_splits

    def split(self, X, y, groups=None):
        """Yield the rows to train and to test on."""
        folds = StratifiedKFold if groups is None else StratifiedGroupKFold
        return folds(self.get_n_splits(X, y, groups)).split(X, y, groups)

    def get_n_splits(self, X=None, y=None, groups=None):
        """Return the number of folds."""
        return self.n_splits if groups is None else min(self.n_splits, len(set(groups)))
