# An image of a Python with the fleet beside it, for pods that have no Docker engine:
#   docker build -f deploy/ray/kuberay.Dockerfile --build-arg IMAGE=numerai_predict_py_3_12:latest .
ARG IMAGE=numerai_predict_py_3_12:latest
FROM python:3.12-slim AS fleet
COPY pyproject.toml README.md LICENSE /code/
COPY numerai_predict /code/numerai_predict
RUN pip install --no-cache-dir --prefix /fleet 'ray>=2.60' 'rich>=13' \
    && pip install --no-cache-dir --no-deps --prefix /fleet /code

FROM ${IMAGE}
COPY --from=fleet /fleet /usr/local
ENTRYPOINT []
