"""Data that cannot be read is named, before or after the model sees it."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from absurd_parquet import FILES, IDS_AS_INDEX, write

from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.runner import live_data
from numerai_predict.runner.live_data import read_ids, read_shape, require_memory


def ranks(live_features):
    values = live_features["feature_sample_0000"].rank(pct=True, method="first")
    return values.to_frame("prediction")


def ranks_of_two(live_features, live_benchmark_models):
    live_benchmark_models["v52_lgbm_ender20"].sum()
    return ranks(live_features)


@pytest.fixture
def live(sample):
    return pd.read_parquet(sample / "live.parquet")


@pytest.fixture
def run_on(run_model, tmp_path):
    """Run on another data set: bytes, or a frame to be written."""

    def run(data, **parquet_options):
        path = tmp_path / "other.parquet"
        if isinstance(data, bytes):
            path.write_bytes(data)
        else:
            data.to_parquet(path, **parquet_options)
        return run_model(ranks, "--dataset", path)

    return run


def with_a_hole(data):
    """A parquet file whose metadata is whole, and whose pages of data are not."""
    middle = len(data) // 2
    return data[: middle // 4] + bytes(middle) + data[middle // 4 + middle :]


def test_missing_live_data_are_named(run_model, tmp_path):
    run_model(ranks, "--dataset", tmp_path / "gone.parquet").fails_as(
        "dataset_unavailable", "gone.parquet", "check the path"
    )


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"id,era\na,1\n", id="text"),
        pytest.param(b"", id="empty"),
        pytest.param(b"<html>403</html>", id="html"),
    ],
)
def test_what_is_no_parquet_file_is_named(run_on, data):
    run_on(data).fails_as("dataset_unavailable", "other.parquet", "parquet", "fetch")


def test_a_truncated_parquet_file_is_named(run_on, sample):
    data = (sample / "live.parquet").read_bytes()
    run_on(data[: len(data) // 2]).fails_as("dataset_unavailable", "other.parquet", "truncated")


def test_damaged_pages_of_live_data_are_named(run_on, sample):
    data = with_a_hole((sample / "live.parquet").read_bytes())
    run = run_on(data).fails_as("dataset_unavailable", "other.parquet", "fetch")
    assert run.record["model"]["arity"] is None


@pytest.mark.parametrize(
    ("alter", "words"),
    [
        pytest.param(lambda f: f.reset_index(), "a plain column `id`", id="plain column"),
        pytest.param(lambda f: f.reset_index(drop=True), "no ids", id="no ids"),
        pytest.param(lambda f: f.rename_axis("key"), "the index key", id="another name"),
        pytest.param(lambda f: f.set_index("era", append=True), "index id, era", id="two levels"),
    ],
)
def test_ids_that_are_not_the_index_are_refused_with_the_call_that_fixes_it(
    run_on, live, alter, words
):
    run_on(alter(live)).fails_as("dataset_unavailable", words, "set_index('id')")


def test_repeated_ids_are_refused(run_on, live):
    run_on(pd.concat([live, live.iloc[:1]])).fails_as("dataset_unavailable", "repeated", "once")


def test_a_missing_id_is_refused(run_on, live):
    run_on(live.rename(index={live.index[3]: None})).fails_as("dataset_unavailable", "missing")


def test_live_data_without_rows_are_refused(run_on, live):
    run_on(live.iloc[:0]).fails_as("dataset_unavailable", "expected live rows")


def test_one_live_row_is_enough(run_on, live):
    assert len(run_on(live.iloc[:1]).succeeds()) == 1


def test_ids_that_are_numbers_or_need_quotes_come_back_as_they_are(run_on, live):
    ids = [f'a,"b" {number}\n' if number % 2 else str(number) for number in range(len(live))]
    written = run_on(live.set_axis(pd.Index(ids, name="id"))).succeeds()
    assert list(written["id"]) == ids


def test_ids_of_integers_are_matched(run_on, live):
    written = run_on(live.set_axis(pd.Index(np.arange(200), name="id"))).succeeds()
    assert list(written["id"]) == [str(number) for number in range(200)]


def test_missing_benchmarks_fail_a_model_that_takes_them(run_model, tmp_path):
    run = run_model(ranks_of_two, "--benchmarks", tmp_path / "gone.parquet")
    run.fails_as("dataset_unavailable", "gone.parquet", "check the path")
    assert run.record["model"]["arity"] == 2


def test_unreadable_benchmarks_are_named(run_model, tmp_path):
    path = tmp_path / "other.parquet"
    path.write_bytes(b"no parquet")
    run_model(ranks_of_two, "--benchmarks", path).fails_as(
        "dataset_unavailable", "other.parquet", "fetch"
    )


def test_damaged_pages_of_benchmarks_are_named_and_not_the_live_data(run_model, sample, tmp_path):
    path = tmp_path / "damaged_benchmarks.parquet"
    path.write_bytes(with_a_hole((sample / "live_benchmark_models.parquet").read_bytes()))
    run = run_model(ranks_of_two, "--benchmarks", path)
    run.fails_as("dataset_unavailable", "damaged_benchmarks.parquet")
    assert "live.parquet" not in run.record["message"]


def test_a_small_file_that_declares_too_many_rows_is_refused_before_they_are_read(tmp_path):
    ids = pa.DictionaryArray.from_arrays(np.zeros(10_000_001, dtype="int32"), ["n" * 1000])
    table = pa.table({"id": ids})
    table = table.replace_schema_metadata(IDS_AS_INDEX)
    pq.write_table(table, tmp_path / "live.parquet")
    assert (tmp_path / "live.parquet").stat().st_size < 2_000_000
    with pytest.raises(DatasetUnavailable, match=r"at most 10,000,000 live rows .* 10,000,001"):
        read_ids(tmp_path / "live.parquet", "live.parquet")


@pytest.mark.parametrize("name", FILES)
def test_metadata_that_claim_absurd_sizes_are_refused_in_little_memory(tmp_path, name):
    path = write(name, tmp_path)
    before = pa.total_allocated_bytes()
    with pytest.raises(DatasetUnavailable):
        read_ids(path, "live.parquet")
    assert pa.total_allocated_bytes() - before < 16 * 2**20


def test_ids_that_unpack_to_more_than_the_limit_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(live_data, "_MOST_BYTES_OF_IDS", 100_000)
    ids = [f"{number:01000}" for number in range(200)]
    table = pa.table({"id": ids}).replace_schema_metadata(IDS_AS_INDEX)
    pq.write_table(table, tmp_path / "live.parquet", compression="zstd", use_dictionary=False)
    with pytest.raises(DatasetUnavailable, match=r"of ids in live.parquet, found more"):
        read_ids(tmp_path / "live.parquet", "live.parquet")


def test_more_columns_than_any_data_set_has_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(live_data, "_MOST_COLUMNS", 3)
    pq.write_table(pa.table({name: [1] for name in "abcd"}), tmp_path / "live.parquet")
    with pytest.raises(DatasetUnavailable, match=r"at most 3 columns in live.parquet, found 4"):
        read_shape(tmp_path / "live.parquet", "live.parquet")


@pytest.mark.parametrize("name", ["rows", "repeated ids", "deep schema"])
def test_live_data_of_absurd_size_from_a_server_end_a_run_as_unavailable(
    run_model, web, tmp_path, name
):
    web.replies["/live.parquet"] = web.reply(write(name, tmp_path).read_bytes())
    run = run_model(ranks, "--dataset", f"{web.url}/live.parquet")
    run.fails_as("dataset_unavailable", "live.parquet")


def with_long_texts(source, path):
    """The data set with a column of texts that take 400 MB in memory, and a few kilobytes here."""
    table = pq.read_table(source)
    texts = pa.array(["x" * 2_000_000] * table.num_rows)
    pq.write_table(
        table.append_column("feature_texts", texts),
        path,
        use_dictionary=["feature_texts"],
        compression="zstd",
    )
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("option", "name"),
    [("--dataset", "live.parquet"), ("--benchmarks", "live_benchmark_models.parquet")],
)
def test_no_model_is_blamed_for_data_that_exceed_its_memory_limit(
    run_model, sample, tmp_path, option, name
):
    path = with_long_texts(sample / name, tmp_path / "long.parquet")
    run = run_model(ranks_of_two, option, path, "--memory", "400m")
    run.fails_as("dataset_unavailable", "limit of 400.0 MiB", "long.parquet cannot be read")


def test_a_limit_that_is_too_low_for_the_libraries_is_not_the_fault_of_the_data(run_model):
    run_model(ranks, "--memory", "40m").fails_as("out_of_memory", "limit of 40.0 MiB")


def test_columns_of_fixed_width_that_exceed_the_memory_are_refused_by_their_metadata(tmp_path):
    path = tmp_path / "live.parquet"
    numbers = {f"feature_{number}": np.zeros(1000, "int8") for number in range(5)}
    truth, text = np.zeros(1000, bool), ["a"] * 1000
    pq.write_table(pa.table({**numbers, "target": np.zeros(1000), "t": truth, "era": text}), path)
    shape = read_shape(path, "live.parquet")
    assert shape.bytes == 1000 * (5 + 8 + 1)
    require_memory(shape, 14_000, "live.parquet")
    require_memory(shape, None, "live.parquet")
    with pytest.raises(DatasetUnavailable, match=r"found that live.parquet needs .*: 1,000 rows"):
        require_memory(shape, 13_999, "live.parquet")


OTHER_IDS = {
    "bytes": lambda ids: ids.map(str.encode),
    "fractions": lambda ids: pd.Index([number / 3 for number in range(len(ids))]),
    "dates": lambda ids: pd.date_range("2020-01-01", periods=len(ids)),
}


@pytest.mark.parametrize("kind", OTHER_IDS)
def test_ids_that_are_no_text_are_the_fault_of_the_data(run_on, live, kind):
    """Else the model, which returns the index as it is, would be blamed for wrong ids."""
    live.index = pd.Index(OTHER_IDS[kind](live.index), name="id")
    run_on(live).fails_as("dataset_unavailable", "expected the ids of", "as text, found")


@pytest.mark.parametrize("dtype", ["category", "string", "large_string[pyarrow]"])
def test_ids_of_every_kind_of_text_are_accepted(run_on, live, dtype):
    if dtype.startswith("large"):
        live.index = live.index.astype(pd.ArrowDtype(pa.large_string()))
    else:
        live.index = live.index.astype(dtype)
    assert run_on(live).exit_code == 0
