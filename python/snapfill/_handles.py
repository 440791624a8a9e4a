"""What the blocking and the asynchronous handles have in common: how they are made."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Union

from . import _native

if TYPE_CHECKING:
    from typing_extensions import Self

PathLike = Union[str, "os.PathLike[str]"]
"""A path or a URL."""

Transform = Callable[
    [_native.Document], Union[_native.Document, "list[_native.Document]", "tuple[_native.Document, ...]", None]
]
"""A function from a document to what is written in its place: one, several with ids that differ, or None for none.

It is called from threads of snapfill, from several at a time, and must give the same for the same document whenever it is
asked: after a crash, or when a lease is lost, what was not acknowledged is transformed again, and only equal ids make that no
harm. Index and type of a document cannot be changed. What raises is kept with the failed documents, as it was read.
"""

BATCH = 1000
"""Documents of a batch unless another number is asked for."""


def text_of(place: PathLike) -> str:
    """A path or a URL as text."""
    return os.fspath(place)


def optional_text(place: PathLike | None) -> str | None:
    """A path or a URL as text, if there is one."""
    return None if place is None else text_of(place)


def optional_path(text: str | None) -> Path | None:
    """A path, if there is one."""
    return None if text is None else Path(text)


def duration(value: timedelta | float | None) -> timedelta | None:
    """A duration; a bare number is seconds."""
    return timedelta(seconds=value) if isinstance(value, (int, float)) else value


def names(option: str, given: Iterable[str] | str | None) -> list[str]:
    """Names or patterns; a single one may be given as it is."""
    if given is None:
        return []
    found = [given] if isinstance(given, str) else list(given)
    for name in found:
        if not isinstance(name, str):
            raise TypeError(f"{option}: expected names, not {type(name).__name__}")
    return found


class RepositoryHandle:
    """How a repository is made."""

    def __init__(
        self,
        url: PathLike,
        *,
        base_path: str | None = None,
        allow_partial: bool = False,
        remote_store: PathLike | None = None,
        remote_store_base_path: str | None = None,
        recovery_source: bool = False,
        max_document_bytes: int | None = None,
    ) -> None:
        """Nothing is read before it is asked for something.

        :param url: The folder of the repository, or its URL.
        :param base_path: The folder of the repository below its location: the ``base_path`` it was registered with.
        :param allow_partial: Reads PARTIAL snapshots too. The shards that they lack are reported as skipped.
        :param remote_store: The location of the remote store's segment repository, for shallow snapshots of OpenSearch.
        :param remote_store_base_path: The folder of the remote store below its location.
        :param recovery_source: Takes the original source that Elasticsearch keeps for replication, where an index stores none
            or a filtered one.
        :param max_document_bytes: Refuses documents of more bytes; None: 256 MiB.
        """
        self._url = text_of(url)
        self._options: dict[str, Any] = {
            "base_path": base_path,
            "allow_partial": allow_partial,
            "remote_store": optional_text(remote_store),
            "remote_store_base_path": remote_store_base_path,
            "recovery_source": recovery_source,
            "max_document_bytes": max_document_bytes,
        }
        self._native = _native.Repository(self._url, self._options)

    @property
    def url(self) -> str:
        """The path or URL as it was given."""
        return self._url

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._url!r})"


class SnapshotHandle:
    """How a snapshot is made."""

    def __init__(self, name: str, native: _native.Snapshot) -> None:
        self._name = name
        self._native = native

    @property
    def name(self) -> str:
        """Its name."""
        return self._name

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._name!r})"


class Aws:
    """How requests to Amazon OpenSearch Service or Serverless are signed. Keys come from where AWS's own tools take them."""

    def __init__(
        self,
        service: Literal["es", "aoss"],
        *,
        region: str | None = None,
        profile: str | None = None,
        role: str | None = None,
        external_id: str | None = None,
        role_session: str | None = None,
        domain: str | None = None,
        account: str | None = None,
        collection: str | None = None,
    ) -> None:
        """Nothing is asked for yet.

        :param service: ``"es"`` for Amazon OpenSearch Service, ``"aoss"`` for Serverless.
        :param region: The region; None: that of the address, the environment or the profile.
        :param profile: Takes the keys of this profile.
        :param role: The ARN of a role to assume.
        :param external_id: The external id that the role asks for.
        :param role_session: The name under which the role's session shows in logs.
        :param domain: The domain's name, for CloudWatch, where the address does not hold it.
        :param account: The id of the account that owns the domain, where it is not the one of the keys.
        :param collection: The collection's id, where the address does not hold it.
        """
        self._options: dict[str, Any] = {
            "service": service,
            "region": region,
            "profile": profile,
            "role": role,
            "external_id": external_id,
            "role_session": role_session,
            "domain": domain,
            "account": account,
            "collection": collection,
        }

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self._options.items() if value is not None)
        return f"Aws({given})"


