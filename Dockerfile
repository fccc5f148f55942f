# Two images: the operator (the default), and the simulator for trials without an AWS account:
#   docker build -t aws-batch-operator:0.1.0 .
#   docker build -t aws-batch-simulator:0.1.0 --target simulator .
#
# The base image by digest, of the index for all architectures: the tag alone would build something
# else each month. To renew it:
#   docker buildx imagetools inspect python:3.12-slim-bookworm --format '{{.Manifest.Digest}}'
# For a mirror or another base: docker build --build-arg PYTHON_IMAGE=registry.example.com/python@…
ARG PYTHON_IMAGE=python:3.12-slim-bookworm@sha256:54c85f3c47607a77f32adec749d3c81d1348bf25833671f512b26a9b6d778cb3

# Build: the wheel and its hashed dependencies into a tree of their own.
FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements/runtime.txt requirements/build.txt requirements/
RUN python -m venv /opt/build && /opt/build/bin/pip install --require-hashes -r requirements/build.txt \
 && python -m venv /opt/operator && /opt/operator/bin/pip install --require-hashes -r requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY operator/awsbatch_operator operator/awsbatch_operator
RUN /opt/build/bin/python -m hatchling build -t wheel \
 && /opt/operator/bin/pip install --no-deps dist/*.whl \
 && /opt/operator/bin/python -m compileall -q /opt/operator/lib \
 && /opt/operator/bin/python -m pip uninstall --yes pip

# The simulator's dependencies, in a tree that the operator's image never sees.
FROM ${PYTHON_IMAGE} AS simulator-build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements/simulator.txt requirements/
RUN python -m venv /opt/simulator && /opt/simulator/bin/pip install --require-hashes -r requirements/simulator.txt
COPY operator/awsbatch_simulator /opt/simulator/app/awsbatch_simulator
RUN /opt/simulator/bin/python -m compileall -q /opt/simulator/lib /opt/simulator/app \
 && /opt/simulator/bin/python -m pip uninstall --yes pip

# Simulate: it runs scripts of jobs and no commands, so it needs no more rights than the operator.
FROM ${PYTHON_IMAGE} AS simulator
ENV PATH=/opt/simulator/bin:$PATH PYTHONPATH=/opt/simulator/app PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
COPY --from=simulator-build /opt/simulator /opt/simulator
USER 65532:65532
WORKDIR /tmp
EXPOSE 4566
ENTRYPOINT ["python", "-m", "awsbatch_simulator"]

# Run: no compiler, no pip, no root, nothing to write but /tmp.
FROM ${PYTHON_IMAGE} AS operator
ENV PATH=/opt/operator/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
COPY --from=build /opt/operator /opt/operator
USER 65532:65532
WORKDIR /tmp
EXPOSE 8080
ENTRYPOINT ["aws-batch-operator"]
CMD ["run"]
