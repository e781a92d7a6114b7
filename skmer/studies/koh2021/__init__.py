"""The study of Koh and Dubnov (2021) done again, faithfully and defensibly, and its report."""