class ClusterHandle:
    """How a cluster is made."""

    def __init__(
        self,
        address: PathLike,
        *,
        endpoints: Iterable[str] = (),
        user: str | None = None,
        password: str | None = None,
        api_key: str | None = None,
        token: str | None = None,
        ca_file: PathLike | None = None,
        client_certificate: PathLike | None = None,
        client_key: PathLike | None = None,
        allow_insecure: bool = False,
        compression: Literal["auto", "gzip", "off"] | None = None,
        timeout: timedelta | float | None = None,
        allowed_exceptions: Iterable[str] = (),
        server_ids: Literal["auto", "always", "never"] | None = None,
        user_agent_extra: str | None = None,
        aws: Aws | None = None,
    ) -> None:
        """Nothing is reached before it is asked for something. A folder takes no options.

        :param address: An ``http://`` or ``https://`` address without credentials, or the folder of a local target.
        :param endpoints: Further addresses of the same cluster.
        :param user: The user's name, for basic authentication.
        :param password: The user's password.
        :param api_key: An API key: ``id:key``, or both encoded together.
        :param token: A bearer token.
        :param ca_file: A PEM file of certificate authorities to believe in place of the system's.
        :param client_certificate: The certificate to show: a PEM file.
        :param client_key: Its private key: a PEM file.
        :param allow_insecure: Believe anybody.
        :param compression: Whether request bodies are compressed; None: unless the cluster is on this machine.
        :param timeout: How long a request may take, in seconds unless it is a ``timedelta``; None: a minute.
        :param allowed_exceptions: Types of exceptions that are no failure of a document.
        :param server_ids: Whether documents get ids from the server; None: where it takes no others.
        :param user_agent_extra: Put behind ``snapfill/<version>`` in the user agent.
        :param aws: Signs requests for AWS.
        """
        self._address = text_of(address)
        given: dict[str, Any] = {
            "endpoints": names("endpoints", endpoints),
            "user": user,
            "password": password,
            "api_key": api_key,
            "token": token,
            "ca_file": optional_text(ca_file),
            "client_certificate": optional_text(client_certificate),
            "client_key": optional_text(client_key),
            "allow_insecure": allow_insecure,
            "compression": compression,
            "timeout": duration(timeout),
            "allowed_exceptions": names("allowed_exceptions", allowed_exceptions),
            "server_ids": server_ids,
            "user_agent_extra": user_agent_extra,
            "aws": None if aws is None else aws._options,
        }
        self._options = given
        self._native = _native.Cluster(self._address, given)

    @property
    def address(self) -> str:
        """The address as it was given."""
        return self._address

    def __repr__(self) -> str:
        # Its options may hold secrets.
        return f"{type(self).__name__}({self._address!r})"


class EcsFleet:
    """A service of Amazon ECS whose tasks are the workers. Keys come from where AWS's own tools take them."""

    def __init__(
        self,
        *,
        cluster: str,
        service: str,
        region: str | None = None,
        endpoint: str | None = None,
        profile: str | None = None,
        role: str | None = None,
        external_id: str | None = None,
        shared_folders: bool = False,
    ) -> None:
        """Nothing is asked for yet.

        :param cluster: The cluster, by name or ARN.
        :param service: The service, by name or ARN.
        :param region: The region; None: the one that the environment, the profile or the instance names.
        :param endpoint: The URL at which ECS is asked; None: the region's public address.
        :param profile: Takes the keys of this profile.
        :param role: The ARN of a role to assume.
        :param external_id: The external id that the role asks for.
        :param shared_folders: The tasks mount a repository's folder, and that of failed documents, at the same paths as this
            machine.
        """
        self._options: dict[str, Any] = {
            "cluster": cluster,
            "service": service,
            "region": region,
            "endpoint": endpoint,
            "profile": profile,
            "role": role,
            "external_id": external_id,
            "shared_folders": shared_folders,
        }

    def __repr__(self) -> str:
        return f"EcsFleet(cluster={self._options['cluster']!r}, service={self._options['service']!r})"


