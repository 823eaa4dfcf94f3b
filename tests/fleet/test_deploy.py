"""Ray accepts the cluster file; it was never started in a cloud."""

from pathlib import Path

import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

CLUSTER = Path(__file__).parents[2] / "deploy" / "ray" / "cluster.yaml"


def test_the_cluster_file_passes_the_validation_of_ray():
    validate_config(prepare_config(yaml.safe_load(CLUSTER.read_text())))


def test_ten_nodes_have_a_slot_of_four_gib_for_each_cpu():
    worker = prepare_config(yaml.safe_load(CLUSTER.read_text()))["available_node_types"]["worker"]
    assert worker["min_workers"] == worker["max_workers"] == 10
    assert worker["resources"]["memory"] == worker["resources"]["CPU"] * 4 * 1024**3


def test_no_model_runs_on_the_head_node():
    head = prepare_config(yaml.safe_load(CLUSTER.read_text()))["available_node_types"]["head"]
    assert head["resources"]["CPU"] == 0
