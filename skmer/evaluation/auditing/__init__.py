"""The search for leaks: what makes test scores look better than they are."""
