"""Features by name."""

import pytest

from skmer import L3Transformer, MFCCStatsTransformer, MusiCNNTransformer, VGGishTransformer
from skmer.embeddings import FEATURES, make_transformer
from skmer.exceptions import InputError

CLASSES = {
    "musicnn": MusiCNNTransformer,
    "l3": L3Transformer,
    "vggish": VGGishTransformer,
    "mfcc": MFCCStatsTransformer,
}


@pytest.mark.parametrize("preset", ["koh2021", "tuned"])
@pytest.mark.parametrize("name", FEATURES)
def test_every_name_has_its_transformer(name, preset, tmp_path):
    transformer = make_transformer(name, preset=preset, memory=tmp_path, n_jobs=2, verbose=True)
    assert type(transformer) is CLASSES[name]
    assert (transformer.memory, transformer.n_jobs, transformer.verbose) == (tmp_path, 2, True)


def test_only_random_weights_have_a_seed():
    assert make_transformer("l3", weights=None, random_state=3).random_state == 3
    assert make_transformer("l3", random_state=3).random_state is None


def test_the_study_has_an_l3_of_its_own():
    study, tuned = (make_transformer("l3", preset=preset) for preset in ("koh2021", "tuned"))
    assert (study.hop_size, study.frontend) == (0.1, "trained")
    assert tuned.get_params() == L3Transformer().get_params()


@pytest.mark.parametrize("wrong", [{"name": "L3"}, {"name": "l3", "preset": "best"}])
def test_unknown_words_are_refused(wrong):
    with pytest.raises(InputError, match=r"must be one .*of .*Got '(L3|best)'"):
        make_transformer(**wrong)
