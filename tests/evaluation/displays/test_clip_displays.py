"""Displays of clips: spectrograms, tags over time, the plane of emotions, what tags speak for."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.svm import SVC

from skmer.embeddings import ClipFunctionTransformer
from skmer.evaluation import QuadrantDisplay, SpectrogramDisplay, TagImportanceDisplay, TagsDisplay

SR = 22050


@pytest.fixture(scope="module")
def clip():
    """Two seconds of 300 Hz, then two of 3 kHz."""
    time = np.arange(2 * SR) / SR
    return np.concatenate([np.sin(2 * np.pi * f * time) for f in (300, 3000)]), SR


@pytest.mark.parametrize(
    ("network", "n_bands", "n_columns"),
    [("l3", 256, 4 * 199), ("vggish", 64, 4 * 96), ("musicnn", 96, 251), ("mfcc", 128, 173)],
)
def test_spectrogram_is_what_the_network_sees_in_order_of_time_and_pitch(
    clip, network, n_bands, n_columns
):
    display = SpectrogramDisplay.from_clip(clip, network)
    assert display.spectrogram.shape == (n_bands, n_columns)
    assert display.duration == pytest.approx(4, abs=0.17)
    early, late = np.array_split(display.spectrogram, 2, axis=1)
    assert early.mean(axis=1).argmax() < late.mean(axis=1).argmax()
    left, right, bottom, top = display.im_.get_extent()
    assert (left, right - left, bottom, top) == (0, display.duration, 0, n_bands)


def test_spectrogram_of_a_part_says_where_it_is(clip, ax):
    display = SpectrogramDisplay.from_clip(clip, "musicnn", offset=2.0, duration=1.0, ax=ax)
    assert display.ax_ is ax
    assert display.im_.get_extent()[0] == 2.0
    whole = SpectrogramDisplay.from_clip(clip, "musicnn").spectrogram
    # But for the mirrored ends, the part is a part.
    np.testing.assert_allclose(display.spectrogram[:, 5:50], whole[:, 130:175], atol=0.05)


def test_spectrogram_refuses_what_it_cannot_draw(clip):
    with pytest.raises(ValueError, match=r"'network' .* 'l3', 'vggish'.* Got 'ast'"):
        SpectrogramDisplay.from_clip(clip, "ast")
    with pytest.raises(ValueError, match=r"not a finite number|NaN|finite"):
        SpectrogramDisplay.from_clip((np.full(SR, np.nan), SR), "vggish")


def test_spectrogram_of_a_short_part_is_padded_as_the_network_pads_it(clip):
    display = SpectrogramDisplay.from_clip(clip, "vggish", duration=0.5)
    assert display.spectrogram.shape == (64, 96)
    assert display.spectrogram[:, 60:].max() == pytest.approx(np.log(0.01))


def test_tags_are_ranked_and_placed_in_time(drawn):
    times = np.array([1.5, 3.0, 4.5])
    values = np.array([[0.1, 0.9, 0.3], [0.2, 0.8, 0.3], [0.1, 0.9, 0.4]])
    display = TagsDisplay(values, times, ["calm", "$\\frac{$", "rock"]).plot(n_tags=2)
    assert display.shown_.tolist() == [1, 2]
    np.testing.assert_array_equal(display.im_.get_array(), values[:, [1, 2]].T)
    assert display.im_.get_coordinates()[0, :, 0].tolist() == [0.75, 2.25, 3.75, 5.25]
    assert {"$\\frac{$", "rock"} <= set(drawn(display))
    assert "calm" not in drawn(display)
    assert TagsDisplay(values[:1], times[:1], list("abc")).plot().im_ is not None


def test_tags_of_a_transformer(clip):
    def loud_and_bright(frames):
        crossings = np.abs(np.diff(np.sign(frames), axis=1)).mean(axis=1)
        return np.stack([np.abs(frames).mean(axis=1), crossings], axis=1)

    transformer = ClipFunctionTransformer(
        loud_and_bright, target_sr=SR, frame_size=1.0, hop_size=1.0, name="sound"
    ).fit([clip])
    display = TagsDisplay.from_transformer(transformer, clip)
    frames = transformer.transform_frames([clip])[0]
    np.testing.assert_array_equal(display.probabilities, frames)
    np.testing.assert_array_equal(display.times, transformer.frame_times(len(frames)))
    assert len(display.tags) == 2
    assert not any("sound" in tag for tag in display.tags)


def test_tags_must_fit():
    with pytest.raises(ValueError, match=r"a column for each tag, \(2, 3\)\. Got shape \(2, 2\)"):
        TagsDisplay(np.zeros((2, 2)), [0, 1], list("abc"))


def test_quadrants_and_their_labels(drawn):
    valence, arousal = [0.5, -0.5, -0.5, 0.5, 0.0], [0.4, 0.4, -0.4, -0.4, 0.0]
    labels = ["glad", "$", "sad", "calm", "sad"]
    display = QuadrantDisplay(valence, arousal, labels=labels).plot()
    assert display.quadrants().tolist() == ["Q1", "Q2", "Q3", "Q4", "Q3"]
    assert {"glad", "$", "Q1", "valence", "arousal"} <= set(drawn(display))
    np.testing.assert_array_equal(
        display.scatters_["sad"].get_offsets(), [[-0.5, -0.4], [0.0, 0.0]]
    )
    (left, right), (low, high) = display.ax_.get_xlim(), display.ax_.get_ylim()
    assert (right, high) == (-left, -low)
    five = QuadrantDisplay([4, 6], [6, 6], center=(5, 5))
    assert five.quadrants().tolist() == ["Q2", "Q1"]


def test_quadrants_of_repeated_predictions_have_means_and_intervals():
    rng = np.random.default_rng(0)
    clips = np.repeat([3, 1, 2], 200)
    valence = np.repeat([0.5, -0.5, 0.1], 200) + 0.1 * rng.normal(size=600)
    arousal = np.repeat([-0.2, 0.2, 0.0], 200) + 0.01 * rng.normal(size=600)
    order = rng.permutation(600)
    display = QuadrantDisplay.from_predictions(
        valence[order], arousal[order], clips[order], labels=np.array(list("abc"))[clips[order] - 1]
    )
    np.testing.assert_allclose(display.valence, [-0.5, 0.1, 0.5], atol=0.03)
    np.testing.assert_allclose(display.arousal, [0.2, 0.0, -0.2], atol=0.003)
    assert display.labels.tolist() == ["a", "b", "c"]
    width = display.intervals[:, 1] - display.intervals[:, 0]
    np.testing.assert_allclose(width[0], 2 * 1.96 * 0.1, rtol=0.2)
    np.testing.assert_allclose(width[1], 2 * 1.96 * 0.01, rtol=0.2)


def test_quadrants_refuse_intervals_of_another_shape():
    with pytest.raises(ValueError, match=r"\(2, 2, 3\)\. Got shape \(2, 3\)"):
        QuadrantDisplay([0, 1, 2], [0, 1, 2], intervals=np.zeros((2, 3)))


@pytest.fixture(scope="module")
def tagged():
    """Loud songs are angry, songs with little piano are sad; one tag means nothing."""
    rng = np.random.default_rng(0)
    y = np.repeat(["angry", "calm", "sad"], 50)
    X = pd.DataFrame(rng.normal(size=(150, 3)), columns=["loud", "piano", "vocal"])
    X["loud"] += 3.0 * (y == "angry")
    X["piano"] -= 3.0 * (y == "sad")
    return X, y, np.tile(np.arange(10), 15)


@pytest.mark.parametrize("classifier", [LogisticRegression(), SVC()])
def test_importance_finds_the_tags_that_speak_for_an_emotion(tagged, classifier, drawn):
    X, y, groups = tagged
    display = TagImportanceDisplay.from_estimator(classifier, X, y, groups=groups, n_tags=2)
    assert display.classes == ["angry", "calm", "sad"]
    angry, _, sad = display.importances
    assert angry.argmax() == 0
    assert sad.argmax() == 1
    assert display.directions[0, 0] > 2
    assert display.directions[2, 1] < -2
    assert display.intervals[0, 0, 0] > 0
    assert display.intervals[0, 0, 2] < 0 < display.intervals[1, 0, 2]
    assert display.shown_[0] == (0, 0)
    assert len(display.shown_) == 6
    texts = drawn(display)
    assert {"more loud", "less piano", "angry"} <= set(texts)
    what = "probability" if hasattr(classifier, "predict_proba") else "recall"
    assert any(f"loss of {what}" in text for text in texts)


def test_importance_is_the_same_again_and_keeps_groups_apart(tagged):
    X, y, groups = tagged
    seen = []

    class Watched(GroupKFold):
        def split(self, X, y=None, groups=None):
            for train, test in super().split(X, y, groups):
                seen.append(set(groups[train]) & set(groups[test]))
                yield train, test

    first, second = (
        TagImportanceDisplay.from_estimator(
            LogisticRegression(), X, y, groups=groups, cv=Watched(3), n_repeats=2
        )
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.importances, second.importances)
    assert seen == [set()] * 6


def test_importance_needs_a_name_for_each_tag(tagged):
    X, y, _ = tagged
    with pytest.raises(ValueError, match=r"'tags' .* each of the 3 columns of X. Got None"):
        TagImportanceDisplay.from_estimator(SVC(), X.to_numpy(), y)
