"""What needs no classifier: can the printed tables be, and does anything leak?"""

import numpy as np

from skmer.evaluation import audit
from skmer.evaluation.experiment import VECTOR
from skmer.studies.koh2021._context import RunContext
from skmer.studies.koh2021._datasets import StudyDatasets
from skmer.studies.koh2021._editions import EDITIONS
from skmer.studies.koh2021._features import Feature, describe_view
from skmer.studies.koh2021._published import published
from skmer.studies.koh2021.consistency._check import check_report_consistency, consistent_sizes
from skmer.studies.koh2021.pieces._cells import make_protocols

# A tenth of each dataset, rounded down and up, and sizes beyond.
_TENTH = {"4q": (90,), "bimodal": (16, 17)}
_LARGEST = 300


def check_reports(context: RunContext) -> dict[str, dict]:
    """Tell for each printed report which numbers of test clips it can come from."""
    settings = {"reports": published()["reports"], "largest": _LARGEST}
    return context.store.facts("consistency", settings, _check_reports)


def _check_reports() -> dict[str, dict]:
    counts = published()["clips"]["counts"]
    found = {}
    for name, tenth in _TENTH.items():
        report = published()["reports"][name]
        sizes = consistent_sizes(**report, sizes=range(1, _LARGEST + 1))
        smallest = check_report_consistency(**report, n=sizes[0])
        n_all = sum(counts[name].values())
        found[name] = {
            "tenth": list(tenth),
            "tenth_possible": [size for size in tenth if size in sizes],
            "sizes": sizes,
            "largest_tried": _LARGEST,
            "fifth": n_all // 5,
            "fifth_possible": n_all // 5 in sizes,
            "supports": list(smallest.supports or ()),
        }
    return found


def audit_files(datasets: StudyDatasets, context: RunContext) -> dict:
    """Look for files that are there twice, within and across datasets."""
    clips = {name: datasets.clips[name, EDITIONS[-1].name] for name in datasets.names}
    paths = [str(path) for one in clips.values() for path in one.data]
    names = [name for name, one in clips.items() for _ in one.data]
    settings = {name: one.digest for name, one in clips.items()}
    several = names if len(clips) > 1 else None
    return context.store.facts(
        "audit-files",
        settings,
        lambda: audit(paths=paths, datasets=several, n_jobs=context.n_jobs).to_dict(),
    )


def audit_labels(annotations, context: RunContext) -> dict:
    """Look for swapped columns and repeated songs in the annotations of Emotion in Music."""
    frame = annotations.frame
    static, dynamic = (
        frame[[f"{label}_arousal", f"{label}_valence"]].to_numpy()
        for label in ("static", "dynamic")
    )
    items = (frame["artist"] + " - " + frame["title"]).tolist()
    return context.store.facts(
        "audit-emomusic-annotations",
        {"clips": annotations.digest, "static": static.tolist()},
        lambda: audit(items=items, targets=static, reference=dynamic).to_dict(),
    )


def audit_splits(dataset: str, feature: Feature, clips, context: RunContext) -> dict[str, dict]:
    """Audit the splits of both protocols with one feature, which stands for all."""
    protocols = make_protocols(clips.groups, context.budget, context.seed)
    settings = {
        "clips": clips.digest,
        "feature": describe_view(feature, VECTOR, context.budget),
        "protocols": {name: repr(splitter) for name, splitter in protocols.items()},
        "seed": context.seed,
    }

    def compute() -> dict:
        X = context.extractor(feature, VECTOR, clips)
        return {
            name: audit(
                X,
                clips.target,
                groups=clips.groups,
                cv=list(splitter.split(X, clips.target, clips.groups)),
                random_state=context.seed,
            ).to_dict()
            for name, splitter in protocols.items()
        }

    name = f"audit-{dataset}-{feature.edition.name}-{feature.name}"
    return context.store.facts(name, settings, compute)


def mean_chance(labels) -> float:
    """Return the share of the largest class."""
    return float(np.unique(np.asarray(labels), return_counts=True)[1].max() / len(labels))
