"""Files of a record with a DOI: where they are and what their checksum is."""

from skmer.datasets._download import Archive
from skmer.exceptions import DatasetNotFoundError, InputError

_TIMEOUT = 20.0


def find_in_record(doi: str, filename: str) -> Archive:
    """The archive of that name in the record, as its repository lists it."""
    import pooch
    import requests
    from pooch.downloaders import doi_to_repository

    try:
        repository = doi_to_repository(doi, timeout=_TIMEOUT)
        files = pooch.create(path="", base_url="", registry={})
        repository.populate_registry(files)
        url = repository.download_url(filename)
    except requests.exceptions.RequestException as error:
        raise DatasetNotFoundError(
            f"The record https://doi.org/{doi}, which lists {filename}, cannot be asked: "
            f"{type(error).__name__}. Try again later, or fetch the file by hand."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"The record https://doi.org/{doi} must list {filename}. It does not; fetch the file "
            "by hand."
        ) from error
    kind, checksum = files.registry[filename].split(":")
    return Archive(filename, url, **{"sha256": None, kind: checksum})
