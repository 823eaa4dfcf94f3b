"""The cluster file is one that Ray takes: it was never started in a cloud, but it is not wrong."""

from pathlib import Path

import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

CLUSTER = Path(__file__).parents[2] / "deploy" / "ray" / "cluster.yaml"


def test_rays_own_check_passes_the_cluster_file():
    validate_config(prepare_config(yaml.safe_load(CLUSTER.read_text())))


def test_ten_nodes_have_a_slot_of_four_gib_for_each_processor():
    worker = prepare_config(yaml.safe_load(CLUSTER.read_text()))["available_node_types"]["worker"]
    assert worker["min_workers"] == worker["max_workers"] == 10
    assert worker["resources"]["memory"] == worker["resources"]["CPU"] * 4 * 1024**3


def test_no_model_runs_on_the_head():
    head = prepare_config(yaml.safe_load(CLUSTER.read_text()))["available_node_types"]["head"]
    assert head["resources"]["CPU"] == 0
