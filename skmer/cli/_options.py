"""What options say in words, as the library wants it."""

from collections.abc import Sequence

from skmer.exceptions import InputError


def split_names(option: str, text: str, known: Sequence[str]) -> list[str]:
    """Split a comma-separated list of known names."""
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in known:
            raise InputError(
                f"{option} must be one or several of {', '.join(known)}, separated by commas. "
                f"Got {text!r}."
            )
    return names


def check_choice(option: str, text: str, known: Sequence[str]) -> str:
    """Refuse what is not one of a few words."""
    if text not in known:
        raise InputError(f"{option} must be one of {', '.join(known)}. Got {text!r}.")
    return text


def parse_weights(text: str) -> str | dict[str, str | None] | None:
    """Turn pretrained, random, or l3=PATH,vggish=PATH into what `evaluate` takes."""
    words: dict[str, str | None] = {"pretrained": "pretrained", "random": None}
    if text in words:
        return words[text]
    weights = {}
    for item in text.split(","):
        network, equals, value = item.strip().partition("=")
        if network not in ("l3", "vggish") or not equals or not value:
            raise InputError(
                "--weights must be pretrained, random, or files such as "
                f"l3=PATH,vggish=PATH. Got {text!r}."
            )
        weights[network] = words.get(value, value)
    return weights
