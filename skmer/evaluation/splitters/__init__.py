"""Cross-validators that scikit-learn lacks."""

from skmer.evaluation.splitters._fixed_split import FixedSplit
from skmer.evaluation.splitters._repeated_stratified_group_kfold import (
    RepeatedStratifiedGroupKFold,
)
from skmer.evaluation.splitters._stratified_three_way_split import StratifiedThreeWaySplit

__all__ = ["FixedSplit", "RepeatedStratifiedGroupKFold", "StratifiedThreeWaySplit"]
