"""Which Python made a pickle, from its code objects."""

import gzip
import json
import pickle
import subprocess
import sys
import sysconfig
import types
import zipfile
from pathlib import Path

import cloudpickle
import numpy as np
import pytest

from numerai_predict.contract.errors import InvalidPickle
from numerai_predict.inspection.bytecode.opcode_tables import tables
from numerai_predict.inspection.bytecode.stack_effects import has_consistent_stack
from numerai_predict.inspection.bytecode.verifier import find_fault
from numerai_predict.inspection.code_objects import parse_code
from numerai_predict.inspection.imports import imported_modules
from numerai_predict.inspection.inspect import inspect_pickle

DIRECTORY = Path(__file__).parent
ARCHIVES = sorted((DIRECTORY / "corpus").glob("*.zip"))
RUNNING_PYTHON = "{}.{}".format(*sys.version_info)
(TABLE,) = [table for table in tables() if table.python == RUNNING_PYTHON]


class Calling:
    """An object whose unpickling calls a function."""

    def __init__(self, function, *arguments):
        self.reduced = (function, arguments)

    def __reduce__(self):
        return self.reduced


def fields(code):
    """The arguments of CodeType as cloudpickle stores them."""
    module = cloudpickle.cloudpickle
    if not hasattr(module, "_code_reduce"):  # before cloudpickle 3
        import cloudpickle.cloudpickle_fast as module
    return module._code_reduce(code)[1]


def legal_for(code_fields):
    code = parse_code(code_fields)
    return {table.python for table in tables() if find_fault(code, table) is None}


def functions_of(module_file):
    """The code objects of all functions in a source file, not those of classes."""
    found, left = (
        [],
        [compile(module_file.read_bytes(), str(module_file), "exec", dont_inherit=True)],
    )
    for code in left:
        left += [each for each in code.co_consts if isinstance(each, types.CodeType)]
        if code.co_flags & 2:
            found.append(code)
    return found


def test_the_corpus_has_four_pythons_two_cloudpickles_and_forty_shapes():
    makers = {path.stem for path in ARCHIVES}
    assert makers == {
        f"py{python}-cloudpickle{version}"
        for python in ("3.10", "3.11", "3.12", "3.13")
        for version in ("2.2", "3.1")
    }
    for path in ARCHIVES:
        with zipfile.ZipFile(path) as archive:
            assert sum(name.endswith(".pkl") for name in archive.namelist()) >= 45


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: path.stem)
def test_the_maker_of_every_pickle_is_in_the_answer(archive, tmp_path):
    maker, path = archive.stem[2:].split("-")[0], tmp_path / "model.pkl"
    with zipfile.ZipFile(archive) as pickles:
        for name in pickles.namelist():
            if name.endswith(".pkl"):
                path.write_bytes(pickles.read(name))
                legal = inspect_pickle(path).pythons.legal
                assert maker in legal, name
                # What differs in a jump, a call or a generator is never taken for another's.
                assert len(legal) == 1 or set(legal) <= {"3.8", "3.9", "3.10"} or "lookup" in name


def test_every_function_of_the_standard_library_is_legal_for_the_python_that_compiled_it():
    library = Path(sysconfig.get_path("stdlib"))
    checked = 0
    for module in sorted(library.glob("*.py")) + sorted(library.glob("asyncio/*.py")):
        for code in functions_of(module):
            assert find_fault(parse_code(fields(code)), TABLE) is None, (module, code.co_name)
            checked += 1
    assert checked > 5_000


def test_few_functions_of_the_standard_library_are_legal_for_another_python():
    library = Path(sysconfig.get_path("stdlib"))
    found = [legal_for(fields(code)) for code in functions_of(library / "typing.py")]
    alone = sum(legal == {RUNNING_PYTHON} for legal in found)
    assert alone > 0.5 * len(found)
    if RUNNING_PYTHON in ("3.11", "3.12", "3.13"):
        assert alone > 0.8 * len(found)


