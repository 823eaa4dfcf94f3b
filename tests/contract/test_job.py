"""A job that lands in a log shows no credential."""

from pathlib import Path

from numerai_predict.contract.job import Job, PresignedPost


def test_the_representation_of_a_job_holds_no_url_and_no_form_field():
    job = Job(
        model="https://h/m.pkl?SECRET",
        dataset="https://h/d?SECRET",
        benchmarks="https://h/b?SECRET",
        output_dir=Path("/tmp"),
        post=PresignedPost("https://SECRET", (("policy", "SECRET"),)),
    )
    assert "SECRET" not in repr(job)
