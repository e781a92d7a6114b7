"""Files and folders: paths, digests, downloads, the cache of clips."""