@pytest.mark.process
def test_the_table_of_this_python_is_what_its_own_modules_tell():
    script = DIRECTORY.parents[1] / "generate/pythons.py"
    generated = subprocess.run(
        [sys.executable, "-I", script, "--print"], capture_output=True, check=True
    )
    stored = json.loads(
        (DIRECTORY.parents[1] / "numerai_predict/inspection/data/pythons.json").read_text()
    )
    generated_here = json.loads(generated.stdout)[RUNNING_PYTHON]
    assert stored[RUNNING_PYTHON]["opcodes"] == generated_here["opcodes"]
    assert stored[RUNNING_PYTHON]["jump_unit"] == generated_here["jump_unit"]


def plain(x):
    for y in x:
        if y > 2:
            return y
    return None


def test_a_changed_opcode_argument_cache_or_jump_is_not_legal_any_more():
    whole = list(fields(plain.__code__))
    code = whole[6]
    assert legal_for(tuple(whole)) == {RUNNING_PYTHON}
    for changed in (code[:-2], code[:-1], b"\xfe\x00" + code[2:], code + b"\x00\x00", b""):
        assert RUNNING_PYTHON not in legal_for((*whole[:6], changed, *whole[7:]))


def test_every_changed_byte_of_code_leaves_at_most_this_python():
    """A changed byte may be as legal as before, never legal for another Python."""
    whole = fields(plain.__code__)
    for at in range(len(whole[6])):
        for bit in range(8):
            code = bytearray(whole[6])
            code[at] ^= 1 << bit
            assert legal_for((*whole[:6], bytes(code), *whole[7:])) <= {RUNNING_PYTHON}


@pytest.mark.parametrize(
    ("change", "fragment"),
    [
        ({3: 9}, "local variables"),
        ({0: 9}, "parameters"),
        ({6: "text"}, "not bytes"),
        ({8: ["a"]}, "not a tuple"),
        ({8: (1,)}, "not strings"),
        ({0: "1"}, "not a number"),
    ],
)
def test_fields_that_no_code_object_has_are_a_fault(change, fragment):
    changed = [change.get(i, value) for i, value in enumerate(fields(plain.__code__))]
    assert fragment in parse_code(tuple(changed)).fault


def test_code_of_another_number_of_fields_is_of_no_python(tmp_path):
    assert legal_for(fields(plain.__code__)[:9]) == set()


@pytest.mark.parametrize("table", tables(), ids=lambda table: table.python)
def test_an_opcode_of_two_locals_has_an_argument_of_two(table):
    stored = json.loads(
        (DIRECTORY.parents[1] / "numerai_predict/inspection/data/pythons.json").read_text()
    )
    pairs = [
        (name, facts["argument"])
        for name, facts in stored[table.python]["opcodes"].items()
        if name.count("_FAST") == 2 and name != "LOAD_FAST_AND_CLEAR"
    ]
    assert all(argument == "two locals" for _, argument in pairs), pairs


def test_a_pickle_without_functions_says_nothing_of_its_python(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps({"a": 1}))
    assert inspect_pickle(path).pythons.legal is None
    assert "unknown" in str(inspect_pickle(path).pythons)


def test_functions_of_two_pythons_together_are_legal_for_none(tmp_path):
    path, both = tmp_path / "model.pkl", b"\x80\x05("
    for python in ("3.11", "3.12"):
        with zipfile.ZipFile(DIRECTORY / f"corpus/py{python}-cloudpickle2.2.zip") as archive:
            data = archive.read("loops.pkl")
        # A pickle within a list of two: its own memo would go on, so each is read alone first.
        both += b"\x8e" + len(data).to_bytes(8, "little") + data
    path.write_bytes(both + b"t.")
    assert inspect_pickle(path).pythons.legal is None, "payloads are not looked into"

    old = (1, 0, 0, 1, 1, 67, b"|\x00S\x00", (None,), (), ("x",), "f.py", "f", 1, b"", (), ())
    new = fields(plain.__code__)
    path.write_bytes(cloudpickle.dumps([Calling(types.CodeType, *part) for part in (old, new)]))
    pythons = inspect_pickle(path).pythons
    if RUNNING_PYTHON == "3.10":
        assert pythons.legal == ("3.10",)
    else:
        assert (pythons.legal, pythons.mixed) == ((), ("3.8", "3.9", "3.10", RUNNING_PYTHON))


