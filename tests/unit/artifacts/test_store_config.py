"""Which object store the settings choose."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from remit.artifacts.config import get_object_store
from remit.artifacts.filesystem import FilesystemObjectStore
from remit.artifacts.r2 import R2ObjectStore
from remit.artifacts.store import NoOpObjectStore, ObjectStoreException
from remit.settings import Settings

R2 = {
    "object_store_endpoint": "https://account.r2.cloudflarestorage.com",
    "object_store_bucket": "evidence",
    "object_store_access_key_id": SecretStr("key-name"),
    "object_store_secret_access_key": SecretStr("secret-canary"),
}


def settings(**changes: object) -> Settings:
    """Return settings that no variable of this process has a part in."""
    unset = {"object_store_provider": None, "object_store_dir": None, **dict.fromkeys(R2)}
    return Settings.model_validate({**unset, **changes})


def test_none_chosen_is_the_default_and_that_is_noop() -> None:
    assert isinstance(get_object_store(settings()), NoOpObjectStore)


def test_the_embedded_stack_chooses_its_folder(tmp_path: Path) -> None:
    store = get_object_store(settings(), default="filesystem", folder=tmp_path / "objects")
    assert isinstance(store, FilesystemObjectStore)
    assert (tmp_path / "objects" / "sha256").is_dir()


@pytest.mark.parametrize("word", ["noop", "filesystem", "r2"])
def test_what_the_settings_say_goes_before_the_default(word: str, tmp_path: Path) -> None:
    chosen = settings(object_store_provider=word, object_store_dir=tmp_path, **R2)
    for default in ("noop", "filesystem"):
        assert get_object_store(chosen, default=default).name == word


def test_the_named_folder_goes_before_the_stacks(tmp_path: Path) -> None:
    chosen = settings(object_store_provider="filesystem", object_store_dir=tmp_path / "named")
    get_object_store(chosen, folder=tmp_path / "stack")
    assert [path.name for path in tmp_path.iterdir()] == ["named"]


def test_with_no_folder_named_it_lies_in_the_data_folder(tmp_path: Path) -> None:
    get_object_store(settings(object_store_provider="filesystem", remit_data_dir=tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["objects"]


@pytest.mark.parametrize("word", ["s3", "NOOP", "r2 ", "../r2", "none"])
def test_an_unknown_store_is_refused_with_the_known_ones(word: str) -> None:
    with pytest.raises(ObjectStoreException, match="filesystem, noop, r2") as caught:
        get_object_store(settings(object_store_provider=word))
    assert caught.value.error.error_type == "misconfigured"


@pytest.mark.parametrize("absent", R2)
@pytest.mark.parametrize("as_what", [None, ""])
def test_r2_names_the_variable_that_it_lacks(absent: str, as_what: str | None) -> None:
    given = {"object_store_provider": "r2", **R2, absent: as_what}
    with pytest.raises(ObjectStoreException, match=f" needs {absent.upper()}$") as caught:
        get_object_store(settings(**given))
    assert caught.value.error.error_type == "misconfigured"


def test_r2_names_everything_that_it_lacks() -> None:
    with pytest.raises(ObjectStoreException) as caught:
        get_object_store(settings(object_store_provider="r2"))
    assert all(name.upper() in caught.value.message for name in R2)


def test_r2_is_made_of_all_its_settings() -> None:
    chosen = settings(object_store_provider="r2", **R2)
    store = get_object_store(chosen)
    assert isinstance(store, R2ObjectStore)
    assert "secret-canary" not in repr(store) + repr(chosen)


def test_obstore_is_loaded_only_for_r2() -> None:
    code = (
        "import sys; from remit.artifacts.config import get_object_store;"
        "from remit.settings import Settings;"
        "get_object_store(Settings(object_store_provider='noop'));"
        "assert not {'obstore', 'sqlalchemy'} & set(sys.modules), sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=50)