class KubernetesFleet:
    """A Kubernetes deployment whose pods are the workers."""

    def __init__(
        self,
        deployment: str,
        *,
        namespace: str | None = None,
        kubeconfig: PathLike | None = None,
        context: str | None = None,
        shared_folders: bool = False,
    ) -> None:
        """Nothing is asked for yet.

        :param deployment: The deployment.
        :param namespace: Its namespace; None: that of the context or of the service account.
        :param kubeconfig: A kubeconfig file; None: the usual one, and within a cluster its service account.
        :param context: The context of the kubeconfig; None: its current one.
        :param shared_folders: The pods mount a repository's folder, and that of failed documents, at the same paths as this
            machine.
        """
        self._options: dict[str, Any] = {
            "deployment": deployment,
            "namespace": namespace,
            "kubeconfig": optional_text(kubeconfig),
            "context": context,
            "shared_folders": shared_folders,
        }

    def __repr__(self) -> str:
        return f"KubernetesFleet({self._options['deployment']!r})"


FailureClass = Union[
    Literal["mapping"], Literal["too_large"], Literal["version"], Literal["transform"], Literal["other"]
]
"""What kind of failure it was."""


def failed_filter(indices: Iterable[str] | str | None, classes: Iterable[FailureClass] | FailureClass | None) -> dict[str, Any]:
    """Which failed documents are meant, as the native half takes it."""
    return {"indices": names("indices", indices), "classes": names("classes", classes)}


def gradual(
    step: int | None,
    settle: timedelta | float | None,
    max_cpu_percent: int | None,
    max_heap_percent: int | None,
    max_queue_percent: int | None,
    max_queue_requests: int | None,
    min_free_disk_bytes: int | None,
    worst_status: str | None,
) -> dict[str, Any]:
    """How a fleet is scaled step by step, as the native half takes it."""
    return {
        "step": step,
        "settle": duration(settle),
        "max_cpu_percent": max_cpu_percent,
        "max_heap_percent": max_heap_percent,
        "max_queue_percent": max_queue_percent,
        "max_queue_requests": max_queue_requests,
        "min_free_disk_bytes": min_free_disk_bytes,
        "worst_status": worst_status,
    }


