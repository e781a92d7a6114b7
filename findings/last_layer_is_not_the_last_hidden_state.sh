#!/usr/bin/env bash
# In some audio encoders of transformers the last entry of `hidden_states` is the network's output; in
# others it lacks the final layer normalisation. For Wav2Vec2, HuBERT and
# WavLM this depends on the checkpoint (large checkpoints have `do_stable_layer_norm`, and lack it); AST
# always lacks it; Whisper's encoder and Data2VecAudio never lack it. So a comparison of "layer 12" of one model
# with "the output" of another compares different quantities.
#
# transformers 5.24.0, torch 2.13.0; 2026-11-30.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "transformers==5.24.0" "torch==2.13.0" "numpy==2.4.6"
"$folder/venv/bin/python" - <<'END'
import torch
import transformers
from transformers import (
    ASTConfig, ASTModel, Data2VecAudioConfig, Data2VecAudioModel, HubertConfig, HubertModel,
    Wav2Vec2Config, Wav2Vec2Model, WavLMConfig, WavLMModel, WhisperConfig, WhisperModel,
)

print("transformers", transformers.__version__, "torch", torch.__version__)
torch.manual_seed(0)
size = dict(hidden_size=32, num_hidden_layers=3, num_attention_heads=2, intermediate_size=48)
waves = dict(size, conv_dim=(16, 16), conv_kernel=(10, 3), conv_stride=(5, 2))
noise = torch.randn(1, 4000)
cases = []
for config, model in ((Wav2Vec2Config, Wav2Vec2Model), (HubertConfig, HubertModel), (WavLMConfig, WavLMModel)):
    for stable in (False, True):
        made = model(config(
            **waves, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=2,
            do_stable_layer_norm=stable, feat_extract_norm="layer" if stable else "group",
        ))
        cases.append((f"{model.__name__}, do_stable_layer_norm={stable}", made, noise, not stable))
cases += [
    ("Data2VecAudioModel", Data2VecAudioModel(Data2VecAudioConfig(
        **waves, num_conv_pos_embeddings=2, conv_pos_kernel_size=5)), noise, True),
    ("ASTModel", ASTModel(ASTConfig(**size, max_length=64, num_mel_bins=32)), torch.randn(1, 64, 32), False),
    ("WhisperModel.encoder", WhisperModel(WhisperConfig(
        d_model=32, encoder_layers=3, encoder_attention_heads=2, encoder_ffn_dim=48, decoder_layers=1,
        decoder_attention_heads=2, decoder_ffn_dim=8)).encoder, torch.randn(1, 80, 3000), True),
]
failed = False
for name, model, given, expected in cases:
    with torch.no_grad():
        out = model.eval()(given, output_hidden_states=True)
    equal = torch.equal(out.hidden_states[-1], out.last_hidden_state)
    scale = [round(float(layer.std()), 2) for layer in (*out.hidden_states, out.last_hidden_state)]
    print(f"{name}: hidden_states[-1] is last_hidden_state: {equal}; standard deviations {scale}")
    failed |= equal is not expected
raise SystemExit("the behaviour has changed" if failed else 0)
END
