"""Files that are no models, were changed, or whose saving was killed."""

import hashlib
import io
import json
import pickle
import subprocess
import zipfile

import numpy as np
import pytest
import skops.io
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from skmer import MFCCStatsTransformer
from skmer.exceptions import InputError, InputTypeError
from skmer.models import load_model, read_card, save_model


class Evil:
    def __reduce__(self):
        return print, ("run",)


def test_files_that_are_no_models(songs, tmp_path):
    paths, y = songs
    model = make_pipeline(MFCCStatsTransformer(), SVC()).fit(paths[:8], y[:8])
    path = save_model(model, tmp_path / "m.skmer")
    whole = path.read_bytes()
    with pytest.raises(FileNotFoundError, match="There is no model"):
        load_model(tmp_path / "none.skmer")
    for content in (b"", b"no archive", pickle.dumps(Evil()), whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(InputError, match="not a model that save_model wrote"):
            load_model(path)
    for seed in range(40):
        damaged, rng = bytearray(whole), np.random.default_rng(seed)
        damaged[rng.integers(len(whole))] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        # What does not matter may be changed; whatever loads is the model that was saved.
        try:
            again = load_model(path)
        except InputError:
            continue
        np.testing.assert_array_equal(again.predict(paths), model.predict(paths))


def test_a_model_whose_saving_was_killed_as_it_took_its_place_is_there(
    songs, tmp_path, monkeypatch
):
    paths, y = songs
    model = make_pipeline(MFCCStatsTransformer(), GaussianNB()).fit(paths[:8], y[:8])

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("os.replace", die)
        save_model(model, tmp_path / "m.skmer")
    assert not (tmp_path / "m.skmer").exists()
    again = load_model(tmp_path / "m.skmer")
    np.testing.assert_array_equal(again.predict(paths), model.predict(paths))
    # The next saving there puts the first in its place, whatever its own name.
    save_model(model, tmp_path / "other.skmer")
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{name}.{suffix}" for name in ("m", "other") for suffix in ("skmer", "md")
    }


@pytest.fixture(scope="module")
def members(songs, tmp_path_factory):
    """The members of a model file, and of the archive of the pipeline in it."""
    paths, y = songs
    model = make_pipeline(MFCCStatsTransformer(), GaussianNB()).fit(paths[:8], y[:8])
    path = save_model(model, tmp_path_factory.mktemp("model") / "m.skmer")
    with zipfile.ZipFile(path) as archive:
        card, inner = json.loads(archive.read("card.json")), archive.read("model.skops")
    with zipfile.ZipFile(io.BytesIO(inner)) as archive:
        return card, {name: archive.read(name) for name in archive.namelist()}


def pack(members, compression=zipfile.ZIP_STORED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.mark.parametrize(
    "change",
    [
        {"format": None}, {"format": "1e"}, {"format": [1]}, {"versions": None}, {"versions": []},
        {"versions": "skmer"}, {"model_sha256": None},
    ],
)  # fmt: skip
def test_cards_that_were_changed(members, tmp_path, change):
    card, inner = members
    path = tmp_path / "m.skmer"
    path.write_bytes(pack({"card.json": json.dumps(card | change), "model.skops": pack(inner)}))
    for read in (read_card, load_model):
        with pytest.raises(InputError, match=r"not a model that save_model wrote|is damaged"):
            read(path)


@pytest.mark.parametrize("card", ["[]", "3", "[" * 100_000, '"format"', "{}"])
def test_cards_that_are_none(members, tmp_path, card):
    path = tmp_path / "m.skmer"
    path.write_bytes(pack({"card.json": card, "model.skops": pack(members[1])}))
    with pytest.raises(InputError, match="not a model that save_model wrote"):
        read_card(path)


@pytest.mark.parametrize("inside", [False, True])
def test_a_model_that_unpacks_to_far_more(members, tmp_path, inside):
    card, inner = members
    bomb = pack(inner | {"bomb.npy": bytes(10**6)}, zipfile.ZIP_DEFLATED if inside else 0)
    card = json.dumps(card | {"model_sha256": hashlib.sha256(bomb).hexdigest()})
    path = tmp_path / "m.skmer"
    packed = pack({"card.json": card, "model.skops": bomb}, 0 if inside else zipfile.ZIP_DEFLATED)
    path.write_bytes(packed)
    with pytest.raises(InputError, match="not a model that save_model wrote"):
        load_model(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"{", b""),
        (b'"Pipeline"', b'"x"'),
        (b'"__loader__": "ObjectNode"', b'"__loader__": "NoNode"'),
        (b'"__loader__": "ObjectNode"', b'"__loader__": "DictNode"'),
        (b'"steps"', b'"stops"'),
        (b'"content"', b'"intent"'),
        (b".npy", b".npx"),
        (b'"protocol"', b'"p"'),
    ],
)
def test_trees_that_were_changed(members, tmp_path, old, new):
    card, inner = members
    model = pack(inner | {"schema.json": inner["schema.json"].replace(old, new)})
    card = json.dumps(card | {"model_sha256": hashlib.sha256(model).hexdigest()})
    path = tmp_path / "m.skmer"
    path.write_bytes(pack({"card.json": card, "model.skops": model}))
    with pytest.raises((InputError, InputTypeError)) as caught:
        load_model(path)
    assert len(str(caught.value)) <= 500
    assert "\n" not in str(caught.value)


def test_types_that_could_run_code_are_not_loaded(songs, tmp_path):
    paths, y = songs
    model = make_pipeline(MFCCStatsTransformer(), FunctionTransformer(np.square), SVC())
    model.fit(paths[:8], y[:8])
    good = save_model(
        make_pipeline(MFCCStatsTransformer(), SVC()).fit(paths[:8], y[:8]), tmp_path / "m.skmer"
    )
    class_of_ours = type("Ours", (SVC,), {"__module__": __name__})
    with pytest.raises(InputError, match="neither scikit-learn's nor skmer's"):
        foreign = make_pipeline(MFCCStatsTransformer(), class_of_ours()).fit(paths[:8], y[:8])
        save_model(foreign, tmp_path / "foreign.skmer")
    assert not (tmp_path / "foreign.skmer").exists()
    card = read_card(good)
    planted = skops.io.dumps({"call": subprocess.Popen})
    with zipfile.ZipFile(good, "w") as archive:
        archive.writestr("model.skops", planted)
        archive.writestr(
            "card.json", json.dumps(card | {"model_sha256": hashlib.sha256(planted).hexdigest()})
        )
    with pytest.raises(InputError, match=r"not loaded because they could run code: subprocess"):
        load_model(good)
