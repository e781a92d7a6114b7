"""The toy tags: the clips of the toy emotions, and what each was played with."""

import numpy as np

from skmer.datasets import load_toy_emotions, load_toy_tags
from skmer.datasets.toy_tags import TAGS


def test_tags_are_those_of_the_same_clips(monkeypatch, tmp_path):
    monkeypatch.setattr("skmer.datasets.toy._write_unless_there", lambda *args: None)
    tags, toy = load_toy_tags(data_home=tmp_path), load_toy_emotions(data_home=tmp_path)
    assert np.array_equal(tags.data, toy.data)
    assert np.array_equal(tags.groups, toy.groups)
    assert tags.target.shape == (80, 8)
    assert tags.target_names == list(TAGS)
    aroused = tags.target[:, TAGS.index("energetic")]
    assert np.array_equal(aroused, np.isin(toy.target, ["Q1", "Q2"]))
    assert np.array_equal(tags.target[:, TAGS.index("calm")], 1 - aroused)
    assert (tags.target.sum(axis=1) >= 2).all()
    assert ((tags.target.mean(axis=0) > 0.3) & (tags.target.mean(axis=0) < 0.7)).all()
    row = tags.target[5].astype(bool)
    assert tags.frame["tags"][5] == ";".join(np.array(TAGS)[row])
