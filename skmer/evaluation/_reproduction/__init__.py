"""The study of Koh and Dubnov (2021) done again, faithfully and defensibly, and its report."""

from skmer.evaluation._reproduction._reproduce import reproduce_koh2021
from skmer.evaluation._reproduction._reproduction import Reproduction

__all__ = ["Reproduction", "reproduce_koh2021"]
