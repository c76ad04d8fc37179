"""A Ray cluster for a job: one of this machine alone for as long as the job runs, or one that is there.

    with connected(config) as ray, faults(ray):
        actors = room_for_actors(ray, config)

Ray is imported here only, and told to keep its bars, advice and statistics to itself.
"""

import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from naba.config import LabelConfig
from naba.errors import ConfigError, DataError
from naba.modelling.engines import usable_cores

LOOPBACK = "127.0.0.2"
"""Where Ray for one machine listens: nothing of it is for the network. 127.0.0.1 it would turn into the machine's address."""
CONNECT_WITHIN = 10.0
"""Seconds in which a cluster's head must answer; Ray itself would try for many minutes."""


def library() -> Any:
    """The library. Raises ConfigError where it is not installed."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Ray's advice on what it will one day do with CUDA_VISIBLE_DEVICES is given unless one of the two is chosen.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    # Its C++ part writes advice for Ray's developers to standard error as errors.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ConfigError(f"runner = 'ray' needs Ray ({error}); install it with: pip install 'naba[ray]'") from None
    return ray


@contextmanager
def connected(config: LabelConfig) -> Iterator[Any]:
    """Ray, connected for the block; the caller's own connection, where there is one, is used and left."""
    ray = library()
    settings = config.ray
    if ray.is_initialized():
        yield ray
        return
    where: dict[str, Any] = {"address": settings.address}
    known = _known_cluster() if settings.address == "auto" else settings.address
    if settings.address and known and known not in ("auto", "local"):
        _check_answers(known, settings.address)
    if settings.address is None:
        where = {
            "address": "local",
            "num_cpus": max(usable_cores(), (settings.actors or 1) * settings.cpus_per_actor),
            "include_dashboard": False,
            **({"_node_ip_address": LOOPBACK} if sys.platform == "linux" else {}),
        }
    # Ray puts a handler of its own in place of the caller's.
    main = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGTERM)
    try:
        with _silenced():
            ray.init(**where, log_to_driver=False, logging_level=logging.CRITICAL)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        raise ConfigError(
            f"ray.address = {settings.address!r}: no Ray cluster can be used there ({_line(error)}); start one with: "
            "ray start --head"
        ) from None
    finally:
        if main and handler is not None:
            signal.signal(signal.SIGTERM, handler)
    try:
        yield ray
    finally:
        ray.shutdown()


@contextmanager
def _silenced() -> Iterator[None]:
    """Nothing that is written to standard error by whatever part of this process comes through."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@contextmanager
def faults(ray: Any) -> Iterator[None]:
    """Tell what went wrong with the cluster, rather than with naba, in one line."""
    try:
        yield
    except ray.exceptions.RayError as error:
        cause = getattr(error, "cause", None)
        if isinstance(cause, ImportError):
            raise ConfigError(
                f"a node of the cluster lacks a module ({_line(cause)}); install naba on all of them"
            ) from None
        if isinstance(error, ray.exceptions.RayTaskError):
            raise
        raise DataError(
            f"the Ray cluster lost workers and gave up ({_line(error)}); what is done stays, the same command goes on. "
            "Workers short of memory need a smaller 'shard', or fewer on a node"
        ) from None


def room_for_actors(ray: Any, config: LabelConfig) -> int:
    """How many actors the cluster holds. Raises ConfigError for none."""
    cpus, gpus = config.ray.cpus_per_actor, config.ray.gpus_per_actor
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    room = sum(
        int(min(node.get("CPU", 0) // cpus, node.get("GPU", 0) / gpus if gpus else float("inf"))) for node in nodes
    )
    if not room:
        raise ConfigError(
            f"no node of the Ray cluster ({len(nodes)} in all) has {cpus} CPUs and {gpus:g} GPUs for an actor; change "
            "ray.cpus_per_actor or ray.gpus_per_actor"
        )
    # More than there is room for now may be asked for: a cluster that grows makes it.
    return config.ray.actors or room


def _known_cluster() -> str | None:
    """The head that Ray takes for "auto": the environment's, one that runs here, or the one last started; None if unknown."""
    try:
        from ray._private.services import get_ray_address_from_environment  # no public name tells it without connecting

        return cast(str, get_ray_address_from_environment("auto", None))
    except Exception:
        return None  # no cluster, or a version of Ray that looks otherwise: connecting will tell


def _check_answers(address: str, given: str) -> None:
    if "://" in address:
        advice = "start naba on a node of the cluster, with ray.address=auto"
        if given == "auto":
            advice = f"RAY_ADDRESS is {address}; start naba on a node of that cluster, and unset it"
        raise ConfigError(f"ray.address = {given!r}: {advice}")
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_WITHIN).close()
    except (OSError, ValueError) as error:
        if given == "auto":
            raise ConfigError(
                f"ray.address = 'auto': the cluster that this machine knows, {address}, does not answer ({_line(error)}); start "
                "it anew (`ray stop` ends what is left of it here), or give the HOST:PORT of another"
            ) from None
        raise ConfigError(
            f"ray.address = {given!r}: nothing answers there ({_line(error)}); give the HOST:PORT that `ray start --head` "
            "told, or on a node of the cluster ray.address=auto"
        ) from None


def _line(error: BaseException) -> str:
    """An exception's message as the first words of one line."""
    return " ".join(str(error).split())[:200] or type(error).__name__
