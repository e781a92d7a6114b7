"""The clips of the toy emotions, with several tags each.

:Clips: 80 of 6.5 s, 16000 Hz, mono, 16 bit; 17 MB, the same files as those of ``toy``
:Tags: 8, two to seven a clip
:Groups: 10 invented artists, 8 clips each
:Licence: BSD-3-Clause; the clips are computed by skmer

Each tag states a trait that the clip was played with: energetic and calm, happy and dark are high
and low arousal and valence, fast, bright, rough and percussive are clips above the average in that
trait. A clip that lacks a tag does not have the trait: unlike the tags of people, these are
complete.
"""

from dataclasses import replace

from skmer.datasets import registry, tables, toy

TAGS = ("bright", "calm", "dark", "energetic", "fast", "happy", "percussive", "rough")
# Tags of a trait that is above its average.
_TRAITS = {"fast": "tempo", "bright": "brightness", "rough": "roughness", "percussive": "drums"}
INFO = replace(toy.INFO, name="toy-tags", title="Toy tags", class_counts={})


def tags_of(artist: int, quadrant: str, take: int) -> list[str]:
    """Tags of one clip, from what it was played with."""
    rng = toy.stream(artist, list(toy.SIGNS).index(quadrant), take)
    traits = toy.style_of(artist, quadrant, rng)
    arousal, valence = toy.SIGNS[quadrant]
    tags = ["energetic" if arousal > 0 else "calm", "happy" if valence > 0 else "dark"]
    return sorted(tags + [tag for tag, trait in _TRAITS.items() if getattr(traits, trait) > 0])


@registry.register_dataset(INFO, validate=toy.validate)
def load_toy_tags(
    *,
    data_home: registry.DataHome = None,
    return_X_y: bool = False,
    as_frame: bool = False,
):
    """Load the generated clips of :func:`load_toy_emotions` with several tags each.

    =========   =================================
    Clips       80, of 6.5 s, 16000 Hz, mono
    Tags        8
    Groups      10 invented artists, 8 clips each
    Licence     BSD-3-Clause
    =========   =================================

    Parameters
    ----------
    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        data : ndarray of str, shape (80,)
            Paths of the wav files.
        target : ndarray of int, shape (80, 8)
            1 where a clip has the tag.
        target_names : list of str
            The tags.
        groups : ndarray of str, shape (80,)
            The artists.
        frame : DataFrame, shape (80, 4)
            path, group, take, tags (separated by semicolons).
        DESCR : str
            Description.

    (data, target) : tuple
        If ``return_X_y`` is True.

    Raises
    ------
    OSError
        If the clips cannot be written.

    Examples
    --------
    >>> from skmer.datasets import load_toy_tags
    >>> clips = load_toy_tags()
    >>> clips.frame["tags"][0]
    'bright;energetic;fast;happy;percussive'
    """
    frame = toy.load_toy_emotions(data_home=data_home, as_frame=True).frame
    tags = [tags_of(*clip) for clip in toy.clip_names().values()]
    frame = frame.drop(columns="label").assign(tags=[";".join(one) for one in tags])
    target = tables.indicators(tags, TAGS)
    return registry.make_bunch(frame, INFO, target=target, target_names=TAGS)
