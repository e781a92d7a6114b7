"""How a single claim is judged: held, not held, or not testable here, and why."""

from dataclasses import dataclass

HELD, NOT_HELD, NOT_TESTABLE = "held", "not held", "not testable here"


@dataclass(frozen=True)
class Verdict:
    """A judgement and its reason, one sentence."""

    state: str
    reason: str


def not_testable(reason: str) -> Verdict:
    """Return the verdict of what cannot be looked at."""
    return Verdict(NOT_TESTABLE, reason)


def judge(held: bool, reason: str) -> Verdict:
    """Return the verdict of what was looked at."""
    return Verdict(HELD if held else NOT_HELD, reason)


def judge_counts(published: dict[str, int], here: dict[str, int | None]) -> Verdict:
    """Judge whether the classes have as many clips as printed."""
    counts = {label: count for label, count in here.items() if count is not None}
    if not counts:
        return not_testable("the dataset is not in place")
    if counts == published:
        return judge(True, f"{sum(published.values())} clips, class by class")
    if all(count <= published[label] for label, count in counts.items()):
        return not_testable(
            f"{sum(counts.values())} of {sum(published.values())} clips are in place, and no class "
            "has more than printed"
        )
    return judge(
        False, ", ".join(f"{label} {n} for {published[label]}" for label, n in counts.items())
    )


def judge_value(published: float, found: dict) -> Verdict:
    """Judge whether a printed score lies in the interval of the one found."""
    estimate, low, high = (found[key] for key in ("estimate", "low", "high"))
    if not low <= high:
        return not_testable(f"found {estimate:.3f}, without an interval for a single group")
    where = "below" if published < low else "above" if published > high else "inside"
    return judge(
        where == "inside",
        f"{published:.3f} lies {where} the interval {low:.3f} to {high:.3f} of {estimate:.3f}",
    )


def judge_above(earlier: float, found: dict) -> Verdict:
    """Judge whether a score is above an earlier one by more than its interval."""
    estimate, low, high = (found[key] for key in ("estimate", "low", "high"))
    if not low <= high:
        return not_testable(f"found {estimate:.3f}, without an interval for a single group")
    return judge(
        low > earlier, f"found {estimate:.3f}, {low:.3f} to {high:.3f}, against {earlier:.3f}"
    )


def judge_order(
    accuracies: dict[str, dict[str, float]], *, best: str, but: set[str], wanted: set[str]
) -> Verdict:
    """Judge whether one feature is best with every classifier, but those excepted.

    `accuracies` holds the features' scores by classifier; `wanted` are the classifiers of the
    claim.
    """
    against = {
        classifier: max(scores, key=scores.__getitem__)
        for classifier, scores in accuracies.items()
        if (max(scores, key=scores.__getitem__) == best) is (classifier in but)
    }
    if against:
        told = ", ".join(f"{winner} is best with {name}" for name, winner in against.items())
        return judge(False, told)
    if wanted - set(accuracies):
        ran = ", ".join(accuracies)
        return not_testable(f"nothing against it, but of the classifiers only {ran} were run")
    return judge(True, f"in all {len(wanted)} classifiers, the stated exceptions included")


def judge_difference(difference: float, low: float, high: float) -> Verdict:
    """Judge whether a paired difference is positive beyond its interval."""
    told = f"{difference:+.3f}, {low:+.3f} to {high:+.3f}"
    if low > 0:
        return judge(True, told)
    if difference > 0:
        return judge(False, f"{told}: the sign is as claimed, but the interval holds 0")
    return judge(False, told)


def judge_purities(
    purities: dict[str, tuple[float, float]], spreads: dict[str, tuple[float, float]]
) -> dict[str, Verdict]:
    """Judge what a map groups by: purity and chance, and the range over perplexities, by label."""
    sex, _ = purities["sex"]
    lift = {name: (found - chance) / (1 - chance) for name, (found, chance) in purities.items()}
    singer, emotion = lift["singer"], lift["emotion"]
    widest = max(high - low for low, high in spreads.values())
    return {
        "sex": judge(sex >= 0.9, f"{sex:.0%} of 10 neighbours share the sex (held from 90 %)"),
        "singer": judge(
            singer > emotion,
            f"above chance the purity of singers is {singer:.2f} of what is possible and that of "
            f"emotions {emotion:.2f} (held where singers have more)",
        ),
        "stable": judge(
            widest <= 0.1,
            f"no purity varies by more than {widest:.2f} over perplexities (held up to 0.10)",
        ),
    }
