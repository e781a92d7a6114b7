"""Small models of the hub with random weights, of the true classes, and clips for them."""

import os
from functools import cache
from importlib.util import find_spec

import numpy as np
import pytest

MISSING = [name for name in ("torch", "transformers", "safetensors") if find_spec(name) is None]
if MISSING and os.environ.get("SKMER_HUB") != "1":
    pytest.skip(f"needs {', '.join(MISSING)}, of skmer[hub]", allow_module_level=True)

import torch  # noqa: E402
import transformers as tf  # noqa: E402

SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
}
CONV = {
    "conv_dim": (8, 8, 8),
    "conv_kernel": (10, 3, 3),
    "conv_stride": (5, 4, 4),
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
    "num_feat_extract_layers": 3,
}
STABLE = {"do_stable_layer_norm": True, "feat_extract_norm": "layer"}
CLAP = {
    "patch_embeds_hidden_size": 8,
    "depths": [1, 1, 1],
    "num_attention_heads": [2, 2, 2],
    "spec_size": 128,
    "num_mel_bins": 32,
    "window_size": 4,
    "projection_dim": 12,
    "hidden_size": 32,
}
TEXT = {
    "vocab_size": 20,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "projection_dim": 12,
}


def _clap(fusion):
    audio = CLAP | {"enable_fusion": fusion}
    config = tf.ClapConfig(audio_config=audio, text_config=TEXT, projection_dim=12, hidden_size=32)
    mode = "fusion" if fusion else "rand_trunc"
    return tf.ClapModel(config), tf.ClapFeatureExtractor(
        feature_size=32,
        sampling_rate=16000,
        hop_length=160,
        max_length_s=2,
        truncation=mode,
        frequency_max=8000,
    )


def make_model(family):
    """Return a small model of a family and its extractor; windows of `WINDOW` seconds."""
    waves = tf.Wav2Vec2FeatureExtractor()
    masked = tf.Wav2Vec2FeatureExtractor(return_attention_mask=True)
    match family:
        case "wav2vec2":
            return tf.Wav2Vec2Model(tf.Wav2Vec2Config(**SMALL, **CONV)), waves
        case "wav2vec2-stable":
            return tf.Wav2Vec2Model(tf.Wav2Vec2Config(**SMALL, **CONV, **STABLE)), masked
        case "hubert":
            return tf.HubertModel(tf.HubertConfig(**SMALL, **CONV)), waves
        case "wavlm":
            return tf.WavLMModel(tf.WavLMConfig(**SMALL, **CONV)), waves
        case "data2vec":
            conv = {
                name: value for name, value in CONV.items() if name != "num_conv_pos_embeddings"
            }
            return tf.Data2VecAudioModel(tf.Data2VecAudioConfig(**SMALL, **conv)), waves
        case "ast":
            config = tf.ASTConfig(**SMALL, num_mel_bins=32, max_length=128)
            return tf.ASTModel(config), tf.ASTFeatureExtractor(num_mel_bins=32, max_length=128)
        case "whisper":
            sizes = {
                "d_model": 16,
                "encoder_attention_heads": 2,
                "decoder_attention_heads": 2,
                "encoder_ffn_dim": 24,
                "decoder_ffn_dim": 24,
            }
            config = tf.WhisperConfig(
                **sizes,
                encoder_layers=2,
                decoder_layers=1,
                num_mel_bins=20,
                max_source_positions=100,
                vocab_size=50,
                pad_token_id=0,
                bos_token_id=1,
                eos_token_id=2,
                decoder_start_token_id=1,
            )
            return tf.WhisperModel(config), tf.WhisperFeatureExtractor(
                feature_size=20, chunk_length=2
            )
        case "clap" | "clap-fusion":
            return _clap(family == "clap-fusion")
        case "wav2vec2-bert":
            config = tf.Wav2Vec2BertConfig(
                **SMALL, feature_projection_input_dim=40, conv_depthwise_kernel_size=3
            )
            return tf.Wav2Vec2BertModel(config), tf.SeamlessM4TFeatureExtractor(
                feature_size=20, num_mel_bins=20, stride=2
            )


# The window of each small model [s].
WINDOWS = {
    "wav2vec2": 1.0, "wav2vec2-stable": 1.0, "hubert": 1.0, "wavlm": 1.0, "data2vec": 1.0, "ast": 1.28,
    "whisper": 2.0, "clap": 2.0, "clap-fusion": 2.0, "wav2vec2-bert": 1.0,
}  # fmt: skip
GIVEN = {name: 1.0 for name, window in WINDOWS.items() if window == 1.0}
SECONDS = (0.4, 1.0, 1.28, 2.0, 3.1)


def save_models(root):
    """Return a function from a family to the folder of its model."""

    @cache
    def folder(family):
        torch.manual_seed(0)
        model, extractor = make_model(family)
        # Weights as they are drawn are so small that layers hardly differ.
        with torch.no_grad():
            for one in model.parameters():
                if one.ndim > 1:
                    one.mul_(3)
        path = root / family
        model.save_pretrained(path)
        extractor.save_pretrained(path)
        return str(path)

    return folder


def make_clips():
    """Return waveforms at 16 kHz, shorter than, equal to and longer than the windows."""
    rng = np.random.default_rng(1)
    lengths = [int(16000 * seconds) for seconds in SECONDS]
    return [
        (0.1 * rng.standard_normal(n) * np.linspace(0.2, 1, n)).astype(np.float32) for n in lengths
    ]


def difference(got, expected):
    return np.abs(got - expected).max() / np.abs(expected).max()
