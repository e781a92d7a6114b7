"""The outcome of `reproduce_koh2021`: what was found, and what it says of the study's claims."""

from functools import cached_property
from pathlib import Path

import pandas as pd

from skmer.studies.koh2021.claims import Claim, Findings, judge_claims
from skmer.utils.files import atomic_folder, check_output_folder
from skmer.utils.messages import html_list


class Reproduction(Findings):
    """Everything that `reproduce_koh2021` has found.

    Attributes
    ----------
    datasets : object
        The datasets in place, and why the others are not.
    features : dict of str to object
        The features that were run.
    left_out : dict of str to str
        Why the other features were not.
    results : dict of (dataset, edition) to EvaluationResult
        Classification, editions "faithful" and "defensible".
    regressions : dict of (feature, edition) to RegressionResult
        Arousal and valence of Emotion in Music.
    maps : dict of str to object
        The map of RAVDESS by feature.
    audits : dict
        What the leakage audits found.
    reports : dict
        Which numbers of clips the printed reports can come from.
    computed : list of str
        The pieces that this run computed; the others were there from an earlier one.
    """

    @cached_property
    def claims(self) -> list[Claim]:
        """The claims of the study, each with a verdict for the editions that it concerns."""
        return judge_claims(self)

    def _repr_html_(self) -> str:
        """Return what the first screen of the page says, as notebooks show it."""
        from skmer.studies.koh2021.page import find_news, make_headline, sort_claims

        news = [note.text for note in find_news(self)]
        return html_list([make_headline(sort_claims(self.claims)), *news])

    def save(self, folder) -> Path:
        """Write table.csv, claims.csv and report.html, all of them or none.

        Parameters
        ----------
        folder : path-like
            Made where it does not exist.

        Returns
        -------
        folder : pathlib.Path
            Where they were written.
        """
        # Figures and templates are only needed here.
        from skmer.studies.koh2021.page import render_study

        folder = check_output_folder(folder)
        claims = [
            (claim.text, claim.origin, edition, verdict.state, verdict.reason)
            for claim in self.claims
            for edition, verdict in claim.verdicts.items()
        ]
        columns = ["claim", "origin", "edition", "verdict", "reason"]
        page = render_study(self, self.claims)
        with atomic_folder(folder) as whole:
            self.table.to_csv(whole / "table.csv", index=False)
            pd.DataFrame(claims, columns=columns).to_csv(whole / "claims.csv", index=False)
            (whole / "report.html").write_text(page, encoding="utf-8")
        return folder
