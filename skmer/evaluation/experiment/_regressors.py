"""Regressors by name, each with its search nested inside."""

from sklearn.base import BaseEstimator
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

# The targets are scaled, so that one grid serves every unit.
GRIDS: dict[str, tuple[BaseEstimator, dict[str, list[float]]]] = {
    "svr": (SVR(), {"C": [0.3, 1, 3, 10], "gamma": [0.0005, 0.002, 0.00625]}),
    "ridge": (Ridge(), {"alpha": [1, 10, 100, 1000]}),
}
REGRESSORS = tuple(GRIDS)


def make_regressor(name: str) -> GridSearchCV:
    """Return scaling, regressor and search; predictions are in the unit of the target."""
    regressor, grid = GRIDS[name]
    scaled = TransformedTargetRegressor(
        Pipeline([("scale", StandardScaler()), (name, regressor)]), transformer=StandardScaler()
    )
    return GridSearchCV(
        scaled, {f"regressor__{name}__{key}": values for key, values in grid.items()}
    )
