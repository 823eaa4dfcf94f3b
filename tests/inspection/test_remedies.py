"""Remedies for pickles that no image can run as they are."""

from numerai_predict.inspection.compatibility import compatibilities, unknown_modules
from numerai_predict.inspection.remedies import remedy_for_import, remedy_for_left_out
from numerai_predict.inspection.report import as_text


def test_the_remedy_for_a_module_that_no_image_has_is_to_store_it_by_value(inspected, own_module):
    inspection = inspected(own_module.predict)
    assert unknown_modules(inspection) == ["my_helpers"]
    assert "cloudpickle.register_pickle_by_value(my_helpers)" in as_text(inspection)
    assert "lacks my_helpers" in as_text(inspection)
    assert "cloudpickle stored by reference" in as_text(inspection)


def test_the_remedy_for_a_reference_to_a_script_is_cloudpickle(inspected):
    inspection = inspected(b"c__main__\npredict\n.")
    assert inspection.main_names == ("predict",)
    assert "cloudpickle.dump(predict, file)" in as_text(inspection)


def test_a_module_that_only_hosted_has_names_its_package_and_the_python_to_use(inspected):
    remedy = remedy_for_left_out("3.14", "tensorflow")
    assert remedy.startswith(
        "hosted has tf-nightly here; use 3.13: make the pickle with Python 3.13"
    )
    assert remedy_for_import("3.14", "tensorflow") == remedy
    assert remedy_for_left_out("3.13", "tensorflow") is None
    assert remedy_for_left_out("3.14", "ydf") is None, "hosted lacks it too"
    found = {each.image.name: each for each in compatibilities(inspected(b"ckeras\nModel\n."))}
    reasons = found["numerai_predict_py_3_14:latest"].reasons
    assert reasons == ("lacks keras (hosted has keras-nightly here)",)
