"""What is said of a container that ends without a record."""

import pytest

from numerai_predict.contract.errors import InternalError
from numerai_predict.contract.record import EnvironmentFacts, Record
from numerai_predict.inspection.images import supported_images
from numerai_predict.runner.container.engine import Engine
from numerai_predict.runner.container.job_run import JobResult, require_record
from numerai_predict.runner.container.target import ContainerImage, LocalPython

IMAGE = ContainerImage(Engine("docker"), supported_images()[0])


def test_a_record_is_returned():
    record = Record(environment=EnvironmentFacts("3.12", None, "0"))
    assert require_record(JobResult(0, record), IMAGE) is record


def test_an_image_that_ends_without_one_is_named_with_what_makes_it_again():
    with pytest.raises(InternalError) as refused:
        require_record(JobResult(1, None), IMAGE)
    assert "`make build_slim_3_10` makes an older image again" in refused.value.remedy


@pytest.mark.parametrize(
    ("code", "target"), [(137, IMAGE), (125, IMAGE), (2, LocalPython("no engine"))]
)
def test_any_other_end_without_a_record_is_a_bug(code, target):
    with pytest.raises(InternalError, match="ended without one"):
        require_record(JobResult(code, None), target)
