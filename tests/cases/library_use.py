"""GPUs, and libraries that compile or start workers."""

from case_table import CaseTable, fails
from machine_processes import NO_SOCKETS
from machine_use import predicts_in

TABLE = CaseTable()
predicts = predicts_in(TABLE)


# GPUs.


@predicts()
def gpu_probe(live):
    import subprocess

    try:
        subprocess.run(["nvidia-smi"], capture_output=True)
    except FileNotFoundError:
        pass


NO_GPU = ("models have none", "nvidia-smi does not exist", "shutil.which")


@predicts(expected=fails("model_error", *NO_GPU))
def gpu_probe_unguarded(live):
    import subprocess

    subprocess.run(["nvidia-smi"], capture_output=True)


@predicts(expected=fails("model_error", *NO_GPU))
def gpu_probe_by_path(live):
    import subprocess

    subprocess.check_output(["/usr/bin/nvidia-smi", "-L"])


# Libraries that compile or start workers.


@predicts(modules=("numba",))
def numba_jit(live):
    import numba

    assert numba.njit(lambda x: x + 1)(1.0) == 2


@predicts(modules=("numba",))
def numba_parallel(live):
    import numba
    import numpy

    @numba.njit(parallel=True)
    def total(values):
        found = 0.0
        for i in numba.prange(len(values)):
            found += values[i]
        return found

    assert total(numpy.ones(10)) == 10


@predicts(modules=("torch",))
def torch_threads(live):
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    torch.hub.get_dir()


@predicts(modules=("torch",), shared=NO_SOCKETS)
def torch_loader(live):
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    assert len(list(DataLoader(TensorDataset(torch.ones(10)), batch_size=2, num_workers=2))) == 5


@predicts(modules=("torch",))
def torch_compile(live):
    import torch

    assert torch.compile(lambda x: x + 1)(torch.ones(2)).sum() == 4


@predicts(modules=("torch",), expected=fails("model_error", "have none", "model.cpu()"))
def torch_on_a_gpu(live):
    import torch

    torch.ones(3, device="cuda")


@predicts(modules=("tensorflow",))
def tensorflow_session(live):
    import tensorflow

    assert float(tensorflow.reduce_sum(tensorflow.ones(3))) == 3


@predicts(modules=("keras",))
def keras_network(live):
    import keras

    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    assert network.predict(live.iloc[:, -2:].to_numpy("float32"), verbose=0).shape[1] == 1


@predicts(modules=("skorch",))
def skorch_network(live):
    import numpy
    import skorch
    import torch

    network = skorch.NeuralNetRegressor(
        torch.nn.Linear, module__in_features=2, module__out_features=1, max_epochs=1, verbose=0
    )
    network.fit(numpy.ones((8, 2), "float32"), numpy.ones((8, 1), "float32"))
    network.predict(numpy.ones((8, 2), "float32"))
