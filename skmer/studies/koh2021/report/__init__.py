"""The page, the tables and the figures of the reproduction."""
