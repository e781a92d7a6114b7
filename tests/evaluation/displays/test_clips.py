"""Maps of clips, spectrograms, and tags over time."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from skmer.embeddings import ClipFunctionTransformer
from skmer.evaluation import EmbeddingMapDisplay, SpectrogramDisplay, TagsDisplay


def test_map_draws_every_clip_once_and_tells_many_labels_apart(ax):
    rng = np.random.default_rng(0)
    labels = np.repeat([f"singer {i:02d}" for i in range(23)], 3)
    display = EmbeddingMapDisplay(rng.normal(size=(69, 2)), labels, name="singer").plot(ax)
    assert sum(len(points.get_offsets()) for points in display.scatters_.values()) == 69
    np.testing.assert_allclose(
        display.scatters_["singer 04"].get_offsets(), display.embedding[12:15]
    )
    looks = {
        (to_hex(points.get_facecolor()[0]), points.get_paths()[0].vertices.tobytes())
        for points in display.scatters_.values()
    }
    assert len(looks) == 23
    assert display.ax_.get_legend().get_title().get_text() == "singer"
    assert f"{display.purity_:.0%}" in display.ax_.get_title()


def test_map_of_features_is_reproducible():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 4)) + 8 * np.repeat([0, 1], 15)[:, None]
    first, second = (
        EmbeddingMapDisplay.from_features(X, np.repeat([0, 1], 15), perplexity=5) for _ in range(2)
    )
    np.testing.assert_array_equal(first.embedding, second.embedding)
    assert first.embedding.shape == (30, 2)
    assert first.purity_ > 0.6


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


def test_times_must_fit():
    with pytest.raises(TypeError, match="Dimensions of C"):
        TagsDisplay(np.zeros((2, 2)), [0, 1, 2], list("ab")).plot()
