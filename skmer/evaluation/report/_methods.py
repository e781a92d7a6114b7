"""A paragraph for a paper's methods section, and what to cite."""

from skmer.evaluation.report._overview import Overview
from skmer.evaluation.report._words import name_of, name_of_score

BIBTEX = {
    "skmer": """@software{skmer,
  title   = {skmer: deep audio embeddings and music emotion recognition},
  author  = {{The skmer developers}},
  version = {VERSION}
}""",
    "l3": """@inproceedings{cramer2019look,
  title     = {Look, listen, and learn more: Design choices for deep audio embeddings},
  author    = {Cramer, Aurora Linh and Wu, Ho-Hsiang and Salamon, Justin and Bello, Juan Pablo},
  booktitle = {ICASSP},
  year      = {2019}
}""",
    "vggish": """@inproceedings{hershey2017cnn,
  title     = {{CNN} architectures for large-scale audio classification},
  author    = {Hershey, Shawn and others},
  booktitle = {ICASSP},
  year      = {2017}
}""",
    "musicnn": """@inproceedings{pons2019musicnn,
  title     = {musicnn: Pre-trained convolutional neural networks for music audio tagging},
  author    = {Pons, Jordi and Serra, Xavier},
  booktitle = {ISMIR, late-breaking session},
  year      = {2019}
}""",
    "tests": """@article{nadeau2003inference,
  title   = {Inference for the generalization error},
  author  = {Nadeau, Claude and Bengio, Yoshua},
  journal = {Machine Learning},
  volume  = {52},
  pages   = {239--281},
  year    = {2003}
}""",
}


def methods_paragraph(seen: Overview) -> str:
    """Describe the evaluation as a methods section would."""
    manifest = seen.result.manifest
    dataset, protocol = manifest["dataset"], manifest["protocols"][seen.protocol]
    groups = f" of {dataset['n_groups']} groups" if "n_groups" in dataset else ""
    features = ", ".join(
        name_of(name, seen.random) for name in dict.fromkeys(seen.intervals["feature"])
    )
    second = seen.result.configuration[1]
    models = ", ".join(name_of(name) for name in dict.fromkeys(seen.intervals[second]))
    apart = (
        "with the clips of a group on one side of each split only"
        if protocol["groups_kept_apart"]
        else "without regard to groups"
    )
    name = dataset.get("name")
    return (
        f"We evaluated {features} with {models} on {dataset['n_clips']} clips{groups}"
        f"{f' of {name}' if name else ''}, using skmer {manifest['versions'].get('skmer', '')} "
        f"(scikit-learn {manifest['versions'].get('scikit-learn', '')}). Scores are from "
        f"{len(protocol['splits'])} splits ({seen.protocol}), {apart}; scaling, search and early "
        "stopping happened inside the training part. Intervals of "
        f"{name_of_score(seen.headline)} are 95 % percentile intervals of a bootstrap over "
        f"{'groups' if groups else 'clips'}; configurations were compared on the same splits by "
        "the corrected resampled t-test (Nadeau and Bengio, 2003) with Holm's correction. All "
        f"random numbers came from the seed {manifest['settings']['random_state']}."
    ).replace("  ", " ")


def bibliography(seen: Overview) -> str:
    """Return BibTeX entries for what was used."""
    version = str(seen.result.manifest["versions"].get("skmer", ""))
    used = ["skmer", *dict.fromkeys(seen.intervals["feature"]), "tests"]
    return "\n\n".join(BIBTEX[name].replace("VERSION", version) for name in used if name in BIBTEX)
