"""A cluster without Ray: its actors return what a test sets."""

from numerai_predict.fleet.pool.actor import WorkerReady
from numerai_predict.fleet.pool.ray_cluster import Node

GIB = 1024**3


class Method:
    """A method of an actor's handle: each call of it is a handle of its own."""

    def __init__(self, name):
        self.name = name

    def remote(self, *_):
        return Call(self.name)


class Call:
    def __init__(self, method):
        self.method = method


class Actor:
    def __init__(self):
        self.prepare, self.run = Method("prepare"), Method("run")


class FakeCluster:
    """Completes every call with the result that the test sets for its method."""

    def __init__(self):
        self.alive = ["one", "other"]
        self.results = {"prepare": WorkerReady({}, 1)}
        self.started, self.forgotten = [], []

    def nodes(self):
        return [Node(name, name, 1, 4 * GIB, True) for name in self.alive]

    def start_actor(self, node_id, _spec):
        self.started.append(node_id)
        return Actor()

    def stop_actor(self, actor):
        pass

    def forget_actor(self, actor):
        self.forgotten.append(actor)

    def completed_calls(self, calls, _seconds):
        return [call for call in calls if call.method in self.results]

    def result(self, call):
        return self.results[call.method]
