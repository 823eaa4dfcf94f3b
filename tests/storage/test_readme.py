"""What the README tells to type works as it stands there."""

import re
import shlex
import subprocess
import sys


def predict_by_rank(live_features):
    values = live_features["feature_sample_0000"].rank(pct=True, method="first")
    return values.to_frame("prediction")


def test_the_two_presigned_requests_of_the_readme_deliver_the_file(
    contract, run_model, pickle_model, s3, clean_environment, tmp_path
):
    readme = (contract.root / "README.md").read_text()
    (snippet,) = re.findall(r"```python\n(import boto3\n.*?)```", readme, re.DOTALL)
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
