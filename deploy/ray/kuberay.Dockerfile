# An image of a Python that also has the fleet, for pods without a container engine:
#   docker build -f deploy/ray/kuberay.Dockerfile --build-arg PYTHON=3.12 \
#       --build-arg IMAGE=numerai_predict_py_3_12:latest -t REGISTRY/fleet_py_3_12 .
ARG PYTHON=3.12
ARG IMAGE=numerai_predict_py_3_12:latest
FROM python:${PYTHON}-slim AS fleet
COPY pyproject.toml README.md LICENSE /code/
COPY numerai_predict /code/numerai_predict
# In its own prefix: Ray's dependencies must not replace the locked packages of models.
RUN pip install --no-cache-dir --prefix /opt/fleet 'ray>=2.60' 'rich>=13' 'jinja2>=3.1' \
    && pip install --no-cache-dir --no-deps --prefix /opt/fleet /code

FROM ${IMAGE}
ARG PYTHON
COPY --from=fleet /opt/fleet /opt/fleet
ENV PATH=/opt/fleet/bin:$PATH PYTHONPATH=/opt/fleet/lib/python${PYTHON}/site-packages
ENTRYPOINT []
