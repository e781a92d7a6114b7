"""The published weights files: where they come from, how they are recognised, their licences."""

from dataclasses import dataclass, field
from types import MappingProxyType

from skmer.exceptions import InputError

OPENL3_URL = "https://github.com/marl/openl3/raw/models/"
VGGISH_URL = "https://storage.googleapis.com/audioset/"
OPENL3_CITATION = (
    "A. L. Cramer, H.-H. Wu, J. Salamon and J. P. Bello, 'Look, Listen, and Learn More: Design "
    "Choices for Deep Audio Embeddings', ICASSP 2019, pp. 3852-3856."
)
VGGISH_CITATION = (
    "S. Hershey et al., 'CNN Architectures for Large-Scale Audio Classification', ICASSP 2017, "
    "pp. 131-135."
)
MUSICNN_CITATION = (
    "J. Pons and X. Serra, 'musicnn: Pre-trained convolutional neural networks for music audio "
    "tagging', ISMIR 2019, late-breaking demo."
)


@dataclass(frozen=True, kw_only=True)
class WeightsFile:
    """One published file; `checksums` maps "git-blob", "md5" or "sha256" to lower-case hex."""

    name: str
    file: str
    checksums: dict[str, str]
    licence: str
    citation: str
    # an address that ends in "/", or else the package and version that the file is the wheel of
    base_url: str | None = None
    requirement: str | None = None
    size: int | None = None
    # the same arrays inside an installed package, below site-packages, and their checksums
    installed: str | None = None
    installed_checksums: dict[str, str] = field(default_factory=dict)


# Blob ids as the branch "models" of github marl/openl3 lists them. The two SHA-256 of mel256_music
# are those that a third party pinned (github whepper/musicpack).
_OPENL3_BLOBS = {
    ("linear", "env"): "7837407f033f3564c7e8d53fc4a4241fe160478b",
    ("linear", "music"): "4e2e61beb17865481c8b8791c72eac8307e2753a",
    ("mel128", "env"): "8c3dfee140f7776373841e5938a3e76c54f28942",
    ("mel128", "music"): "73ff29de441865318c4b3a3f98c40763c4773e7c",
    ("mel256", "env"): "34dbd7a91cdd2de6a3d6d036ac0a24d27d78e3cc",
    ("mel256", "music"): "15e483646fa3d4091a463f0affbb706e6bbbb098",
}
_PACKED_SHA256 = {
    ("mel256", "music"): "e379f41e880b78e157c199ebddac80d3764e6a46282bcccdbe875bcf538f9afd"
}
_UNPACKED_SHA256 = {
    ("mel256", "music"): "624ee7b1dd5ff87e18073f66fd8b2052bebb8ac70210e9c0937c0c940c63e9d6"
}


def l3_name(content_type: str, input_repr: str) -> str:
    """The registry's name of one OpenL3 network."""
    return f"openl3-{input_repr}-{content_type}"


def _openl3(input_repr: str, content_type: str) -> WeightsFile:
    """The registry's entry of one OpenL3 network."""
    key = (input_repr, content_type)
    checksums = {"git-blob": _OPENL3_BLOBS[key]}
    if key in _PACKED_SHA256:
        checksums["sha256"] = _PACKED_SHA256[key]
    return WeightsFile(
        name=l3_name(content_type, input_repr),
        file=f"openl3_audio_{input_repr}_{content_type}-v0_4_0.h5.gz",
        base_url=OPENL3_URL,
        checksums=checksums,
        licence="CC BY 4.0",
        citation=OPENL3_CITATION,
        installed=f"openl3/openl3_audio_{input_repr}_{content_type}.h5",
        installed_checksums={"sha256": _UNPACKED_SHA256[key]} if key in _UNPACKED_SHA256 else {},
    )


def _vggish(name: str, file: str, md5: str) -> WeightsFile:
    """The registry's entry of one VGGish file."""
    return WeightsFile(
        name=name,
        file=file,
        base_url=VGGISH_URL,
        checksums={"md5": md5},
        licence="Apache 2.0",
        citation=VGGISH_CITATION,
    )


def musicnn_name(trained_on: str) -> str:
    """The registry's name of one MusiCNN model."""
    return f"musicnn-{trained_on}"


def _musicnn(trained_on: str) -> WeightsFile:
    """The registry's entry of one MusiCNN model; both are in one wheel."""
    return WeightsFile(
        name=musicnn_name(trained_on),
        file="musicnn-0.1.0-py3-none-any.whl",
        requirement="musicnn==0.1.0",
        checksums={"sha256": "f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa"},
        licence="ISC",
        citation=MUSICNN_CITATION,
        size=29_292_476,
        installed=f"musicnn/{trained_on.upper()}_musicnn/.index",
    )


REGISTRY = MappingProxyType(
    {
        entry.name: entry
        for entry in (
            *(_openl3(*key) for key in _OPENL3_BLOBS),
            *(_musicnn(trained_on) for trained_on in ("msd", "mtt")),
            _vggish("vggish", "vggish_model.ckpt", "d1c7011e6366aa34176bb05c705e31a8"),
            _vggish("vggish-pca", "vggish_pca_params.npz", "c80cae691033abe7c7ecd11ea39fc834"),
        )
    }
)


def find_entry(name: str) -> WeightsFile:
    """The entry called `name`, or a ValueError that lists the names."""
    if not isinstance(name, str) or name not in REGISTRY:
        raise InputError(f"The weights are one of {', '.join(REGISTRY)}. Got {name!r} instead.")
    return REGISTRY[name]
