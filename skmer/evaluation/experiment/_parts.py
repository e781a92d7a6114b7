"""An estimator and every estimator inside it."""


def parts_of(estimator) -> list:
    """Return `estimator` and every estimator inside it."""
    inner = [part for part in estimator.get_params().values() if hasattr(part, "get_params")]
    return [part for part in [estimator, *inner] if not isinstance(part, type)]
