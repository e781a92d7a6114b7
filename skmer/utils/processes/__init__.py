"""Worker processes, threads, and what each process starts once."""
