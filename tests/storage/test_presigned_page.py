"""The two presigned requests on the page about S3 deliver the file."""

import shlex
import subprocess
import sys

from doc_pages import fences_of


def predict_by_rank(live_features):
    values = live_features["feature_sample_0000"].rank(pct=True, method="first")
    return values.to_frame("prediction")


def test_the_two_presigned_requests_deliver_the_file(
    contract, run_model, pickle_model, s3, clean_environment, tmp_path
):
    fences = fences_of(contract.root / "docs/how-to/fetch-and-deliver.md")
    (snippet,) = [fence.text for fence in fences if "generate_presigned_post" in fence.text]
    model = pickle_model(predict_by_rank).read_bytes()
    s3.client.put_object(Bucket="models", Key="my.pkl", Body=model)
    printed = tmp_path / "printed"  # by another program than ours, and full of secrets
    with open(printed, "w") as handle:
        subprocess.run(
            [sys.executable, "-c", snippet],
            stdout=handle,
            check=True,
            timeout=60,
            env={**clean_environment, **s3.environment},
        )
    options = shlex.split(printed.read_text())
    assert options[::2] == ["--model", "--post_url", "--post_data"]
    run = run_model(*options[1:])
    run.succeeds()
    assert s3.keys("predictions") == ["my.csv"]
    assert s3.read("predictions", "my.csv") == run.predictions[0].read_bytes()
    assert run.record["delivered_to"].startswith(s3.url)
