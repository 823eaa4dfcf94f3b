"""Remedies for pickles that no image can run as they are."""

from numerai_predict.inspection.compatibility import unknown_modules
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
