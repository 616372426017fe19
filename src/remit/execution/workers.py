"""Workers: each process that executes, with a key of its own, a certificate and a lease.

The certificate says who may tell what happened in a run, and which modules the worker has; the
lease, whether it lives. What certifies a worker is the installation's key, or, on a host that must
not hold that one, a key for workers that the installation's has certified before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from uuid import UUID, uuid4

from remit.base.json_types import JsonObject
from remit.errors import MisconfiguredError, UnverifiableError
from remit.execution.modules.registry import ModuleInfo
from remit.signing import pem
from remit.signing.keys import Keyring, TrustedKey, load_keyring, new_signing_key, public_pem
from remit.signing.statements import Kind, sign_statement, verify_statement
from remit.signing.worker_keys import WorkerKey

WORKER = Kind("worker")
WORKER_KEY = Kind("worker-key")

_BY, _CERTIFICATE = "by", "certificate"

LEASE = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a lease is like.

    Attributes:
        length: how long the worker is taken to live after it last renewed it.
        renewed_after: pause between two renewals, of which several may fail before others take the
            worker for dead; also how long one may take, if over a second.
    """

    length: timedelta = LEASE
    renewed_after: timedelta = timedelta(seconds=3)


USUAL = Terms()


@dataclass(frozen=True, slots=True)
class WorkerIdentity:
    """Who one worker is.

    Attributes:
        keys: what it signs with: a key that no other process has, for its installation.
    """

    id: UUID
    keys: Keyring

    @property
    def kid(self) -> str:
        """Name of its key."""
        return str(self.keys.kid)

    @property
    def public_key(self) -> str:
        """Its public key, as PEM."""
        return public_pem(self.keys)[self.kid]


def new_worker(keys: Keyring) -> WorkerIdentity:
    """Return a worker that nobody has been yet, with a new key, of the installation of `keys`."""
    own = load_keyring(None, signing_key=new_signing_key())
    return WorkerIdentity(uuid4(), replace(own, installation=keys.installation))


def certify(
    worker: WorkerIdentity,
    infos: Sequence[ModuleInfo],
    keys: Keyring,
    worker_key: WorkerKey | None = None,
) -> JsonObject:
    """Return what proves a worker's key and modules.

    Without a `worker_key`, the key for workers of this host, the installation's own key signs.

    Raises:
        MisconfiguredError: there is neither; or the key for workers was not certified by this
            installation.
    """
    said = certificate(worker.id, worker.kid, worker.public_key, digests(infos))
    if worker_key is None:
        if keys.signing_key is None:
            raise MisconfiguredError(
                "there is no key here that can certify a worker: run `remit keys worker DIR` where "
                "the signing key is, bring DIR to this host, and name it with REMIT_WORKER_KEY_DIR"
            )
        return sign_statement(WORKER, said, keys)
    by = worker_key.said
    try:
        own = _certified(by, keys)
    except UnverifiableError as error:
        raise MisconfiguredError(
            f"the certificate in {worker_key.source} does not verify: {error.message}; make "
            "another with `remit keys worker`, and see that `remit keys export` of that host is in "
            "the folder verify of this one",
            field="REMIT_WORKER_KEY_DIR",
        ) from error
    signing = replace(own, signing_key=worker_key.private)
    return {_BY: by, _CERTIFICATE: sign_statement(WORKER, said, signing)}


def certify_key(kid: str, public_key: str, label: str, keys: Keyring) -> JsonObject:
    """Return the installation's word for a key for workers.

    Raises:
        MisconfiguredError: there is no key to sign with.
    """
    said: JsonObject = {"kid": kid, "public_key": public_key, "label": label}
    return {**said, "envelope": sign_statement(WORKER_KEY, said, keys)}


def verify_certificate(envelope: JsonObject | None, said: JsonObject, keys: Keyring) -> None:
    """Return quietly when the installation stands for what `said` says, see :func:`certificate`.

    Args:
        envelope: what is stored with the worker: signed by the installation's key, or by a key for
            workers, beside the installation's word for that one.

    Raises:
        UnverifiableError: it does not; the message says why.
    """
    if envelope is not None and _BY in envelope:
        by, inner = envelope[_BY], envelope.get(_CERTIFICATE)
        if not isinstance(by, dict) or not isinstance(inner, dict):
            raise UnverifiableError("its certificate has not the form of one")
        envelope, keys = inner, _certified(by, keys)
    verify_statement(WORKER, envelope, said, keys)


def worker_keyring(kid: str, public_key: str, keys: Keyring) -> Keyring:
    """Return what verifies statements of one worker, once its certificate is verified.

    Raises:
        UnverifiableError: the key is not the one of that name.
    """
    try:
        [public] = pem.parse_public(public_key.encode(errors="replace"), "it")
    except (MisconfiguredError, ValueError) as error:
        raise UnverifiableError("its public key is none") from error
    if pem.key_id(public) != kid:
        raise UnverifiableError("its public key has another name")
    trusted = MappingProxyType({kid: TrustedKey(kid, public, "a certificate")})
    return Keyring(trusted, installation=keys.installation)


def certificate(
    worker_id: UUID, kid: str, public_key: str, modules: Mapping[str, object]
) -> JsonObject:
    """Return what the certificate of a worker says."""
    named: JsonObject = {name: str(digest) for name, digest in modules.items()}
    return {"worker": str(worker_id), "kid": kid, "public_key": public_key, "modules": named}


def digests(infos: Sequence[ModuleInfo]) -> JsonObject:
    """Return the digest of each module, by name."""
    return {one.name: one.digest for one in infos}


def _certified(by: JsonObject, keys: Keyring) -> Keyring:
    """Return the key for workers that `by` is about, once the installation stands for it."""
    said: JsonObject = {name: by.get(name) for name in ("kid", "public_key", "label")}
    envelope = by.get("envelope")
    verify_statement(WORKER_KEY, envelope if isinstance(envelope, dict) else None, said, keys)
    return worker_keyring(str(by["kid"]), str(by["public_key"]), keys)