class BackfillHandle:
    """How a backfill is made."""

    _native: _native.Backfill
    _target: str

    def __init__(
        self,
        *,
        target: PathLike | ClusterHandle,
        repository: PathLike | RepositoryHandle | None = None,
        snapshot: str | SnapshotHandle | None = None,
        coordinator: str | ClusterHandle | None = None,
        state: PathLike | None = None,
        fleet: EcsFleet | KubernetesFleet | None = None,
        session: str | None = None,
        indices: Iterable[str] | str | None = None,
        exclude: Iterable[str] | str | None = None,
        max_docs_per_shard: int | None = None,
        split_bytes: int | None = None,
        rename: Mapping[str, str] | None = None,
        rename_patterns: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        rename_prefix: str | None = None,
        types: Literal["refuse", "split", "merge"] | None = None,
        create_indices: Literal["missing", "never"] | None = None,
        unknown_fields: Literal["refuse", "drop", "keep"] | None = None,
        replicas: int | None = None,
        disable_refresh: bool = False,
        defer_replicas: bool = False,
        operation: Literal["index", "create"] | None = None,
        workers: int | None = None,
        lease: timedelta | float | None = None,
        max_failed: int | None = None,
        failed_store: PathLike | None = None,
        from_scratch: bool = False,
        bulk_bytes: int | None = None,
        bulk_documents: int | None = None,
        bulks_in_flight: int | None = None,
        max_docs_per_second: int | None = None,
        max_bytes_per_second: int | None = None,
        transform: Transform | None = None,
    ) -> None:
        """Nothing is opened before it is asked for something.

        :param target: A folder, a cluster's address, or a ``Cluster`` with its options.
        :param repository: A path, a URL, or a ``Repository`` with its options. Without it, and without a snapshot, the run is
            meant that the target or its coordinator knows already.
        :param snapshot: The snapshot's name.
        :param coordinator: Where the working state of a run into a cluster is: another cluster, or ``"local"`` for a file of
            this machine. None: in the target.
        :param state: A folder for what this machine keeps of a run into a cluster.
        :param fleet: Where the workers are; None: in this process.
        :param session: The session's name: sessions of one target are apart from each other.
        :param indices: Indices to migrate: names, globs, or ``regex:`` and an expression. None: all but system indices.
        :param exclude: Patterns of indices to leave out of these.
        :param max_docs_per_shard: Documents of each shard at most, for a trial.
        :param split_bytes: Stored bytes of a shard that one work item holds; a larger shard is shared by several workers.
        :param rename: New names of indices by their old ones.
        :param rename_patterns: Regular expressions for whole names, and what takes their place.
        :param rename_prefix: Put before every name that is not in ``rename``.
        :param types: What becomes of indices with several mapping types; None: they are refused.
        :param create_indices: Whether indices that the target lacks are made; None: they are.
        :param unknown_fields: What becomes of fields whose type the target lacks; None: their index is refused.
        :param replicas: Replicas of the indices that are made.
        :param disable_refresh: No refresh while the target is filled.
        :param defer_replicas: Replicas are made when the run is done.
        :param operation: What becomes of an id that is in the target already; None: its document is replaced.
        :param workers: Workers that ``start`` starts; None: 1.
        :param lease: How long a worker holds an item without renewing its lease, in seconds unless it is a ``timedelta``.
        :param max_failed: How many documents of an index may fail before the backfill pauses; None: 10 000, or 1 % if that is
            more.
        :param failed_store: Where failed documents are kept: a folder or a URL.
        :param from_scratch: Begins a session anew that was stopped: every document is written again.
        :param bulk_bytes: Bytes of one bulk request; None: 10 MiB.
        :param bulk_documents: Documents of one bulk request; None: 10 000.
        :param bulks_in_flight: Bulk requests of one worker that may be out at a time, at most; None: 4.
        :param max_docs_per_second: A ceiling of the documents that this process sends a second.
        :param max_bytes_per_second: A ceiling of the bytes of documents that this process sends a second.
        :param transform: Called with each document, and gives what is written in its place: one, a list of several with ids
            that differ, or None for none. It must give the same whenever it is asked. Only for workers in this process.
        """
        patterns = rename_patterns.items() if isinstance(rename_patterns, Mapping) else rename_patterns
        self._target, target_options = _cluster(target)
        place, coordinator_options = (None, {}) if coordinator is None else _cluster(coordinator)
        location, repository_options = (None, {}) if repository is None else _repository(repository)
        self._native = _native.Backfill(
            {
                "target": self._target,
                "target_options": target_options,
                "coordinator": place,
                "coordinator_options": coordinator_options,
                "repository": location,
                "repository_options": repository_options,
                "snapshot": snapshot.name if isinstance(snapshot, SnapshotHandle) else snapshot,
                "state": optional_text(state),
                "ecs": fleet._options if isinstance(fleet, EcsFleet) else None,
                "kubernetes": fleet._options if isinstance(fleet, KubernetesFleet) else None,
                "session": session,
                "indices": names("indices", indices),
                "exclude": names("exclude", exclude),
                "max_docs_per_shard": max_docs_per_shard,
                "split_bytes": split_bytes,
                "rename": dict(rename or {}),
                "rename_patterns": [{"pattern": old, "replacement": new} for old, new in patterns],
                "rename_prefix": rename_prefix,
                "types": types,
                "create_indices": create_indices,
                "unknown_fields": unknown_fields,
                "replicas": replicas,
                "disable_refresh": disable_refresh,
                "defer_replicas": defer_replicas,
                "operation": operation,
                "workers": workers,
                "lease": duration(lease),
                "max_failed": max_failed,
                "failed_store": optional_text(failed_store),
                "from_scratch": from_scratch,
                "bulk_bytes": bulk_bytes,
                "bulk_documents": bulk_documents,
                "bulks_in_flight": bulks_in_flight,
                "max_docs_per_second": max_docs_per_second,
                "max_bytes_per_second": max_bytes_per_second,
            },
            _function(transform),
        )

    @classmethod
    def from_config(cls, path: PathLike, *, transform: Transform | None = None) -> Self:
        """The backfill of a configuration file: TOML or YAML, or a ``services.yaml`` of OpenSearch's Migration Assistant.

        The file is read now, and so are the secrets that it names.

        :param transform: As for a backfill that is made of options.
        :raises NotFoundError: There is no such file.
        :raises ConfigError: It cannot be understood; the text says file, line and column.
        """
        made = cls.__new__(cls)
        made._target = text_of(path)
        made._native = _native.Backfill.from_config(made._target, _function(transform))
        return made

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._target!r})"


def _function(transform: Transform | None) -> Transform | None:
    if inspect.iscoroutinefunction(transform):
        raise TypeError("transform: expected a plain function, not a coroutine function: it is called from threads of its own")
    if transform is not None and not callable(transform):
        raise TypeError(f"transform: expected a function, not {type(transform).__name__}")
    return transform


def _cluster(given: PathLike | ClusterHandle) -> tuple[str, dict[str, Any]]:
    if isinstance(given, ClusterHandle):
        return given._address, given._options
    return text_of(given), {}


def _repository(given: PathLike | RepositoryHandle) -> tuple[str, dict[str, Any]]:
    if isinstance(given, RepositoryHandle):
        return given._url, given._options
    return text_of(given), {}
