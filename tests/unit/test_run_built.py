"""A build folder remembers what it was built of."""

from ernn.run.built import BUILD, is_built, seal


def made(folder, key):
    (folder / BUILD).mkdir()
    (folder / BUILD / "top").write_text("a program")
    seal(folder, "top", key)


def test_it_is_that_of_any_key_that_serves(tmp_path):
    made(tmp_path, "optimized")
    assert is_built(tmp_path, "top", "quick", "optimized")
    assert not is_built(tmp_path, "top", "quick")
    assert not is_built(tmp_path, "top", "optimized")  # forgotten


def test_a_product_that_changed_or_went_is_none(tmp_path):
    made(tmp_path, "key")
    (tmp_path / BUILD / "top").write_text("cut off")
    assert not is_built(tmp_path, "top", "key")
    (tmp_path / BUILD / "top").unlink()
    (tmp_path / "build.key").write_text("")
    assert not is_built(tmp_path, "top", "key")