def test_corrupt_code_names_the_function(tmp_path):
    whole = list(fields(plain.__code__))
    whole[6] = b"\xfe" + whole[6][1:]
    path = tmp_path / "model.pkl"
    path.write_bytes(cloudpickle.dumps(Calling(types.CodeType, *whole)))
    assert "the code of plain is legal for no CPython from 3.8 to 3.14" in str(
        inspect_pickle(path).pythons
    )


def test_imports_within_functions_are_found():
    def predict():
        import json.decoder
        from os import path

        return json, path

    assert imported_modules(parse_code(fields(predict.__code__)), TABLE) == ["json.decoder", "os"]


def test_jumps_of_39_are_not_taken_for_those_of_310():
    # def f(x): return 1 if x else 2   -- as 3.9 and as 3.10 compile it.
    shared = ((None, 1, 2), (), ("x",), "f.py", "f", 1)
    of_39 = (1, 0, 0, 1, 1, 67, b"|\x00r\x08d\x01S\x00d\x02S\x00", *shared, b"\x00\x01", (), ())
    of_310 = (1, 0, 0, 1, 1, 67, b"|\x00r\x04d\x01S\x00d\x02S\x00", *shared, b"\x0c\x00", (), ())
    assert legal_for(of_39) == {"3.8", "3.9"}
    assert legal_for(of_310) == {"3.10"}


def pythons_of_fields(code_fields, path):
    path.write_bytes(cloudpickle.dumps(Calling(types.CodeType, *code_fields)))
    return inspect_pickle(path).pythons.legal


def test_bytes_that_two_pythons_decode_differently_are_distinguished_by_their_stack(tmp_path):
    # async def f(self): return self   -- 3.12's intrinsic call is a jump back in 3.11.
    code = b"K\x00\x01\x00\x97\x00|\x00S\x00\xad\x03w\x01"
    whole = (1, 0, 0, 1, 2, 131, code, (0,), (), ("self",), "f.py", "f", "f", 45, b"")
    whole += (b"\x82\x03\x05\x01", (), ())
    assert legal_for(whole) == {"3.11", "3.12"}
    assert pythons_of_fields(whole, tmp_path / "model.pkl") == ("3.12",)


def test_every_function_of_the_standard_library_keeps_its_stack():
    library = Path(sysconfig.get_path("stdlib"))
    codes = [parse_code(fields(code)) for code in functions_of(library / "asyncio/base_events.py")]
    codes += [parse_code(fields(code)) for code in functions_of(library / "typing.py")]
    assert len(codes) > 300
    assert all(has_consistent_stack(code, TABLE) for code in codes)


def branchy(live_features):
    total = 0
    for number in range(300):
        total += number if number % 2 else -number
    return live_features.filter(like="feature_").mean(axis=1) + total


branchy.__module__ = "__main__"  # pickled by value


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_each_protocol_shows_the_same_python_and_parameters(tmp_path, protocol, suffix):
    path = tmp_path / f"model.pkl{suffix}"
    for model in (branchy, [branchy, "feature_able_baker_charlie"]):
        data = cloudpickle.dumps(model, protocol=protocol)
        path.write_bytes(gzip.compress(data) if suffix else data)
        inspection = inspect_pickle(path)
        assert RUNNING_PYTHON in inspection.pythons.legal
        assert not inspection.pythons.corrupt
        if model is branchy:
            assert str(inspection.holds) == "branchy(live_features)"
        else:
            assert list(inspection.features) == ["feature_able_baker_charlie"]


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_payloads_of_megabytes_are_skipped_in_old_protocols_too(tmp_path, protocol, suffix):
    path = tmp_path / f"model.pkl{suffix}"
    payloads = [bytes(range(256)) * 20_000, "t" * 3_000_000, b"", np.arange(400_000)]
    data = cloudpickle.dumps([payloads, branchy], protocol=protocol)
    path.write_bytes(gzip.compress(data, 1) if suffix else data)
    inspection = inspect_pickle(path)
    assert inspection.partial is None
    assert RUNNING_PYTHON in inspection.pythons.legal
    for length in (len(data) - 1, len(data) // 2):
        path.write_bytes(gzip.compress(data[:length], 1) if suffix else data[:length])
        with pytest.raises(InvalidPickle):
            inspect_pickle(path)
