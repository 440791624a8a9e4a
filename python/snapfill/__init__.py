"""snapfill fills a search cluster with the documents of an Elasticsearch or OpenSearch snapshot.

Read documents::

    import snapfill

    for document in snapfill.Repository("/backups").snapshot("nightly").documents(index="logs"):
        print(document.id, document.json())

Fill a target with all of them::

    backfill = snapfill.Backfill(repository="/backups", snapshot="nightly", target="./filled")
    print(backfill.run())

The same names, to be awaited, are in :mod:`snapfill.aio`. What goes wrong is a :class:`SnapfillError`. What snapfill logs goes
to the module ``logging``, under ``snapfill``. ``python -m snapfill`` is the command line.
"""

import atexit

from . import errors, events, model
from ._handles import Aws, EcsFleet, KubernetesFleet
from ._native import Document, end_logging, version
from ._sync import Backfill, Cluster, Documents, Events, FailedDocuments, GradualScaling, Repository, Snapshot
from .errors import (
    AuthError,
    CancelledError,
    ConfigError,
    ConflictError,
    CorruptError,
    IncompleteError,
    InvalidStateError,
    LeaseLostError,
    NotFoundError,
    RateLimitedError,
    SnapfillError,
    StorageError,
    UnavailableError,
    UnexpectedError,
    UnsupportedError,
)

__version__ = version()
atexit.register(end_logging)

__all__ = [
    "AuthError",
    "Aws",
    "Backfill",
    "CancelledError",
    "Cluster",
    "ConfigError",
    "ConflictError",
    "CorruptError",
    "Document",
    "Documents",
    "EcsFleet",
    "Events",
    "FailedDocuments",
    "GradualScaling",
    "IncompleteError",
    "InvalidStateError",
    "KubernetesFleet",
    "LeaseLostError",
    "NotFoundError",
    "RateLimitedError",
    "Repository",
    "SnapfillError",
    "Snapshot",
    "StorageError",
    "UnavailableError",
    "UnexpectedError",
    "UnsupportedError",
    "__version__",
    "errors",
    "events",
    "model",
]
