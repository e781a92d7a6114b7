"""The card of a model: how it was made, what it scores, and what it may be used for."""

from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape

from sklearn.base import is_classifier

from skmer.embeddings import base, registry, settings


class ModelCard(dict):
    """The card of a model, as `read_card` returns it: a dict that notebooks show as a page."""

    def _repr_html_(self) -> str:
        """Return what the model is and scores in full, and the rest behind a click."""
        first = ("name", "created", "task", "model", "classes", "targets", "scores")
        shown = {name: self[name] for name in first if name in self}
        rest = {name: value for name, value in self.items() if name not in shown and value}
        folded = "".join(
            f"<details><summary>{escape(str(name).capitalize())}</summary>{_html(value)}</details>"
            for name, value in rest.items()
        )
        return f"<div>{_html(shown)}{folded}</div>"


def make_card(transformers, rest, card: Mapping | None, versions: Mapping) -> dict:
    """Describe a fitted pipeline; what is given in `card` is added and goes first."""
    made: dict = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "task": "classification" if is_classifier(rest) else "regression",
        "features": [_describe(one) for one in transformers],
        "model": " + ".join(type(step).__name__ for _, step in rest.steps),
        "versions": dict(versions),
    }
    if is_classifier(rest):
        made["classes"] = [str(label) for label in rest.classes_]
    return {**(card or {}), **made}


def _describe(transformer) -> dict:
    random = getattr(transformer, "weights", "") is None
    feature = registry.feature_of(transformer)
    licence = getattr(transformer, "weights_licence_", None) or getattr(feature, "licence", None)
    return settings.describe_transformer(transformer) | {
        "engine": engine_of(transformer),
        "weights_are_random": random,
        "weights_licence": None if random else licence,
    }


def engine_of(transformer) -> str | None:
    """Return the engine that runs a network here; None where skmer's engines run none."""
    return transformer._engine() if isinstance(transformer, base.NetworkTransformer) else None


def to_markdown(card: Mapping) -> str:
    """Write a card for people."""
    lines = [f"# {card.get('name', 'A model of skmer')}", ""]
    lines += [f"{card['task'].capitalize()} of clips by {card['model']}, made {card['created']}."]
    for name in ("classes", "targets"):
        if name in card:
            lines += ["", f"{name.capitalize()}: {', '.join(map(_escape, card[name]))}."]
    for feature in card["features"]:
        lines += ["", f"## {feature['transformer']}", ""]
        lines += [f"* {name}: `{value}`" for name, value in feature["parameters"].items()]
        if feature["weights"] is not None:
            lines += [f"* weights: {feature['weights']}, digest `{feature['weights_digest']}`"]
        if feature.get("engine"):
            lines += [f"* engine: {feature['engine']}"]
        if feature["weights_licence"]:
            lines += [f"* licence of the weights: {feature['weights_licence']}"]
    for title in (
        "scores", "protocol", "interval", "groups", "data", "audit", "trusted", "versions",
    ):  # fmt: skip
        if card.get(title):
            lines += ["", f"## {title.capitalize()}", "", *_listed(card[title])]
    return "\n".join(lines) + "\n"


def _listed(value, indent: str = "") -> list[str]:
    if isinstance(value, Mapping):
        items = list(value.items())
    elif isinstance(value, list | tuple):
        items = [(None, one) for one in value]
    else:
        return [f"{indent}* {_escape(value)}"]
    lines = []
    for name, one in items:
        start = f"{indent}* " if name is None else f"{indent}* {_escape(name)}:"
        if isinstance(one, Mapping | list | tuple):
            lines += [start.rstrip(), *_listed(one, indent + "  ")]
        else:
            lines.append(f"{start} {_escape(one)}".replace("*  ", "* "))
    return lines


def _html(value) -> str:
    """Return nested values as nested lists."""
    if isinstance(value, Mapping):
        items = "".join(
            f"<li><strong>{escape(str(name))}</strong>: {_html(one)}</li>"
            for name, one in value.items()
        )
        return f"<ul>{items}</ul>"
    if isinstance(value, list | tuple):
        if any(isinstance(one, Mapping | list | tuple) for one in value):
            return f"<ol>{''.join(f'<li>{_html(one)}</li>' for one in value)}</ol>"
        return ", ".join(map(_html, value))
    return escape(_text(value))


def _text(value) -> str:
    """A number with the digits that mean something, anything else in one line."""
    return f"{value:.3f}" if isinstance(value, float) else " ".join(str(value).split())


def _escape(value) -> str:
    """Text as it is meant, not as markup."""
    return _text(value).translate({ord(mark): f"\\{mark}" for mark in "\\`*_<[|"})
