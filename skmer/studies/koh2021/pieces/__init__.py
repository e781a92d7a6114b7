"""The pieces that are computed and stored one by one, so that a run can be resumed."""
